"""From the registry to people: detectors on a stair and in its flats, as installers register them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from alerts import schema
from alerts.settings import Settings
from alerts.turn import run_turn
from devices import registry
from devices.database import open_database, reading, writing
from devices.model import Metric, ReadingBatch
from devices.registry import Written
from gengfu.ledger import SqlLedger
from ingest.registered import read_changes
from ingest.series import SeriesIndex
from rules.engine import Engine as Rules
from tests.alerts.block import BUILT_US, build
from tests.ingest.test_series import slots
from tests.rules.story import reading as said
from tests.rules.story import shipped, us

WHO = Written(by="t", now_us=BUILT_US)
PLACES = {
    "own:landing": {"stair_code": "b3-1"},
    "own:landing-b": {"stair_code": "b3-1"},
    "own:landing-2": {"stair_code": "b3-2"},
    "own:flat": {"dwelling_code": "b3-401"},
    "own:cupboard": {"building_code": "b3"},
}


class Site:
    """The block of the stories with detectors of its own, ingest's table of them, and the shipped rules."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with writing(engine) as connection:
            build(connection)
            for uid, place in PLACES.items():
                values: Any = {"kind": "smoke", "profile": "own", **place, **WHO}
                registry.register_device(connection, uid=uid, **values)
        with reading(engine) as connection:
            self.index = SeriesIndex(connection, max_strangers=10)
        found = slots(self.index, *((self.index.row(uid, ""), Metric.SMOKE_ALARM) for uid in PLACES))
        self.slots = dict(zip(PLACES, found, strict=True))
        self.rules = Rules(shipped(), self.index.table())
        self.ledger = SqlLedger(engine, self.index.name_of, lambda: us(0))

    def follow(self) -> None:
        """What has changed of the registry reaches the rules, as between two ticks."""
        with reading(self.engine) as connection:
            parts = list(read_changes(connection, self.index.registry_version))
        for part in parts:
            self.index.apply(part)
        self.rules.adopt(self.index.table(), self.index.take_changed())

    def smoke(self, uid: str, at_s: float) -> list[str]:
        """What the rules say of it, after it was told to people."""
        batch: ReadingBatch = self.index.seated(said(self.slots[uid], at_s, 1.0))
        found = self.rules.evaluate(batch, [], batch.received_us)
        self.ledger.commit(found, self.index.take_new_series(), [], round(at_s) + 1)
        run_turn(self.engine, Settings(b"k" * 32, "http://answers.example"), batch.received_us)
        return [one.rule for one in found]

    def incidents(self) -> dict[str, str]:
        """The severity of each by its place."""
        with reading(self.engine) as connection:
            return {row.place: row.severity for row in connection.execute(schema.incident.select())}


@pytest.fixture
def site(database: str) -> Iterator[Site]:
    engine = open_database(database)
    yield Site(engine)
    engine.dispose()


FLAT = "dwelling:3"
"""The flat 401, third in the block."""


@pytest.mark.parametrize(("first", "then"), [("own:landing", "own:flat"), ("own:flat", "own:landing")])
def test_a_landing_and_a_flat_of_its_stair_confirm_the_fire(site: Site, first: str, then: str) -> None:
    assert site.smoke(first, 0) == ["S1"]
    assert site.smoke(then, 200) == ["S1", "S2S"]
    assert site.incidents() == {"stair:1": "P0+", FLAT: "P0+"}


def test_two_landings_of_a_stair_confirm_the_fire_there(site: Site) -> None:
    assert site.smoke("own:landing", 0) == ["S1"]
    assert site.smoke("own:landing-b", 200) == ["S1", "S2S"]
    assert site.incidents() == {"stair:1": "P0+"}


@pytest.mark.parametrize("elsewhere", ["own:landing-2", "own:cupboard"])
def test_what_is_not_known_to_be_on_the_stair_confirms_nothing(site: Site, elsewhere: str) -> None:
    site.smoke("own:landing", 0)
    site.smoke("own:flat", 400)
    assert site.smoke(elsewhere, 401) == ["S1"]
    assert set(site.incidents().values()) == {"P0"}


def test_a_detector_that_was_hung_on_another_stair_counts_there_from_then_on(site: Site) -> None:
    with writing(site.engine) as connection:
        registry.move_device(connection, uid="own:landing", stair_code="b3-2", **WHO)
    site.follow()
    assert site.smoke("own:landing", 0) == ["S1"]
    assert site.smoke("own:flat", 10) == ["S1"]
    assert site.smoke("own:landing-2", 20) == ["S1", "S2S"]
    assert site.incidents() == {"stair:2": "P0+", FLAT: "P0"}
