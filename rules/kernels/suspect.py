"""The suspect kernel: values that cannot be trusted, which every other kernel is silent about.

It sees what the others do not: readings that decoding marked as broken, out of range or of a clock that is
wrong, and a value that never moves where it would have to. Each reading is bad or good; bad ones that last
raise, good ones that last clear.

Most readings are good, of a metric that may be still, and no hold runs: they cost a look at their quality.
State: 24 bytes a pair, besides 18 of judging; and one of facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from devices.model import (
    HARD_QUALITY,
    METRIC_LIMIT,
    MUTE_QUALITY,
    Bool,
    Float64,
    Int64,
    Metric,
    Quality,
    SeriesTable,
)
from rules import why
from rules.found import Found
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Span
from rules.rounds import Rows
from rules.rule import HeldRule
from rules.settings import Setting
from rules.transition import Why

BAD: Final = int(HARD_QUALITY | Quality.OUT_OF_RANGE | Quality.CLOCK_INVALID | Quality.CLOCK_SKEW)
"""With any of these a reading is bad."""
UNTOLD: Final = int(MUTE_QUALITY | Quality.DUPLICATE | Quality.LATE | Quality.STALE)
"""With any of these a reading says nothing of how the device is now."""
_MOST: Final = 255
"""Equal readings are counted up to it."""
_SAID: Final[Mapping[Quality, tuple[str, str]]] = {
    Quality.SENTINEL: ("the value that stands for a broken sensor", "传感器故障代码值"),
    Quality.FAULT: ("sensor fault", "传感器故障"),
    Quality.TYPE_MISMATCH: ("not a number", "数据类型错误"),
    Quality.INCOMPLETE: ("incomplete", "数据不完整"),
    Quality.OUT_OF_RANGE: ("out of range", "超出量程"),
    Quality.CLOCK_INVALID: ("its clock was never set", "设备时钟未设置"),
    Quality.CLOCK_SKEW: ("its clock is wrong", "设备时钟偏差过大"),
}


class SuspectRule(HeldRule, frozen=True, kw_only=True, tag="suspect"):
    """An alarm on readings that are bad for `hold`; good ones for `clear_hold` end it.

    `stuck` names those of its metrics that are never still: a value of one that stays the same for
    `stuck_for`, over `stuck_least` readings or more, is bad too. What is of no circuit
    (`SeriesTable.off_circuit`) may be still.
    """

    numbers: ClassVar[tuple[str, ...]] = (
        "hold", "clear_hold", "max_gap", "samples", "stuck_for", "stuck_least",
    )  # fmt: skip

    stuck: tuple[str, ...]
    stuck_for: Span
    stuck_least: Annotated[int, Meta(ge=2, le=255)]

    def __post_init__(self) -> None:
        super().__post_init__()
        names = [metric.name_on_wire for metric in self.metrics]
        for name in self.stuck:
            if name not in names:
                raise ValueError(
                    f"key `stuck`: `{name}` is no metric of the rule; allowed: {', '.join(names)}"
                )


class SuspectKernel(JudgedKernel[SuspectRule]):
    """All suspect rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {"row": np.array([np.nan, 0.0, 0.0])}
    """The row of equal good readings: the value, the time of the first in µs, and how many; together, so that
    one look finds all three."""
    facts: ClassVar[Mapping[str, Blank]] = {"moves": np.bool_(False)}
    """Whether the series is of what is never still."""

    def __init__(
        self,
        rules: Sequence[SuspectRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self._moves = np.zeros((max(1, len(rules)), METRIC_LIMIT), np.bool_)
        for number, rule in enumerate(rules):
            named = [metric for metric in rule.metrics if metric.name_on_wire in rule.stuck]
            self._moves[number, named] = True
        self._stuck_for = np.array([int(rule.stuck_for) for rule in rules], np.int64)
        self._stuck_least = np.array([rule.stuck_least for rule in rules], np.uint8)
        super().__init__(rules, order, table, ground, gated)

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear, those included that no other kernel sees."""
        rows, pair = self.pairs.each(*self.heard(look))
        if not len(rows):
            return []
        quality, status = look.batch.quality.take(rows), self.pairs.state["status"]
        hot = (quality & BAD != 0) | np.isnan(look.batch.value.take(rows)) | (status.take(pair) != 0)
        moves: Bool = self.pairs.facts["moves"].take(pair)
        if not (hot.any() or moves.any()):
            return []
        taken = np.flatnonzero((self.pairs.company(pair, hot) | moves) & (quality & UNTOLD == 0))
        found: list[Found] = []
        for some_rows, some_pairs in self.turns(look, rows[taken], pair[taken]):
            value = self.measure(look, some_rows, some_pairs)
            some = np.flatnonzero((value != 0) | (status[some_pairs] != 0))
            if len(some):
                found += self.judge(look, some_rows[some], some_pairs[some], value[some])
        return found

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """1 where the reading is bad, 0 where it is good."""
        value = look.batch.value[rows]
        bad: Bool = (look.batch.quality[rows] & BAD != 0) | np.isnan(value)
        moves = np.flatnonzero(~bad & self.pairs.facts["moves"].take(pair))
        if len(moves):
            bad[moves] = self._stuck(pair[moves], value[moves], look.batch.observed_us[rows[moves]])
        told: Float64 = bad.astype(np.float64)
        return told

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`temperature cannot be trusted: out of range, for 15 min`, with what is wrong with the last one."""
        metric = Metric(int(look.table.metric[look.batch.slot[row]]))
        en, zh_cn = self._said(look, row, pair, metric)
        return Why(
            en=f"{noun(metric)} cannot be trusted: {en}, for {why.duration(held_us)}",
            zh_cn=f"{noun_zh(metric)}数据不可信：{zh_cn}，持续 {why.duration_zh(held_us)}",
        )

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`temperature good for 60 min`."""
        metric = Metric(int(look.table.metric[look.batch.slot[row]]))
        return Why(
            en=f"{noun(metric)} good for {why.duration(held_us)}",
            zh_cn=f"{noun_zh(metric)}数据恢复正常，持续 {why.duration_zh(held_us)}",
        )

    def start_over(self, pair: int) -> None:
        """The value may stay the same for as long again."""
        self.pairs.state["row"][pair] = np.nan, 0, 0

    def _settle(self, pair: Rows) -> None:
        """Also which of them are of what is never still."""
        super()._settle(pair)
        pair = pair[self.pairs.slot[pair] >= 0]
        slot, table = self.pairs.slot[pair], self.pairs.table
        named = self._moves[self.pairs.rule[pair], table.metric[slot]]
        self.pairs.facts["moves"][pair] = named & ~table.off_circuit(slot)

    def _stuck(self, pair: Rows, value: Float64, at: Int64) -> Bool:
        """Whether each of these good readings is one of a value that has not moved for too long."""
        row: Float64 = self.pairs.state["row"].take(pair, axis=0)
        same: Bool = row[:, 0] == value
        row[:, 0] = value
        row[:, 1] = np.where(same, row[:, 1], at)
        row[:, 2] = np.where(same, np.minimum(row[:, 2] + 1, _MOST), 1)
        self.pairs.state["row"][pair] = row
        if not same.any():
            return same
        rule = self.pairs.rule[pair]
        long = at - row[:, 1] >= self._stuck_for[rule]
        stuck: Bool = same & long & (row[:, 2] >= self._stuck_least[rule])
        return stuck

    def _said(self, look: Look, row: int, pair: int, metric: Metric) -> tuple[str, str]:
        words = list(_words(int(look.batch.quality[row])))
        if words:
            return ", ".join(en for en, _ in words), "、".join(zh for _, zh in words)
        value, at = float(look.batch.value[row]), int(look.batch.observed_us[row])
        if np.isnan(value):
            return _SAID[Quality.FAULT]
        still_us = at - int(self.pairs.state["row"][pair, 1])
        shown = why.quantity(value, metric.unit)
        return (
            f"the same {shown} for {why.duration(still_us)}",
            f"{why.duration_zh(still_us)}内始终为 {shown}",
        )


def _words(quality: int) -> Iterable[tuple[str, str]]:
    return (said for flag, said in _SAID.items() if quality & flag)
