"""What has happened to an incident since a form was made, from its timeline."""

from __future__ import annotations

from sqlalchemy import Connection, select

from alerts.acts import actor_codes
from alerts.schema import incident, incident_change
from console.overtaken import MATTERS, Between


def since(connection: Connection, incident_id: int, seen_id: int) -> list[Between]:
    """What others may have changed behind change `seen_id`: of the incident, of the whole that it is a part
    of, and of its parts."""
    i, c = incident.c, incident_change.c
    own = (i.id == incident_id) | (i.merged_into == incident_id)
    ids = select(i.id).where(own).union(select(i.merged_into).where(i.id == incident_id))
    rows = select(c.kind, c.by, c.at_us).where(
        c.id > seen_id, c.incident_id.in_(ids), c.kind.in_(sorted(MATTERS))
    )
    return [Between(row.kind, row.by, row.at_us) for row in connection.execute(rows)]


def names_of(connection: Connection, actor: str) -> frozenset[str]:
    """How `user:LOGIN` or `contact:ID` is called in timelines."""
    code = actor_codes(connection, [actor]).get(actor, "")
    return frozenset({actor, f"{actor.partition(':')[0]}:{code}"})
