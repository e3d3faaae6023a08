from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from devices import registry
from devices.bound import (
    bound_to_building,
    bound_to_dwelling,
    duty_desks,
    has_duty_desk,
    unreachable_dwellings,
)
from devices.model import Carrier, Medium, Role
from devices.registry import Written
from devices.vault import Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
Ids = dict[str, int]


class People:
    """Contacts of the block, made when first named, each with one phone."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault
        self._known: set[str] = set()

    def bind(
        self, code: str, role: Role, kind: str, place: str, *, rank: int = 1, takes_unconfirmed: bool = False
    ) -> None:
        self.meet(code)
        registry.bind(
            self._connection,
            contact_code=code,
            role=role,
            place_kind=kind,
            place_code=place,
            rank=rank,
            takes_unconfirmed=takes_unconfirmed,
            **WHO,
        )

    def unbind(self, code: str, role: Role, kind: str, place: str) -> None:
        registry.unbind(
            self._connection, contact_code=code, role=role, place_kind=kind, place_code=place, **WHO
        )

    def meet(self, code: str, *, phone: bool = True) -> None:
        if code in self._known:
            return
        self._known.add(code)
        registry.add_contact(self._connection, self._vault, code=code, name="示例", **WHO)
        if phone:
            self.reach(code, "sms", f"https://sms.example/138{len(self._known):08}")

    def reach(self, code: str, medium: str, address: str, rank: int = 1) -> None:
        registry.add_channel(
            self._connection,
            self._vault,
            contact_code=code,
            medium=medium,
            carrier="webhook",
            address=address,
            rank=rank,
            **WHO,
        )


@pytest.fixture
def people(connection: Connection, vault: Vault) -> People:
    return People(connection, vault)


def told(connection: Connection, dwelling_id: int) -> list[tuple[str, Role]]:
    return [(one.code, one.role) for one in bound_to_dwelling(connection, dwelling_id, NOW_US)]


def test_bindings_hold_downwards_from_every_level(connection: Connection, block: Ids, people: People) -> None:
    people.bind("desk", Role.DUTY_DESK, "area", "C")
    people.bind("secretary", Role.BUILDING_SECRETARY, "area", "K")
    people.bind("worker", Role.GRID_WORKER, "area", "G")
    people.bind("station", Role.MICRO_STATION, "building", "B")
    people.bind("helper", Role.VOLUNTEER, "stair", "S1")
    people.bind("child", Role.FAMILY, "dwelling", "201")
    people.bind("stranger", Role.GRID_WORKER, "area", "OTHER")
    assert told(connection, block["201"]) == [
        ("worker", Role.GRID_WORKER),
        ("secretary", Role.BUILDING_SECRETARY),
        ("station", Role.MICRO_STATION),
        ("child", Role.FAMILY),
        ("desk", Role.DUTY_DESK),
        ("helper", Role.VOLUNTEER),
    ]
    assert [code for code, _ in told(connection, block["S2-201"])] == [
        "worker",
        "secretary",
        "station",
        "desk",
    ]
    assert [one.code for one in bound_to_building(connection, block["B"], NOW_US)] == [
        "worker",
        "secretary",
        "station",
        "desk",
    ]


def test_a_neighbour_hears_of_the_same_stair_one_floor_up_and_down_but_not_of_home(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("lives-201", Role.NEIGHBOUR, "dwelling", "201")
    heard = [code for code in block if code != "B" and told(connection, block[code])]
    assert heard == ["101", "102", "202", "301", "302"]


def test_a_neighbour_of_a_stair_or_building_hears_of_everything_below(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("stair-1", Role.NEIGHBOUR, "stair", "S1")
    people.bind("house", Role.NEIGHBOUR, "building", "B")
    assert [code for code, _ in told(connection, block["401"])] == ["stair-1", "house"]
    assert [code for code, _ in told(connection, block["S2-201"])] == ["house"]


def test_family_is_told_of_its_own_dwelling_only(connection: Connection, block: Ids, people: People) -> None:
    people.bind("child", Role.FAMILY, "dwelling", "201")
    assert [code for code in block if code != "B" and told(connection, block[code])] == ["201"]


def test_an_ended_binding_does_not_apply(connection: Connection, block: Ids, people: People) -> None:
    people.bind("worker", Role.GRID_WORKER, "area", "G")
    people.unbind("worker", Role.GRID_WORKER, "area", "G")
    assert told(connection, block["201"]) == []


def test_one_contact_appears_once_per_role_with_its_best_rank(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("both", Role.GRID_WORKER, "area", "C", rank=3)
    people.bind("both", Role.GRID_WORKER, "area", "G", rank=2)
    people.bind("both", Role.FAMILY, "dwelling", "201")
    found = bound_to_dwelling(connection, block["201"], NOW_US)
    assert [(one.role, one.rank) for one in found] == [(Role.GRID_WORKER, 2), (Role.FAMILY, 1)]


def test_the_chain_of_a_role_follows_rank_then_contact(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("late", Role.GRID_WORKER, "area", "G", rank=2)
    people.bind("first", Role.GRID_WORKER, "building", "B", rank=1)
    people.bind("later", Role.GRID_WORKER, "area", "K", rank=2)
    assert [one.code for one in bound_to_dwelling(connection, block["201"], NOW_US)] == [
        "first",
        "late",
        "later",
    ]


def test_ways_come_in_the_order_of_trying(connection: Connection, block: Ids, people: People) -> None:
    people.meet("worker", phone=False)
    people.reach("worker", "voice", "https://voice.example/13800000001", rank=2)
    people.reach("worker", "push", "https://example.org/hook", rank=1)
    people.bind("worker", Role.GRID_WORKER, "area", "G")
    [worker] = bound_to_dwelling(connection, block["201"], NOW_US)
    assert [(way.medium, way.carrier) for way in worker.ways] == [
        (Medium.PUSH, Carrier.WEBHOOK),
        (Medium.VOICE, Carrier.WEBHOOK),
    ]


def test_a_brigade_that_agreed_takes_unconfirmed_alarms(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("agreed", Role.FIRE_BRIGADE, "area", "C", takes_unconfirmed=True)
    people.bind("others", Role.FIRE_BRIGADE, "area", "K")
    found = {one.code: one.takes_unconfirmed for one in bound_to_dwelling(connection, block["201"], NOW_US)}
    assert found == {"agreed": True, "others": False}


def test_what_a_brigade_agreed_to_nearer_by_outdoes_what_it_agreed_to_for_the_town(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("brigade", Role.FIRE_BRIGADE, "area", "C", takes_unconfirmed=True)
    people.bind("brigade", Role.FIRE_BRIGADE, "building", "B")
    people.bind("other", Role.FIRE_BRIGADE, "area", "C")
    people.bind("other", Role.FIRE_BRIGADE, "stair", "S1", takes_unconfirmed=True)
    in_flat, outside = bound_to_dwelling, bound_to_building
    found = {one.code: one.takes_unconfirmed for one in in_flat(connection, block["201"], NOW_US)}
    assert found == {"brigade": False, "other": True}
    found = {one.code: one.takes_unconfirmed for one in outside(connection, block["B"], NOW_US)}
    assert found == {"brigade": False, "other": False}


@pytest.mark.usefixtures("block")
def test_places_nobody_knows_bind_nobody(connection: Connection) -> None:
    assert bound_to_dwelling(connection, 999, NOW_US) == ()
    assert bound_to_building(connection, 999, NOW_US) == ()


@pytest.mark.usefixtures("block")
def test_duty_desks_are_found_wherever_they_are_bound(connection: Connection, people: People) -> None:
    assert not has_duty_desk(connection, NOW_US)
    people.meet("mute", phone=False)
    people.bind("mute", Role.DUTY_DESK, "area", "OTHER")
    assert not has_duty_desk(connection, NOW_US)
    people.bind("desk", Role.DUTY_DESK, "building", "B")
    assert [one.code for one in duty_desks(connection, NOW_US)] == ["mute", "desk"]
    assert has_duty_desk(connection, NOW_US)
    people.unbind("desk", Role.DUTY_DESK, "building", "B")
    assert not has_duty_desk(connection, NOW_US)


def test_a_dwelling_with_a_device_and_nobody_who_can_be_reached_is_found(
    connection: Connection, block: Ids, people: People
) -> None:
    for code in ("101", "401"):
        registry.register_device(
            connection,
            uid=f"own:{code}",
            kind="smoke",
            profile="own",
            dwelling_code=code,
            **WHO,
        )
    people.meet("mute", phone=False)
    people.bind("mute", Role.FAMILY, "dwelling", "101")
    people.meet("secretary", phone=False)
    people.bind("secretary", Role.BUILDING_SECRETARY, "area", "C")
    people.bind("at-home", Role.NEIGHBOUR, "dwelling", "401")
    assert unreachable_dwellings(connection, NOW_US) == (block["101"], block["401"])
    people.bind("upstairs", Role.NEIGHBOUR, "dwelling", "302")
    assert unreachable_dwellings(connection, NOW_US) == (block["101"],)
    registry.retire_device(connection, uid="own:101", **WHO)
    assert unreachable_dwellings(connection, NOW_US) == ()


@pytest.mark.parametrize(
    ("role", "place", "counts"),
    [
        (Role.FAMILY, ("dwelling", "101"), True),
        (Role.NEIGHBOUR, ("dwelling", "201"), True),
        (Role.NEIGHBOUR, ("stair", "S1"), True),
        (Role.GRID_WORKER, ("area", "G"), True),
        (Role.BUILDING_SECRETARY, ("building", "B"), True),
        (Role.MICRO_STATION, ("area", "C"), True),
        (Role.DUTY_DESK, ("area", "C"), False),
        (Role.DUTY_DESK, ("dwelling", "101"), False),
        (Role.SUPERVISOR, ("building", "B"), False),
        (Role.MAINTENANCE, ("stair", "S1"), False),
        (Role.FIRE_BRIGADE, ("area", "C"), False),
        (Role.VOLUNTEER, ("dwelling", "101"), False),
    ],
)
def test_a_dwelling_is_reachable_only_through_somebody_who_acts_there_at_once(
    connection: Connection,
    block: Ids,
    people: People,
    role: Role,
    place: tuple[str, str],
    counts: bool,
) -> None:
    registry.register_device(connection, uid="own:d", kind="smoke", profile="own", dwelling_code="101", **WHO)
    people.bind("somebody", role, *place)
    assert unreachable_dwellings(connection, NOW_US) == (() if counts else (block["101"],))


def test_the_number_of_queries_does_not_grow_with_the_people(
    connection: Connection, block: Ids, people: People
) -> None:
    asked: list[str] = []

    def count(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    def queries() -> int:
        asked.clear()
        bound_to_dwelling(connection, block["201"], NOW_US)
        unreachable_dwellings(connection, NOW_US)
        return len(asked)

    event.listen(connection, "before_cursor_execute", count)
    people.bind("p0", Role.GRID_WORKER, "area", "G")
    few = queries()
    for n in range(1, 20):
        people.bind(f"p{n}", Role.GRID_WORKER, "area", "G")
    assert queries() == few <= 16  # one more for each level of areas
