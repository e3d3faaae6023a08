"""Where devices were when: random lives of devices against a plain list of what was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, func, select

from devices import registry
from devices.database import open_database, writing
from devices.registry import RegistryError, StayRow, Written
from devices.schema import device, placement, registry_change
from devices.vault import KEY_BYTES, Vault
from tests.databases import TABLES_ONLY, sqlite_like
from tests.devices.conftest import NOW_US, build_block

PLACES = ("101", "201", "S1", "B")
UID = "own:meter-7"
DEEDS = ("register", "move", "retire", "set", "set_channel", "remove_channel")
Deed = tuple[str, str, int]
"""What is done, the place it names, and by how much the clock has gone on, also backwards."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(sqlite_like(TABLES_ONLY, tmp_path_factory.mktemp("stays")))
    with writing(engine) as connection:
        build_block(connection, Vault(bytes(range(KEY_BYTES))))
    yield engine
    engine.dispose()


@dataclass
class Life:
    """The reference: the place at each instant at which it became another one; empty while it is retired."""

    since: list[tuple[int, str]] = field(default_factory=list)

    @property
    def place(self) -> str:
        return self.since[-1][1] if self.since else ""

    def goes_to(self, place: str, now_us: int) -> None:
        latest = self.since[-1][0] if self.since else 0
        self.since.append((max(now_us, latest), place))

    def at(self, at_us: int) -> str:
        return next((place for since_us, place in reversed(self.since) if since_us <= at_us), "")


def do(connection: Connection, life: Life, deed: str, place: str, now_us: int) -> bool:
    """Does it, and keeps the reference; whether anything was written."""
    where: Any = {{"B": "building_code", "S1": "stair_code"}.get(place, "dwelling_code"): place}
    who = Written(by="t", now_us=now_us)
    match deed:
        case "register":
            registry.register_device(connection, uid=UID, kind="electrical", profile="own", **where, **who)
            life.goes_to(place, now_us)
        case "move":
            registry.move_device(connection, uid=UID, **where, **who)
            life.goes_to(place, now_us)
        case "retire":
            registry.retire_device(connection, uid=UID, **who)
            life.goes_to("", now_us)
        case "set":
            return registry.set_device(connection, uid=UID, label=place, **who)
        case "set_channel":
            return registry.set_device_channel(connection, uid=UID, channel="l1", label=place, **who)
        case _:
            registry.remove_device_channel(connection, uid=UID, channel="l1", **who)
    return True


def place_of(stay: StayRow | None) -> str:
    return "" if stay is None else stay.dwelling or stay.stair or stay.building


def check(connection: Connection, life: Life, instants: list[int]) -> None:
    stays = registry.placements_of(connection, UID)
    for one, after in pairwise(stays):
        assert one.until_us is not None
        assert one.until_us <= after.since_us
    assert all(stay.since_us <= stay.until_us for stay in stays if stay.until_us is not None)
    standing = [place_of(stay) for stay in stays if stay.until_us is None]
    assert standing == ([life.place] if life.place else [])
    [row] = registry.list_devices(connection, only=UID)
    assert (row.retired_us is None) == bool(life.place)
    assert row.dwelling + row.stair + row.building == next(
        place for _, place in reversed(life.since) if place
    )
    for at_us in instants:
        assert place_of(registry.device_at(connection, UID, at_us)) == life.at(at_us)


def newest_change(connection: Connection) -> int:
    return connection.scalar(select(func.max(registry_change.c.id))) or 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(DEEDS), st.sampled_from(PLACES), st.integers(-3, 10)),
        min_size=1,
        max_size=14,
    )
)
def test_stays_never_overlap_and_tell_where_a_device_hung_at_any_instant(
    engine: Engine, deeds: list[Deed]
) -> None:
    with engine.connect().execution_options(writing=True) as connection, connection.begin() as transaction:
        life, now_us, known = Life(), NOW_US, newest_change(connection)
        for deed, place, later_us in deeds:
            now_us += later_us
            try:
                written = do(connection, life, deed, place, now_us)
            except RegistryError:
                written = False
            newest = newest_change(connection)
            assert (newest > known) == written
            if life.since:
                of_it = select(device.c.change_id).where(device.c.uid == UID)
                at = int(connection.execute(of_it).scalar_one())
                assert at == newest if written else at <= known
                check(connection, life, list(range(NOW_US - 45, NOW_US + 145, 1 + len(deeds) % 3)))
            known = newest
        transaction.rollback()


def test_a_device_without_a_stay_on_record_can_still_be_moved(engine: Engine) -> None:
    with engine.connect().execution_options(writing=True) as connection, connection.begin() as transaction:
        life = Life()
        do(connection, life, "register", "101", NOW_US)
        connection.execute(placement.delete())
        do(connection, life, "move", "201", NOW_US + 5)
        assert registry.placements_of(connection, UID) == [StayRow("201", "", "", NOW_US + 5, None)]
        transaction.rollback()


def test_a_clock_that_steps_back_turns_no_stay_around(engine: Engine) -> None:
    with engine.connect().execution_options(writing=True) as connection, connection.begin() as transaction:
        life = Life()
        for later_us, (deed, place) in zip(
            (10, 4, 2, 1),
            [("register", "101"), ("move", "201"), ("retire", ""), ("register", "B")],
            strict=True,
        ):
            do(connection, life, deed, place, NOW_US + later_us)
        at_us = NOW_US + 10
        assert registry.placements_of(connection, UID) == [
            StayRow("101", "", "", at_us, at_us),
            StayRow("201", "", "", at_us, at_us),
            StayRow("", "", "B", at_us, None),
        ]
        transaction.rollback()
