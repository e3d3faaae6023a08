"""Who is bound to a place, with inheritance: the people an alarm there concerns, and how to reach them.

Bindings hold downwards: those on the dwelling, its stair, its building, its area and every area above
apply. A neighbour bound to a dwelling lives there: they are told of the other dwellings of that stair at
most one floor away (life_safety, "who is told"), not of their own. Ended bindings do not apply. Every
function takes a fixed small number of queries, however many people there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from devices.model import Carrier, Medium, PlaceKind, Role
from devices.schema import area, binding, building, contact, contact_channel, dwelling, stair
from devices.unreachable import NEIGHBOUR_FLOORS, unreachable_dwellings

__all__ = [
    "Bound",
    "Way",
    "bound_to_building",
    "bound_to_dwelling",
    "duty_desks",
    "has_duty_desk",
    "unreachable_dwellings",
]

_ROLE_ORDER: Final = {role: n for n, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a contact; the lower `rank` is tried first."""

    channel_id: int
    medium: Medium
    carrier: Carrier
    rank: int


@dataclass(frozen=True, slots=True)
class Bound:
    """One contact in one role. `ways` in the order of trying; empty where nobody registered one.

    `rank` is the order within the role's chain, the lowest where several bindings apply.
    """

    contact_id: int
    code: str
    role: Role
    rank: int
    takes_unconfirmed: bool
    language: str
    ways: tuple[Way, ...]


def bound_to_dwelling(connection: Connection, dwelling_id: int) -> tuple[Bound, ...]:
    """Everybody an alarm in this dwelling concerns, by role, rank and contact id.

    Empty for an unknown dwelling: the caller then turns to `duty_desks`.
    """
    place = connection.execute(
        select(dwelling.c.id, dwelling.c.floor, dwelling.c.stair_id, stair.c.building_id, building.c.area_id)
        .join(stair, dwelling.c.stair_id == stair.c.id)
        .join(building, stair.c.building_id == building.c.id)
        .where(dwelling.c.id == dwelling_id)
    ).first()
    if place is None:
        return ()
    return _bound(
        connection,
        or_(
            and_(_on(PlaceKind.DWELLING, [place.id]), binding.c.role != Role.NEIGHBOUR),
            _lives_next_to(place.id, place.stair_id, place.floor),
            _on(PlaceKind.STAIR, [place.stair_id]),
            _on(PlaceKind.BUILDING, [place.building_id]),
            _on(PlaceKind.AREA, _upwards(connection, place.area_id)),
        ),
    )


def bound_to_building(connection: Connection, building_id: int) -> tuple[Bound, ...]:
    """Everybody an alarm in the building outside dwellings concerns; empty for an unknown building."""
    place = connection.execute(select(building.c.area_id).where(building.c.id == building_id)).first()
    if place is None:
        return ()
    return _bound(
        connection,
        or_(
            _on(PlaceKind.BUILDING, [building_id]),
            _on(PlaceKind.AREA, _upwards(connection, place.area_id)),
        ),
    )


def duty_desks(connection: Connection) -> tuple[Bound, ...]:
    """Every standing duty_desk binding anywhere: for places nobody knows."""
    return _bound(connection, binding.c.role == Role.DUTY_DESK)


def has_duty_desk(connection: Connection) -> bool:
    """Whether a duty desk is bound anywhere and can be reached."""
    return any(desk.ways for desk in duty_desks(connection))


def _on(kind: PlaceKind, ids: Iterable[int]) -> ColumnElement[bool]:
    return and_(binding.c.place_kind == kind, binding.c.place_id.in_(list(ids)))


def _lives_next_to(dwelling_id: int, stair_id: int, floor: int) -> ColumnElement[bool]:
    near = exists().where(
        dwelling.c.id == binding.c.place_id,
        dwelling.c.id != dwelling_id,
        dwelling.c.stair_id == stair_id,
        func.abs(dwelling.c.floor - floor) <= NEIGHBOUR_FLOORS,
    )
    return and_(binding.c.role == Role.NEIGHBOUR, binding.c.place_kind == PlaceKind.DWELLING, near)


def _upwards(connection: Connection, area_id: int) -> list[int]:
    """The area and all above it; ends even where the tree was bent into a ring by hand."""
    above = select(area.c.id, area.c.parent_id).where(area.c.id == area_id).cte(recursive=True)
    above = above.union(select(area.c.id, area.c.parent_id).join(above, area.c.id == above.c.parent_id))
    return list(connection.execute(select(above.c.id)).scalars())


def _bound(connection: Connection, applies: ColumnElement[bool]) -> tuple[Bound, ...]:
    rows = connection.execute(
        select(
            binding.c.contact_id,
            contact.c.code,
            binding.c.role,
            func.min(binding.c.rank).label("rank"),
            func.max(case((binding.c.takes_unconfirmed, 1), else_=0)).label("takes_unconfirmed"),
            contact.c.language,
        )
        .join(contact, binding.c.contact_id == contact.c.id)
        .where(binding.c.ended_us.is_(None), applies)
        .group_by(binding.c.contact_id, contact.c.code, binding.c.role, contact.c.language)
    ).all()
    ways = _ways(connection, applies)
    found = [
        Bound(
            contact_id=row.contact_id,
            code=row.code,
            role=Role(row.role),
            rank=row.rank,
            takes_unconfirmed=bool(row.takes_unconfirmed),
            language=row.language,
            ways=ways.get(row.contact_id, ()),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (_ROLE_ORDER[one.role], one.rank, one.contact_id)))


def _ways(connection: Connection, applies: ColumnElement[bool]) -> dict[int, tuple[Way, ...]]:
    concerned = select(binding.c.contact_id).where(binding.c.ended_us.is_(None), applies)
    ways: dict[int, tuple[Way, ...]] = {}
    for row in connection.execute(
        select(
            contact_channel.c.contact_id,
            contact_channel.c.id,
            contact_channel.c.medium,
            contact_channel.c.carrier,
            contact_channel.c.rank,
        )
        .where(contact_channel.c.contact_id.in_(concerned))
        .order_by(contact_channel.c.rank, contact_channel.c.id)
    ):
        way = Way(row.id, Medium(row.medium), Carrier(row.carrier), row.rank)
        ways[row.contact_id] = (*ways.get(row.contact_id, ()), way)
    return ways
