"""The plateau kernel: power that steps up, stays level for hours and falls, as a charger's does.

It says that a charge took place where nobody should charge: for a person to look at, never for a fire
station (the best published detector of this kind is right in 88 of 100). What each reading does is in
docs/rules.md, `plateau`. State: 120 bytes a pair (56 of the part that is gathered, the parts before a step
and the phase, which are asked for at each reading, and 64 of the charge), besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int32, Int64, SeriesTable
from rules import why
from rules.columns import put_rows, take_rows
from rules.judged import JudgedKernel
from rules.kernels.phases import (
    BASE,
    BEFORE,
    CHARGE,
    CHARGED,
    COUNT,
    FIRST,
    JOINED,
    LEVEL,
    MARK,
    NEVER,
    NEWEST,
    PART,
    PARTS,
    PHASE,
    Numbers,
    turn,
)
from rules.look import Ground, Look
from rules.means import rounded
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Relative, Span, units_of
from rules.rounds import Rows
from rules.rule import HeldRule
from rules.settings import Setting
from rules.transition import Why

_MINUTE_US: Final = 60_000_000
_MOST_W: Final = 1_000_000
_PER_CENT: Final = "%"
_HIGHEST_STEP_W: Final = 10_000
_MOST_LEVEL: Final = 100
"""Parts of a level stretch at most, and with the highest step: what keeps sums of squares within 64 bits."""


class PlateauRule(HeldRule, frozen=True, kw_only=True, tag="plateau"):
    """An alarm on a charge. Lengths of time are counted in whole `part`s."""

    numbers: ClassVar[tuple[str, ...]] = (
        "hold", "clear_hold", "max_gap", "samples", "part", "before", "step_from", "step_to", "variation",
        "level_for", "fall", "fall_for", "shortest", "longest", "near", "over_for", "forget_after",
    )  # fmt: skip

    part: Span
    before: Span
    step_from: Level
    step_to: Level
    variation: Level
    level_for: Span
    fall: Level
    fall_for: Span
    shortest: Span
    longest: Span
    near: Level
    over_for: Span
    forget_after: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part < _MINUTE_US:
            raise ValueError("key `part`: 1 min or more is allowed")
        if self.before % self.part or not 2 <= self.before // self.part <= PARTS:
            raise ValueError(f"key `before`: 2 to {PARTS} times `part` is allowed")
        if not 1 <= self.level_for / self.part <= _MOST_LEVEL:
            raise ValueError(f"key `level_for`: 1 to {_MOST_LEVEL} times `part` is allowed")
        if self.max_gap < self.part:
            raise ValueError("key `max_gap`: must not be shorter than `part`")
        steps = [self._watts(key, level) for key, level in self._steps.items()]
        if not 0 < steps[0] <= steps[1] <= _HIGHEST_STEP_W:
            raise ValueError(f"key `step_to`: `step_from` to {_HIGHEST_STEP_W} W is allowed, both above 0")
        for key, most in (("variation", 100), ("fall", 99), ("near", 100 - self.fall.value)):
            share: Level = getattr(self, key)
            if share.unit != _PER_CENT or share.value % 1 or not 1 <= share.value <= most:
                raise ValueError(f"key `{key}`: a whole number of per cent, 1 % to {most:g} %, is allowed")
        if not self.shortest <= self.longest <= self.forget_after:
            raise ValueError("key `longest`: `shortest` to `forget_after` is allowed")

    def watts(self) -> tuple[float, float]:
        """The smallest and the largest step."""
        first, last = (self._watts(key, level) for key, level in self._steps.items())
        return first, last

    @property
    def _steps(self) -> dict[str, Level]:
        return {"step_from": self.step_from, "step_to": self.step_to}

    def _watts(self, key: str, level: Level) -> float:
        units = {"W": 1.0, "kW": 1000.0}
        for metric in self.metrics:
            if level.relative is not Relative.NOTHING or units_of(metric) != units:
                raise ValueError(f"key `metric`: `{metric.name_on_wire}` is no power in watts")
        try:
            return level.value_in(units, self.metric.name_on_wire)
        except ValueError as error:
            raise ValueError(f"key `{key}`: {error}") from None


class PlateauKernel(JudgedKernel[PlateauRule]):
    """All plateau rules of a catalogue.

    `now` is the part that is gathered (part = observed / `part`, rounded down; -1: none), and what each part
    is compared with; the columns of both are described in phases.py.
    """

    columns: ClassVar[Mapping[str, Blank]] = {
        "now": np.array([*[0] * PART, -1, *[0] * (BEFORE - PART - 1), *[NEVER] * PARTS], np.int32),
        "charge": np.zeros(CHARGE, np.int64),
    }

    def __init__(
        self,
        rules: Sequence[PlateauRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._length = np.array([int(rule.part) for rule in rules], np.int64)
        self._numbers = [_numbers(rule) for rule in rules]

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """1 while a charge is known, else 0, at the first reading of a part; NaN at all others, and at
        queued ones."""
        charged = np.full(len(rows), np.nan)
        if look.any_queued:
            queued = look.queued(rows)
            charged[~queued] = self._gather(look, rows[~queued], pair[~queued])
            return charged
        return self._gather(look, rows, pair)

    def start_over(self, pair: int) -> None:
        """The charge is looked for no more: it is quiet, with no parts before. This part goes on."""
        now = self.pairs.state["now"]
        now[pair, [NEWEST, PHASE, JOINED]], now[pair, BEFORE:] = 0, NEVER
        self.pairs.state["charge"][pair] = 0

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`active power stepped from 80.0 W by 121 W, stayed level and fell after 3 h 40 min: ...`."""
        rule, charge = self.rules[self.pairs.rule[pair]], self.pairs.state["charge"][pair]
        base, level = (why.quantity(float(charge[one]) / 10, "W") for one in (BASE, LEVEL))
        us = int(charge[MARK] - charge[FIRST]) * int(rule.part)
        return Why(
            en=f"{noun(rule.metric)} stepped from {base} by {level}, stayed level and fell after "
            f"{why.duration(us)}: as when a battery is charged; to be checked by a person",
            zh_cn=f"{noun_zh(rule.metric)}由 {base} 上升 {level}，保持平稳，{why.duration_zh(us)}后下降："
            "与蓄电池充电相似，须人工核实",
        )

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """That it is over, or too long ago."""
        return Why(
            en="the charge is over, or too long ago to be told from other loads",
            zh_cn="充电已结束，或时间过久已无法与其他负荷区分",
        )

    def _gather(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        charged = np.full(len(rows), np.nan)
        now: Int32 = take_rows(self.pairs.state["now"], pair)
        total = now.view(np.int64)[:, 0]
        part = look.batch.observed_us.take(rows) // self.of_rule(self._length, pair)
        later = np.flatnonzero(part > now[:, PART])
        if len(later):
            over = later[now[later, PART] >= 0]
            if len(over) == len(now):
                charged = self._turn(pair, now, total)
            elif len(over):
                some = now.take(over, axis=0)
                charged[over] = self._turn(pair.take(over), some, total.take(over))
                put_rows(now, over, some)
            now[later, PART], now[later, COUNT], total[later] = part.take(later), 0, 0
        value = np.minimum(np.maximum(look.batch.value.take(rows), -_MOST_W), _MOST_W)
        total += np.rint(value * 1000).astype(np.int64)
        now[:, COUNT] += 1
        put_rows(self.pairs.state["now"], pair, now)
        return charged

    def _turn(self, pair: Rows, now: Int32, total: Int64) -> Float64:
        """Takes the parts that are over; 1 where a charge is known now."""
        power = rounded(total, now[:, COUNT].astype(np.int64) * 100)
        for number, of in enumerate(self._numbers):
            some = np.arange(len(pair))
            if len(self._numbers) > 1:
                some = some[self.pairs.rule.take(pair) == number]
            if len(some):
                turn(of, some, now, power, pair, self.pairs.state["charge"])
        charged: Float64 = (now[:, PHASE] == CHARGED).astype(np.float64)
        return charged


def _numbers(rule: PlateauRule) -> Numbers:
    def parts(span: int) -> int:
        """In parts, rounded up: so many must have passed."""
        return -(-int(span) // int(rule.part))

    first, last = rule.watts()
    return Numbers(
        before=int(rule.before) // int(rule.part),
        step_from=round(first * 10),
        step_to=round(last * 10),
        variation=int(rule.variation.value),
        level_for=parts(rule.level_for),
        fall=int(rule.fall.value),
        fall_for=parts(rule.fall_for),
        shortest=parts(rule.shortest),
        longest=int(rule.longest) // int(rule.part),
        near=int(rule.near.value),
        over_for=parts(rule.over_for),
        forget_after=int(rule.forget_after) // int(rule.part),
        gap=int(rule.max_gap) // int(rule.part),
    )
