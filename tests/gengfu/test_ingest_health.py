"""What ingest says of itself: a step that fails and a step that does not return are the same to an alarm."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from alerts.troubles import troubles_in
from benchmarks.service import eventually
from devices.database import writing
from gengfu.config import Config, FurtherBroker
from gengfu.run_ingest import HUNG_S, stalled_by
from tests.gengfu.composed import brokerless, composed
from tests.ingest.house import House


@pytest.fixture
def small(config: Config) -> Config:
    """Of two brokers, none of which is there."""
    return brokerless(config, FurtherBroker(name="north", host="127.0.0.1", port=2))


def test_a_commit_that_waits_for_a_lock_is_a_stall_while_it_waits(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"amps": 1}')
    house.run(tick)
    turned_s = tick.turned_s
    with writing(house.engine):  # somebody holds the database
        house.broker.publish("t/d1", b'{"smoke": 1}')
        thread = threading.Thread(target=lambda: house.run(tick))
        thread.start()
        eventually(lambda: tick.turned_s > turned_s and not tick.at_rest, "the tick is at its commit")
        assert tick.stalled == ""  # nothing has failed yet
        assert stalled_by(tick, tick.turned_s + HUNG_S) == ""
        assert stalled_by(tick, tick.turned_s + HUNG_S + 1) == "no answer"
    thread.join()
    assert stalled_by(tick, time.monotonic()) == ""
    assert len(house.alarms()) == 1
    house.stop()


def test_health_says_that_the_tick_does_not_turn_before_anything_else_that_waits(small: Config) -> None:
    with composed(small) as ingest:
        assert ingest.health()["trouble"] == "no_broker: broker, north"
        ingest.tick.turned_s -= HUNG_S + 1
        said = ingest.health()
        assert (said["ok"], said["trouble"], said["stalled"]) == (False, "stalled", "no answer")
        ingest.tick.run_once(0.0)
        assert ingest.health()["stalled"] == ""


def test_the_desk_reads_from_it_which_brokers_are_away(small: Config) -> None:
    with composed(small) as ingest:
        assert troubles_in(str(ingest.health()["trouble"])) == {"no_broker", "no_broker.north"}
