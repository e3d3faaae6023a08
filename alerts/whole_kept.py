"""Merged incidents in SQL: which belong together, and all of them loaded where one is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from alerts.case import Act, Case
from alerts.cases import Unreadable, load_cases, log_unreadable
from alerts.merging import target_of
from alerts.schema import incident
from alerts.whole import head_of, is_merged, share_answers


def incidents_of(connection: Connection, acts: Iterable[Row[Any]]) -> set[int]:
    """The incidents that these rows of `act` are about: those that they name, with all that are one matter
    with them."""
    ids = set[int]()
    for row in acts:
        ids.add(row.incident_id)
        if row.act == Act.MERGE:
            ids.add(target_of(row.note)[0])
    return ids | together_with(connection, ids)


def together_with(connection: Connection, ids: Collection[int]) -> set[int]:
    """Of these incidents those that are parts or have any, with all of the same matters; in two queries."""
    if not ids:
        return set()
    i = incident.c
    rows = connection.execute(select(i.id, i.merged_into).where(i.id.in_(ids)))
    heads = {row.id if row.merged_into is None else row.merged_into for row in rows}
    parts = list(connection.scalars(select(i.id).where(i.merged_into.in_(heads)))) if heads else []
    return heads | set(parts) if parts else set()


def with_wholes(
    connection: Connection, cases: Mapping[int, Case], unreadable: Unreadable = log_unreadable
) -> dict[int, Case]:
    """The cases, with all that are one matter with any of them, and the answers that they share. Asks for
    nothing where none is merged."""
    found = dict(cases)
    heads = {head_of(case) for case in cases.values() if is_merged(case)}
    if not heads:
        return found
    i = incident.c
    together = select(i.id).where(or_(i.id.in_(heads), i.merged_into.in_(heads)))
    missing = set(connection.scalars(together)) - found.keys()
    if missing:
        found |= load_cases(connection, missing, unreadable=unreadable)
    return share_answers(found)
