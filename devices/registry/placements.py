"""Where a device has been: stays that never overlap, the standing one without an end.

A stay holds from `since_us` on and no longer at `until_us`. Should the clock step back, a stay begins or ends
no earlier than what is on record before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping, func, insert, or_, select, update

from devices.registry.errors import NotAllowed
from devices.registry.rows import need
from devices.schema import building, device, dwelling, placement, stair


class Spot(NamedTuple):
    """Where a device hangs, as registry ids: in a dwelling, on a stair outside its dwellings, or in a
    building outside both. One of them is given."""

    dwelling_id: int | None
    stair_id: int | None
    building_id: int | None


@dataclass(frozen=True, slots=True)
class StayRow:
    """One stay; one of `dwelling`, `stair` and `building` is a code, the others empty. `until_us` is None
    while it stands."""

    dwelling: str
    stair: str
    building: str
    since_us: int
    until_us: int | None


def find_spot(
    connection: Connection, dwelling_code: str | None, stair_code: str | None, building_code: str | None
) -> Spot:
    """The one place that is named. Raises NotAllowed when it is none or several, NotThere when unknown."""
    codes = (dwelling_code, stair_code, building_code)
    if sum(code is not None for code in codes) != 1:
        raise NotAllowed(
            "a device lies in a dwelling, on a stair or in a building: exactly one of them is allowed"
        )
    tables = (dwelling, stair, building)
    ids = (
        None if code is None else int(need(connection, table, "code", code)["id"])
        for table, code in zip(tables, codes, strict=True)
    )
    return Spot(*ids)


def begin_stay(connection: Connection, device_id: int, spot: Spot, now_us: int) -> None:
    """Opens a stay; the caller has ended the one before."""
    values = {
        "device_id": device_id,
        **spot._asdict(),
        "since_us": max(now_us, _newest(connection, device_id)),
    }
    connection.execute(insert(placement).values(values))


def end_stay(connection: Connection, device_id: int, now_us: int) -> None:
    """Ends the standing stay, if there is one."""
    standing = (placement.c.device_id == device_id) & placement.c.until_us.is_(None)
    until_us = max(now_us, _newest(connection, device_id))
    connection.execute(update(placement).where(standing).values(until_us=until_us))


def _newest(connection: Connection, device_id: int) -> int:
    """The latest instant on record of a device's stays; 0 where there is none."""
    query = select(func.max(placement.c.since_us), func.max(placement.c.until_us))
    since_us, until_us = connection.execute(query.where(placement.c.device_id == device_id)).one()
    return max(since_us or 0, until_us or 0)


def placements_of(connection: Connection, uid: str) -> list[StayRow]:
    """Every stay of a device, retired or not, in order of time. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    query = _STAYS.where(placement.c.device_id == known["id"])
    return [_stay(row) for row in connection.execute(query).mappings()]


def device_at(connection: Connection, uid: str, at_us: int) -> StayRow | None:
    """The stay of a device that held at an instant, None where it hung nowhere. Raises NotThere."""
    known = need(connection, device, "uid", uid)
    query = _STAYS.where(
        placement.c.device_id == known["id"],
        placement.c.since_us <= at_us,
        or_(placement.c.until_us.is_(None), placement.c.until_us > at_us),
    )
    row = connection.execute(query).mappings().first()
    return _stay(row) if row is not None else None


_STAYS: Final = (
    select(
        dwelling.c.code.label("dwelling"),
        stair.c.code.label("stair"),
        building.c.code.label("building"),
        placement.c.since_us,
        placement.c.until_us,
    )
    .select_from(placement)
    .outerjoin(dwelling, placement.c.dwelling_id == dwelling.c.id)
    .outerjoin(stair, placement.c.stair_id == stair.c.id)
    .outerjoin(building, placement.c.building_id == building.c.id)
    .order_by(placement.c.since_us, placement.c.id)
)


def _stay(row: RowMapping) -> StayRow:
    dwelling_code, stair_code, building_code = (row[name] or "" for name in ("dwelling", "stair", "building"))
    return StayRow(dwelling_code, stair_code, building_code, row["since_us"], row["until_us"])
