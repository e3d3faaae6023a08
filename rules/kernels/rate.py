"""The rate kernel: how fast a value rises.

Of each series up to eight readings are kept, so far apart that they reach back over twice the time asked for
however often the device reports. They lie in a ring in the order of their times; the newest that is old
enough is looked for from the newest on, which is found at the first look where a device reports seldom.

State: 137 bytes a pair, besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int64, Metric, SeriesTable, UInt8
from rules import why
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Span, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

KEPT: Final = 8
PARTS: Final = 4
"""A reading is kept that is at least this part of `over` newer than the one kept before it."""
SHORTEST: Final = Span(1_000_000)
"""Of `over` (chosen: clocks of devices count seconds)."""
_MINUTE_US: Final = 60_000_000
_NEVER: Final = -(2**62)
_IN_RING: Final = KEPT - 1
_KELVIN: Final = {"degC": "K"}


class RateRule(JudgedRule, frozen=True, kw_only=True, tag="rate"):
    """An alarm on the rise per minute over at least `over`. Levels have the metric's unit and `/min`."""

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "over")

    over: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.over < SHORTEST:
            raise ValueError("key `over`: a time of 1 s or more is allowed")
        flags = [metric.name_on_wire for metric in self.metrics if metric.is_flag]
        if flags:
            raise ValueError(f"key `metric`: `{flags[0]}` is a flag; a metric that can rise is allowed")

    def units(self, metric: Metric) -> dict[str, float]:
        """`K/min` for a temperature, `A/min` and `mA/min` for a current."""
        return {
            f"{_KELVIN.get(unit, unit)}/min": factor
            for unit, factor in units_of(metric).items()
            if not Level(1.0, unit).relative
        }


class RateKernel(JudgedKernel[RateRule]):
    """All rate rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {
        "times_us": np.zeros(KEPT, np.int64),
        "values": np.zeros(KEPT),
        "number": np.uint8(0),
        "seen_us": np.int64(_NEVER),
    }
    """Times and values that are kept, how many were, and the time of the reading before. The number goes up
    to 15, then to 8 again: modulo 8 it is where the next one goes. Single cells are read and written: a row
    is two lines of the cache, and one or two of its cells are asked for."""

    def __init__(
        self,
        rules: Sequence[RateRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self._over = np.array([rule.over for rule in rules], np.int64)
        self._max_gap = np.array([rule.max_gap for rule in rules], np.int64)
        self._pair: Rows = np.empty(0, np.intp)
        self._time: Int64 = np.empty(0, np.int64)
        super().__init__(rules, order, table, ground, gated)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The rise per minute, NaN where no reading kept is old enough."""
        state, over = self.pairs.state, self.of_rule(self._over, pair)
        observed, value = look.batch.observed_us.take(rows), look.batch.value.take(rows)
        number: UInt8 = state["number"].take(pair)
        anew = observed - state["seen_us"].take(pair) > self.of_rule(self._max_gap, pair)
        if look.any_queued:
            anew |= look.queued(rows)
        state["seen_us"][pair] = observed
        if anew.any():
            number[anew] = 0
        newest = pair * KEPT + ((number - np.uint8(1)) & _IN_RING)
        since: Int64 = observed - state["times_us"].reshape(-1).take(newest)
        then: Float64 = state["values"].reshape(-1).take(newest)
        young = np.flatnonzero((since < over) | (number == 0))
        kept = np.flatnonzero((number == 0) | (PARTS * since >= over))
        if len(young):
            then[young] = np.nan
            self._look_back(young, pair, observed, number, since, then)
        self._remember(pair.take(kept), number.take(kept), observed.take(kept), value.take(kept))
        self._pair, self._time = pair, since
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            return (value - then) / (since / _MINUTE_US)

    def _look_back(
        self, young: Rows, pair: Rows, observed: Int64, number: UInt8, since: Int64, then: Float64
    ) -> None:
        """Puts time and value of the newest reading kept that is old enough into `since` and `then`, of these
        whose newest of all is too young."""
        times, values = (self.pairs.state[name].reshape(-1) for name in ("times_us", "values"))
        for back in range(1, KEPT):
            young = young[np.minimum(number[young], KEPT) > back]
            if not len(young):
                return
            cell = pair[young] * KEPT + ((number[young] - np.uint8(1 + back)) & _IN_RING)
            passed = observed[young] - times.take(cell)
            old = passed >= self.of_rule(self._over, pair[young])
            some = young[old]
            since[some], then[some] = passed[old], values.take(cell[old])
            young = young[~old]

    def _remember(self, pair: Rows, number: UInt8, observed: Int64, value: Float64) -> None:
        """Puts these readings behind the `number` that each pair has kept."""
        state, cell = self.pairs.state, pair * KEPT + (number & _IN_RING)
        state["times_us"].reshape(-1)[cell] = observed
        state["values"].reshape(-1)[cell] = value
        state["number"][pair] = np.where(number == 2 * KEPT - 1, KEPT, number + np.uint8(1))

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`temperature 43.4 °C, up 12.4 K in 2 min: 6.20 K/min (≥ 5 K/min)`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=False)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`temperature 41.0 °C, up 0.80 K in 2 min: 0.40 K/min (< 2 K/min) for 5 min`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=True)

    def _say(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int, *, cleared: bool
    ) -> Why:
        rule, metric = self.rules[self.pairs.rule[pair]], Metric(look.table.metric[look.batch.slot[row]])
        time_us = int(self._time[np.flatnonzero(self._pair == pair)[0]])
        level = setting.clear_below if cleared and setting.clear_below is not None else setting.raise_at
        factor = rule.units(metric)[level.unit]
        now = why.quantity(float(look.batch.value[row]) / factor, _unit_of(level, metric))
        change = why.quantity(abs(value) / factor * time_us / _MINUTE_US, level.unit.removesuffix("/min"))
        rate = why.quantity(value / factor, level.unit)
        word, word_zh = ("up", "上升") if value >= 0 else ("down", "下降")
        compared = f"{why.sign(rule, cleared=cleared)} {level}"
        lasting, lasting_zh = why.lasting(held_us)
        time, time_zh = why.duration(time_us), why.duration_zh(time_us)
        return Why(
            en=f"{noun(metric)} {now}, {word} {change} in {time}: {rate} ({compared}){lasting}",
            zh_cn=f"{noun_zh(metric)} {now}，{time_zh}内{word_zh} {change}：{rate}（{compared}）{lasting_zh}",
        )

    def start_over(self, pair: int) -> None:
        """Nothing is kept."""
        self.pairs.state["number"][pair] = 0


def _unit_of(level: Level, metric: Metric) -> str:
    """The unit of a value whose rise has the unit of `level`."""
    unit = level.unit.removesuffix("/min")
    return metric.unit if unit == _KELVIN.get(metric.unit) else unit
