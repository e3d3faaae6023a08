"""Who is told, when and how, as data: the table "Who is told" of life_safety, line by line.

Delays are seconds of real use; `alerts/escalation.py` divides them by the configured clock ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.case import Hazard
from devices.model import Medium, Role, Severity


class StepName(StrEnum):
    """The kinds of steps; a step in the database carries this name (`help` with the role that asked)."""

    AT_ONCE = "at_once"
    CHASE = "chase"
    UNANSWERED = "unanswered"
    REPEAT = "repeat"
    SECRETARY = "secretary"
    SUPERVISOR = "supervisor"
    HELP = "help"
    ISOLATE = "isolate"
    MORE = "more"
    ALL_CLEAR = "all_clear"


class Heeds(StrEnum):
    """Whose answer spares whom: nobody, everyone in the answering role, or the answering contact alone."""

    NOBODY = "nobody"
    ROLE = "role"
    CONTACT = "contact"


class Fact(StrEnum):
    """What makes a step pointless."""

    ARRIVED = "arrived"
    CONFIRMED = "confirmed"
    FALSE_ALARM = "false_alarm"
    HANDLED = "handled"


TELL: Final = (Medium.PUSH, Medium.SMS, Medium.VOICE, Medium.EMAIL)
"""A first word: a push, else the next best thing the contact has (chosen)."""
CALL: Final = (Medium.VOICE, Medium.SMS, Medium.PUSH, Medium.EMAIL)
"""Somebody must wake up: a voice call, else the loudest thing the contact has (chosen)."""
RESIDENTS: Final = (Role.FAMILY, Role.NEIGHBOUR)
"""Who can be in the house. "Calls to residents" are calls to these."""
CALLS_MAX: Final = 5
"""Chase calls to one contact in one epoch: Aliyun carries 5 an hour to one callee (carrier limits)."""
HELP_ORDER: Final = (
    Role.FAMILY,
    Role.NEIGHBOUR,
    Role.GRID_WORKER,
    Role.BUILDING_SECRETARY,
    Role.MICRO_STATION,
    Role.DUTY_DESK,
    Role.SUPERVISOR,
)
"""Who comes next when somebody asks for help (chosen: from the nearest to the widest). No fire brigade."""


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One line of a policy: after `after_s`, tell `roles` by the first of `media` they have.

    `every_s` 0 means once. `ends_on` lists the facts that end it for everybody, `heeds` whom an answer
    spares. `spares_residents`: once somebody has arrived, residents are called no more.
    """

    name: StepName
    after_s: float
    roles: tuple[Role, ...]
    media: tuple[Medium, ...] = TELL
    every_s: float = 0.0
    ends_on: frozenset[Fact] = frozenset({Fact.FALSE_ALARM, Fact.HANDLED})
    heeds: Heeds = Heeds.ROLE
    spares_residents: bool = False


Policy = tuple[StepPlan, ...]

_FIRE_ROLES: Final = (
    Role.FAMILY,
    Role.NEIGHBOUR,
    Role.GRID_WORKER,
    Role.BUILDING_SECRETARY,
    Role.MICRO_STATION,
    Role.DUTY_DESK,
)
_UNANSWERED: Final = StepPlan(
    StepName.UNANSWERED,
    90,
    (Role.DUTY_DESK, Role.MICRO_STATION, Role.SUPERVISOR, Role.FIRE_BRIGADE),
    ends_on=frozenset({Fact.ARRIVED, Fact.CONFIRMED, Fact.FALSE_ALARM}),
    heeds=Heeds.NOBODY,
)
"""S3. It ends on arrived, confirm or false alarm only; an acknowledgement does not end it."""


def _at_once(*roles: Role) -> StepPlan:
    return StepPlan(StepName.AT_ONCE, 0, roles, ends_on=frozenset(), heeds=Heeds.NOBODY)


def _chase(*roles: Role) -> StepPlan:
    return StepPlan(StepName.CHASE, 60, roles, CALL, every_s=60, spares_residents=True)


_ON_SITE: Final = frozenset({Fact.ARRIVED, Fact.FALSE_ALARM, Fact.HANDLED})

P0: Final[Policy] = (_at_once(*_FIRE_ROLES), _chase(*_FIRE_ROLES), _UNANSWERED)
"""life_safety, "Who is told", P0. 60 s: standards.md 4, "1-3-5"; 90 s: S3 (NFPA 72 verification)."""

P0_PLUS: Final[Policy] = (
    _at_once(*_FIRE_ROLES, Role.FIRE_BRIGADE),
    _chase(*_FIRE_ROLES, Role.FIRE_BRIGADE),
    _UNANSWERED,
    StepPlan(StepName.REPEAT, 120, RESIDENTS, CALL, every_s=120, ends_on=_ON_SITE, heeds=Heeds.CONTACT),
)
"""life_safety, P0+: all of P0, the fire brigade at once, and residents every 2 min until arrived.

The repetition spares only the contacts who answered: one neighbour's "received" must not leave the next
one asleep in a confirmed fire.
"""

P1: Final[Policy] = (
    _at_once(Role.GRID_WORKER, Role.BUILDING_SECRETARY, Role.FAMILY),
    StepPlan(StepName.SECRETARY, 300, (Role.BUILDING_SECRETARY,), CALL, ends_on=_ON_SITE),
    StepPlan(StepName.SUPERVISOR, 900, (Role.SUPERVISOR,), ends_on=_ON_SITE),
)
"""life_safety, P1. That somebody on site ends the later steps is ours; an answer ends the own role's only."""

P2: Final[Policy] = (
    _at_once(Role.GRID_WORKER),
    StepPlan(StepName.SECRETARY, 7200, (Role.BUILDING_SECRETARY,), ends_on=_ON_SITE),
)
"""life_safety, P2: the grid worker, after 2 h the secretary."""

SYSTEM: Final[Policy] = (
    _at_once(Role.DUTY_DESK),
    StepPlan(StepName.CHASE, 300, (Role.DUTY_DESK,), CALL, every_s=300),
    StepPlan(StepName.SUPERVISOR, 900, (Role.SUPERVISOR,)),
)
"""A fault of our own: nobody at the place can mend it, so the desk is told and then the supervisors, at the
times of P1 (chosen; life_safety leaves system faults to the desk)."""

P3: Final[Policy] = ()
"""life_safety, P3: nobody is paged; the daily digest reads the open incidents."""

POLICIES: Final[Mapping[Severity, Policy]] = {
    Severity.P0_PLUS: P0_PLUS,
    Severity.P0: P0,
    Severity.P1: P1,
    Severity.P2: P2,
    Severity.P3: P3,
}


def policy_of(severity: Severity, hazard: Hazard) -> Policy:
    """Who is told, when and how, of an incident."""
    return SYSTEM if hazard is Hazard.SYSTEM else POLICIES[severity]


def plan_of(severity: Severity, hazard: Hazard, name: str) -> StepPlan | None:
    """The line of the policy that a step of this name carries out; None for steps outside policies. A step
    that follows news names the severity of the news (`alerts.follow_up`)."""
    kind, _, of = name.partition(":")
    of = of.partition(":")[0]
    policy = policy_of(Severity(of) if of in set(Severity) else severity, hazard)
    return next((plan for plan in policy if plan.name == kind), None)


def patience_s(severity: Severity, hazard: Hazard) -> float:
    """How long an incident waits for its first answer before the next step."""
    return min((plan.after_s for plan in policy_of(severity, hazard) if plan.after_s), default=0.0)
