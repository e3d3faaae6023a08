"""Who of the people bound to a place a step may tell now: quiet hours and substitutes. Pure.

* P0 and P0+ tell everybody: quiet hours do not count (life_safety, "who is told"), and who is away may still
  want to know; their substitutes are told beside them.
* Of anything lesser who is away hears nothing: their substitute does. Who is in quiet hours neither.
* Where that would leave a role that somebody could be reached in with nobody who can be, everybody of the
  role stays (contract 5). So a role that has people never becomes empty.

Leaving out is about being told only: who is away or in quiet hours may answer as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from alerts.escalation import step_words
from alerts.policy import StepName, StepPlan
from alerts.sayings import Words, pack
from devices.bound import Bound
from devices.model import Severity
from devices.quiet import local_minute

URGENT: Final = frozenset({Severity.P0, Severity.P0_PLUS})


class Reason(StrEnum):
    """Why somebody is not told."""

    AWAY = "away"
    QUIET = "quiet"


class LeftOut(NamedTuple):
    """One contact in one role who is not told, and why."""

    one: Bound
    reason: Reason


class Present(NamedTuple):
    """Who may be told, in the order given, and who may not."""

    told: tuple[Bound, ...]
    left_out: tuple[LeftOut, ...] = ()


def present(bound: Sequence[Bound], severity: Severity, minute: int) -> Present:
    """Splits `bound`, those of `devices.bound`. `minute` is that of the site's day, 0 to 1439."""
    if severity in URGENT:
        return Present(tuple(bound))
    reasons = {n: reason for n, one in enumerate(bound) if (reason := _reason(one, minute))}
    spared = {one.role for one in bound} - {
        one.role for n, one in enumerate(bound) if n not in reasons and one.ways
    }
    out = {n for n in reasons if bound[n].role not in spared}
    return Present(
        tuple(one for n, one in enumerate(bound) if n not in out),
        tuple(LeftOut(bound[n], reasons[n]) for n in sorted(out)),
    )


def _reason(one: Bound, minute: int) -> Reason | None:
    if one.away:
        return Reason.AWAY
    return Reason.QUIET if one.quiet is not None and one.quiet.holds(minute) else None


def people_for(
    bound: Sequence[Bound],
    severity: Severity,
    step: str,
    at_us: int,
    timezone: str,
    plan: StepPlan | None = None,
) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    """Whom a step of an incident may tell at `at_us`, and lines for the timeline about the others, packed:
    how many of each role the step asks for, one line a reason.

    A cry for help is heard by everybody, at any hour. Raises for a time zone nobody knows.
    """
    if step.partition(":")[0] == StepName.HELP:
        return tuple(bound), ()
    told, left_out = present(bound, severity, local_minute(at_us, ZoneInfo(timezone)))
    asked = plan.roles if plan else ()
    lines = []
    for reason in Reason:
        out = [one.role for one, why in left_out if why is reason and one.role in asked]
        if out:
            counted = Words(f"{role}*{out.count(role)}" for role in dict.fromkeys(out))
            lines.append(pack(f"left_out_{reason}", step=step_words(step), roles=counted))
    return told, tuple(lines)
