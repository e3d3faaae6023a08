"""What ingest says of itself: a step that fails and a step that does not return are the same to an alarm."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from alerts.troubles import troubles_in
from benchmarks.service import eventually
from devices.database import writing
from gengfu.config import Broker, Config, FurtherBroker
from gengfu.ledger import SqlInbox
from gengfu.run_ingest import HUNG_S, Ingest, compose, stalled_by
from tests.databases import MIGRATED, sqlite_like
from tests.ingest.house import House


@contextmanager
def composed(config: Config) -> Iterator[Ingest]:
    ingest = compose(config)
    try:
        yield ingest
    finally:
        assert isinstance(ingest.parts.inbox, SqlInbox)
        ingest.parts.inbox.close()
        ingest.source.close()
        ingest.journal.close()
        ingest.engine.dispose()


@pytest.fixture
def small(config: Config) -> Config:
    """Of two brokers, none of which is there."""
    config.data_dir.mkdir()
    sqlite_like(MIGRATED, config.data_dir)
    return msgspec.structs.replace(
        config,
        broker=Broker(host="127.0.0.1", port=1, anonymous=True),
        brokers=(FurtherBroker(name="north", host="127.0.0.1", port=2),),
        ingest=msgspec.structs.replace(config.ingest, reserve_mb=0, ballast_mb=0),
    )


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
