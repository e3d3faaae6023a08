"""The phases of a charge, for many series at once: one step a part.

Power is in tenths of a watt, time in parts; `above` is power minus that before the step. docs/rules.md,
`plateau`, says what each part does in each phase, in the order of these functions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from devices.model import Bool, Int32, Int64, UInt8
from rules.columns import put_rows
from rules.means import middle
from rules.rounds import Rows

QUIET, RISEN, PROVED, FALLEN, CHARGED = range(5)
FIRST, LAST, BASE, LEVEL, MARK, NUMBER, SUM, SQUARES = range(8)
NEAR: Final = NUMBER
CHARGE: Final = 8
"""Columns of a charge: the part of the step, the last part that counted, power before the step, the
plateau's height above it, the first part of the level stretch or of the fall, and number, sum and sum of
squares of the stretch's parts. Once charged, the number's column holds the first part near the power before
(-1: it is not)."""
PARTS: Final = 6
"""Parts before a step that are kept at most, the newest last."""
NEVER: Final = np.iinfo(np.int32).max
"""In the place of a part before that is not known."""
NONE: Final = -1


class Numbers(NamedTuple):
    """A rule's numbers: watts in tenths, shares in per cent, times in parts."""

    before: int
    step_from: int
    step_to: int
    variation: int
    level_for: int
    fall: int
    fall_for: int
    shortest: int
    longest: int
    near: int
    over_for: int
    forget_after: int
    gap: int


class Some:
    """Series in one phase of one rule: their columns, copied until `store`."""

    __slots__ = ("_charge", "above", "charge", "of", "part", "phase", "power", "rows", "since_last")

    def __init__(self, of: Numbers, rows: Rows, part: Int64, power: Int64, charge: Int64) -> None:
        self.of, self.rows, self._charge = of, rows, charge
        self.part, self.power, self.charge = part[rows], power[rows], charge.take(rows, axis=0)
        self.since_last: Int64 = self.part - self.charge[:, LAST]
        """Parts since the last that counted."""
        self.above: Int64 = self.power - self.charge[:, BASE]
        """Power above that before the step."""

    def put(self, where: Bool, name: int, value: Int64 | int) -> None:
        """Sets one column of the charge for those of `where`."""
        np.copyto(self.charge[:, name], value, where=where)

    def store(self) -> None:
        """Puts the columns back."""
        put_rows(self._charge, self.rows, self.charge)


def turn(
    of: Numbers, some: Rows, part: Int64, power: Int64, phase: UInt8, charge: Int64, before: Int32
) -> None:
    """What one part does to each of `some`, all under one rule: changes `phase`, `charge` and `before` in
    place."""
    was = phase[some]
    rows = some[was == QUIET]
    if len(rows):
        _quiet(Some(of, rows, part, power, charge), phase, before)
    for here, step in ((RISEN, _risen), (PROVED, _proved), (FALLEN, _fallen), (CHARGED, _charged)):
        rows = some[was == here]
        if not len(rows):
            continue
        over = rows[step(Some(of, rows, part, power, charge), phase)]
        if len(over):
            phase[over], charge[over], before[over] = QUIET, 0, NEVER
            before[over, -1] = power[over]
            charge[over, LAST] = part[over]


def _quiet(some: Some, phase: UInt8, before: Int32) -> None:
    of = some.of
    kept = before.take(some.rows, axis=0)
    kept[some.since_last > of.gap] = NEVER
    number, lower, _ = middle(kept)
    above = some.power - lower
    risen = (2 * number >= of.before) & (above >= of.step_from) & (above <= of.step_to)
    kept[:, :-1] = kept[:, 1:]
    kept[:, -1] = some.power
    kept[:, : PARTS - of.before] = NEVER
    put_rows(before, some.rows, kept)
    some.charge[:, LAST] = some.part
    if risen.any():
        phase[some.rows[risen]] = RISEN
        some.put(risen, FIRST, some.part)
        some.put(risen, BASE, lower)
    some.store()


def _risen(some: Some, phase: UInt8) -> Bool:
    """Parts of a stretch that may be level; True where it is no charge after all."""
    of, above = some.of, some.above
    number, total, squares = (some.charge[:, name] for name in (NUMBER, SUM, SQUARES))
    begins, scaled = number == 0, 100 * number * above
    on_top = ~begins & (scaled > (100 + of.fall) * total)
    low = scaled <= (100 - of.fall) * total
    over: Bool = some.since_last > of.gap
    over |= np.where(begins, (above < of.step_from) | (above > of.step_to), low)
    counts = ~over & ~on_top
    number, total, squares = number + 1, total + above, squares + above * above
    over |= counts & ((total > of.step_to * number) | (some.part - some.charge[:, FIRST] > of.longest))
    some.put(counts, LAST, some.part)
    some.put(counts & begins, MARK, some.part)
    for name, value in ((NUMBER, number), (SUM, total), (SQUARES, squares)):
        some.put(counts, name, value)
    long = counts & ~over & (some.part - some.charge[:, MARK] + 1 >= of.level_for)
    if long.any():
        spread = np.where(long, number * squares - total * total, 0) * 10_000
        level = long & (spread <= of.variation**2 * total * total) & (total >= of.step_from * number)
        phase[some.rows[level]] = PROVED
        some.put(level, LEVEL, total // number)
        for name in (NUMBER, SUM, SQUARES):  # where it is not level, the next part begins another stretch
            some.put(long, name, 0)
    some.store()
    return over


def _proved(some: Some, phase: UInt8) -> Bool:
    """Parts after a level stretch; True where it lasts too long or was not seen for too long."""
    of, above, level = some.of, some.above, some.charge[:, LEVEL]
    counts = 100 * above <= (100 + of.fall) * level
    falls = 100 * above <= (100 - of.fall) * level
    over: Bool = some.since_last > of.gap
    over |= counts & (some.part - some.charge[:, FIRST] > of.longest)
    some.put(counts, LAST, some.part)
    some.put(falls, MARK, some.part)
    phase[some.rows[falls]] = FALLEN
    some.store()
    return over


def _fallen(some: Some, phase: UInt8) -> Bool:
    """Parts of a fall; True where it came too soon."""
    of, above, level = some.of, some.above, some.charge[:, LEVEL]
    counts = 100 * above <= (100 + of.fall) * level
    falls = 100 * above <= (100 - of.fall) * level
    step, fall = some.charge[:, FIRST], some.charge[:, MARK]
    back = counts & ~falls
    over: Bool = (some.since_last > of.gap) | (back & (some.part - step > of.longest))
    done = falls & (some.part - fall + 1 >= of.fall_for)
    over |= done & (fall - step < of.shortest)
    some.put(counts, LAST, some.part)
    phase[some.rows[back]] = PROVED
    phase[some.rows[done]] = CHARGED
    some.put(done, NEAR, np.where(100 * above <= of.near * level, some.part, NONE))
    some.store()
    return over


def _charged(some: Some, phase: UInt8) -> Bool:
    """Parts after a charge is known; True where it is over."""
    of, since = some.of, some.charge[:, NEAR]
    near = 100 * some.above <= of.near * some.charge[:, LEVEL]
    runs = near & (since != NONE) & (some.since_last <= of.gap)
    since = np.where(near, np.where(runs, since, some.part), NONE)
    too_long: Bool = some.part - some.charge[:, FIRST] > of.forget_after
    some.charge[:, NEAR], some.charge[:, LAST] = since, some.part
    some.store()
    return too_long | (near & (some.part - since + 1 >= of.over_for))
