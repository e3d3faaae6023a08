"""What follows when nobody answers news of an incident that people deal with already. Pure.

The answers that the incident has were given before the news and say nothing of it. So a word of news begins
a chain of its own: what the policy of the news' severity does after its first word, with its delays from the
word on (life_safety, "who is told"). The first answer after the word by somebody who acts by it ends it, a
resident's "received" the steps of their own role (chosen).

There is one such chain at a time. It is about everything that was raised since the word it began with, so
what comes later cannot put it off, and begins no second one beside it; unless it is worse, then its own takes
the place of the other.
"""

from __future__ import annotations

from typing import Final

from alerts.answered import has_answer
from alerts.case import Case, Step, StepState
from alerts.news import NEWS, unsaid
from alerts.plans import Plans
from alerts.policy import KINDS, RESIDENTS, StepName, StepPlan
from devices.model import Severity

_FIRST_OR_ENDLESS: Final = frozenset({StepName.AT_ONCE, StepName.REPEAT})
"""The word itself is the first; residents called again and again are the matter of the incident's chain."""


def begin_follow_ups(case: Case, now_us: int, plans: Plans) -> Case:
    """`case` with the chain that follows a word of news told now, unless one of that severity or a worse
    is going on. Nothing follows what is less than serious."""
    worst = min((a.severity for a in unsaid(case, now_us)), key=lambda s: s.rank, default=Severity.P3)
    going_on = tuple(step for step in case.pending() if is_follow_up(step.name))
    if worst.rank > Severity.P1.rank or any(_severity_of(one.name).rank <= worst.rank for one in going_on):
        return case
    case = case.stopping(going_on, now_us)
    number = len(_words_us(case))
    for plan in plans.policy_of(case.incident, worst):
        if plan.name not in _FIRST_OR_ENDLESS:
            due_us = now_us + plans.us(plan.after_s)
            name = f"{plan.name}:{worst}:{number}"
            case = case.with_step(Step(case.incident.epoch, name, 0, due_us))
    return case


def is_follow_up(name: str) -> bool:
    """Whether a step is one of such a chain: `secretary:P1:2` follows the second word of its epoch."""
    return name.count(":") == 2


def _severity_of(name: str) -> Severity:
    return Severity(name.split(":")[1])


def word_us(case: Case, name: str) -> int:
    """When the word was told that a follow-up is about."""
    words = _words_us(case)
    number = int(name.rpartition(":")[2])
    return words[number - 1] if 0 < number <= len(words) else case.incident.started_us


def is_said(case: Case, plans: Plans) -> bool:
    """Whether the incident's own chain runs and nobody has answered anything yet: that calls them as it is,
    and whoever answers it has had the word. What calls residents alone, which in a fire goes on for as long
    as nobody comes, tells nobody who acts by the news."""
    return not has_answer(case) and any(
        step.name in KINDS and _reaches_others(plans.plan_of(case.incident, step.name))
        for step in case.pending()
    )


def _reaches_others(plan: StepPlan | None) -> bool:
    return plan is not None and not set(plan.roles) <= set(RESIDENTS)


def _words_us(case: Case) -> list[int]:
    """When each word of news of this epoch was told, in order."""
    epoch = case.incident.epoch
    done = (s for s in case.steps if s.name in NEWS and s.epoch == epoch and s.state is StepState.DONE)
    return sorted(step.ended_us for step in done if step.ended_us is not None)
