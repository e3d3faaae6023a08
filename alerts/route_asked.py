"""The incident that an alarm of a device would open, as far as who is told depends on it. Reads only."""

from __future__ import annotations

from sqlalchemy import Connection, func, literal, select

from alerts.case import Hazard, Incident, State
from alerts.joining import Where
from alerts.places import places_of
from devices.model import Severity
from devices.schema import device

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
