"""The count kernel: how often something happened in the last while.

What happened is a rise of a flag, a value in a band, or an incident that people closed as a false alarm. The
times of the last eight are kept in a ring. Most series never have one: they cost a look-up and a comparison
(the early return of `evaluate`).

State: 65 bytes a pair, besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Final

import numpy as np
from msgspec import UNSET, UnsetType

from devices.model import Bool, EngineInput, Float64, Int64, Metric, SeriesTable, UInt8
from rules import why
from rules.columns import EIGHT, take_rows, trues
from rules.found import Found
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Span, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

REMEMBERED: Final = EIGHT
_PLACE: Final = 7
"""The bits of `memory` that say where in the ring the next one goes."""
_ONE: Final = 8
"""The newest flag was 1."""
_SOME: Final = 16
"""Something has happened."""
_NEVER: Final = -(2**62)


class Counts(StrEnum):
    """What is counted."""

    RISES = "rises"
    BAND = "band"
    UNFOUNDED = "unfounded"


class CountRule(JudgedRule, frozen=True, kw_only=True, tag="count"):
    """An alarm on how often something happened in the last `within`.

    `counts` is `rises` of a flag, values in a `band` (`from` to `to`, both included), or `unfounded`: closed
    incidents of the rules in `of` that were false alarms.
    """

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "within", "from", "to")

    counts: str
    within: Span
    from_value: Level | UnsetType = UNSET
    to_value: Level | UnsetType = UNSET
    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.counts not in list(Counts):
            raise ValueError(f"key `counts`: `{self.counts}` is unknown; allowed: {', '.join(Counts)}")
        if not self.within:
            raise ValueError("key `within`: a time above 0 s is allowed")
        if bool(self.of) is not (self.counts == Counts.UNFOUNDED):
            raise ValueError("key `of`: the names of rules where `counts` is unfounded, else none")
        flags = [metric.is_flag for metric in self.metrics]
        if self.counts == Counts.RISES and not all(flags):
            raise ValueError("key `metric`: only flags can rise; `counts` of band is allowed for others")
        if self.counts == Counts.BAND and any(flags):
            raise ValueError("key `metric`: a flag has no band; `counts` of rises is allowed for flags")
        self._check_band()

    def units(self, metric: Metric) -> dict[str, float]:
        """A count has no unit."""
        return {"": 1.0}

    def check_limits(self, raise_at: Level, clear_below: Level | UnsetType) -> None:
        """Raises ValueError where these levels cannot be this rule's."""
        if self.below:
            raise ValueError("key `below`: what happens too seldom is not counted; leave it out")
        super().check_limits(raise_at, clear_below)
        if not 1 <= raise_at.value <= REMEMBERED:
            raise ValueError(f"key `raise`: a number from 1 to {REMEMBERED} is allowed")

    @property
    def band(self) -> tuple[float, float]:
        """From and to of the values that are counted, in the metric's unit; a flag's 1; NaN for none."""
        if self.counts == Counts.RISES:
            return float(np.nextafter(0.0, 1.0)), np.inf
        if isinstance(self.from_value, UnsetType) or isinstance(self.to_value, UnsetType):
            return np.nan, np.nan
        units = {
            unit: factor for unit, factor in units_of(self.metric).items() if not Level(1.0, unit).relative
        }
        name = self.metric.name_on_wire
        return self.from_value.value_in(units, name), self.to_value.value_in(units, name)

    def _check_band(self) -> None:
        for key, level in (("from", self.from_value), ("to", self.to_value)):
            if (level is UNSET) is (self.counts == Counts.BAND):
                raise ValueError(f"key `{key}`: a level where `counts` is band, else none")
        try:
            least, most = self.band
        except ValueError as error:
            raise ValueError(f"key `from`: {error}") from None
        if least > most:
            raise ValueError("key `to`: is below `from`; a level at or above it is allowed")


