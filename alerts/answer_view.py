"""The one-tap page: what its contact must know of the incident and may do now. Nothing about other people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts.answered import answered_roles
from alerts.case import Act, Case
from alerts.cases import load_cases
from alerts.evidence import evidence_words, grounds_of
from alerts.lifecycle import possible_acts
from alerts.times import times_of
from alerts.whereabouts import Whereabouts, place_words, where_of
from devices.model import Role


@dataclass(frozen=True, slots=True)
class Fellow:
    """Who else was told, as a role: how many contacts, and whether the role has answered."""

    role: str
    count: int
    answered: bool


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """What the page shows. `role` is the one the contact was told in; `acts` what it may do now.

    `evidence` is in the reader's language, `since_us` and `newest_us` as in `alerts.times`. `closed_us` ends
    the link 24 h later (`alerts.links.link_open`).
    """

    incident_id: int
    contact_id: int
    role: str
    severity: str
    hazard: str
    state: str
    place: str
    since_us: int
    newest_us: int | None
    evidence: str
    tags: tuple[str, ...]
    fellows: tuple[Fellow, ...]
    acts: tuple[Act, ...]
    closed_us: int | None


def answer_page(
    connection: Connection, incident_id: int, contact_id: int, language: str, now_us: int
) -> AnswerPage | None:
    """The page for this contact; None when there is no such incident or it does not concern the contact.

    It concerns whoever was told of it, also as a substitute whose time is over, and whoever is bound there.
    """
    case = load_cases(connection, ids=(incident_id,)).get(incident_id)
    if case is None:
        return None
    roles = _roles(connection, case, contact_id, now_us)
    if not roles:
        return None
    incident = case.incident
    evidence = case.active() or case.alarms
    rules, found, title = grounds_of(evidence)
    times = times_of(incident.opened_us, case.alarms)
    return AnswerPage(
        incident_id=incident_id,
        contact_id=contact_id,
        role=roles[0],
        severity=str(incident.severity),
        hazard=str(incident.hazard),
        state=str(incident.state),
        place=place_words(connection, where_of(case.incident), case.alarms, language),
        since_us=times.since_us,
        newest_us=times.newest_us,
        evidence=evidence_words(rules, found, incident.hazard, incident.severity, language, title),
        tags=tuple(sorted(incident.tags)),
        fellows=_fellows(case, contact_id),
        acts=possible_acts(case, f"contact:{contact_id}", frozenset(roles)),
        closed_us=incident.closed_us,
    )


def _roles(connection: Connection, case: Case, contact_id: int, now_us: int) -> list[str]:
    """What the contact was told as, latest first, then what else it is bound as."""
    told = [str(t.role) for t in reversed(case.told) if t.contact_id == contact_id]
    people = Whereabouts(connection, now_us).bound(case.incident)
    bound = [str(b.role) for b in people if b.contact_id == contact_id]
    return list(dict.fromkeys(told + bound))


def _fellows(case: Case, contact_id: int) -> tuple[Fellow, ...]:
    others = {(t.contact_id, t.role) for t in case.told if t.contact_id != contact_id}
    count = Counter(role for _, role in others)
    answered = answered_roles(case, ())
    return tuple(Fellow(str(role), count[role], role in answered) for role in Role if count[role])
