"""The flag kernel: a true flag raises at once and stays raised until a person ends it.

What it promises is life_safety, smoke 1-4, and "reset of a latched alarm" in its table of acts. In short:

* A true flag raises whatever its soft quality; NaN, hard quality and duplicates are not seen at all.
* Aged readings (observed long before they were received) are marked; too old ones are a visit.
* Readings of unknown age (retained, replayed) raise once, and only what we did not know already. On an
  active alarm they change nothing, so that the next live 1 still shows its edge.
* Late readings (a newer one came first) can raise, and tell of a second fire by when they were received (a
  clock that is set right makes all that its device says late for minutes); they do nothing else.
* A closed alarm comes back with any true reading of known age, and clears after a stretch of live zeros.
* A reset or close that was made before the newest raise was received ends nothing: it was about another fire.
* A fire does not end because the registry says something else of its device: the alarm stays, and where
  that is known to be elsewhere now it is told there, once, without another reading.

Rounds of many flags are judged at once (`flag_round`), what is left of a few one after another
(`flag_steps`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, InputKind, Int32, ReadingBatch, SeriesTable
from rules import why
from rules.found import Found, cleared_by_input
from rules.kernel import ACTIVE, PairKernel
from rules.kernels.flag import FlagRule
from rules.kernels.flag_round import take_round
from rules.kernels.flag_state import (
    AGELESS,
    BLANK,
    CLOSED,
    KNOWN,
    ONE,
    UNSEEN,
    VISITED,
    WAITED,
    Times,
    places,
)  # fmt: skip
from rules.kernels.flag_steps import take_steps
from rules.kernels.flag_told import Moved, Retold, by_flag, told_elsewhere
from rules.look import Look
from rules.pairs import State
from rules.rounds import Price, Rows, rounds_and_rest
from rules.transition import Transition

PRICE: Final = Price(round=150, pair=5, reading=0.5)
"""In microseconds (measured; a round of up to some hundred flags)."""
_NONE: Final = np.empty(0, np.int32)


class FlagKernel(PairKernel[FlagRule]):
    """All flag rules of a catalogue. `price` decides which readings are judged at once; nothing else hangs on
    it."""

    def __init__(self, rules: Sequence[FlagRule], order: Mapping[str, int], table: SeriesTable) -> None:
        super().__init__(rules, order, BLANK, table)
        self.price = PRICE
        self._times = Times(
            np.array([rule.visit_after for rule in rules], np.int64),
            np.array([rule.second_fire_after for rule in rules], np.int64),
            np.array([rule.clear_hold for rule in rules], np.int64),
        )
        self._metric = np.array([rule.metric for rule in rules], np.int16)
        self._moved: Int32 = _NONE
        """Slots of which an alarm may be active that was told elsewhere."""

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        batch = look.batch
        rows, pair = self.pairs.each(*self.heard(look))
        if not len(rows):
            return []
        hot = (batch.value.take(rows) > 0) | (self.pairs.state["status"].take(pair) != KNOWN)
        if (
            not hot.any()
        ):  # every flag is 0, was 0, and no alarm is active: nothing to decide, nothing to keep
            return []
        judged = np.flatnonzero(self.pairs.company(pair, hot) & self._is_seen(batch, rows))
        rows, pair, told = rows.take(judged), pair.take(judged), []
        turns, rest = rounds_and_rest(pair, self.price)
        for turn in turns:
            told += take_round(self.pairs, self._times, batch, rows.take(turn), pair.take(turn))
        if len(rest):
            told += take_steps(self.pairs, self._times, batch, rows.take(rest), pair.take(rest))
        numbers = self.pairs.rule.take([one.pair for one in told]).tolist()
        return [
            by_flag(self.rules[number], self.order[number], batch, self.pairs.table, one)
            for number, one in zip(numbers, told, strict=True)
        ]

    def _is_seen(self, batch: ReadingBatch, rows: Rows) -> Bool:
        seen: Bool = ((batch.quality.take(rows) & UNSEEN) == 0) & ~np.isnan(batch.value.take(rows))
        return seen

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset clears at once; a close clears after long enough zeros, else leaves the alarm closed."""
        number = self.number[given.rule]
        pair = self.pairs.find(given.slot, number)
        if pair < 0:
            return None
        state, rule = self.pairs.state, self.rules[number]
        raised_us = int(state["raised_us"][pair])  # after `now_us`: our clock was put back, it says nothing
        if state["status"][pair] & ACTIVE and given.at_us < raised_us <= now_us:
            return None
        status = int(state["status"][pair]) & ~VISITED
        state["status"][pair] = status
        if not status & ACTIVE:
            return None
        said = why.by_person(given.kind)
        if given.kind is InputKind.CLOSE:
            quiet_us = int(state["zero_seen_us"][pair] - state["zero_since_us"][pair])
            if status & ONE or not status & KNOWN or quiet_us < rule.clear_hold:
                state["status"][pair] = status | CLOSED
                return None
            said = why.flag_cleared(rule.metric, quiet_us)
        state["status"][pair] = status & ~(ACTIVE | CLOSED)
        return cleared_by_input(
            rule, given, slot=given.slot, place=0, table=self.pairs.table, now_us=now_us, why=said
        )

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `Pairs.adopt`. A series is the same sensor whoever it is
        registered as, so an alarm goes on; what people have ended goes with a device that is nobody's now."""
        if changed is None:
            state = self.pairs.snapshot()
            super().adopt(table)
            own = np.arange(len(self.rules), dtype=np.int16)
            self.pairs.restore(self._as_now(state, own), own)
        else:
            pair = self.pairs.expand(changed[changed < len(self.pairs.table)])[1]
            slot, rule = self.pairs.slot[pair], self.pairs.rule[pair]
            kept = pair[self._goes_on(slot, rule, self.pairs.state["status"][pair], table)]
            columns = {name: column[kept] for name, column in self.pairs.state.items()}
            super().adopt(table, changed)
            for name, column in columns.items():
                self.pairs.state[name][kept] = column
        self._note_moved(changed)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; see `PairKernel.restore`. One of an earlier release does not say where alarms
        were told: it was where they are."""
        numbers = np.array([self.number.get(str(name), -1) for name in state["rules"]], np.int16)
        super().restore(self._as_now(state, numbers))
        columns, n = self.pairs.state, self.pairs.n
        if "place" not in state:
            columns["place"][:n] = places(self.pairs.table, np.maximum(self.pairs.slot[:n], 0))
            columns["fire_us"][:n] = columns["raised_us"][:n]
        self._moved = _NONE
        self._note_moved(None)

    def _as_now(self, state: Mapping[str, NDArray[Any]], number: NDArray[np.int16]) -> State:
        """A snapshot as if the devices of alarms that go on had been registered then as they are now."""
        slot, rule, table = state["slot"], number[state["rule"]], self.pairs.table
        some = np.flatnonzero((slot < len(table)) & (rule >= 0))
        goes_on = self._goes_on(slot[some], rule[some], state["status"][some], table)
        device = state["device"].copy()
        device[some[goes_on]] = table.device[slot[some[goes_on]]]
        return {**state, "device": device}

    def _goes_on(
        self, slot: Int32, rule: NDArray[np.int16], status: NDArray[np.uint8], table: SeriesTable
    ) -> Bool:
        attended = (status & (ACTIVE | CLOSED)) == ACTIVE
        goes_on: Bool = attended | (((status & ACTIVE) != 0) & (table.device[slot] > 0))
        goes_on &= table.metric[slot] == self._metric[rule]
        return goes_on

    def _note_moved(self, changed: Int32 | None) -> None:
        pair = self._elsewhere(np.arange(self.pairs.n) if changed is None else self.pairs.expand(changed)[1])
        if len(pair):
            self._moved = np.union1d(self._moved, self.pairs.slot[pair]).astype(np.int32)

    def _elsewhere(self, pair: Rows) -> Rows:
        """Those of these pairs with an alarm that nobody ended, at a known place where it was not told."""
        pair = pair[(self.pairs.state["status"][pair] & (ACTIVE | CLOSED)) == ACTIVE]
        pair = pair[self.pairs.slot[pair] >= 0]
        here = places(self.pairs.table, self.pairs.slot[pair])
        moved: Rows = pair[(here != 0) & (here != self.pairs.state["place"][pair])]
        return moved

    @property
    def has_moved(self) -> bool:
        """Whether `tell_moved` may have something to tell."""
        return bool(len(self._moved))

    def tell_moved(self, now_us: int) -> list[Retold]:
        """The alarms that `adopt` or `restore` found elsewhere, told there; by series, once."""
        slots, self._moved = self._moved, _NONE
        pair = self._elsewhere(self.pairs.expand(slots[slots < len(self.pairs.table)])[1])
        return [self._tell_moved(one, now_us) for one in pair.tolist()]

    def _tell_moved(self, pair: int, now_us: int) -> Retold:
        state, table = self.pairs.state, self.pairs.table
        slot, rule = int(self.pairs.slot[pair]), self.rules[int(self.pairs.rule[pair])]
        status, evidence = int(state["status"][pair]), int(state["evidence"][pair])
        fire_us, was = int(state["fire_us"][pair]), int(state["place"][pair])
        burnt_us = max(fire_us, int(state["zero_since_us"][pair])) if status & KNOWN else fire_us
        quiet_us = 0 if status & ONE else max(0, now_us - burnt_us)
        moved = Moved(
            slot, was, fire_us, int(state["raised_us"][pair]), quiet_us,
            bool(evidence & AGELESS), bool(evidence & WAITED),
        )  # fmt: skip
        told = told_elsewhere(rule, moved, table, now_us)
        state["place"][pair] = places(table, self.pairs.slot[pair : pair + 1])[0]
        state["raised_us"][pair] = now_us
        if not told.stands:
            state["status"][pair] = status & ~ACTIVE
        return told
