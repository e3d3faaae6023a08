"""A broker that sends anything at all over a real socket: the source comes back by itself and goes on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.mqtt_source import MqttSource
from tests.fuzz.streams import chunked, streams
from tests.ingest.packets import CONNACK, CONNACK_PRESENT, SUBACK, TAKEN_OVER, encode_publish, integer
from tests.ingest.sourcing import PATIENCE_S, TOPIC, Scripted, connect, payloads, running, settings_for, take

# As in test_wire_bytes.py: the codec's panics over invalid UTF-8.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LIMIT = 4096
AGAIN_S = 40.0
"""Longer than the source waits before it tries again, even where it was told of a takeover."""


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    broker = Scripted()
    yield broker
    broker.close()


def send(broker: Scripted, source: MqttSource, pieces: list[bytes]) -> None:
    """All pieces, as far as the source holds the connection; it looks after each."""
    with contextlib.suppress(OSError):
        for piece in pieces:
            broker.peer.sendall(piece)
            source.poll(0.001)
    broker.peer.close()


def goes_on(broker: Scripted, source: MqttSource, connects: int) -> None:
    """The next connection is like any other: a message comes and is acknowledged."""
    broker.accept(source, CONNACK_PRESENT, SUBACK, encode_publish(TOPIC, b"still here"))
    assert payloads(take(source, 1))[-1:] == [b"still here"]
    connect(source)
    assert source.counters.connects == connects
    acknowledged = b""
    while b"\x40\x02\x00\x01" not in acknowledged:
        acknowledged += broker.peer.recv(4096)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(streams, st.booleans(), st.data())
@example(b"\x00\x00", True, None)
@example(b"\x30" + integer(2**28 - 1), False, None)
@example(TAKEN_OVER, True, None)
@example(b"\x20\x03\x00\x87\x00", False, None)
def test_whatever_a_broker_sends_the_source_comes_back_and_goes_on(
    scripted: Scripted, stream: bytes, greeted: bool, data: st.DataObject | None
) -> None:
    ahead_s = [0.0]
    bounded = replace(settings_for(scripted.port), max_packet_bytes=LIMIT)
    with running(bounded, lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, *([CONNACK, SUBACK] if greeted else []))
        send(scripted, source, data.draw(chunked(stream)) if data else [stream])
        while source.poll(0.0):
            pass
        connects = source.counters.connects + 1
        ahead_s[0] += AGAIN_S
        goes_on(scripted, source, connects)


def test_a_flood_of_broken_connections_ends_in_a_good_one(scripted: Scripted) -> None:
    ahead_s = [0.0]
    with running(settings_for(scripted.port), lambda: time.monotonic() + ahead_s[0]) as source:
        for number in range(30):
            scripted.accept(source, CONNACK, SUBACK, b"\x00\x00")
            until_malformed(source, number + 1)
            ahead_s[0] += AGAIN_S
        goes_on(scripted, source, connects=31)


def test_a_message_that_never_ends_costs_the_connection_and_no_memory(scripted: Scripted) -> None:
    """The length is believed only up to what we announced, whoever trickles in what he promised."""
    ahead_s = [0.0]
    bounded = replace(settings_for(scripted.port), max_packet_bytes=LIMIT)
    with running(bounded, lambda: time.monotonic() + ahead_s[0]) as source:
        scripted.accept(source, CONNACK, SUBACK, b"\x32" + integer(2**28 - 1), bytes(1 << 20))
        until_malformed(source, 1)
        assert source.counters.bytes < 1 << 19  # of the mebibyte that was sent
        ahead_s[0] += AGAIN_S
        goes_on(scripted, source, connects=2)


def until_malformed(source: MqttSource, count: int) -> None:
    """Polls until so many connections were ended for what they sent."""
    until = time.monotonic() + PATIENCE_S
    while source.counters.malformed < count:
        assert time.monotonic() < until, source.counters
        source.poll(0.01)
    assert source.counters.malformed == count
