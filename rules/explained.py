"""What holds for one series: each rule with its numbers there, or why it does not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from devices.model import SeriesTable
from rules.judged import JudgedKernel
from rules.kernels.curve import CurveRule
from rules.overrides import Override
from rules.quantity import Level, Relative
from rules.rule import BaseRule
from rules.settings import Setting, touched
from rules.why_off import NO_BREAKER, NO_RATING, OVERRIDDEN

_SETTLED: Final = ("raise_at", "clear_below")
"""Levels of a rule in whose place those of its setting stand."""


class Explained(NamedTuple):
    """One rule on one series. `setting` has its numbers there, None for a kind without levels.

    `reference_a` is what relative levels are multiples of, in amperes, NaN where they are multiples of
    nothing, or of what is not known. `why_off` is empty where the rule holds. `by` are the overrides that
    make it so, the weakest first.
    """

    rule: BaseRule
    setting: Setting | None = None
    reference_a: float = math.nan
    why_off: str = ""
    by: tuple[Override, ...] = ()


def explained(
    kernel: JudgedKernel[Any], slot: int, table: SeriesTable, in_force: Sequence[Override]
) -> Iterator[Explained]:
    """What the rules of a kernel are on a series."""
    one = np.array([slot], np.int32)
    for pair in kernel.pairs.expand(one)[1].tolist():
        number = int(kernel.pairs.rule[pair])
        rule, setting = kernel.rules[number], kernel.settings.explain(number, slot, table)
        reference = _reference(setting, slot, table)
        why_off = setting.why_off or _unrated(rule, setting, slot, table)
        if setting.why_off == OVERRIDDEN:
            here = [
                other for other in in_force if other.rule == rule.name and slot in touched([other], table)
            ]
        else:
            here = [other for other in in_force if other.id in setting.overrides]
        yield Explained(rule, setting, reference, why_off, tuple(here))


def _reference(setting: Setting, slot: int, table: SeriesTable) -> float:
    match setting.raise_at.relative:
        case Relative.REFERENCE:
            return float(table.reference_a[slot])
        case Relative.BREAKER:
            return float(table.breaker_a[slot])
        case _:
            return math.nan


def _unrated(rule: BaseRule, setting: Setting, slot: int, table: SeriesTable) -> str:
    """Whether a number of the rule is a multiple of a rating that the registry does not have."""
    own = [getattr(rule, name) for name in rule.__struct_fields__ if name not in _SETTLED]
    relative = {level.relative for level in (setting.raise_at, *own) if isinstance(level, Level)}
    if Relative.REFERENCE in relative and math.isnan(table.reference_a[slot]):
        return NO_RATING
    needs_breaker = Relative.BREAKER in relative or isinstance(rule, CurveRule)
    return NO_BREAKER if needs_breaker and math.isnan(table.breaker_a[slot]) else ""
