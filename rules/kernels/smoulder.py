"""The smoulder kernel: a detector's analogue channel that rises above its own baseline, before the detector
itself sounds.

Every channel is compared with itself alone, because raw scales differ from head to head. Its baseline is a
slow mean of the value (`usual`) and of the distance from it (`spread`), both with bounded steps, so that one
odd reading moves them little. The value measured is the distance from the mean in units of the noise. What is
at or above the raise level is not learnt, nor is anything while the alarm is active: smoke does not become
usual. A person's reset or close forgets the baseline.

Gains are plain fractions of observed time, without exp(), so that any implementation gets the same numbers.
State: 40 bytes a pair, besides 18 of judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from devices.model import METRIC_LIMIT, Bool, Float64, Int16, Int64, Metric, SeriesTable
from rules import why
from rules.columns import put_rows
from rules.judged import JudgedKernel
from rules.kernel import ACTIVE
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Span, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

STEP: Final = 3.0
"""Longest step of a known baseline, in units of the noise (chosen: as far as honest noise goes)."""
GAIN: Final = 0.125
"""Largest gain of a known baseline, however long nothing was heard (chosen: one reading is an eighth)."""
TO_SIGMA: Final = 1.25
"""What makes a mean distance a standard deviation: the square root of π/2, rounded."""
_USUAL, _SPREAD, _LEARNT, _FIRST, _NEWEST = range(5)
_MOST: Final = 65_535
_FAR: Final = 1e15
"""Values beyond are cut to it, so that sums and differences stay finite."""
_PERCENT: Final = {"%": 0.01}


class SmoulderRule(JudgedRule, frozen=True, kw_only=True, tag="smoulder"):
    """An alarm on a rise above the channel's own baseline; levels are multiples of its noise, without a unit.

    The noise is never taken for less than `noise_share` of the usual value nor less than `noise` of the
    metric. `memory` is the time constant of the baseline; it is known after `least` readings and `warm_up`.
    """

    numbers: ClassVar[tuple[str, ...]] = (
        *JudgedRule.numbers, "noise_share", "noise", "memory", "least", "warm_up",
    )  # fmt: skip

    noise_share: Level
    noise: Mapping[str, Level]
    memory: Span
    least: Annotated[int, Meta(ge=2, le=1000)]
    warm_up: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.below:
            raise ValueError("key `below`: smoke is a rise; leave it out")
        if self.memory <= 0:
            raise ValueError("key `memory`: a time above 0 s is allowed")
        self._check_share()
        for metric in self.metrics:
            self.least_noise(metric)
        names = [metric.name_on_wire for metric in self.metrics]
        for name in self.noise:
            if name not in names:
                raise ValueError(
                    f"key `noise`: `{name}` is no metric of the rule; allowed: {', '.join(names)}"
                )

    def units(self, metric: Metric) -> dict[str, float]:
        """Levels are multiples of the noise."""
        return {"": 1.0}

    def least_noise(self, metric: Metric) -> float:
        """The least noise in the metric's unit. Raises ValueError where it is missing or not above 0."""
        name = metric.name_on_wire
        if name not in self.noise:
            raise ValueError(f"key `noise`: nothing said about `{name}`; every metric of the rule needs one")
        try:
            found = self.noise[name].value_in(units_of(metric), name)
        except ValueError as error:
            raise ValueError(f"key `noise`: {error}") from None
        if found <= 0:
            raise ValueError(f"key `noise`: `{name}` must be above 0")
        return found

    def _check_share(self) -> None:
        try:
            share = self.noise_share.value_in(_PERCENT, "noise_share")
        except ValueError as error:
            raise ValueError(f"key `noise_share`: {error}") from None
        if not 0 <= share <= 1:
            raise ValueError("key `noise_share`: from 0 % to 100 % is allowed")


