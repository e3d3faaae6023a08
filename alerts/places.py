"""The places of a turn's transitions, looked up together: dwelling, else building, else the device itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts.case import Case
from alerts.joining import Where
from alerts.system import is_system
from devices.schema import device, dwelling, stair
from rules.transition import Subject


@dataclass(frozen=True, slots=True)
class Places:
    """`wheres` by transition id; `stairs` the stair of each dwelling in question."""

    wheres: Mapping[int, Where]
    stairs: Mapping[int, int]

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all places."""
        return frozenset(where.key for where in self.wheres.values())

    @property
    def stair_ids(self) -> frozenset[int]:
        """The stairs in which the transitions happened."""
        return frozenset(self.stairs.values())

    def where(self, row: Row[Any]) -> Where:
        """Where the transition of this row happened."""
        return self.wheres[row.id]

    def stairs_with(self, connection: Connection, cases: Iterable[Case]) -> Mapping[int, int]:
        """The stair of each dwelling, those of `cases` included; nothing where no transition needs it."""
        if not self.stairs:
            return {}
        missing = {c.incident.dwelling_id for c in cases} - {0, *self.stairs}
        return {**self.stairs, **{k: v[0] for k, v in _dwellings(connection, missing).items()}}


def places_of(connection: Connection, rows: Sequence[Row[Any]]) -> Places:
    """Where each transition happened, in at most two queries."""
    lone = {row.device_id for row in rows if row.device_id and not _dwelling_of(row)}
    buildings = _buildings(connection, lone)
    dwellings = _dwellings(connection, {_dwelling_of(row) for row in rows} - {0})
    wheres = {row.id: _where(row, dwellings, buildings) for row in rows}
    return Places(wheres, {key: stair_id for key, (stair_id, _) in dwellings.items()})


def _dwelling_of(row: Row[Any]) -> int:
    """The dwelling an alarm is about; of one that is about a stair, the dwelling that set it off."""
    about, _, place = str(row.subject).partition(":")
    if row.place and about == Subject.BUILDING:
        return 0
    return int(row.place if row.place and about == Subject.DWELLING and place else row.dwelling_id)


def _where(row: Row[Any], dwellings: Mapping[int, tuple[int, int]], buildings: Mapping[int, int]) -> Where:
    if is_system(row.rule):
        return Where(str(row.uid))
    dwelling_id = _dwelling_of(row)
    if dwelling_id:
        return Where(f"dwelling:{dwelling_id}", dwelling_id, dwellings.get(dwelling_id, (0, 0))[1])
    about = str(row.subject).partition(":")[0]
    building_id = row.place if row.place and about == Subject.BUILDING else buildings.get(row.device_id, 0)
    if building_id:
        return Where(f"building:{building_id}", 0, building_id)
    return Where(f"device:{row.uid}")


def _buildings(connection: Connection, device_ids: Collection[int]) -> dict[int, int]:
    if not device_ids:
        return {}
    rows = connection.execute(
        select(device.c.id, device.c.building_id).where(
            device.c.id.in_(device_ids), device.c.building_id.is_not(None)
        )
    )
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
