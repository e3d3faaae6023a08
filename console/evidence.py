"""The evidence of open incidents in the reader's words; the numbers stand beside them on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from alerts.board_view import alarms_of
from alerts.case import Alarm, Hazard
from alerts.evidence import evidence_words, grounds_of
from alerts.hazards import leading
from alerts.views import OpenIncident
from devices.model import Severity


def evidence_of(
    connection: Connection, incidents: Sequence[OpenIncident], language: str
) -> Mapping[int, str]:
    """Words by incident id, from the alarms that still stand, else from all there were; of a whole from those
    of all its parts."""
    alarms = alarms_of(connection, [number for one in incidents for number in (one.id, *one.parts)])
    return {
        one.id: _words(one, [a for number in (one.id, *one.parts) for a in alarms[number]], language)
        for one in incidents
    }


def _words(incident: OpenIncident, alarms: list[Alarm], language: str) -> str:
    if incident.hazard not in set(Hazard) or incident.severity not in set(Severity):
        return ""  # words of a later release: the numbers beside them must do
    standing = [alarm for alarm in alarms if alarm.cleared_us is None] or alarms
    hazard, severity = Hazard(incident.hazard), Severity(incident.severity)
    first = leading(alarms)
    if hazard is not Hazard.FIRE and first is not None:  # as the numbers beside it: of the same alarm
        standing = [first]
    rules, found, title = grounds_of(standing)
    return evidence_words(rules, found, hazard, severity, language, title)
