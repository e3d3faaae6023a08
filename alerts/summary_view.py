"""What a summary's link opens: the incidents that it told of, each as its contact may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from alerts.answer_view import AnswerPage, answer_page
from alerts.case import ENDED_STATES
from alerts.links import OPEN_AFTER_CLOSE_US
from alerts.schema import incident, notification
from devices.model import Severity

SHOWN: Final = 20
"""Incidents that are shown, the worst first; of the rest how many there are (chosen: a telephone's page)."""
ANSWERED_AT_ONCE: Final = 500
"""Incidents that one tap answers at most (chosen: one transaction)."""


@dataclass(frozen=True, slots=True)
class Told:
    """One incident that the summary told of, and as whom its contact; `is_open` while it has not ended."""

    incident_id: int
    role: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """`told` are all of them, worst and newest first; `pages` the first that still concern the contact."""

    notification_id: int
    contact_id: int
    told: tuple[Told, ...]
    pages: tuple[AnswerPage, ...]

    @property
    def open(self) -> Sequence[Told]:
        """Those that one tap answers."""
        return [one for one in self.told if one.is_open][:ANSWERED_AT_ONCE]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return len(self.told) - len(self.pages)


def contact_of_summary(connection: Connection, notification_id: int) -> int | None:
    """Whom the summary went to; None where there is none."""
    n = notification.c
    found: int | None = connection.scalar(
        select(n.contact_id).where(n.id == notification_id, n.told_in == notification_id)
    )
    return found


def summary_page(
    connection: Connection, notification_id: int, contact_id: int, language: str, now_us: int
) -> SummaryPage | None:
    """The list behind a summary's link; None when all that it told of is over, as links are (24 h)."""
    n, i = notification.c, incident.c
    still = i.closed_us.is_(None) | (i.closed_us > now_us - OPEN_AFTER_CLOSE_US)
    rows = connection.execute(
        select(n.incident_id, n.role, i.state, i.severity)
        .join(incident, i.id == n.incident_id)
        .where(n.contact_id == contact_id, n.told_in == notification_id, still)
        .order_by(n.incident_id.desc())
    ).all()
    roles = {row.incident_id: row for row in reversed(rows)}
    ordered = sorted(roles.values(), key=lambda row: (_rank(row.severity), -row.incident_id))
    told = tuple(Told(row.incident_id, row.role, row.state not in set(ENDED_STATES)) for row in ordered)
    found = (answer_page(connection, one.incident_id, contact_id, language, now_us) for one in told[:SHOWN])
    pages = tuple(page for page in found if page is not None)
    return SummaryPage(notification_id, contact_id, told, pages) if pages else None


def _rank(severity: str) -> int:
    return Severity(severity).rank if severity in set(Severity) else 0
