"""Whether people must hear of an alarm that joins an incident they deal with already, and when. Pure.

What is serious and new is told to all who deal with the incident, whatever they answered before. While the
incident's own chain still runs, its steps reach those only who have not answered, so the word waits no longer
than an answer may take. `alerts.follow_up` says what follows when nobody answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from alerts.answered import has_answer
from alerts.case import Alarm, Case, Step, StepState
from alerts.plans import Plans
from alerts.policy import KINDS, StepName

LAST_WORD_US: Final = 1_800_000_000
"""What people heard longer ago than this is no word on what happens now (30 min, chosen)."""
NEWS: Final = frozenset({StepName.ISOLATE, StepName.MORE})
"""Steps that are words of news."""
_TO_ALL: Final = frozenset({StepName.AT_ONCE, StepName.MORE})
"""Steps whose message tells all who deal with it what stands."""


def is_told_out(case: Case) -> bool:
    """No further step will speak of it by itself: somebody answered in this epoch, or none is pending."""
    return has_answer(case) or not any(
        step.name in KINDS  # what follows news, or a cry for help, is no step of its own chain
        for step in case.pending()
    )


def is_news(case: Case, identity: tuple[str, str], uid: str, now_us: int) -> bool:
    """Whether an alarm (rule, subject) of the device `uid` that joins must be told.

    One that stands already says nothing new. Another device or another rule does; one that was heard before
    and comes back, when the last word is older than LAST_WORD_US.
    """
    if any(alarm.identity == identity for alarm in case.active()):
        return False
    is_other = all((alarm.rule, alarm.uid) != (identity[0], uid) for alarm in case.alarms)
    return is_other or now_us - last_word_us(case) > LAST_WORD_US


def last_word_us(case: Case) -> int:
    """When all who deal with it were last told what stands; 0 for never."""
    return max(_words_us(case), default=0)


def say_isolate(case: Case, now_us: int, plans: Plans) -> Case:
    """With a step, due now, that tells those who deal with it that the power must be cut first.

    Where the first word of this epoch is still to be sent, that says it. Any other news waits its turn.
    """
    if _says_at_once(case):
        return case
    for step in case.pending():
        if step.name == StepName.MORE:
            later_us = now_us + _between_us(case, plans)
            case = case.with_step(replace(step, due_us=max(step.due_us, later_us)))
    return _with(case, StepName.ISOLATE, now_us)


def say_more(case: Case, now_us: int, plans: Plans) -> Case:
    """With a step that tells those who deal with it of another alarm: now, but so long after the last word of
    news, and while the incident's own chain runs after any last word to all, as the incident waits for an
    answer. What joins meanwhile is said by the same word.

    Where one is pending, or the first word of this epoch, that says it.
    """
    if _says_at_once(case) or any(step.name == StepName.MORE for step in case.pending()):
        return case
    words = [step.ended_us or step.due_us for step in case.steps if step.name in NEWS]
    if not is_told_out(case):
        words += _words_us(case)
    between_us = _between_us(case, plans)
    return _with(case, StepName.MORE, max([now_us, *(at_us + between_us for at_us in words)]))


def unsaid(case: Case, now_us: int) -> tuple[Alarm, ...]:
    """The alarms that stand and were taken in after the last word to all before now, newest first; where all
    of those have cleared, these; where there is none, the one that was taken in last. By our clock: the
    devices' own are minutes off."""
    standing = case.active() or case.alarms
    last_us = max((at_us for at_us in _words_us(case) if at_us < now_us), default=0)
    for alarms in (standing, case.alarms):
        found = tuple(alarm for alarm in alarms if alarm.taken_us > last_us)
        if found:
            return tuple(sorted(found, key=lambda alarm: -alarm.taken_us))
    return tuple(sorted(standing, key=lambda alarm: alarm.taken_us)[-1:])


def _between_us(case: Case, plans: Plans) -> int:
    """The least time between two words (chosen): a minute in a fire, 5 min in what is serious."""
    return plans.patience_us(case.incident)


def _words_us(case: Case) -> list[int]:
    done = (s for s in case.steps if s.name in _TO_ALL and s.state is StepState.DONE)
    return [step.ended_us for step in done if step.ended_us is not None]


def _says_at_once(case: Case) -> bool:
    epoch = case.incident.epoch
    return any(step.name == StepName.AT_ONCE and step.epoch == epoch for step in case.pending())


def _with(case: Case, name: StepName, due_us: int) -> Case:
    epoch = case.incident.epoch
    n = sum(1 for step in case.steps if step.epoch == epoch and step.name == name)
    return case.with_step(Step(epoch, name, n, due_us))
