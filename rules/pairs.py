"""The pair table: which (series, rule) pairs a kernel judges, and a column of state for each.

The pairs of one slot are contiguous and in the order of the kernel's rules, so that a whole batch of readings
becomes a whole array of pairs with one look-up, however many rules there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Int16, Int32, Metric, SeriesTable
from rules.columns import column_of, longer
from rules.rounds import Rows

State = dict[str, NDArray[Any]]
"""Columns by name, one row a pair."""
Blank = np.generic | NDArray[Any]
"""What a new pair's entry of a column is: one number, or a small array of them."""
_FIRST: Final = "first"


class Pairs:
    """The pairs of one kernel over one series table.

    `metrics` are the metrics of each rule of the kernel; `blank` names the state columns and what a new pair
    starts with (a column may be two-dimensional: then that is a small array). `facts` names columns of the
    same kind that are no state: they are worked out anew from the registry and in no snapshot. A pair keeps
    its state as long as its slot keeps device and metric. The pairs of a slot that is gone (`slot` -1) wait
    for one with as many rules. Bytes a pair besides state and facts: 4 (slot) + 4 (device) + 2 (rule) + 2
    (metric) + 1 (scratch), and 4 a slot of the series table; and what `of_slot` names: columns of facts by
    slot instead of by pair.
    """

    def __init__(
        self,
        metrics: Sequence[Sequence[Metric]],
        blank: Mapping[str, Blank],
        table: SeriesTable,
        facts: Mapping[str, Blank] | None = None,
        of_slot: Mapping[str, Blank] | None = None,
    ) -> None:
        self._blank = dict(blank)
        self._blank_facts = dict(facts or {})
        self._blank_of_slot = dict(of_slot or {})
        self._rules_of, self._count_of, self._offset_of = _by_metric(metrics)
        self._concerns: NDArray[np.bool_] = self._count_of > 0
        self._build(table)

    def _build(self, table: SeriesTable) -> None:
        self.table = table
        self.n = 0
        self.slot: Int32 = np.empty(0, np.int32)
        self.rule: Int16 = np.empty(0, np.int16)
        self._device: Int32 = np.empty(0, np.int32)
        self._metric: Int16 = np.empty(0, np.int16)
        self._left: dict[int, list[int]] = {}
        self.state: State = {name: column_of(start, 0) for name, start in self._blank.items()}
        self.facts: State = {name: column_of(start, 0) for name, start in self._blank_facts.items()}
        self._met: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._slots = 0
        self._room: State = {_FIRST: np.empty(0, np.int32)}
        self._room |= {name: column_of(start, 0) for name, start in self._blank_of_slot.items()}
        self._look_in_room()
        self._most = 0
        self._gone: Int32 = np.empty(0, np.int32)
        self._append(table)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table: new slots get pairs, another device or metric starts blank.

        `changed` are the slots that may differ from before, besides new ones; None: any, at the cost of
        building anew. Slots are never fewer than before, unless `changed` is None.
        """
        if changed is None:
            state = self.snapshot()
            self._build(table)
            self.restore(state, np.arange(self._offset_of.shape[1], dtype=np.int16))
            return
        old = changed[changed < len(self._first)]
        self.table = table
        self._append(table)
        self._pair_again(old)
        pair = self.expand(old)[1]
        other = pair[self._device[pair] != table.device[self.slot[pair]]]
        self._blank_out(other)
        self._device[other] = table.device[self.slot[other]]
        gone = self._gone
        self._gone = gone[(self._first[gone] < 0) & self._concerns[table.metric[gone]]]

    def forget(self, slots: Int32) -> None:
        """These slots are gone: their pairs are, until `adopt` says who has them now."""
        slots = slots[slots < len(self._first)]
        slots = slots[self._first[slots] >= 0]
        if not len(slots):
            return
        pair = self.expand(slots)[1]
        self._blank_out(pair)
        self.slot[pair] = -1
        first = self._first[slots]
        for one, count in zip(first.tolist(), self._counted(first).tolist(), strict=True):
            self._left.setdefault(count, []).append(one)
        self._first[slots] = -1
        self._gone = np.union1d(self._gone, slots).astype(np.int32)

    def _pair_again(self, slots: Int32) -> None:
        """Other pairs for those of `slots` whose pairs are not the ones of their metric."""
        metric, some = self.table.metric[slots], self._first[slots] >= 0
        paired = np.zeros(len(slots), np.int16)
        paired[some] = self._metric[self._first[slots[some]]]
        wrong = np.where(some, paired != metric, self._count_of[metric] > 0)
        self.forget(slots[wrong & some])
        for slot in slots[wrong].tolist():
            wanted = int(self._count_of[self.table.metric[slot]])
            if wanted:
                self._seat(slot, wanted)

    def _seat(self, slot: int, count: int) -> None:
        """Pairs for one slot: left ones, or new ones at the end."""
        rules = self._rules_of[self.table.metric[slot], :count]
        left = self._left.get(count)
        if left:
            first = left.pop()
            self.slot[first : first + count] = slot
            self.rule[first : first + count] = rules
        else:
            first = self.n
            self._grow(np.full(count, slot, np.int32), rules)
        self._device[first : first + count] = self.table.device[slot]
        self._metric[first : first + count] = self.table.metric[slot]
        self._first[slot] = first
        self._most = max(self._most, count)

    def expand(self, slot: Int32) -> tuple[Rows, Rows]:
        """The pairs of each reading: (index into `slot`, pair), in arrival order, rules in their order."""
        if not self.n:
            return np.empty(0, np.intp), np.empty(0, np.intp)
        first = self._first.take(slot)
        if self._most == 1:
            rows = np.flatnonzero(first >= 0)
            return rows, first.take(rows).astype(np.intp)
        count = self._counted(first)
        rows = np.repeat(np.arange(len(slot)), count)
        before = np.cumsum(count, dtype=np.int64) - count
        return rows, (first[rows] + np.arange(len(rows)) - before[rows]).astype(np.intp)

    def heard(self, rows: Rows, slot: Rows) -> tuple[Rows, Rows]:
        """The first pair of each of these slots, all of metrics that rules are about, with its row: what
        nobody uses any more is left out."""
        first = self._first.take(slot).astype(np.intp)
        if len(self._gone):
            used = first >= 0
            rows, first = rows[used], first[used]
        return rows, first

    def each(self, rows: Rows, first: Rows) -> tuple[Rows, Rows]:
        """All pairs of the slots with these first pairs, rules in their order, each with its row."""
        if self._most <= 1:
            return rows, first
        count = self._counted(first)
        least, most = int(count.min(initial=1)), int(count.max(initial=1))
        if least == most:
            if most == 1:
                return rows, first
            return np.repeat(rows, most), (first[:, None] + np.arange(most)).reshape(-1)
        before = np.cumsum(count, dtype=np.int64) - count
        pair = np.repeat(first - before, count) + np.arange(int(before[-1]) + int(count[-1]))
        return np.repeat(rows, count), pair

    def first(self, slot: Int32) -> Rows:
        """The first pair of each slot, -1 where it has none."""
        if not self.n:
            return np.full(len(slot), -1, np.intp)
        return self._first.take(slot).astype(np.intp)

    def find(self, slot: int, rule: int) -> int:
        """The pair of one slot and one rule of the kernel; -1 where there is none."""
        if not 0 <= slot < len(self._first) or self._first[slot] < 0:
            return -1
        offset = int(self._offset_of[self.table.metric[slot], rule])
        return int(self._first[slot]) + offset if offset >= 0 else -1

    def company(self, pair: Rows, hot: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """True for every reading whose pair has a `hot` one in the batch."""
        some = pair[hot]
        self._met[some] = True
        with_hot = self._met[pair]
        self._met[some] = False
        return with_hot

    def snapshot(self) -> State:
        """Copies of all state, with what each pair was: slot, rule, device, metric."""
        used: Any = slice(self.n)
        if self._left:
            used = np.flatnonzero(self.slot[: self.n] >= 0)
        state: State = {"slot": self.slot[used].copy(), "rule": self.rule[used].copy()}
        state["device"] = self._device[used].copy()
        state["metric"] = self._metric[used].copy()
        for name, column in self.state.items():
            state[name] = column[used].copy()
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
        offset = self._offset_of[self.table.metric[slot], rule]
        same &= offset >= 0
        kept, pair = kept[same], self._first[slot[same]] + offset[same]
        for name, start in self._blank.items():
            self.state[name][: self.n] = start
            if name in state and state[name].shape[1:] == self.state[name].shape[1:]:
                self.state[name][pair] = state[name][kept]

    def _counted(self, first: Int32 | Rows) -> NDArray[np.uint8]:
        """How many pairs there are from each first one on; none from -1 on."""
        count = self._count_of.take(self._metric.take(first, mode="clip"))
        count[first < 0] = 0
        return count

    def _blank_out(self, pair: Rows) -> None:
        for name, start in self._blank.items():
            self.state[name][pair] = start

    def _append(self, table: SeriesTable) -> None:
        """Pairs for the slots of `table` that have none yet."""
        known = self._slots
        if len(table) <= known:
            return
        metric = table.metric[known:]
        count = self._count_of[metric]
        ends = np.cumsum(count, dtype=np.int64)
        before = ends - count
        slot = np.repeat(np.arange(known, len(table), dtype=np.int32), count)
        first = np.where(count > 0, self.n + before, -1).astype(np.int32)
        self._make_room(len(table))
        self._first[known:] = first
        self._most = max(self._most, int(count.max(initial=0)))
        offset = np.arange(len(slot)) - before[slot - known]
        self._grow(slot, self._rules_of[table.metric[slot], offset])

    def _make_room(self, slots: int) -> None:
        """Lines for so many slots; copies only when they have doubled."""
        blank = {_FIRST: np.int32(-1), **self._blank_of_slot}
        if slots > len(self._room[_FIRST]):
            more = max(slots, 2 * len(self._room[_FIRST])) - self._slots
            for name, start in blank.items():
                self._room[name] = longer(self._room[name][: self._slots], start, more)
        for name, start in blank.items():
            self._room[name][self._slots : slots] = start
        self._slots = slots
        self._look_in_room()

    def _look_in_room(self) -> None:
        """The columns by slot, as far as there are slots."""
        self._first: Int32 = self._room[_FIRST][: self._slots]
        self.of_slot: State = {name: self._room[name][: self._slots] for name in self._blank_of_slot}

    def _grow(self, slot: Int32, rule: Int16) -> None:
        end = self.n + len(slot)
        if end > len(self.slot):
            room = max(end, 2 * self.n) - self.n
            self.slot = np.concatenate((self.slot[: self.n], np.zeros(room, np.int32)))
            self.rule = np.concatenate((self.rule[: self.n], np.zeros(room, np.int16)))
            self._device = np.concatenate((self._device[: self.n], np.zeros(room, np.int32)))
            self._metric = np.concatenate((self._metric[: self.n], np.zeros(room, np.int16)))
            self._met = np.zeros(self.n + room, np.bool_)
            for columns, blank in ((self.state, self._blank), (self.facts, self._blank_facts)):
                for name, start in blank.items():
                    columns[name] = longer(columns[name][: self.n], start, room)
        self.slot[self.n : end] = slot
        self.rule[self.n : end] = rule
        self._device[self.n : end] = self.table.device[slot]
        self._metric[self.n : end] = self.table.metric[slot]
        self.n = end


def _by_metric(metrics: Sequence[Sequence[Metric]]) -> tuple[Int16, NDArray[np.uint8], Int16]:
    """Rules of each metric (padded), how many, and each rule's place among those of a metric (-1: none)."""
    count = np.zeros(METRIC_LIMIT, np.uint8)
    rules = np.zeros((METRIC_LIMIT, max(1, len(metrics))), np.int16)
    offset = np.full((METRIC_LIMIT, max(1, len(metrics))), -1, np.int16)
    for number, several in enumerate(metrics):
        for metric in several:
            offset[metric, number] = count[metric]
            rules[metric, count[metric]] = number
            count[metric] += 1
    return rules, count, offset