class SmoulderKernel(JudgedKernel[SmoulderRule]):
    """All smoulder rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {"baseline": np.zeros(5)}
    """Usual value, spread, how many readings were learnt, and the times of the first and the newest reading
    in µs (exact in a double); together, so that one look finds all of them."""

    def __init__(
        self,
        rules: Sequence[SmoulderRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self._share = np.array([rule.noise_share.value_in(_PERCENT, rule.name) for rule in rules])
        self._least_noise = np.ones((max(1, len(rules)), METRIC_LIMIT))
        for number, rule in enumerate(rules):
            for metric in rule.metrics:
                self._least_noise[number, metric] = rule.least_noise(metric)
        self._memory = np.array([int(rule.memory) for rule in rules], np.int64)
        self._least = np.array([rule.least for rule in rules], np.uint16)
        self._warm_up = np.array([int(rule.warm_up) for rule in rules], np.int64)
        super().__init__(rules, order, table, ground, gated)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The distance from the usual value in units of the noise; NaN until the baseline is known."""
        slot, at = look.batch.slot.take(rows), look.batch.observed_us.take(rows)
        value = np.minimum(np.maximum(look.batch.value.take(rows), -_FAR), _FAR)
        rule: Int16 | int = 0 if len(self.rules) == 1 else self.pairs.rule[pair]
        baseline: Float64 = self.pairs.state["baseline"].take(pair, axis=0)
        usual, _, learnt, first, _ = baseline.T
        noise = self._noise(baseline, rule, look.table.metric.take(slot))
        away = value - usual
        score: Float64 = away / noise
        sure = learnt >= self._least[rule]
        known = sure & (at - first >= self._warm_up[rule])
        smoke = self._smokes(pair, score, known)
        longest = np.where(sure, STEP * noise, np.inf)
        step = np.minimum(np.maximum(away, -longest), longest)
        told: Float64 = np.where(known, score, np.nan)
        self._learn(baseline, rule, ~smoke, step, at)
        new = np.flatnonzero(baseline[:, _LEARNT] <= 0)
        if len(new):
            baseline[new] = _begun(value[new], at[new])
        put_rows(self.pairs.state["baseline"], pair, baseline)
        return told

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`smoke density 243 raw, usual 229 raw: 6.1 times its noise of 2.29 raw above (≥ 6) for 2 s`."""
        return self._told(look, row, pair, value, "≥", setting.raise_at, held_us)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same of a clear."""
        return self._told(look, row, pair, value, "<", setting.clear_below or setting.raise_at, held_us)

    def start_over(self, pair: int) -> None:
        """The baseline was wrong: it is learnt anew."""
        self.pairs.state["baseline"][pair] = 0

    def _smokes(self, pair: Rows, score: Float64, known: Bool) -> Bool:
        """What is not learnt: where the alarm is active, and what is known and at or above its level."""
        smoke = np.zeros(len(pair), np.bool_)
        some = np.flatnonzero(score >= self.pairs.facts["wake"].take(pair))
        if len(some):
            pair = pair.take(some)
            active = (self.pairs.state["status"].take(pair) & ACTIVE) != 0
            smoke[some] = active | (known.take(some) & (score.take(some) >= self.levels(pair)))
        return smoke

    def _noise(self, baseline: Float64, rule: Int16 | int, metric: Int16) -> Float64:
        """Standard deviation of these channels, as far as it is believed."""
        share = self._share[rule] * np.abs(baseline[:, _USUAL])
        believed = np.maximum(TO_SIGMA * baseline[:, _SPREAD], share)
        noise: Float64 = np.maximum(believed, self._least_noise[rule, metric])
        return noise

    def _learn(self, baseline: Float64, rule: Int16 | int, learns: Bool, step: Float64, at: Int64) -> None:
        """Takes these steps where `learns`; a baseline that has not begun stays so."""
        learnt = baseline[:, _LEARNT]
        gone = np.maximum(at - baseline[:, _NEWEST], 0) / self._memory[rule]
        gain = np.maximum(1.0 / (learnt + 1), np.minimum(gone, GAIN)) * learns
        baseline[:, _USUAL] += gain * step
        baseline[:, _SPREAD] += gain * (np.abs(step) - baseline[:, _SPREAD])
        baseline[:, _LEARNT] = np.where(learnt > 0, np.minimum(learnt + learns, _MOST), 0)
        baseline[:, _NEWEST] = at

    def _told(
        self, look: Look, row: int, pair: int, value: float, sign: str, level: Level, held_us: int
    ) -> Why:
        metric = Metric(int(look.table.metric[look.batch.slot[row]]))
        baseline = self.pairs.state["baseline"][[pair]]
        usual = baseline[0, _USUAL]
        noise = self._noise(baseline, int(self.pairs.rule[pair]), np.array([metric], np.int16))[0]
        now, then, of = (why.quantity(x, metric.unit) for x in (look.batch.value[row], usual, noise))
        return Why(
            en=f"{noun(metric)} {now}, usual {then}: {value:.1f} times its noise of {of} above"
            f" ({sign} {level}) for {why.duration(held_us)}",
            zh_cn=f"{noun_zh(metric)} {now}，平时 {then}：高出其噪声 {of} 的 {value:.1f} 倍"
            f"（{sign} {level}），持续 {why.duration_zh(held_us)}",
        )


def _begun(value: Float64, at: Int64) -> Float64:
    """Baselines of one reading each."""
    nothing, one = np.zeros(len(value)), np.ones(len(value))
    return np.stack((value, nothing, one, at.astype(np.float64), at.astype(np.float64)), axis=1)
