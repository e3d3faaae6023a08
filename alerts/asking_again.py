"""What a provider gave in a lump may be lost: it gives each thing once, and an end of ours or of the
connection can come between its answer and our commit. It is asked again then, number by number: that it
answers as often as one likes. The inbox takes what it knows already for nothing new."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, update

from alerts.case import ENDED_STATES, State
from alerts.schema import attempt, incident, notification
from devices.model import Carrier

_OPEN: Final = [str(state) for state in State if state not in ENDED_STATES]


def ask_again(connection: Connection, carrier: Carrier, now_us: int) -> None:
    """Every message of an open incident that the carrier took is asked about now, in the caller's
    transaction."""
    of_open = (
        select(notification.c.id)
        .join(incident, incident.c.id == notification.c.incident_id)
        .where(incident.c.state.in_(_OPEN))
    )
    connection.execute(
        update(attempt)
        .where(attempt.c.carrier == str(carrier), attempt.c.notification_id.in_(of_open))
        .values(ask_us=now_us)
    )
