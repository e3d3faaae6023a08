"""Transitions in SQL: written by ingest in its own transaction, read by alerts in the order of their ids."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from alerts.hazards import hazard_of
from alerts.incident import Arrival
from alerts.schema import transition as table
from alerts.why_text import pack_why, read_why
from devices.database import insert_new
from devices.model import Severity
from rules.transition import Mark, Subject, To, Transition, Why, transition_key

URGENT: Final = (Severity.P0_PLUS, Severity.P0)
LESSER: Final = (Severity.P1, Severity.P2, Severity.P3)
"""Two lanes: what may be a fire never waits behind the rest (design, contract 3)."""


@dataclass(frozen=True, slots=True)
class TransitionRow:
    """A transition with what the engine's numbers stand for. `topic` is given for strangers only, `hazard`
    and `title` where the rule says another than a shipped rule of its name."""

    transition: Transition
    uid: str
    channel: str
    topic: str = ""
    hazard: str = ""
    title: Why | None = None

    @property
    def subject(self) -> str:
        """`dwelling:ID`, `stair:ID`, `building:ID` of rules on places, else `uid/channel`, `uid/` of a whole
        device."""
        about = self.transition.subject
        if about is Subject.DEVICE:
            return f"{self.uid}/"
        if about is not Subject.SERIES:
            return f"{about}:{self.transition.place}"
        of = self.transition.metric
        return f"{self.uid}/{self.channel}{f'/{of}' if of else ''}"


def store_transitions(connection: Connection, rows: Sequence[TransitionRow]) -> None:
    """Inserts what is new, in order. A transition that is there already is left alone (contract 2)."""
    if rows:
        connection.execute(insert_new(connection, table), [_values(row) for row in rows])


def _values(row: TransitionRow) -> dict[str, Any]:
    t = row.transition
    return {
        "key": transition_key(t.rule, row.subject, t.to, t.at_us, t.nudge_ns),
        "rule": t.rule,
        "to": str(t.to),
        "severity": str(t.severity),
        "subject": row.subject[:240],
        "uid": row.uid[:200],
        "channel": row.channel[:32],
        "topic": row.topic[:300],
        "slot": t.slot,
        "device_id": t.device,
        "dwelling_id": t.dwelling,
        "place": t.place,
        "at_us": t.at_us,
        "received_us": t.received_us,
        "age_s": None if math.isnan(t.age_s) else t.age_s,
        "why": pack_why(t.why),
        "marks": ",".join(t.marks),
        "hazard": row.hazard,
        "title": pack_why(row.title) if row.title else "",
    }


def transitions_after(
    connection: Connection, after_id: int, limit: int, severities: Collection[Severity] = tuple(Severity)
) -> list[Arrival]:
    """At most `limit` transitions of these severities with an id above `after_id`, in id order."""
    return [arrival_of(row) for row in transition_rows_after(connection, after_id, limit, severities)]


def transition_rows_after(
    connection: Connection, after_id: int, limit: int, severities: Collection[Severity]
) -> Sequence[Row[Any]]:
    """The same as rows, for whoever must survive one that cannot be read."""
    return connection.execute(
        select(table)
        .where(table.c.id > after_id, table.c.severity.in_([str(s) for s in severities]))
        .order_by(table.c.id)
        .limit(limit)
    ).all()


def newest_transition_id(connection: Connection) -> int:
    """The largest id there is, 0 in an empty table."""
    return int(connection.scalar(select(func.max(table.c.id))) or 0)


def arrival_of(row: Row[Any]) -> Arrival:
    """A stored row as a value. Raises ValueError for words this release does not know."""
    return Arrival(
        id=row.id,
        rule=row.rule,
        to=To(row.to),
        severity=Severity(row.severity),
        subject=row.subject,
        uid=row.uid,
        topic=row.topic,
        slot=row.slot,
        device_id=row.device_id,
        dwelling_id=row.dwelling_id,
        place=row.place,
        at_us=row.at_us,
        received_us=row.received_us,
        age_s=row.age_s,
        why=read_why(row.why),
        marks=frozenset(Mark(mark) for mark in row.marks.split(",") if mark),
        hazard=hazard_of(row.rule, row.hazard),
        title=read_why(row.title) if row.title else None,
    )
