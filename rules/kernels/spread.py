"""The spread kernel: how much warmer a phase is than the coolest other one that carries a like load.

State: as of judging, 18 bytes a pair; and 40 of facts.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

import numpy as np

from devices.model import Float64, Int32, Metric, SeriesTable, UInt8
from rules import why
from rules.comparing import MomentKernel, check_load, check_metric, other_phase, places
from rules.latest import NOWHERE
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.quantity import Level
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why


class SpreadRule(JudgedRule, frozen=True, kw_only=True, tag="spread"):
    """An alarm on a phase that is warmer than others, in K.

    Loads are alike when both are at least `least_load` and differ by at most `like` of the larger one.
    """

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "like", "least_load")

    like: Level
    least_load: Level

    def __post_init__(self) -> None:
        check_metric(self, Metric.TEMPERATURE)
        super().__post_init__()
        if self.like.unit != "%" or not 0 <= self.like.value <= 100:
            raise ValueError(f"key `like`: `{self.like}` is not a share; '0 %' to '100 %' is allowed")
        check_load("least_load", self.least_load)

    def units(self, metric: Metric) -> dict[str, float]:
        """A difference of temperatures."""
        return {"K": 1.0}


class SpreadKernel(MomentKernel[SpreadRule]):
    """All spread rules of a catalogue."""

    facts: ClassVar[Mapping[str, Blank]] = {**places(5), "least": np.float64(np.nan)}
    """The kin: the own current; the temperatures of both other phases; their currents."""
    compares: ClassVar[frozenset[Metric]] = frozenset({Metric.TEMPERATURE, Metric.CURRENT})

    def __init__(
        self,
        rules: Sequence[SpreadRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._like = np.array([rule.like.value / 100 for rule in rules])

    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """Of `l1` to `l3` the own current and both of the other phases; of others nothing."""
        own, next_one, third = (other_phase(phase, step) for step in range(3))
        warmth, load = Metric.TEMPERATURE, Metric.CURRENT
        return [(load, own), (warmth, next_one), (warmth, third), (load, next_one), (load, third)]

    def load_of(self, rule: SpreadRule) -> Level:
        """The least load."""
        return rule.least_load

    def manner(self, rule: SpreadRule) -> Hashable:
        """Also which loads are alike."""
        return self.near(rule), rule.metrics, rule.like, rule.least_load

    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The temperature minus that of the coolest phase with a like load, in K."""
        kin = np.stack([self.kin(n, pair) for n in range(5)])
        now = self.newest(look, rows, pair, kin)
        own, warmth, load = now[0], now[1:3], now[3:]
        larger, smaller = np.maximum(own, load), np.minimum(own, load)
        alike = smaller >= self.pairs.facts["least"].take(pair)
        alike &= larger - smaller <= self.of_rule(self._like, pair) * larger
        np.copyto(warmth, np.nan, where=~alike)
        coolest: Float64 = np.fmin(warmth[0], warmth[1])
        return look.batch.value.take(rows) - coolest

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """Nothing can be said without the own current, and without a current of another phase."""
        able = (kin[0] >= 0) & ((kin[3] >= 0) | (kin[4] >= 0))
        return [np.where(able, kin[0], NOWHERE), *kin[1:]]

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`temperature 58.0 °C, another phase with a like load 42.0 °C: 16.0 K above (≥ 15.0 K) for 10
        min`."""
        return _told(float(look.batch.value[row]), value, "≥", setting.raise_at, held_us)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same of a clear."""
        level = setting.clear_below or setting.raise_at
        return _told(float(look.batch.value[row]), value, "<", level, held_us)


def _told(warmth: float, spread: float, sign: str, level: Level, held_us: int) -> Why:
    here, there = why.quantity(warmth, "degC"), why.quantity(warmth - spread, "degC")
    above, compared = why.quantity(spread, "K"), f"{sign} {why.quantity(level.value, 'K')}"
    return Why(
        en=f"temperature {here}, another phase with a like load {there}: "
        f"{above} above ({compared}) for {why.duration(held_us)}",
        zh_cn=f"温度 {here}，负荷相近的另一相 {there}：高出 {above}（{compared}），"
        f"持续 {why.duration_zh(held_us)}",
    )
