"""The rate kernel: how fast a value rises.

Of each series up to eight readings are kept, so far apart that they reach back over twice the time asked for
however often the device reports. They lie in a ring in the order of their times; the newest that is old
enough is found by counting those that are.

State: 144 bytes a pair, besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int64, Metric, SeriesTable
from rules import why
from rules.columns import EIGHT, of_rule, put_rows, take_rows, trues
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Span, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

KEPT: Final = EIGHT
PARTS: Final = 4
"""A reading is kept that is at least this part of `over` newer than the one kept before it."""
SHORTEST: Final = Span(1_000_000)
"""Of `over` (chosen: clocks of devices count seconds)."""
_MINUTE_US: Final = 60_000_000
_NEVER: Final = -(2**62)
_UNUSED: Final = 2**62
_NUMBER: Final = 2 * KEPT
_SEEN_US: Final = _NUMBER + 1
_WIDTH: Final = _SEEN_US + 1
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
        "kept": np.array([*[_UNUSED] * KEPT, *[0] * KEPT, 0, _NEVER], np.int64),
    }
    """One row, for all of it is read and written together: times, values (the bits of doubles), how many were
    kept, and the time of the reading before. The number goes up to 15, then to 8 again: modulo 8 it is where
    the next one goes."""

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
        rule, row = self.pairs.rule.take(pair), take_rows(self.pairs.state["kept"], pair)
        observed, value = look.batch.observed_us.take(rows), look.batch.value.take(rows)
        anew = (observed - row[:, _SEEN_US] > of_rule(self._max_gap, rule)) | look.queued(rows)
        row[:, _SEEN_US] = observed
        if anew.any():
            row[anew, :KEPT] = _UNUSED
            row[anew, _NUMBER] = 0
        over, number = of_rule(self._over, rule), row[:, _NUMBER].copy()
        old = trues(row[:, :KEPT] <= (observed - over)[:, None])
        cells, line = row.reshape(-1), np.arange(0, row.size, _WIDTH)
        at = line + ((np.where(number < KEPT, 0, number) + old - 1) & _IN_RING)
        self._pair, self._time = pair, observed - cells.take(at)
        then = cells.take(at + KEPT).view(np.float64)
        newest = cells.take(line + ((number - 1) & _IN_RING))
        kept = np.flatnonzero((number == 0) | (PARTS * (observed - newest) >= over))
        at = line[kept] + (number[kept] & _IN_RING)
        cells[at], cells[at + KEPT] = observed[kept], value[kept].view(np.int64)
        row[kept, _NUMBER] = np.where(number[kept] == 2 * KEPT - 1, KEPT, number[kept] + 1)
        put_rows(self.pairs.state["kept"], pair, row)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(old > 0, (value - then) / (self._time / _MINUTE_US), np.nan)

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
        self.pairs.state["kept"][pair] = self.columns["kept"]


def _unit_of(level: Level, metric: Metric) -> str:
    """The unit of a value whose rise has the unit of `level`."""
    unit = level.unit.removesuffix("/min")
    return metric.unit if unit == _KELVIN.get(metric.unit) else unit
