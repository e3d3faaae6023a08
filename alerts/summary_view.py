"""What a summary's link opens: the incidents that it told of, each as its contact may see it.

An open incident stands apart where it is P0 or P0+ by now, or began again or took in an alarm after the
summary was sent: the summary did not tell of that, so that no answer to the summary answers for it. Where
incidents were merged that holds for all parts, since who answers for one has answered for every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from alerts.answer_view import AnswerPage, answer_page
from alerts.backoff import URGENT_RANK
from alerts.case import ENDED_STATES
from alerts.links import OPEN_AFTER_CLOSE_US
from alerts.schema import incident, incident_alarm, notification
from devices.model import Severity

SHOWN: Final = 20
"""Incidents that are shown, the worst first; of the rest how many there are (chosen: a telephone's page)."""
ANSWERED_AT_ONCE: Final = 500
"""Incidents that one tap answers at most (chosen: one transaction)."""


@dataclass(frozen=True, slots=True)
class Told:
    """One incident that the summary told of, and as whom its contact; `is_open` while it has not ended,
    `is_apart` where it is open and more than the summary told."""

    incident_id: int
    role: str
    is_open: bool
    is_apart: bool


@dataclass(frozen=True, slots=True)
class SummaryPage:
    """`told` are all of them, those apart first, then worst and newest; `pages` the first that still concern
    the contact."""

    notification_id: int
    contact_id: int
    told: tuple[Told, ...]
    pages: tuple[AnswerPage, ...]

    @property
    def open(self) -> Sequence[Told]:
        """Those that one tap answers."""
        return answered_by(self.told)

    @property
    def apart(self) -> Sequence[AnswerPage]:
        """The pages of those that it does not answer, since they are more than the summary told."""
        numbers = {one.incident_id for one in self.told if one.is_apart}
        return [page for page in self.pages if page.incident_id in numbers]

    @property
    def listed(self) -> Sequence[AnswerPage]:
        """The pages of the others."""
        numbers = {one.incident_id for one in self.told if one.is_apart}
        return [page for page in self.pages if page.incident_id not in numbers]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return len(self.told) - len(self.pages)


def answered_by(told: Sequence[Told]) -> Sequence[Told]:
    """Those of the summary's that one tap on it answers."""
    return [one for one in told if one.is_open and not one.is_apart][:ANSWERED_AT_ONCE]


def contact_of_summary(connection: Connection, notification_id: int) -> int | None:
    """Whom the summary went to; None where there is none."""
    n = notification.c
    found: int | None = connection.scalar(
        select(n.contact_id).where(n.id == notification_id, n.told_in == notification_id)
    )
    return found


def told_in_summary(
    connection: Connection, notification_id: int, contact_id: int, now_us: int
) -> tuple[Told, ...]:
    """What the summary told of and links still open (24 h), those apart first, then worst and newest."""
    n, i = notification.c, incident.c
    still = i.closed_us.is_(None) | (i.closed_us > now_us - OPEN_AFTER_CLOSE_US)
    rows = connection.execute(
        select(n.incident_id, n.role, i.state, i.severity, _WHOLE)
        .join(incident, i.id == n.incident_id)
        .where(n.contact_id == contact_id, n.told_in == notification_id, still)
        .order_by(n.incident_id.desc())
    ).all()
    grown = _grown(connection, notification_id)
    found: dict[int, tuple[Told, int]] = {}
    for row in reversed(rows):
        is_open = row.state not in set(ENDED_STATES)
        told = Told(row.incident_id, row.role, is_open, is_open and row.whole in grown)
        found[row.incident_id] = told, _rank(row.severity)
    ordered = sorted(found.values(), key=lambda one: (not one[0].is_apart, one[1], -one[0].incident_id))
    return tuple(one for one, _ in ordered)


def summary_page(
    connection: Connection, notification_id: int, contact_id: int, language: str, now_us: int
) -> SummaryPage | None:
    """The list behind a summary's link; None when all that it told of is over, as links are (24 h)."""
    told = told_in_summary(connection, notification_id, contact_id, now_us)
    found = (answer_page(connection, one.incident_id, contact_id, language, now_us) for one in told[:SHOWN])
    pages = tuple(page for page in found if page is not None)
    return SummaryPage(notification_id, contact_id, told, pages) if pages else None


def _grown(connection: Connection, notification_id: int) -> set[int]:
    """The wholes of the summary's incidents that are more than it told of, by an open part."""
    n, i, a = notification.c, incident.c, incident_alarm.c
    mine = select(_WHOLE).join(notification, n.incident_id == i.id).where(n.told_in == notification_id)
    rows = connection.execute(
        select(i.id, i.severity, i.started_us, func.max(a.taken_us).label("taken_us"), _WHOLE)
        .outerjoin(incident_alarm, a.incident_id == i.id)
        .where(i.id.in_(mine) | i.merged_into.in_(mine), i.state.not_in([str(one) for one in ENDED_STATES]))
        .group_by(i.id)
    ).all()
    sent_us = connection.scalar(select(n.created_us).where(n.id == notification_id)) or 0
    return {
        row.whole
        for row in rows
        if _rank(row.severity) <= URGENT_RANK or max(row.started_us, row.taken_us or 0) > sent_us
    }


_WHOLE: Final = func.coalesce(incident.c.merged_into, incident.c.id).label("whole")
"""The incident that one is a part of, or itself."""


def _rank(severity: str) -> int:
    return Severity(severity).rank if severity in set(Severity) else 0