class CountKernel(JudgedKernel[CountRule]):
    """All count rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {
        "times_us": np.full(REMEMBERED, _NEVER, np.int64),
        "memory": np.uint8(0),
    }

    def __init__(
        self,
        rules: Sequence[CountRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        bands = np.array([rule.band for rule in rules], np.float64).reshape(-1, 2)
        self._least, self._most = bands[:, 0].copy(), bands[:, 1].copy()
        self._within = np.array([rule.within for rule in rules], np.int64)
        self._rises = np.array([rule.counts == Counts.RISES for rule in rules], np.bool_)
        super().__init__(rules, order, table, ground, gated)

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        batch, state = look.batch, self.pairs.state
        rows, pair = self.pairs.each(*self.heard(look))
        hot = self._counted(batch.value.take(rows), pair)
        hot |= (state["memory"].take(pair) != 0) | (state["status"].take(pair) != 0)
        if not hot.any():  # nothing has happened and no alarm is active: nothing to decide, nothing to keep
            return []
        judged = np.flatnonzero(self.pairs.company(pair, hot) & look.usable(rows))
        found: list[Found] = []
        for some_rows, some_pairs in self.turns(look, rows[judged], pair[judged]):
            value = self.measure(look, some_rows, some_pairs)
            found += self.judge(look, some_rows, some_pairs, value)
        return found

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """How often it happened."""
        state = self.pairs.state
        observed, memory = look.batch.observed_us.take(rows), state["memory"].take(pair)
        counted, rises = self._counted(look.batch.value.take(rows), pair), self.of_rule(self._rises, pair)
        was_one = (memory & _ONE) != 0
        state["memory"][pair] = np.where(rises, memory & ~np.uint8(_ONE) | counted * np.uint8(_ONE), memory)
        happened = np.flatnonzero(counted & ~(rises & was_one))
        self._note(pair[happened], observed[happened])
        times: Int64 = take_rows(state["times_us"], pair)
        recent = times > (observed - self.of_rule(self._within, pair))[:, None]
        return trues(recent).astype(np.float64)

    def heed(self, given: EngineInput) -> None:
        """An incident was closed and had been false: it is seen at the next reading of its series."""
        for number, rule in enumerate(self.rules):
            pair = self.pairs.find(given.slot, number) if given.rule in rule.of else -1
            if pair >= 0:
                self._note(np.array([pair], np.intp), np.array([given.at_us], np.int64))

    def _counted(self, value: Float64, pair: Rows) -> Bool:
        counted: Bool = (value >= self.of_rule(self._least, pair)) & (value <= self.of_rule(self._most, pair))
        return counted

    def _note(self, pair: Rows, at_us: Int64) -> None:
        state = self.pairs.state
        memory: UInt8 = state["memory"].take(pair)
        state["times_us"][pair, memory & _PLACE] = at_us
        state["memory"][pair] = memory & ~np.uint8(_PLACE) | (memory + np.uint8(1)) & _PLACE | _SOME

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`breaker flag set 2 times within 24 h (≥ 2)`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=False)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`breaker flag set 0 times within 24 h (< 1)`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=True)

    def _say(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int, *, cleared: bool
    ) -> Why:
        rule, metric = self.rules[self.pairs.rule[pair]], Metric(look.table.metric[look.batch.slot[row]])
        level = setting.clear_below if cleared and setting.clear_below is not None else setting.raise_at
        compared = f"{why.sign(rule, cleared=cleared)} {level.value:g}"
        within, within_zh = why.duration(rule.within), why.duration_zh(rule.within)
        lasting, lasting_zh = why.lasting(held_us)
        said, said_zh = _counted_so_often(rule, metric, int(value))
        return Why(
            en=f"{said} within {within} ({compared}){lasting}",
            zh_cn=f"{within_zh}内{said_zh}（{compared} 次）{lasting_zh}",
        )

    def start_over(self, pair: int) -> None:
        """What happened is forgotten, but whether the flag is 1."""
        state = self.pairs.state
        state["times_us"][pair] = _NEVER
        state["memory"][pair] &= _ONE


def _counted_so_often(rule: CountRule, metric: Metric, number: int) -> tuple[str, str]:
    """What happened and how often, in both languages."""
    times = "once" if number == 1 else f"{number} times"
    if rule.counts == Counts.UNFOUNDED:
        return f"{noun(metric)} alarm found false {times}", f"{noun_zh(metric)}被判定为误报 {number} 次"
    if rule.counts == Counts.RISES:
        return f"{noun(metric)} flag set {times}", f"{noun_zh(metric)}信号触发 {number} 次"
    readings = "1 reading" if number == 1 else f"{number} readings"
    return (
        f"{noun(metric)} from {rule.from_value} to {rule.to_value} in {readings}",
        f"{noun_zh(metric)}有 {number} 次为 {rule.from_value} 至 {rule.to_value}",
    )
