"""An incident that this release cannot read costs itself only (contract 5).

The duty desk is told once an epoch, in plain words; its steps wait for a release that can read it. A new
alarm at its place opens an incident of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, update

from alerts.audience import best_way
from alerts.case import StepState
from alerts.gate import Page
from alerts.plain_words import unreadable_warning
from alerts.policy import TELL
from alerts.sayings import pack
from alerts.schema import incident_change, step
from alerts.whereabouts import Whereabouts, where_of
from alerts.wording import Worded
from devices.model import Severity

WAIT_US: Final = 300_000_000
"""Between two tries to read it again (chosen: only a change of release can help)."""
_STEP: Final = "unreadable"


def warnings_for(row: Row[Any], where: Whereabouts) -> list[Worded]:
    """A page for every duty desk. The same row gives the same pages, and the outbox keeps the first."""
    desks = {desk.contact_id: desk for desk in where.desks()}
    return [
        Worded(
            case_id=row.id,
            page=Page(row.id, row.epoch, _STEP, 0, desk, way, "plain"),
            severity=str(row.severity),
            rank=Severity.P0.rank,
            text=unreadable_warning(where.place(where_of(row), (), desk.language), desk.language),
        )
        for desk in desks.values()
        if (way := best_way(desk.ways, TELL)) is not None
    ]


def put_off(connection: Connection, ids: Collection[int], now_us: int) -> None:
    """Lets the due steps of these incidents wait, so that they do not ask for a turn again at once."""
    due = (step.c.incident_id.in_(ids), step.c.state == StepState.PENDING, step.c.due_us <= now_us)
    if ids:
        connection.execute(update(step).where(*due).values(due_us=now_us + WAIT_US))


def note_on_timeline(connection: Connection, ids: Iterable[int], now_us: int) -> None:
    """Says on these incidents' timelines that the duty desk was told."""
    line = {"at_us": now_us, "kind": "fault", "by": "gengfu", "via": "rule", "text": pack("unreadable")}
    rows: Sequence[dict[str, Any]] = [{"incident_id": one, **line} for one in sorted(ids)]
    if rows:
        connection.execute(insert(incident_change), rows)
