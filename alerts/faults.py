"""What is left when a decision itself fails: the alarm in its plainest form, and a standing fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, update

from alerts.hazards import hazard_of
from alerts.incident import Arrival
from alerts.schema import system_fault
from alerts.why_text import read_why
from devices.database import insert_new
from devices.model import Severity
from rules.transition import To

DECISION_FAILED: Final = "decision_failed"
STANDS_US: Final = 24 * 3600 * 1_000_000
"""The fault stands this long after the last failure, so that a day shift sees what a night had (chosen)."""


def plain_arrival(row: Row[Any]) -> Arrival:
    """A stored transition that could not be decided, without its place; an unknown severity counts as P0."""
    known = row.severity in set(Severity)
    return Arrival(
        id=row.id,
        rule=str(row.rule),
        to=To.RAISED,
        severity=Severity(row.severity) if known else Severity.P0,
        subject=str(row.subject),
        uid=str(row.uid),
        topic=str(row.topic or ""),
        slot=row.slot,
        device_id=row.device_id,
        dwelling_id=0,
        place=row.place,
        at_us=row.at_us,
        received_us=row.received_us,
        age_s=None,
        why=read_why(str(row.why)),
        marks=frozenset(),
        hazard=hazard_of(str(row.rule), str(row.hazard)),
        title=read_why(str(row.title)) if row.title else None,
    )


def record_faults(connection: Connection, faults: Sequence[str], now_us: int) -> None:
    """One standing fault for all failed decisions, naming the last; ended a day after it."""
    table = system_fault.c
    if not faults:
        old = (table.code == DECISION_FAILED, table.ended_us.is_(None), table.told_us < now_us - STANDS_US)
        connection.execute(update(system_fault).where(*old).values(ended_us=now_us))
        return
    text = f"系统未能处理一项警情，请核查 · a decision failed, please check: {faults[-1]}"
    values = {"severity": str(Severity.P1), "text": text, "told_us": now_us}
    connection.execute(
        insert_new(connection, system_fault), {"code": DECISION_FAILED, "since_us": now_us, **values}
    )
    connection.execute(
        update(system_fault).where(table.code == DECISION_FAILED).values(ended_us=None, **values)
    )
