"""The places of a turn's transitions, looked up together: dwelling, else stair, else building, else the
device itself.

An alarm that two devices raise together belongs where the one is that set it off. Only what is about a
building as such, a dark block, is the building's wherever that one is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, func, select

from alerts.case import Case, Hazard
from alerts.hazards import hazard_of
from alerts.joining import Where
from alerts.system import is_system
from devices.schema import device, dwelling, stair
from rules.transition import Subject

_STAIR: Final = f"{Subject.STAIR}:"
_DRILL: Final = "drill:"


def stair_in(key: str) -> int:
    """The stair in whose common parts a place is, or a drill there, by its key (`Where.key`); 0 for any other
    place."""
    place = key.removeprefix(_DRILL)
    number = place.removeprefix(_STAIR)
    return int(number) if number != place and number.isdecimal() else 0


class Outside(NamedTuple):
    """Where something outside dwellings is; 0 for what is not known."""

    stair_id: int
    building_id: int

    @property
    def where(self) -> Where | None:
        """The same as a place; None where neither is known."""
        if self.stair_id:
            return Where(f"{_STAIR}{self.stair_id}", 0, self.building_id)
        return Where(f"building:{self.building_id}", 0, self.building_id) if self.building_id else None


@dataclass(frozen=True, slots=True)
class Places:
    """`wheres` by transition id; `stairs` the stair of each dwelling in question; `shared` the buildings in
    whose common parts, stairs included, two devices raised an alarm together."""

    wheres: Mapping[int, Where]
    stairs: Mapping[int, int]
    shared: frozenset[int] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all places."""
        return frozenset(where.key for where in self.wheres.values())

    @property
    def stair_ids(self) -> frozenset[int]:
        """The stairs in which the transitions happened, in their dwellings or outside them."""
        return frozenset({*self.stairs.values(), *map(stair_in, self.keys)} - {0})

    def where(self, row: Row[Any]) -> Where:
        """Where the transition of this row happened."""
        return self.wheres[row.id]

    def stairs_with(self, connection: Connection, cases: Iterable[Case]) -> Mapping[int, int]:
        """The stair of each dwelling, those of `cases` included; nothing where no transition needs it."""
        if not self.stair_ids:
            return {}
        missing = {c.incident.dwelling_id for c in cases} - {0, *self.stairs}
        return {**self.stairs, **{k: v[0] for k, v in _dwellings(connection, missing).items()}}


def places_of(connection: Connection, rows: Sequence[Row[Any]]) -> Places:
    """Where each transition happened, in at most three queries."""
    lone = {row.device_id for row in rows if row.device_id and not _dwelling_of(row)}
    hang = _outside(connection, lone)
    of_stairs = {row.place for row in rows if _about(row) is Subject.STAIR and not _dwelling_of(row)}
    steps = _stairs(connection, of_stairs)
    dwellings = _dwellings(connection, {_dwelling_of(row) for row in rows} - {0})
    wheres = {row.id: _where(row, dwellings, steps, hang) for row in rows}
    shared = frozenset(row.place for row in rows if is_shared(row.subject) and _set_off(row))
    return Places(wheres, {key: stair_id for key, (stair_id, _) in dwellings.items()}, shared)


def is_shared(subject: str) -> bool:
    """Whether an alarm is about the common parts of a building, its stairs included."""
    return subject.startswith(f"{Subject.BUILDING}:")


def _about(row: Row[Any]) -> Subject | None:
    """The kind of place an alarm is about; None where it is about a device or a series."""
    about = str(row.subject).partition(":")[0]
    return Subject(about) if row.place and about in set(Subject) else None


def _set_off(row: Row[Any]) -> bool:
    """Whether what an alarm on a building says happened where a device is, not to the building as such."""
    return hazard_of(str(row.rule), str(row.hazard)) is not Hazard.FAULT


def _dwelling_of(row: Row[Any]) -> int:
    """The dwelling an alarm is about; of one that is about a stair, the dwelling that set it off."""
    about = _about(row)
    if about is Subject.BUILDING:
        return 0
    return int(row.place if about is Subject.DWELLING else row.dwelling_id)


def _where(
    row: Row[Any],
    dwellings: Mapping[int, tuple[int, int]],
    stairs: Mapping[int, int],
    hang: Mapping[int, Outside],
) -> Where:
    if is_system(row.rule):
        return Where(str(row.uid))
    dwelling_id = _dwelling_of(row)
    if dwelling_id:
        return Where(f"dwelling:{dwelling_id}", dwelling_id, dwellings.get(dwelling_id, (0, 0))[1])
    about, outside = _about(row), hang.get(row.device_id, Outside(0, 0))
    if about is Subject.STAIR:
        outside = Outside(row.place, stairs.get(row.place, 0))
    elif about is Subject.BUILDING and not (outside.building_id == row.place and _set_off(row)):
        outside = Outside(0, row.place)
    return outside.where or Where(f"device:{row.uid}")


def _outside(connection: Connection, device_ids: Collection[int]) -> dict[int, Outside]:
    """Where each of these devices hangs that hangs outside dwellings."""
    if not device_ids:
        return {}
    house = func.coalesce(stair.c.building_id, device.c.building_id)
    rows = connection.execute(
        select(device.c.id, device.c.stair_id, house.label("building_id"))
        .outerjoin(stair, stair.c.id == device.c.stair_id)
        .where(device.c.id.in_(device_ids), house.is_not(None))
    )
    return {row.id: Outside(row.stair_id or 0, row.building_id) for row in rows}


def device_place(connection: Connection, uid: str) -> Where | None:
    """Where a device is registered now; None where nobody says."""
    row = connection.execute(
        select(device.c.id, device.c.dwelling_id).where(device.c.uid == uid, device.c.retired_us.is_(None))
    ).one_or_none()
    if row is None:
        return None
    if row.dwelling_id:
        building_id = _dwellings(connection, {row.dwelling_id})[row.dwelling_id][1]
        return Where(f"dwelling:{row.dwelling_id}", row.dwelling_id, building_id)
    return _outside(connection, {row.id}).get(row.id, Outside(0, 0)).where


def _stairs(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """The building of each stair that is in the registry."""
    if not ids:
        return {}
    rows = connection.execute(select(stair.c.id, stair.c.building_id).where(stair.c.id.in_(ids)))
    return {row.id: row.building_id for row in rows}


def _dwellings(connection: Connection, ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Stair and building of each dwelling that is in the registry."""
    if not ids:
        return {}
    rows = connection.execute(
        select(dwelling.c.id, dwelling.c.stair_id, stair.c.building_id)
        .join(stair, dwelling.c.stair_id == stair.c.id)
        .where(dwelling.c.id.in_(ids))
    )
    return {row.id: (row.stair_id, row.building_id) for row in rows}
