"""The alarms of a device that are up, as people have them: in open incidents."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, select

from alerts import schema
from alerts.case import ENDED_STATES


def standing_of(connection: Connection, uid: str) -> dict[tuple[str, str], int]:
    """The newest open incident of each alarm of a device that is up, by rule and subject; none where the
    database is of an earlier release."""
    if schema.incident_alarm.name not in inspect(connection).get_table_names():
        return {}
    a, i = schema.incident_alarm.c, schema.incident.c
    rows = connection.execute(
        select(a.rule, a.subject, a.incident_id)
        .join(schema.incident, a.incident_id == i.id)
        .where(a.uid == uid, a.cleared_us.is_(None), i.state.not_in([str(one) for one in ENDED_STATES]))
        .order_by(a.incident_id)
    )
    return {(row.rule, row.subject): row.incident_id for row in rows}
