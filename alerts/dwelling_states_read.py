"""What is so now in the places of a site, read in a fixed number of queries whatever its size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, and_, func, select

from alerts.case import ENDED_STATES, Alarm, Hazard
from alerts.dwelling_states import OpenHere
from alerts.dwelling_states_picture import Hang, Now, Spot
from alerts.evidence import Both, alarm_words
from alerts.hazards import hazard_of
from alerts.schema import incident, incident_alarm, incident_change
from alerts.why_text import read_why
from alerts.window_schema import bounded_window, bounded_window_end
from alerts.windows import Scope, Window, WindowKind
from alerts.windows_kept import windows_at
from devices.model import Severity
from devices.schema import device
from devices.unreachable import unreachable_places
from rules.transition import Why

log = structlog.get_logger()

Mark = tuple[int, int, int]
_SEVERITIES: Final = frozenset(map(str, Severity))
_UNREAD: Final = Why("", "")
"""In place of an alarm's own words, which no picture shows."""
_A: Final = incident_alarm.c
_EVIDENCE: Final = (
    _A.incident_id, _A.rule, _A.subject, _A.uid, _A.slot, _A.place, _A.severity, _A.raised_us, _A.cleared_us,
    _A.hazard, _A.title, _A.taken_us,
)  # fmt: skip
_OPEN: Final = incident.c.state.not_in([str(one) for one in ENDED_STATES])


def mark_of(connection: Connection) -> Mark:
    """Another one whenever incidents or windows were written; that a window begins or ends by the clock it
    does not say."""
    newest = (incident_change.c.id, bounded_window.c.id, bounded_window_end.c.id)
    row = connection.execute(select(*(select(func.max(one)).scalar_subquery() for one in newest))).one()
    return row[0] or 0, row[1] or 0, row[2] or 0


def read_now(connection: Connection, now_us: int, deserted: Sequence[Spot] = ()) -> Now:
    """Everything but the registry, in four queries. What holds a word that this release does not know stays
    in as far as it can be read: an open incident is never left out."""
    exercises = [one for one in windows_at(connection, now_us, _failed) if one.kind is not WindowKind.SILENCE]
    return Now(open_here(connection), exercises, _hangs(connection, exercises), deserted)


def deserted_places(connection: Connection, now_us: int) -> tuple[Spot, ...]:
    """Places with a device and nobody to tell at once (`devices.unreachable`)."""
    return tuple((gap.kind, gap.id) for gap in unreachable_places(connection, now_us, live=True))


def open_here(connection: Connection) -> list[OpenHere]:
    """The open incidents of places, in two queries; parts of another stand for themselves."""
    i, head = incident.c, incident.alias()
    here = and_(_OPEN, i.hazard != str(Hazard.SYSTEM))
    beside = and_(head.c.id == i.merged_into, head.c.building_id == i.building_id)
    rows = connection.execute(
        select(
            i.id, i.place, i.dwelling_id, i.building_id, i.hazard, i.severity, i.opened_us, i.tags,
            func.coalesce(head.c.id, i.id).label("shown_id"),
        )
        .outerjoin(head, beside)
        .where(here)
        .order_by(i.id)
    ).all()  # fmt: skip
    alarms = _alarms(connection) if rows else {}
    return [
        OpenHere(
            row.id, row.place, row.dwelling_id, row.building_id, row.hazard, row.severity, row.opened_us,
            row.shown_id, frozenset(filter(None, row.tags.split(","))), tuple(alarms.get(row.id, ())),
        )
        for row in rows
    ]  # fmt: skip


def _alarms(connection: Connection) -> Mapping[int, list[Alarm]]:
    """The evidence of open incidents, without what only says of a retired device that it is faulty."""
    a, i = incident_alarm.c, incident.c
    rows = connection.execute(
        select(*_EVIDENCE, device.c.retired_us)
        .join(incident, i.id == a.incident_id)
        .outerjoin(device, device.c.uid == a.uid)
        .where(_OPEN)
        .order_by(a.id)
    )
    found: dict[int, list[Alarm]] = defaultdict(list)
    for row in rows:
        alarm = _alarm(row)
        if row.retired_us is None or alarm.hazard is not Hazard.FAULT:
            found[row.incident_id].append(alarm)
    return found


def _alarm(row: Row[*tuple[Any, ...]]) -> Alarm:
    """A severity that this release does not know counts as the worst: it stands, and is told first."""
    severity = Severity(row.severity) if row.severity in _SEVERITIES else Severity.P0_PLUS
    return Alarm(
        row.rule, row.subject, row.uid, row.slot, row.place, severity, row.raised_us, row.cleared_us,
        _UNREAD, hazard_of(row.rule, row.hazard), row.taken_us, read_why(row.title) if row.title else None,
    )  # fmt: skip


def _hangs(connection: Connection, windows: Sequence[Window]) -> dict[str, Hang]:
    """Where the devices of windows on devices hang; retired ones hang nowhere."""
    d = device.c
    uids = [one.code for one in windows if one.scope is Scope.DEVICE]
    query = select(d.uid, d.dwelling_id, d.stair_id, d.building_id)
    rows = connection.execute(query.where(d.uid.in_(uids), d.retired_us.is_(None))) if uids else ()
    return {row.uid: Hang(row.dwelling_id or 0, row.stair_id or 0, row.building_id or 0) for row in rows}


def _failed(what: str, error: Exception) -> None:
    log.error("window_not_readable", what=what, error=type(error).__name__)


def standing_of(connection: Connection, uids: Sequence[str]) -> Mapping[str, list[Both]]:
    """What stands of these devices in open incidents, in words, the worst first."""
    a, i = incident_alarm.c, incident.c
    rows = connection.execute(
        select(*_EVIDENCE)
        .join(incident, i.id == a.incident_id)
        .where(_OPEN, a.uid.in_(uids), a.cleared_us.is_(None))
        .order_by(a.id)
    )
    alarms = [_alarm(row) for row in rows] if uids else []
    found: dict[str, list[Both]] = defaultdict(list)
    for alarm in sorted(alarms, key=lambda one: one.severity.rank):
        found[alarm.uid].append(alarm_words(alarm))
    return found
