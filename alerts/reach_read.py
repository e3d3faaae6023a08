"""The site as it is judged for whom it can reach, read in a fixed number of queries whatever its size."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, case, exists, func, select

from alerts.channel_proofs import bounced_channels
from alerts.memo_schema import memo
from alerts.reach import Person, Report, Site, Spot, Tie
from alerts.reachability import report_of
from alerts.receipt_schema import channel_proof
from alerts.schema import notification
from alerts.ways import PROVEN_US, WITH_RECEIPTS, Proof
from devices.instants import Instant
from devices.model import Carrier, Medium, PlaceKind, Role
from devices.people import Absence, Way
from devices.readable import is_readable_binding, is_readable_way
from devices.schema import (
    area,
    binding,
    building,
    contact,
    contact_channel,
    device,
    dwelling,
    stair,
    substitution,
)

SMOKE: Final = "smoke"
"""The kind of device that a detector of smoke is registered as."""
_REFUSED: Final = "refused"


def site_of(
    connection: Connection, now_us: int, uncarried: frozenset[Carrier] = frozenset(), *, proven: bool = True
) -> Site:
    """The registry as it stands, and what is known of its ways.

    Without `proven` it is not asked what got through, only what bounces: cheap, and enough to know where
    there is nobody to tell.
    """
    instant = Instant(now_us, live=True)
    ways = _ways(connection, instant)
    people = {
        number: Person(number, code, tuple(ways.get(number, ())))
        for number, code in connection.execute(select(contact.c.id, contact.c.code).where(instant.is_known()))
    }
    return Site(
        people,
        list(_ties(connection, instant)),
        list(_absences(connection, instant)),
        list(_spots(connection)),
        proofs_of(connection, now_us, proven=proven),
        uncarried,
    )


def report_now(
    connection: Connection, now_us: int, uncarried: frozenset[Carrier] = frozenset(), *, proven: bool = True
) -> Report:
    """The site as it is now (`site_of`), judged.

    Garbage is not looked for meanwhile, in this process: of millions of values none is in a ring, and looking
    takes as long again (measured).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return report_of(site_of(connection, now_us, uncarried, proven=proven), now_us)
    finally:
        if was_on:
            gc.enable()


def _ways(connection: Connection, instant: Instant) -> Mapping[int, list[Way]]:
    """Ways by contact, in the order of trying."""
    way = contact_channel.c
    rows = connection.execute(
        select(way.contact_id, way.id, way.medium, way.carrier, way.rank)
        .where(instant.is_way(), is_readable_way())
        .order_by(way.rank, way.id)
    )
    media, carriers = {str(one): one for one in Medium}, {str(one): one for one in Carrier}
    found: dict[int, list[Way]] = defaultdict(list)
    for owner, number, medium, carrier, rank in rows:
        found[owner].append(Way(number, media[medium], carriers[carrier], rank))
    return found


def _ties(connection: Connection, instant: Instant) -> Iterator[Tie]:
    home = and_(binding.c.place_kind == PlaceKind.DWELLING, binding.c.place_id == dwelling.c.id)
    b = binding.c
    rows = connection.execute(
        select(b.contact_id, b.role, b.place_kind, b.place_id, dwelling.c.stair_id, dwelling.c.floor)
        .join(contact, b.contact_id == contact.c.id)
        .outerjoin(dwelling, home)
        .where(instant.is_bound(), instant.is_known(), is_readable_binding())
    )
    roles, kinds = {str(one): one for one in Role}, {str(one): one for one in PlaceKind}
    for owner, role, kind, place, stair_id, floor in rows:
        yield Tie(owner, roles[role], kinds[kind], place, stair_id or 0, floor or 0)


def _absences(connection: Connection, instant: Instant) -> Iterator[Absence]:
    s = substitution.c
    rows = connection.execute(
        select(s.id, s.contact_id, s.role, s.substitute_id).where(instant.is_away()).order_by(s.id)
    )
    return (Absence(*row, code="", language="") for row in rows)


