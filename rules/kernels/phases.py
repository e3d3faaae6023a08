"""The phases of a charge, for many series at once: one step a part.

Power is in tenths of a watt, time in parts; `above` is power minus that before the step. docs/rules.md,
`plateau`, says what each part does in each phase, in the order of these functions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from devices.model import Bool, Int32, Int64
from rules.columns import put_rows
from rules.means import lowest_three, middle
from rules.rounds import Rows

QUIET, RISEN, PROVED, FALLEN, CHARGED = range(5)
FIRST, LAST, BASE, LEVEL, MARK, NUMBER, SUM, SQUARES = range(8)
NEAR: Final = NUMBER
CHARGE: Final = 8
"""Columns of a charge: the part of the step, the last part that counted (while the phase is worked out; it
is kept in `now`), power before the step, the plateau's height above it, the first part of the level stretch
or of the fall, and number, sum and sum of squares of the stretch's parts. Once charged, the number's column
holds the first part near the power before (-1: it is not)."""
PARTS: Final = 6
"""Parts before a step that are kept at most."""
NEVER: Final = np.iinfo(np.int32).max
"""In the place of a part before that is not known."""
PART, COUNT, NEWEST, PHASE, JOINED = range(2, 7)
BEFORE: Final = 8
WIDTH: Final = BEFORE + PARTS
"""Columns of `now`, in words of 32 bits: the first two are the sum of the part that is gathered, in
thousandths; then its number and how many readings it has, the last part that counted, the phase, how many
parts have joined those before, and the ring of these."""
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
    """Series in one phase of one rule: their charges, copied until `store`. `rows` are their places in
    `now`."""

    __slots__ = (
        "_charges", "_now", "_pair", "above", "charge", "of", "part", "phase", "power", "rows", "since_last",
    )  # fmt: skip

    def __init__(self, of: Numbers, rows: Rows, now: Int32, power: Int64, pair: Rows, charges: Int64) -> None:
        self.of, self.rows, self._now, self._pair, self._charges = of, rows, now, pair[rows], charges
        self.part, self.power = now[rows, PART].astype(np.int64), power[rows]
        self.charge = charges.take(self._pair, axis=0)
        self.charge[:, LAST] = now[rows, NEWEST]
        self.phase = now[:, PHASE]
        """Of all in `now`."""
        self.since_last: Int64 = self.part - self.charge[:, LAST]
        """Parts since the last that counted."""
        self.above: Int64 = self.power - self.charge[:, BASE]
        """Power above that before the step."""

    def put(self, where: Bool, name: int, value: Int64 | int) -> None:
        """Sets one column of the charge for those of `where`."""
        np.copyto(self.charge[:, name], value, where=where)

    def store(self) -> None:
        """Puts the columns back."""
        self._now[self.rows, NEWEST] = self.charge[:, LAST]
        put_rows(self._charges, self._pair, self.charge)


def turn(of: Numbers, some: Rows, now: Int32, power: Int64, pair: Rows, charges: Int64) -> None:
    """What the part that is over, with this power, does to each of `some`, all under one rule: changes `now`
    (a line each) and `charges` (by pair) in place."""
    was = now[:, PHASE] if len(some) == len(now) else now[some, PHASE]
    going = was.any()
    quiet = some[was == QUIET] if going else some
    if len(quiet):
        _quiet(of, quiet, now, power, pair, charges)
    if not going:
        return
    for here, step in ((RISEN, _risen), (PROVED, _proved), (FALLEN, _fallen), (CHARGED, _charged)):
        rows = some[was == here]
        if not len(rows):
            continue
        over = rows[step(Some(of, rows, now, power, pair, charges))]
        if len(over):
            charges[pair[over]] = 0
            now[over, NEWEST] = now[over, PART]
            now[over, PHASE], now[over, JOINED], now[over, BEFORE:] = QUIET, 1, NEVER
            now[over, BEFORE] = power[over]


def _quiet(of: Numbers, rows: Rows, now: Int32, power: Int64, pair: Rows, charges: Int64) -> None:
    """Parts before a step: nearly all parts of nearly all series."""
    everything = len(rows) == len(now)
    mine = now if everything else now.take(rows, axis=0)
    if not everything:
        power, pair = power.take(rows), pair.take(rows)
    gone = np.flatnonzero(mine[:, PART] - mine[:, NEWEST] > of.gap)
    if len(gone):
        mine[gone, JOINED], mine[gone, BEFORE:] = 0, NEVER
    joined = mine[:, JOINED].copy()
    number = np.minimum(joined, of.before)
    above = power - _base(mine[:, BEFORE:], number, of.before)
    risen = (above >= of.step_from) & (above <= of.step_to)
    cell = np.arange(BEFORE, mine.size, WIDTH) + joined % of.before
    mine.reshape(-1)[cell] = power
    mine[:, JOINED] += 1
    mine[:, NEWEST] = mine[:, PART]
    if risen.any():
        risen &= 2 * number >= of.before
        begun = np.zeros((np.count_nonzero(risen), CHARGE), np.int64)
        begun[:, FIRST], begun[:, BASE] = mine[risen, PART], power[risen] - above[risen]
        mine[risen, PHASE] = RISEN
        put_rows(charges, pair[risen], begun)
    if not everything:
        put_rows(now, rows, mine)


def _base(before: Int32, number: Int32, most: int) -> Int32:
    """The median of the parts before, of an even number the smaller of the middle two. `number` of them are
    known: usually `most`, and what has fewer is sorted out the slow way."""
    base: Int32 = lowest_three([before[:, n] for n in range(PARTS)])[(most - 1) >> 1]
    short = np.flatnonzero(number < most)
    if len(short):
        base[short] = middle(before.take(short, axis=0))[1]
    return base


def _risen(some: Some) -> Bool:
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
        some.phase[some.rows[level]] = PROVED
        some.put(level, LEVEL, total // number)
        for name in (NUMBER, SUM, SQUARES):  # where it is not level, the next part begins another stretch
            some.put(long, name, 0)
    some.store()
    return over


def _proved(some: Some) -> Bool:
    """Parts after a level stretch; True where it lasts too long or was not seen for too long."""
    of, above, level = some.of, some.above, some.charge[:, LEVEL]
    counts = 100 * above <= (100 + of.fall) * level
    falls = 100 * above <= (100 - of.fall) * level
    over: Bool = some.since_last > of.gap
    over |= counts & (some.part - some.charge[:, FIRST] > of.longest)
    some.put(counts, LAST, some.part)
    some.put(falls, MARK, some.part)
    some.phase[some.rows[falls]] = FALLEN
    some.store()
    return over


def _fallen(some: Some) -> Bool:
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
    some.phase[some.rows[back]] = PROVED
    some.phase[some.rows[done]] = CHARGED
    some.put(done, NEAR, np.where(100 * above <= of.near * level, some.part, NONE))
    some.store()
    return over


def _charged(some: Some) -> Bool:
    """Parts after a charge is known; True where it is over."""
    of, since = some.of, some.charge[:, NEAR]
    near = 100 * some.above <= of.near * some.charge[:, LEVEL]
    runs = near & (since != NONE) & (some.since_last <= of.gap)
    since = np.where(near, np.where(runs, since, some.part), NONE)
    too_long: Bool = some.part - some.charge[:, FIRST] > of.forget_after
    some.charge[:, NEAR], some.charge[:, LAST] = since, some.part
    some.store()
    over: Bool = too_long | (near & (some.part - since + 1 >= of.over_for))
    return over
