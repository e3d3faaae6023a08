"""Inheritance, history and substitutes on random trees, against a reference that walks one place at a time.

The reference is written for plainness: it looks at every row for every question, and knows no SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from devices.bound import (
    bound_to_building,
    bound_to_dwelling,
    bound_to_stair,
    duty_desks,
    unreachable_places,
)
from devices.database import open_database
from devices.model import Carrier, PlaceKind, Role
from devices.people import Bound, Way
from devices.quiet import Quiet
from devices.unreachable import Gap
from tests.databases import POSTGRESQL
from tests.devices.random_block import INSTANTS, Block, Tie, blocks, write

AT_ONCE = {
    PlaceKind.DWELLING: {Role.GRID_WORKER, Role.NEIGHBOUR, Role.FAMILY},
    PlaceKind.STAIR: {Role.GRID_WORKER, Role.NEIGHBOUR},
    PlaceKind.BUILDING: {Role.GRID_WORKER},
}


RESIDENTS = {Role.NEIGHBOUR, Role.FAMILY}


@dataclass(frozen=True)
class Then:
    """The people of a block as they stood at an instant."""

    block: Block
    at: int
    live: bool

    def holds(self, begin: int, end: int | None) -> bool:
        if self.live:
            return end is None
        return begin <= self.at and self.not_over(end)

    def not_over(self, end: int | None) -> bool:
        return end is None or (not self.live and self.at < end)

    def ways(self, contact: int) -> tuple[Way, ...]:
        if not self.not_over(self.block.erased[contact - 1]):
            return ()
        found = [
            Way(n, line.medium, Carrier.WEBHOOK, line.rank)
            for n, line in enumerate(self.block.lines, 1)
            if line.contact == contact and self.holds(line.added, line.removed)
        ]
        return tuple(sorted(found, key=lambda way: (way.rank, way.channel_id)))

    def stand_ins(self, contact: int, role: Role) -> list[int]:
        """Whoever was named to stand in for the contact now, the one to ask first in front."""
        chosen = [
            (leave.role is None, n, leave.substitute)
            for n, leave in enumerate(self.block.leaves)
            if leave.contact == contact
            and leave.role in {None, role}
            and leave.begin <= self.at < leave.end
            and self.not_over(leave.cancelled)
        ]
        return [substitute for _, _, substitute in sorted(chosen)]

    def stand_in(self, contact: int, role: Role) -> int | None:
        for other in self.stand_ins(contact, role):
            if self.ways(other) and not self.stand_ins(other, role):
                return other
        return None

    def age(self, tie: Tie) -> int:
        """The higher, the newer; of two that are equal each has its own."""
        return next(n for n, one in enumerate(self.block.ties) if one is tie)

    def ties_at(self, kind: PlaceKind, place: int) -> list[Tie]:
        """What hangs on that very place, the newest in front."""
        return [
            tie
            for tie in reversed(self.block.ties)
            if (tie.kind, tie.place) == (kind, place)
            and self.holds(tie.bound, tie.ended)
            and self.not_over(self.block.erased[tie.contact - 1])
        ]


def walk_dwelling(then: Then, dwelling: int) -> list[Tie]:
    """The bindings that apply, from the nearest place up."""
    block = then.block
    stair, floor = block.dwellings[dwelling - 1]
    found = [tie for tie in then.ties_at(PlaceKind.DWELLING, dwelling) if tie.role is not Role.NEIGHBOUR]
    homes = [
        n
        for n, (other, level) in enumerate(block.dwellings, 1)
        if n != dwelling and other == stair and abs(level - floor) <= 1
    ]
    next_door = [tie for n in homes for tie in then.ties_at(PlaceKind.DWELLING, n)]
    next_door = [tie for tie in next_door if tie.role is Role.NEIGHBOUR]
    found += sorted(next_door, key=then.age, reverse=True)
    found += then.ties_at(PlaceKind.STAIR, stair)
    return found + walk_building(then, block.stairs[stair - 1])


def walk_stair(then: Then, stair: int, *, residents: bool) -> list[Tie]:
    homes = [n for n, (other, _) in enumerate(then.block.dwellings, 1) if other == stair and residents]
    ties = [tie for n in homes for tie in then.ties_at(PlaceKind.DWELLING, n)]
    found = sorted((t for t in ties if t.role in RESIDENTS), key=then.age, reverse=True)
    found += then.ties_at(PlaceKind.STAIR, stair)
    return found + walk_building(then, then.block.stairs[stair - 1])


def all_neighbours(people: tuple[Bound, ...]) -> tuple[Bound, ...]:
    """Families as neighbours; of who is both, what they are as a neighbour, but for those they stand for."""
    found: list[Bound] = [one for one in people if one.role is not Role.FAMILY]
    for one in people:
        twin = next((n for n, o in enumerate(found) if is_neighbour(o, one.contact_id)), -1)
        if one.role is Role.FAMILY and twin < 0:
            found.append(shown(one, role=Role.NEIGHBOUR))
        elif one.role is Role.FAMILY:
            both = tuple(sorted({*found[twin].stands_for, *one.stands_for}))
            found[twin] = shown(found[twin], stands_for=both, away=found[twin].away and one.away)
    return tuple(sorted(found, key=lambda b: (list(Role).index(b.role), b.rank, b.contact_id)))


def is_neighbour(one: Bound, contact: int) -> bool:
    return (one.role, one.contact_id) == (Role.NEIGHBOUR, contact)


def walk_building(then: Then, building: int) -> list[Tie]:
    found = then.ties_at(PlaceKind.BUILDING, building)
    area: int | None = then.block.buildings[building - 1]
    while area is not None:
        found += then.ties_at(PlaceKind.AREA, area)
        area = then.block.areas[area - 1]
    return found


def walk_desks(then: Then) -> list[Tie]:
    places = [
        *((PlaceKind.DWELLING, n) for n in range(1, len(then.block.dwellings) + 1)),
        *((PlaceKind.STAIR, n) for n in range(1, len(then.block.stairs) + 1)),
        *((PlaceKind.BUILDING, n) for n in range(1, len(then.block.buildings) + 1)),
        *((PlaceKind.AREA, n) for n in range(1, len(then.block.areas) + 1)),
    ]
    found = [tie for kind, place in places for tie in then.ties_at(kind, place)]
    kinds = list(PlaceKind)[::-1]
    found.sort(key=lambda tie: (kinds.index(tie.kind), -then.age(tie)))
    return [tie for tie in found if tie.role is Role.DUTY_DESK]


def expected(then: Then, ties: list[Tie]) -> tuple[Bound, ...]:
    own = {(tie.contact, tie.role): themselves(then, tie, ties) for tie in ties}
    found: list[Bound] = []
    covering: dict[tuple[int, Role], list[Bound]] = {}
    for (contact, role), one in own.items():
        other = then.stand_in(contact, role)
        if other is not None:
            covering.setdefault((other, role), []).append(one)
    for (contact, role), one in own.items():
        if (contact, role) not in covering:
            found.append(shown(one, away=then.stand_in(contact, role) is not None))
    for (other, role), absent in covering.items():
        absent.sort(key=lambda one: (one.rank, one.contact_id))
        mine = own.get((other, role))
        terms = [*([mine] if mine else []), *absent]
        best = terms[0]
        for one in terms[1:]:
            if (one.rank, one.delay_s) < (best.rank, best.delay_s):
                best = one
        found.append(
            Bound(
                contact_id=other,
                code=f"c{other}",
                role=role,
                rank=best.rank,
                takes_unconfirmed=bool(mine and mine.takes_unconfirmed),
                language=f"l{other}",
                ways=then.ways(other),
                delay_s=best.delay_s,
                quiet=None,
                stands_for=tuple(sorted(one.code for one in absent)),
                away=False,
                place_kind=best.place_kind,
                place_id=best.place_id,
            )
        )
    return tuple(sorted(found, key=lambda b: (list(Role).index(b.role), b.rank, b.contact_id)))


def themselves(then: Then, tie: Tie, ties: list[Tie]) -> Bound:
    """What the contact of `tie` is in that role in their own right; `ties` from the nearest place up."""
    mine = [one for one in ties if (one.contact, one.role) == (tie.contact, tie.role)]
    return Bound(
        contact_id=tie.contact,
        code=f"c{tie.contact}",
        role=tie.role,
        rank=min(one.rank for one in mine),
        takes_unconfirmed=mine[0].takes_unconfirmed,
        language=f"l{tie.contact}",
        ways=then.ways(tie.contact),
        delay_s=mine[0].delay_s,
        quiet=Quiet(*mine[0].quiet) if mine[0].quiet else None,
        place_kind=mine[0].kind,
        place_id=mine[0].place,
    )


def shown(one: Bound, **other: object) -> Bound:
    values = {name: getattr(one, name) for name in Bound.__dataclass_fields__}
    return Bound(**{**values, **other})


def gap(kind: PlaceKind, place: int, people: tuple[Bound, ...]) -> list[Gap]:
    """The gap at a place, if none of its people can be told at once; a neighbour is none of a building's.
    `people` of a stair with all who live there, as neighbours."""
    at_once = AT_ONCE[kind]
    if any(one.ways and one.role in at_once for one in people):
        return []
    mute = sorted({one.code for one in people if one.role in at_once})
    return [Gap(kind, place, f"c{place - 1}", tuple(mute))]


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def examples(engine_name: str) -> int:
    """PostgreSQL is asked less often: a tree costs it ten times as much."""
    return 60 if engine_name == POSTGRESQL else 400


def test_who_is_bound_is_what_walking_the_tree_finds(empty: Engine, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(block=blocks(), at=INSTANTS, live=st.booleans())
    def holds(block: Block, at: int, live: bool) -> None:
        then = Then(block, at, live)
        with empty.connect() as connection, connection.begin() as transaction:
            write(connection, block)
            halls = []
            for building in range(1, len(block.buildings) + 1):
                people = expected(then, walk_building(then, building))
                assert bound_to_building(connection, building, at, live=live) == people
                if block.halls[building - 1]:
                    halls += gap(PlaceKind.BUILDING, building, people)
            assert duty_desks(connection, at, live=live) == expected(then, walk_desks(then))
            landings = []
            for stair in range(1, len(block.stairs) + 1):
                for residents in (False, True):
                    ties = walk_stair(then, stair, residents=residents)
                    people = all_neighbours(expected(then, ties))
                    assert bound_to_stair(connection, stair, at, live=live, residents=residents) == people
                if block.landings[stair - 1]:
                    landings += gap(PlaceKind.STAIR, stair, people)
            unreachable = []
            for dwelling in range(1, len(block.dwellings) + 1):
                people = expected(then, walk_dwelling(then, dwelling))
                assert bound_to_dwelling(connection, dwelling, at, live=live) == people
                if block.with_device[dwelling - 1]:
                    unreachable += gap(PlaceKind.DWELLING, dwelling, people)
            assert unreachable_places(connection, at, live=live) == (*unreachable, *landings, *halls)
            transaction.rollback()

    holds()