def _in_service(*hangs: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(*hangs, device.c.retired_us.is_(None))


def _has_smoke(hangs: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((_in_service(hangs, device.c.kind == SMOKE), 1), else_=0).label("smoke")


def _spots(connection: Connection) -> Iterator[Spot]:
    """Dwellings, stairs with a device outside their dwellings, buildings with one outside both."""
    parents = {row.id: row.parent_id for row in connection.execute(select(area.c.id, area.c.parent_id))}
    above = {n: tuple((PlaceKind.AREA, one) for one in _upwards(n, parents)) for n in parents}
    chain: tuple[tuple[PlaceKind, int], ...]
    for row in connection.execute(_DWELLINGS):
        chain = ((PlaceKind.STAIR, row.stair_id), (PlaceKind.BUILDING, row.building_id))
        yield Spot(
            PlaceKind.DWELLING, row.id, row.code, (*chain, *above.get(row.area_id, ())), row.stair_id,
            row.floor, bool(row.smoke),
        )  # fmt: skip
    for step in connection.execute(_STAIRS):
        chain = ((PlaceKind.BUILDING, step.building_id), *above.get(step.area_id, ()))
        yield Spot(PlaceKind.STAIR, step.id, step.code, chain, smoke=bool(step.smoke))
    for house in connection.execute(_BUILDINGS):
        chain = above.get(house.area_id, ())
        yield Spot(PlaceKind.BUILDING, house.id, house.code, chain, smoke=bool(house.smoke))


_IN_DWELLING: Final = device.c.dwelling_id == dwelling.c.id
_ON_STAIR: Final = device.c.stair_id == stair.c.id
_OUTSIDE: Final = and_(device.c.building_id == building.c.id, device.c.dwelling_id.is_(None))
_DWELLINGS: Final = (
    select(
        dwelling.c.id, dwelling.c.code, dwelling.c.floor, dwelling.c.stair_id, stair.c.building_id,
        building.c.area_id, _has_smoke(_IN_DWELLING),
    )
    .join(stair, dwelling.c.stair_id == stair.c.id)
    .join(building, stair.c.building_id == building.c.id)
    .where(_in_service(_IN_DWELLING))
    .order_by(dwelling.c.id)
)  # fmt: skip
_STAIRS: Final = (
    select(stair.c.id, stair.c.code, stair.c.building_id, building.c.area_id, _has_smoke(_ON_STAIR))
    .join(building, stair.c.building_id == building.c.id)
    .where(_in_service(_ON_STAIR))
    .order_by(stair.c.id)
)
_BUILDINGS: Final = (
    select(building.c.id, building.c.code, building.c.area_id, _has_smoke(_OUTSIDE))
    .where(_in_service(_OUTSIDE))
    .order_by(building.c.id)
)


def _upwards(area_id: int, parents: Mapping[int, int | None]) -> Iterator[int]:
    """The area and all above it; ends where the tree was bent into a ring by hand."""
    seen: set[int] = set()
    here: int | None = area_id
    while here is not None and here in parents and here not in seen:
        seen.add(here)
        yield here
        here = parents[here]


def proofs_of(connection: Connection, now_us: int, *, proven: bool = True) -> dict[int, Proof]:
    """What is known of ways, by channel id.

    Of carriers with receipts only what was delivered counts, of the others what they took. The messages of
    the last two months (`PROVEN_US`) are looked at once, all of them.
    """
    bounced = bounced_channels(connection)
    refused = _refused(connection)
    through = _through(connection, now_us, refused) if proven or refused else {}
    return {
        n: Proof(
            through.get(n, 0), bounced.get(n), *((row.made_us, row.detail) if (row := refused.get(n)) else ())
        )
        for n in bounced.keys() | refused.keys() | through.keys()
    }


def _refused(connection: Connection) -> dict[int, Row[Any]]:
    """The newest test of each way that its provider refused for good."""
    rows: Iterable[Row[Any]] = connection.execute(
        select(memo.c.channel_id, memo.c.made_us, memo.c.detail)
        .where(memo.c.state == _REFUSED)
        .order_by(memo.c.id)
    )
    return {row.channel_id: row for row in rows}


def _through(connection: Connection, now_us: int, refused: Mapping[int, Row[Any]]) -> dict[int, int]:
    """When the newest message that got through was sent, by channel."""
    delivered = connection.execute(
        select(channel_proof.c.channel_id, channel_proof.c.delivered_us).where(
            channel_proof.c.delivered_us.is_not(None)
        )
    )
    found: dict[int, int] = {row.channel_id: row.delivered_us for row in delivered}
    for table in (notification, memo):
        for channel_id, taken_us in connection.execute(_taken(table, now_us)):
            found[channel_id] = max(found.get(channel_id, 0), taken_us)
    return found


def _taken(table: FromClause, now_us: int) -> Select[int, int]:
    """When each way of a carrier without receipts was last taken by its provider."""
    taken, way = table.c.accepted_us, contact_channel.c
    return (
        select(table.c.channel_id, func.max(taken))
        .join(contact_channel, table.c.channel_id == way.id)
        .where(taken > now_us - PROVEN_US, way.carrier.not_in([str(one) for one in WITH_RECEIPTS]))
        .group_by(table.c.channel_id)
    )
