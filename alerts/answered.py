"""Who has answered of an incident, in which roles and since when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerts.case import Act, Answer, Case, Incident
from alerts.policy import RESIDENTS
from devices.bound import Bound
from devices.model import Role

ANSWERS: Final = frozenset({Act.ACKNOWLEDGE, Act.CONFIRM, Act.FALSE_ALARM, Act.ARRIVED, Act.HANDLED})
"""Acts by which a role shows that it has heard."""
DESK_ROLES: Final = {"user:operator": Role.DUTY_DESK, "user:supervisor": Role.SUPERVISOR}
"""Whose steps a console user's answer stops: the operator sits at the duty desk."""


def answered_roles(case: Case, bound: Iterable[Bound]) -> frozenset[Role]:
    """The roles that have answered in this epoch; a contact answers for every role it is bound in."""
    return _roles((a for a in case.answers if holds(a, case.incident)), bound)


def answered_since(case: Case, bound: Iterable[Bound], at_us: int) -> frozenset[Role]:
    """The roles that have answered after `at_us`."""
    return _roles((a for a in case.answers if _is_after(a, at_us)), bound)


def is_taken_since(case: Case, at_us: int) -> bool:
    """Whether somebody has answered after `at_us` who acts by it. A resident's "received" says that they have
    heard, and not that anybody comes."""
    return any(
        _is_after(a, at_us) and (a.act is not Act.ACKNOWLEDGE or role_of(a.role) not in RESIDENTS)
        for a in case.answers
    )


def has_answer(case: Case) -> bool:
    """Whether anybody at all has answered in this epoch."""
    return any(holds(answer, case.incident) for answer in case.answers)


def role_of(text: str) -> Role | None:
    """The role in which an actor stands: a contact's own, a console user's desk; None for others."""
    if text in DESK_ROLES:
        return DESK_ROLES[text]
    return Role(text) if text in set(Role) else None


def holds(answer: Answer, incident: Incident) -> bool:
    """Given in this epoch, or the very act that still stands from before it or began it."""
    return answer.act in ANSWERS and (
        answer.at_us > incident.started_us  # one of the same instant was decided before the second fire
        or (answer.act is Act.CONFIRM and answer.at_us == incident.confirmed_us)
        or (answer.act is Act.ARRIVED and answer.at_us == incident.arrived_us)
    )


def _is_after(answer: Answer, at_us: int) -> bool:
    """One of the same instant was decided before the word."""
    return answer.act in ANSWERS and answer.at_us > at_us


def _roles(answers: Iterable[Answer], bound: Iterable[Bound]) -> frozenset[Role]:
    given = list(answers)
    actors = {a.actor for a in given}
    roles = {role for a in given if (role := role_of(a.role)) is not None}
    return frozenset(roles | {b.role for b in bound if f"contact:{b.contact_id}" in actors})
