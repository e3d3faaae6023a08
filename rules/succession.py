"""What happens to state when rules change: what measures as before goes on, what does not starts over, and an
alarm that nothing watches any more is cleared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np

from devices.model import SeriesTable
from rules import why
from rules.catalogue import Catalogue
from rules.judged import JudgedKernel
from rules.kernel import ACTIVE, PairKernel
from rules.kernels.place import PlaceKernel, PlaceRule
from rules.rule import BaseRule, JudgedRule
from rules.transition import Subject, To, Transition

_JUDGING: Final = frozenset(JudgedRule.__struct_fields__) - {"metric_name", "below"}
"""What a rule may change without measuring another thing: names, levels, times, and where it holds."""


def measures_alike(rule: BaseRule, other: BaseRule) -> bool:
    """Whether what a kernel has gathered for `rule` means the same for `other`."""
    if type(rule) is not type(other):
        return False
    own = set(rule.__struct_fields__) - _JUDGING
    return all(getattr(rule, name) == getattr(other, name) for name in own)


def start_over(before: Sequence[BaseRule], kernel: JudgedKernel[Any]) -> None:
    """In a kernel that took the state of one of the rules `before`: what was gathered for a rule that
    measures otherwise now is let go, and its hold too. An alarm that is active stays so."""
    old = {rule.name: rule for rule in before}
    pairs = kernel.pairs
    for number, rule in enumerate(kernel.rules):
        if rule.name not in old or measures_alike(rule, old[rule.name]):
            continue
        of_rule = np.flatnonzero(pairs.rule[: pairs.n] == number)
        for name, blank in kernel.columns.items():
            pairs.state[name][of_rule] = blank
        pairs.state["status"][of_rule] &= np.uint8(ACTIVE)
        pairs.state["bits"][of_rule] = 0


def moved_places(before: Catalogue, now: Catalogue) -> set[str]:
    """The rules on places that are about other places, or other meetings, than before."""
    old = {rule.name: rule for rule in before.of(PlaceRule)}
    return {
        rule.name
        for rule in now.of(PlaceRule)
        if rule.name in old and _meets_in(rule) != _meets_in(old[rule.name])
    }


def lost_alarms(
    befores: Sequence[PairKernel[Any]],
    afters: Sequence[PairKernel[Any]],
    names: Collection[str],
    now_us: int,
) -> list[Transition]:
    """The clearings of alarms that are active in the kernels `befores` and in none of `afters`, by series and
    rule. `names` are the rules there are now, `now_us` when they changed. Kernels that are in both are not
    looked at."""
    same = {id(kernel) for kernel in befores} & {id(kernel) for kernel in afters}
    there = {alarm for kernel in afters if id(kernel) not in same for alarm in kernel.active()}
    found = []
    for kernel in (one for one in befores if id(one) not in same):
        for name, slot in kernel.active():
            if (name, slot) not in there:
                rule = kernel.rules[kernel.number[name]]
                found.append(_cleared(rule, slot, kernel.pairs.table, now_us, changed=name in names))
    return sorted(found, key=lambda one: (one.slot, one.rule))


def lost_places(
    before: PlaceKernel, after: PlaceKernel, table: SeriesTable, names: Collection[str], now_us: int
) -> list[Transition]:
    """The same of alarms of places."""
    there = {(rule.name, place) for rule, place, _ in after.alarms()}
    found = [
        _cleared(rule, slot, table, now_us, changed=rule.name in names, place=place)
        for rule, place, slot in before.alarms()
        if (rule.name, place) not in there
    ]
    return sorted(found, key=lambda one: (one.place, one.rule))


def _meets_in(rule: PlaceRule) -> tuple[object, ...]:
    return rule.scope, rule.apart, rule.across


def _cleared(
    rule: BaseRule, slot: int, table: SeriesTable, now_us: int, *, changed: bool, place: int = 0
) -> Transition:
    known = slot < len(table)
    dwelling = int(table.dwelling[slot]) if known else 0
    subject = rule.scope.subject if isinstance(rule, PlaceRule) else Subject.SERIES
    return Transition(
        rule=rule.name,
        to=To.CLEARED,
        severity=rule.severity,
        slot=slot,
        device=int(table.device[slot]) if known else 0,
        dwelling=place if subject is Subject.DWELLING else dwelling,
        place=place,
        at_us=now_us,
        nudge_ns=0,
        received_us=now_us,
        why=why.rule_gone(rule.name, changed=changed),
        age_s=0.0,
        subject=subject,
    )
