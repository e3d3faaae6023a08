"""What the page of an incident offers for merging and splitting: where it could go, what could leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from alerts.board_view import lines_of
from alerts.cases import incident_of
from alerts.merging import barred
from alerts.permission import DESKS
from alerts.schema import incident
from alerts.splitting import PART
from alerts.views import IncidentDetail, OpenIncident
from console.session import SignedIn

CHOICES: Final = 30
"""Incidents to choose from (chosen); a number beyond them can still be handed in."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """What can be split off: `value` is what the form hands in, `words` what it is called."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Merging:
    """The choices of one incident's page; without any the page shows none."""

    into: tuple[OpenIncident, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    is_offered: bool = True


def merging_of(connection: Connection, detail: IncidentDetail, user: SignedIn, language: str) -> Merging:
    """What this user may choose from now; nothing for a part, an incident that has ended and whoever is not
    at the desk."""
    over = detail.closed_us is not None or detail.merged_into is not None
    if over or f"user:{user.role}" not in DESKS:
        return Merging(is_offered=False)
    return Merging(_targets(connection, detail, user, language), _leaving(detail))


def _targets(
    connection: Connection, detail: IncidentDetail, user: SignedIn, language: str
) -> tuple[OpenIncident, ...]:
    i = incident.c
    own = connection.execute(select(incident).where(i.id == detail.line.id)).one()
    of_building = i.building_id == own.building_id if own.building_id else i.building_id != 0
    near = of_building & i.closed_us.is_(None) & i.merged_into.is_(None) & (i.hazard == own.hazard)
    near &= (i.id != own.id) & user.scope.holds(i.building_id)
    rows = connection.execute(
        select(incident).where(near).order_by(i.opened_us.desc(), i.id.desc()).limit(CHOICES)
    ).all()
    try:
        mine = incident_of(own)
        rows = [row for row in rows if not barred(mine, incident_of(row))]
    except ValueError:  # a word of a later release: the alerts process decides
        return ()
    return tuple(lines_of(connection, rows, language))


def _leaving(detail: IncidentDetail) -> tuple[Leaving, ...]:
    parts = [Leaving(f"{PART}{one.id}", f"{PART}{one.id} {one.severity} {one.place}") for one in detail.parts]
    devices = dict.fromkeys(alarm.uid for alarm in detail.alarms)
    if len(devices) <= 1 + len(parts):  # one device each: whoever leaves is a part
        return tuple(parts)
    return (*parts, *(Leaving(uid, uid) for uid in devices))
