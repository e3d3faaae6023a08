"""What the daily digest tells, read in a number of queries that grows by slices of 500 incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, select

from alerts.board_view import alarms_of
from alerts.case import ENDED_STATES, Alarm, Hazard
from alerts.digest import Digest, Upkeep
from alerts.evidence import Both, alarm_words
from alerts.hazards import leading
from alerts.places import stair_in
from alerts.schema import incident
from alerts.whereabouts import NAME_CHARS
from alerts.windows_kept import is_exercise
from devices.model import PlaceKind, Severity
from devices.schema import building, dwelling, stair
from devices.spots import IDS, Spot, rows_in

_SLICE: Final = 500
_NOTHING_KNOWN: Final[Both] = ("设备故障", "device fault")
_TABLES: Final[Mapping[PlaceKind, Table]] = {
    PlaceKind.DWELLING: dwelling,
    PlaceKind.STAIR: stair,
    PlaceKind.BUILDING: building,
}


def is_real() -> ColumnElement[bool]:
    """Of a row of `incident`: no exercise, and no part of another, which stands for it."""
    return ~is_exercise() & incident.c.merged_into.is_(None)


def is_open() -> ColumnElement[bool]:
    """Of a row of `incident`: it has not ended."""
    return incident.c.state.not_in([str(one) for one in ENDED_STATES])


def digest_since(connection: Connection, since_us: int, now_us: int) -> Digest:
    """Every P3 that is open, and those that ended after `since_us`. Faults of the system are the desk's,
    which is told of them at once; exercises are none, and a part of another incident goes with it."""
    i = incident.c
    ended = (i.closed_us > since_us) & (i.closed_us <= now_us)
    rows = connection.execute(
        select(incident)
        .where(i.severity == str(Severity.P3), i.hazard != str(Hazard.SYSTEM), is_real(), is_open() | ended)
        .order_by(i.opened_us, i.id)
    ).all()
    spots = {row.id: spot_of(row) for row in rows}
    codes = _codes(connection, filter(None, spots.values()))
    houses = _names(connection, {row.building_id for row in rows})
    found: list[Upkeep] = []
    for start in range(0, len(rows), _SLICE):
        some = rows[start : start + _SLICE]
        alarms = alarms_of(connection, [row.id for row in some])
        found += (
            _upkeep(row, alarms.get(row.id, []), spots[row.id], codes, houses.get(row.building_id, ""))
            for row in some
        )
    return Digest(since_us, now_us, tuple(found))


def spot_of(row: Row[Any]) -> Spot | None:
    """Where in the registry an incident is, by its row; residents are not asked for."""
    if row.dwelling_id:
        return Spot(PlaceKind.DWELLING, row.dwelling_id)
    if stair_id := stair_in(row.place):
        return Spot(PlaceKind.STAIR, stair_id, residents=False)
    return Spot(PlaceKind.BUILDING, row.building_id) if row.building_id else None


def _upkeep(
    row: Row[Any], alarms: Sequence[Alarm], spot: Spot | None, codes: Mapping[Spot, str], house: str
) -> Upkeep:
    first = leading(alarms)
    standing = [one for one in alarms if one.cleared_us is None]
    devices = tuple(dict.fromkeys(one.uid for one in standing or alarms if one.uid))
    code = codes.get(spot, "") if spot else ""
    outside = spot is None or spot.kind is not PlaceKind.DWELLING
    named = devices[0][:NAME_CHARS] if outside and devices else ""
    return Upkeep(
        incident_id=row.id,
        building=house,
        place=" ".join(filter(None, (code, named))) or row.place[:NAME_CHARS],
        what=alarm_words(first) if first else _NOTHING_KNOWN,
        devices=devices,
        opened_us=row.opened_us,
        closed_us=row.closed_us,
        stands=bool(standing),
        spot=spot,
    )


def _codes(connection: Connection, spots: Iterable[Spot]) -> dict[Spot, str]:
    by_kind: dict[PlaceKind, dict[int, Spot]] = {}
    for spot in spots:
        by_kind.setdefault(spot.kind, {})[spot.id] = spot
    found = dict[Spot, str]()
    for kind, here in by_kind.items():
        table = _TABLES[kind]
        query = select(table.c.id, table.c.code).where(table.c.id.in_(IDS))
        found |= {here[row.id]: row.code for row in rows_in(connection, query, here.keys())}
    return found


def _names(connection: Connection, ids: set[int]) -> dict[int, str]:
    query = select(building.c.id, building.c.name).where(building.c.id.in_(IDS))
    return {row.id: row.name for row in rows_in(connection, query, ids - {0})}
