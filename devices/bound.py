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

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from devices.bound_many import bound_to_spots
from devices.instants import Instant
from devices.model import Carrier, Medium, PlaceKind, Role
from devices.people import Absence, Binding, Bound, Way, resolve
from devices.quiet import Quiet
from devices.readable import is_readable_binding, is_readable_way
from devices.schema import binding, contact, contact_channel, substitution
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
    return _bound(connection, binding.c.role == Role.DUTY_DESK, Instant(at_us, live), ())


def holders(
    connection: Connection, roles: Sequence[Role], at_us: int, *, live: bool = False
) -> tuple[Bound, ...]:
    """Every binding anywhere in one of these roles, with who stands in: for what belongs to no place."""
    return _bound(connection, binding.c.role.in_(roles), Instant(at_us, live), ())


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


def _bound(
    connection: Connection, applies: ColumnElement[bool], instant: Instant, areas: Sequence[int]
) -> tuple[Bound, ...]:
    """Three queries: bindings, substitutions, ways."""
    rows = connection.execute(
        select(binding, contact.c.code, contact.c.language)
        .join(contact, binding.c.contact_id == contact.c.id)
        .where(instant.is_bound(), instant.is_known(), is_readable_binding(), applies)
        .order_by(binding.c.id)
    ).all()
    if not rows:
        return ()
    bindings = [
        Binding(
            id=row.id,
            contact_id=row.contact_id,
            code=row.code,
            language=row.language,
            role=Role(row.role),
            rank=row.rank,
            takes_unconfirmed=bool(row.takes_unconfirmed),
            delay_s=row.delay_s,
            quiet=Quiet.stored(row.quiet_from, row.quiet_until),
            place_kind=PlaceKind(row.place_kind),
            place_id=row.place_id,
        )
        for row in rows
    ]
    concerned = {one.contact_id for one in bindings}
    absences = _absences(connection, concerned, instant)
    ways = _ways(connection, concerned | {one.substitute_id for one in absences}, instant)
    return resolve(bindings, absences, ways, areas)


def _absences(connection: Connection, concerned: Collection[int], instant: Instant) -> list[Absence]:
    """Substitutions in force of those concerned, and of those who stand in for them."""
    ids = sorted(concerned)
    first = substitution.alias("first")
    named = select(first.c.substitute_id).where(first.c.contact_id.in_(ids), instant.is_away(first))
    rows = connection.execute(
        select(
            substitution.c.id,
            substitution.c.contact_id,
            substitution.c.role,
            substitution.c.substitute_id,
            contact.c.code,
            contact.c.language,
        )
        .join(contact, substitution.c.substitute_id == contact.c.id)
        .where(
            instant.is_away(),
            or_(substitution.c.contact_id.in_(ids), substitution.c.contact_id.in_(named)),
        )
    )
    return [Absence(*row) for row in rows]


def _ways(connection: Connection, contacts: Collection[int], instant: Instant) -> dict[int, tuple[Way, ...]]:
    owner = contact_channel.c.contact_id
    ways: dict[int, tuple[Way, ...]] = {}
    for row in connection.execute(
        select(
            owner,
            contact_channel.c.id,
            contact_channel.c.medium,
            contact_channel.c.carrier,
            contact_channel.c.rank,
        )
        .join(contact, owner == contact.c.id)
        .where(owner.in_(sorted(contacts)), instant.is_way(), instant.is_known(), is_readable_way())
        .order_by(contact_channel.c.rank, contact_channel.c.id)
    ):
        way = Way(row.id, Medium(row.medium), Carrier(row.carrier), row.rank)
        ways[row.contact_id] = (*ways.get(row.contact_id, ()), way)
    return ways
