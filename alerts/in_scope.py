"""Which incidents an account sees: those of its areas, with what was merged into them.

An incident lies where its building lies now. Merged ones have one building, or none that is known
(`alerts.merging.barred`): whoever sees the whole sees its parts, and a part is also seen from its own
building. What is at no known place is seen by whoever sees everywhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, exists, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from alerts.schema import incident
from devices.schema import building
from devices.scope import Scope


def seen_in(scope: Scope, i: ReadOnlyColumnCollection[str, Column[Any]] = incident.c) -> ColumnElement[bool]:
    """Of a row of `incident`: whether somebody of this scope sees it."""
    whole = incident.alias().c
    with_the_whole = exists().where(whole.id == i.merged_into, scope.holds(whole.building_id))
    return scope.holds(i.building_id) | with_the_whole


def is_seen(connection: Connection, incident_id: int, scope: Scope) -> bool:
    """Whether there is such an incident and somebody of this scope sees it."""
    here = select(incident.c.id).where(incident.c.id == incident_id, seen_in(scope))
    return connection.scalar(here) is not None


@dataclass(frozen=True, slots=True)
class Lies:
    """Where an incident lies: `areas` are those of its own building and of its whole's, none where neither is
    known; `whole_id` is the incident that it was merged into, 0 for none."""

    areas: frozenset[int] = frozenset()
    whole_id: int = 0


NOWHERE_KNOWN: Final = Lies()


def where_they_lie(connection: Connection, ids: Collection[int]) -> dict[int, Lies]:
    """The incidents of these ids, in one query: whoever sees one of `areas` sees the incident."""
    if not ids:
        return {}
    i, whole = incident.c, incident.alias()
    own, its = building.alias(), building.alias()
    rows = connection.execute(
        select(i.id, i.merged_into, own.c.area_id, its.c.area_id.label("whole_area_id"))
        .outerjoin(own, own.c.id == i.building_id)
        .outerjoin(whole, whole.c.id == i.merged_into)
        .outerjoin(its, its.c.id == whole.c.building_id)
        .where(i.id.in_(ids))
    )
    return {
        row.id: Lies(frozenset({row.area_id, row.whole_area_id} - {None}), row.merged_into or 0)
        for row in rows
    }
