"""Who is bound to a place, with inheritance: the people an alarm there concerns, and how to reach them.

Bindings hold downwards: those on the dwelling, its stair, its building, its area and every area above
apply. A neighbour bound to a dwelling lives there: they are told of the other dwellings of that stair at
most one floor away (life_safety, "who is told"), not of their own. A device on a stair is on no known floor:
every neighbour of the stair is next to it. What a contact bound several times is, and who stands in for whom,
`devices.people` says.

Everything is as it stood at `at_us`: bindings, ways and substitutions that held then. Erased contacts are
bound to nothing from their erasure on. `live` is for the present (`devices.instants` says what it changes).
A row with a word this release does not know is left out, and it alone (`devices.readable`). Every function
takes a fixed small number of queries, however many people there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from devices.bound_many import bound_to_spots, bound_where
from devices.model import PlaceKind, Role
from devices.people import Bound, Way
from devices.schema import binding
from devices.spots import Spot
from devices.unreachable import unreachable_dwellings, unreachable_places

__all__ = [
    "Bound",
    "Way",
    "bound_to_building",
    "bound_to_dwelling",
    "bound_to_stair",
    "duty_desks",
    "has_duty_desk",
    "unreachable_dwellings",
    "unreachable_places",
    "with_desks",
]


def bound_to_dwelling(
    connection: Connection, dwelling_id: int, at_us: int, *, live: bool = False
) -> tuple[Bound, ...]:
    """Everybody an alarm in this dwelling concerns, by role, rank and contact id.

    Empty for an unknown dwelling: the caller then turns to `duty_desks`.
    """
    return _at(connection, Spot(PlaceKind.DWELLING, dwelling_id), at_us, live)


def bound_to_stair(
    connection: Connection, stair_id: int, at_us: int, *, live: bool = False, residents: bool = True
) -> tuple[Bound, ...]:
    """Everybody an alarm in the common parts of the stair concerns; empty for an unknown stair.

    With `residents`, as for a fire, also who lives there: the neighbours bound to its dwellings, on whatever
    floor, and the families of all of them. These stand as neighbours too: none of them speaks for the stair
    as a family does for its own dwelling (life_safety, "who may end it").
    """
    return _at(connection, Spot(PlaceKind.STAIR, stair_id, residents), at_us, live)


def bound_to_building(
    connection: Connection, building_id: int, at_us: int, *, live: bool = False
) -> tuple[Bound, ...]:
    """Everybody an alarm in the building outside stairs and dwellings concerns; empty for an unknown one."""
    return _at(connection, Spot(PlaceKind.BUILDING, building_id), at_us, live)


def _at(connection: Connection, spot: Spot, at_us: int, live: bool) -> tuple[Bound, ...]:
    return bound_to_spots(connection, [spot], at_us, live=live)[spot]


def duty_desks(connection: Connection, at_us: int, *, live: bool = False) -> tuple[Bound, ...]:
    """Every duty_desk binding anywhere, with who stands in: for places nobody knows."""
    return bound_where(connection, binding.c.role == Role.DUTY_DESK, at_us, live=live)


def holders(
    connection: Connection, roles: Sequence[Role], at_us: int, *, live: bool = False
) -> tuple[Bound, ...]:
    """Every binding anywhere in one of these roles, with who stands in: for what belongs to no place."""
    return bound_where(connection, binding.c.role.in_(roles), at_us, live=live)


def has_duty_desk(connection: Connection, at_us: int, *, live: bool = False) -> bool:
    """Whether a duty desk is bound anywhere and can be reached, itself or through who stands in."""
    return any(desk.ways for desk in duty_desks(connection, at_us, live=live))


def with_desks(people: Sequence[Bound], desks: Callable[[], Iterable[Bound]]) -> tuple[Bound, ...]:
    """`people` of a place; where no duty desk among them can be reached, after them `desks`, all of the site.

    Whoever is among `people` as a duty desk already is not added again. `desks` is only asked where it must.
    """
    bound = {one.contact_id: one for one in people if one.role is Role.DUTY_DESK}
    if any(desk.ways for desk in bound.values()):
        return tuple(people)
    return *people, *(desk for desk in desks() if desk.contact_id not in bound)
