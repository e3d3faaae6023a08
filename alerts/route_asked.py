"""The incident that an alarm of a device would open, as far as who is told depends on it. Reads only."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, func, literal, select

from alerts.case import Alarm, Case, Hazard, Incident, State
from alerts.exercise import diverted
from alerts.incident import Arrival
from alerts.joining import Where
from alerts.places import places_of
from alerts.policy import StepName
from alerts.surroundings import surroundings
from alerts.whereabouts import where_of
from alerts.windows import NOWHERE, Window, WindowKind, diverting, silencing
from alerts.windows_kept import windows_at
from devices.model import Severity
from devices.schema import device
from rules.transition import To, Why

_HAZARDS = {
    Severity.P0_PLUS: Hazard.FIRE,
    Severity.P0: Hazard.FIRE,
    Severity.P1: Hazard.ELECTRICAL,
    Severity.P2: Hazard.ELECTRICAL,
    Severity.P3: Hazard.FAULT,
}
"""What an alarm of a severity mostly is about, where nobody says which hazard is meant."""


def is_registered(connection: Connection, uid: str) -> bool:
    """Whether the registry has such a device, retired or not."""
    return connection.scalar(select(device.c.id).where(device.c.uid == uid)) is not None


def where_of_device(connection: Connection, uid: str) -> Where:
    """Where an alarm of this device would be; a stranger's is at the device itself."""
    asked = select(
        literal(0).label("id"), literal("").label("rule"), literal("").label("hazard"),
        device.c.uid, literal("").label("subject"), literal(0).label("place"),
        device.c.id.label("device_id"), func.coalesce(device.c.dwelling_id, 0).label("dwelling_id"),
    ).where(device.c.uid == uid)  # fmt: skip
    row = connection.execute(asked).first()
    return Where(f"device:{uid}") if row is None else places_of(connection, [row]).where(row)


def incident_of(
    where: Where,
    severity: Severity,
    at_us: int,
    hazard: Hazard | None = None,
    tags: frozenset[str] = frozenset(),
) -> Incident:
    """As `alerts.joining.open_case` opens it; a confirmed fire was confirmed at its start."""
    return Incident(
        id=0,
        place=where.key,
        dwelling_id=where.dwelling_id,
        building_id=where.building_id,
        hazard=hazard or _HAZARDS[severity],
        severity=severity,
        state=State.REPORTED,
        epoch=0,
        started_us=at_us,
        opened_us=at_us,
        tags=tags,
    )


class InWindows(NamedTuple):
    """An alarm as the windows in force when it begins make it; `window` is the one that does, else None."""

    incident: Incident
    alarms: tuple[Alarm, ...]
    window: Window | None

    @property
    def silence(self) -> Window | None:
        """The window, where it is a silence."""
        return self.window if self.window and self.window.kind is WindowKind.SILENCE else None


def in_windows(connection: Connection, uid: str, incident: Incident) -> InWindows:
    """What a silence, a drill or commissioning makes of an alarm of this device that begins `incident`."""
    at_us, where = incident.started_us, where_of(incident)
    windows = windows_at(connection, at_us, lambda what, error: None)
    around = surroundings(connection, [where])[where] if windows else NOWHERE
    nothing = Why("", "")
    alarm = Alarm("", f"{uid}/", uid, 0, 0, incident.severity, at_us, None, nothing, incident.hazard, at_us)
    arrival = Arrival(
        0, "", To.RAISED, incident.severity, alarm.subject, uid, "", 0, 0, incident.dwelling_id, 0, at_us,
        at_us, 0.0, nothing, frozenset(), incident.hazard,
    )  # fmt: skip
    exercise = diverting(windows, arrival, around, at_us)
    if exercise is not None:
        place, tags = diverted(where, exercise).key, incident.tags | {str(exercise.kind)}
        return InWindows(replace(incident, place=place, tags=frozenset(tags)), (alarm,), exercise)
    case = Case(incident, (alarm,))
    return InWindows(incident, (alarm,), silencing(windows, case, StepName.AT_ONCE, around, at_us))
