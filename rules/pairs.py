"""The pair table: which (series, rule) pairs a kernel judges, and a column of state for each.

The pairs of one slot are contiguous and in the order of the kernel's rules, so that a whole batch of readings
becomes a whole array of pairs with one look-up, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Int16, Int32, Int64, Metric, SeriesTable
from rules.rounds import Rows

State = dict[str, NDArray[Any]]
"""Columns by name, one row a pair."""


class Pairs:
    """The pairs of one kernel over one series table.

    `metrics` is the metric of each rule of the kernel; `blank` names the state columns and what a new pair
    starts with. A pair keeps its state as long as its slot keeps device and metric. Bytes a pair besides
    state: 4 (slot) + 2 (rule) + 1 (scratch), and 5 a slot of the series table.
    """

    def __init__(
        self, metrics: Sequence[Metric], blank: Mapping[str, np.generic], table: SeriesTable
    ) -> None:
        self._metric_of = np.array(metrics, np.int16)
        self._blank = dict(blank)
        self._rules_of, self._count_of, self._offset_of = _by_metric(metrics)
        self._build(table)

    def _build(self, table: SeriesTable) -> None:
        self.table = table
        self.n = 0
        self.slot: Int32 = np.empty(0, np.int32)
        self.rule: Int16 = np.empty(0, np.int16)
        self.state: State = {name: np.empty(0, start.dtype) for name, start in self._blank.items()}
        self._met: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._first: Int32 = np.empty(0, np.int32)
        self._count: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._most = 0
        self._append(table)

    def adopt(self, table: SeriesTable) -> None:
        """Takes a changed series table: new slots get pairs, another device or metric starts blank."""
        old = self.table
        grown = len(table) >= len(old) and np.array_equal(old.metric, table.metric[: len(old)])
        if not grown:
            state = self.snapshot()
            self._build(table)
            self.restore(state, np.arange(len(self._metric_of), dtype=np.int16))
            return
        other = np.flatnonzero(old.device != table.device[: len(old)])
        if len(other):
            self._forget(self.expand(other.astype(np.int32))[1])
        self.table = table
        self._append(table)

    def expand(self, slot: Int32) -> tuple[Rows, Rows]:
        """The pairs of each reading: (index into `slot`, pair), in arrival order, rules in their order."""
        if not self.n:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        first = self._first.take(slot)
        if self._most == 1:
            rows = np.flatnonzero(first >= 0)
            return rows, first.take(rows).astype(np.intp)
        count = self._count.take(slot)
        rows = np.repeat(np.arange(len(slot)), count)
        before = np.cumsum(count, dtype=np.int64) - count
        return rows, (first[rows] + np.arange(len(rows)) - before[rows]).astype(np.intp)

    def find(self, slot: int, rule: int) -> int:
        """The pair of one slot and one rule of the kernel; -1 where there is none."""
        if not 0 <= slot < len(self.table) or self.table.metric[slot] != self._metric_of[rule]:
            return -1
        return int(self._first[slot]) + int(self._offset_of[rule])

    def company(self, pair: Rows, hot: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """True for every reading whose pair has a `hot` one in the batch."""
        some = pair[hot]
        self._met[some] = True
        with_hot = self._met[pair]
        self._met[some] = False
        return with_hot

    def snapshot(self) -> State:
        """Copies of all state, with what each pair was: slot, rule, device, metric."""
        slot = self.slot[: self.n].copy()
        state: State = {"slot": slot, "rule": self.rule[: self.n].copy()}
        state["device"] = self.table.device[slot]
        state["metric"] = self.table.metric[slot]
        for name, column in self.state.items():
            state[name] = column[: self.n].copy()
        return state

    def restore(self, state: Mapping[str, NDArray[Any]], rule_now: Int16) -> None:
        """Takes the state of every pair that still is what it was; all others start blank.

        `rule_now` translates the snapshot's rule numbers to ours; -1 for a rule that is gone.
        """
        slot, rule = state["slot"], rule_now[state["rule"]]
        kept = np.flatnonzero((slot < len(self.table)) & (rule >= 0))
        slot, rule = slot[kept], rule[kept]
        same = (self.table.device[slot] == state["device"][kept]) & (
            self.table.metric[slot] == state["metric"][kept]
        )
        same &= self._metric_of[rule] == self.table.metric[slot]
        kept, pair = kept[same], self._first[slot[same]] + self._offset_of[rule[same]]
        for name, start in self._blank.items():
            self.state[name][: self.n] = start
            self.state[name][pair] = state[name][kept]

    def _forget(self, pair: Rows) -> None:
        for name, start in self._blank.items():
            self.state[name][pair] = start

    def _append(self, table: SeriesTable) -> None:
        """Pairs for the slots of `table` that have none yet."""
        known = len(self._first)
        metric = table.metric[known:]
        count = self._count_of[metric]
        ends = np.cumsum(count, dtype=np.int64)
        before = ends - count
        slot = np.repeat(np.arange(known, len(table), dtype=np.int32), count)
        first = np.where(count > 0, self.n + before, -1).astype(np.int32)
        self._first = np.concatenate((self._first, first))
        self._count = np.concatenate((self._count, count))
        self._most = max(self._most, int(count.max(initial=0)))
        offset = np.arange(len(slot)) - before[slot - known]
        self._grow(slot, self._rules_of[table.metric[slot], offset])

    def _grow(self, slot: Int32, rule: Int16) -> None:
        end = self.n + len(slot)
        if end > len(self.slot):
            room = max(end, 2 * self.n) - self.n
            self.slot = np.concatenate((self.slot[: self.n], np.zeros(room, np.int32)))
            self.rule = np.concatenate((self.rule[: self.n], np.zeros(room, np.int16)))
            self._met = np.zeros(self.n + room, np.bool_)
            for name, start in self._blank.items():
                blank = np.full(room, start, start.dtype)
                self.state[name] = np.concatenate((self.state[name][: self.n], blank))
        self.slot[self.n : end] = slot
        self.rule[self.n : end] = rule
        self.n = end


def _by_metric(metrics: Sequence[Metric]) -> tuple[Int16, NDArray[np.uint8], Int64]:
    """Rules of each metric (padded), how many, and each rule's place among those of its metric."""
    count = np.zeros(METRIC_LIMIT, np.uint8)
    rules = np.zeros((METRIC_LIMIT, max(1, len(metrics))), np.int16)
    offset = np.zeros(len(metrics), np.int64)
    for number, metric in enumerate(metrics):
        offset[number] = count[metric]
        rules[metric, count[metric]] = number
        count[metric] += 1
    return rules, count, offset
