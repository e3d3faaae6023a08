"""The transitions of life flags: by a reading, and by the registry, where an alarm goes on elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, NamedTuple

from devices.model import ReadingBatch, SeriesTable
from rules import why
from rules.found import Found, by_reading
from rules.kernels.flag import FlagRule
from rules.kernels.flag_state import QUEUED, Told, What, dwelling_of
from rules.kernels.meeting import Moment
from rules.transition import Mark, To, Transition

_OLD: Final = (Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN)


def by_flag(rule: FlagRule, order: int, batch: ReadingBatch, table: SeriesTable, told: Told) -> Found:
    """What a reading changed."""
    row, what = told.row, told.what
    if what is What.CLEARED:
        said = why.flag_cleared(rule.metric, told.quiet_us)
        return Found(row, order, by_reading(rule, To.CLEARED, batch, row, table=table, why=said))
    queued = (Mark.QUEUED,) if batch.quality[row] & QUEUED else ()
    if what is What.OLD:
        said, marks = why.flag_of_unknown_age(rule.metric), (*_OLD, *queued, *rule.marks)
        transition = by_reading(
            rule, To.RAISED, batch, row, table=table, why=said, age_s=math.nan, marks=marks
        )
        return Found(row, order, transition)
    age_us = batch.received_us - int(batch.observed_us[row])
    late, second = age_us > rule.late_after, what is What.SECOND
    quiet_us = told.quiet_us if second and told.quiet_us >= 0 else None
    said = why.flag_set(rule.metric, age_us if late else None, quiet_us)
    marks = ((Mark.LATE,) if late else ()) + queued + ((Mark.SECOND_FIRE,) if second else ()) + rule.marks
    severity = rule.visit_severity if what is What.VISIT else rule.severity
    transition = by_reading(
        rule, To.RAISED, batch, row, table=table, why=said, severity=severity, marks=marks
    )
    return Found(row, order, transition)


class Moved(NamedTuple):
    """An active alarm whose device is registered elsewhere since it was told.

    `place` is where it was told (`rules.kernels.flag_state.places`); `fire_us` and `raised_us` when the
    reading that raised it was observed and received; `quiet_us` how long ago its flag was 1 last, 0 where it
    still is.
    """

    slot: int
    place: int
    fire_us: int
    raised_us: int
    quiet_us: int
    ageless: bool
    waited: bool


class Retold(NamedTuple):
    """An alarm that goes on elsewhere: cleared where it was, raised where it is. `moment` is its own time, by
    which it meets others there, as long as it `stands`: a visit does not."""

    cleared: Transition
    raised: Transition
    moment: Moment
    stands: bool


def told_elsewhere(rule: FlagRule, moved: Moved, table: SeriesTable, now_us: int) -> Retold:
    """The alarm as it is told now, where its device is registered now, and as old as it is. A visit where the
    flag has been 0 for so long that a message as old would be one (life_safety, smoke 3).

    `at_us` is still that of the reading that raised it. So that it is another alarm than the one told before,
    its `nudge_ns` is the moment of telling, which is no reading's.
    """
    age_us, is_visit = max(0, now_us - moved.fire_us), moved.quiet_us > rule.visit_after
    raised = Transition(
        rule=rule.name,
        to=To.RAISED,
        severity=rule.visit_severity if is_visit else rule.severity,
        slot=moved.slot,
        device=int(table.device[moved.slot]),
        dwelling=int(table.dwelling[moved.slot]),
        place=0,
        at_us=moved.fire_us,
        nudge_ns=now_us,
        received_us=now_us,
        why=why.flag_elsewhere(rule.metric, None if moved.ageless else age_us, moved.quiet_us),
        age_s=math.nan if moved.ageless else age_us / 1e6,
        marks=_marks(rule, moved),
    )
    moment = Moment.of(replace(raised, received_us=moved.raised_us))
    return Retold(_cleared(raised, rule, moved), raised, moment, not is_visit)


def _marks(rule: FlagRule, moved: Moved) -> tuple[Mark, ...]:
    """What is still 1 is not late, whenever it began."""
    queued = (Mark.QUEUED,) if moved.waited else ()
    if moved.ageless:
        return (*_OLD, *queued, *rule.marks)
    late = (Mark.LATE,) if moved.quiet_us > rule.late_after else ()
    return (*late, *queued, *rule.marks)


def _cleared(raised: Transition, rule: FlagRule, moved: Moved) -> Transition:
    """Where it was told before."""
    return replace(
        raised,
        to=To.CLEARED,
        severity=rule.severity,
        dwelling=dwelling_of(moved.place),
        at_us=raised.received_us,
        nudge_ns=0,
        why=why.goes_on_elsewhere(),
        age_s=0.0,
        marks=(Mark.ELSEWHERE,),
    )
