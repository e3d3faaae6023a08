"""A planned block, written, is the plan: read independently, everybody is bound to the same dwellings."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from devices.bound import bound_to_dwelling
from devices.database import reading, writing
from devices.model import PlaceKind, Role
from devices.registry.contacts import reveal_contacts
from devices.registry.installed import list_devices
from devices.schema import dwelling
from devices.vault import Vault
from gengfu.seed import uid_of, write_block
from simulators.block import plan_block
from simulators.places import Block, Dwelling

PHONES = "http://127.0.0.1:9/phones/"


@pytest.fixture(params=[2, 7, 60])
def block(request: pytest.FixtureRequest, engine: Engine, vault: Vault) -> Block:
    planned = plan_block(request.param, 5)
    with writing(engine) as connection:
        write_block(connection, vault, planned, lambda phone: PHONES + phone, 1)
    return planned


def above(block: Block, home: Dwelling) -> set[tuple[PlaceKind, str]]:
    """The dwelling and every place over it, walked by hand."""
    stair = next(s for s in block.stairs if s.code == home.stair)
    building = next(b for b in block.buildings if b.code == stair.building)
    found = {
        (PlaceKind.DWELLING, home.code),
        (PlaceKind.STAIR, stair.code),
        (PlaceKind.BUILDING, building.code),
    }
    code = building.area
    while code:
        found.add((PlaceKind.AREA, code))
        code = next(a.parent for a in block.areas if a.code == code)
    return found


def planned_for(block: Block, home: Dwelling) -> set[tuple[str, Role, int]]:
    """Who the plan binds to the dwelling; neighbours are those of the same stair, one floor away at most."""
    homes = {d.code: d for d in block.dwellings}
    places = above(block, home)
    found = set()
    for one in block.bindings:
        if one.role is Role.NEIGHBOUR:
            other = homes[one.place]
            applies = other != home and other.stair == home.stair and abs(other.floor - home.floor) <= 1
        else:
            applies = (one.place_kind, one.place) in places
        if applies:
            found.add((one.contact, one.role, one.rank))
    return found


def test_who_is_bound_to_each_dwelling_is_what_the_plan_says(block: Block, engine: Engine) -> None:
    with reading(engine) as connection:
        ids = {row.code: row.id for row in connection.execute(select(dwelling.c.code, dwelling.c.id))}
        assert ids.keys() == {home.code for home in block.dwellings}
        for home in block.dwellings:
            bound = bound_to_dwelling(connection, ids[home.code], 0, live=True)
            assert {(b.code, b.role, b.rank) for b in bound} == planned_for(block, home)
            assert len(bound) == len({(b.code, b.role) for b in bound})
            assert all(len(b.ways) == 3 for b in bound)


def test_every_device_hangs_where_the_plan_says(block: Block, engine: Engine) -> None:
    with reading(engine) as connection:
        written = {d.uid: d for d in list_devices(connection)}
    assert written.keys() == {uid_of(device) for device in block.devices}
    for device in block.devices:
        row = written[uid_of(device)]
        assert (row.dwelling, row.kind, row.breaker_a, row.cable_a) == (
            device.dwelling,
            device.kind,
            device.breaker_a,
            device.cable_a,
        )


def test_every_contact_has_its_own_phone(block: Block, engine: Engine, vault: Vault) -> None:
    with writing(engine) as connection:
        rows = {r.code: r for r in reveal_contacts(connection, vault, only=None, by="test", now_us=2)}
    for planned in block.contacts:
        ways = rows[planned.code].channels
        assert rows[planned.code].name == planned.name
        assert [way.address.partition("://")[2] for way in ways] == [
            f"127.0.0.1:9/phones/{planned.phone}"
        ] * 3
