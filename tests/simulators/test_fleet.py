"""A scenario played over a real mosquitto."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.block import plan_block
from simulators.fleet import FleetError, FleetReport, play
from simulators.publisher import Address
from simulators.scenario import Message, evening
from tests.ingest.mosquitto import Mosquitto, free_port
from tests.simulators.broker import Listener


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def numbered(count: int, every_s: float) -> Iterator[Message]:
    return (Message(n * every_s, f"t/{n}", json.dumps({"seq": n}).encode(), 1, False) for n in range(count))


def test_messages_arrive_as_the_scenario_says(mosquitto: Mosquitto) -> None:
    story = [
        Message(0.0, "a", b"1", 0, False),
        Message(0.1, "b", b"", 1, False),
        Message(0.1, "c", b"3", 1, True),
    ]
    with Listener(mosquitto.port) as listener:
        report = asyncio.run(play(lambda _: story, Address("127.0.0.1", mosquitto.port), seconds=10))
        listener.wait_for(3)
    # the shipped broker configuration raises what is published at QoS 0 to what was subscribed
    assert listener.messages == [("a", b"1", 1, False), ("b", b"", 1, False), ("c", b"3", 1, True)]
    assert (report.published, report.reconnects, report.complete) == (3, 0, True)


def test_an_evening_begins_when_the_connection_stands(mosquitto: Mosquitto) -> None:
    block = plan_block(8, 1)
    starts: list[int] = []

    def scenario(start_ms: int) -> Iterator[Message]:
        starts.append(start_ms)
        return evening(block, start_ms, 1.5)

    with Listener(mosquitto.port) as listener:
        report = asyncio.run(play(scenario, Address("127.0.0.1", mosquitto.port), seconds=10))
        listener.wait_for(report.published)
    expected = list(evening(block, starts[0], 1.5))
    assert [(topic, payload) for topic, payload, *_ in listener.messages] == [
        (message.topic, message.payload) for message in expected
    ]


def test_time_and_count_cut_a_scenario_short(mosquitto: Mosquitto) -> None:
    broker = Address("127.0.0.1", mosquitto.port)
    by_time = asyncio.run(play(lambda _: numbered(2, 3600), broker, seconds=0.5))
    by_count = asyncio.run(play(lambda _: numbered(100, 0), broker, seconds=10, count=3))
    assert (by_time.published, by_time.complete) == (1, False)
    assert (by_count.published, by_count.complete) == (3, False)


def test_a_fleet_comes_back_after_the_broker_did(mosquitto: Mosquitto) -> None:
    reports: list[FleetReport] = []
    broker = Address("127.0.0.1", mosquitto.port)
    run = threading.Thread(
        target=lambda: reports.append(asyncio.run(play(lambda _: numbered(60, 0.02), broker, seconds=30)))
    )
    with Listener(mosquitto.port) as listener:
        run.start()
        listener.wait_for(5)
        mosquitto.kill()
        mosquitto.start()
        run.join(60)
    assert reports[0].published == 60
    assert reports[0].reconnects >= 1
    assert reports[0].complete


def test_a_fleet_that_never_reaches_a_broker_says_so() -> None:
    port = free_port()
    with pytest.raises(FleetError, match=f"127.0.0.1:{port}"):
        asyncio.run(play(lambda _: numbered(1, 0), Address("127.0.0.1", port), seconds=0.5))


def test_a_run_without_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds"):
        asyncio.run(play(lambda _: numbered(1, 0), Address("127.0.0.1", 1), seconds=0))
