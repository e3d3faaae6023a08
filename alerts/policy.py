"""Who is told, when and how, as values: the lines that `alerts/policies.toml` and a site's own file hold.

Delays are seconds of real use; `alerts/plans.py` divides them by the configured clock ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from devices.model import Medium, Role


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
    MOVED = "moved"
    ALL_CLEAR = "all_clear"
    DEADLINE = "deadline"
    OVERDUE = "overdue"


KINDS: Final = (
    StepName.AT_ONCE,
    StepName.CHASE,
    StepName.UNANSWERED,
    StepName.REPEAT,
    StepName.SECRETARY,
    StepName.SUPERVISOR,
)
"""The kinds of which a policy has lines, each at most once: the steps of an incident's own chain."""


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
    spares. `spares_residents`: once somebody has arrived, residents are called no more. `source` says for
    keys of the file where their values are from.
    """

    name: StepName
    after_s: float
    roles: tuple[Role, ...]
    media: tuple[Medium, ...] = TELL
    every_s: float = 0.0
    ends_on: frozenset[Fact] = frozenset({Fact.FALSE_ALARM, Fact.HANDLED})
    heeds: Heeds = Heeds.ROLE
    spares_residents: bool = False
    source: tuple[tuple[str, str], ...] = ()


Policy = tuple[StepPlan, ...]


def line_of(policy: Policy, kind: str) -> StepPlan | None:
    """The line of a kind; None where the policy has none."""
    return next((plan for plan in policy if plan.name == kind), None)
