"""Tests of detectors: what a device says of its test button, as one test with a beginning and an end.

What a word begins or ends is noted in the record of its tick and committed with it (`ingest.notes`,
`ingest.device_tests`); a replay commits the same notes again. No rule reads any of this: what is a fire, and
who is told of it, is decided without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from devices.model import HARD_QUALITY, Float64, Int16, Int32, Metric, Quality, ReadingBatch
from devices.profiles.profile import Note
from ingest.device_tests import noted
from ingest.notes import OURS, TESTED, TESTS

MAX_RUNNING: Final = 100_000
"""Tests that run at one time; beyond it the one that began first is over, with no end (chosen)."""
ENDED_KEPT: Final = 10_000
"""Tests of which it is remembered when they ended, for AGAIN_US (chosen)."""
AGAIN_US: Final = 60_000_000
"""True again so soon after its end it is the same test: a button that bounces or is pressed twice, a flag
that flaps (chosen: as `second_fire_after` of the shipped fire rules)."""
LOST_US: Final = 3 * 86_400_000_000
"""True after so long without a word it is another test, and the end of the one before was lost (chosen: a
flag that is stuck is repeated at least once a day, and people press once a month)."""
HOUR_US: Final = 3_600_000_000
MOST_AN_HOUR: Final = 20
"""New tests of one device that go on record within an hour of ours (chosen: somebody who tries a detector out
presses a few times, and within AGAIN_US it is one test). A device that is broken or hostile says more, with
any times that it likes: they are counted and fill no table."""
_TEST: Final = int(Metric.SMOKE_TEST)
_NO_WORD: Final = int(HARD_QUALITY | Quality.RETAINED | Quality.REPLAYED | Quality.STALE | Quality.BACKFILL)
"""With any of these a reading does not say when a test was: it neither begins nor ends one. BACKFILL is what
was collected and came in a heap, later than it was said: who sends a heap of old presses pressed nothing."""
_NONE: Final = np.empty(0, np.int32)


class Word(NamedTuple):
    """What a device says in one of its series, and when: whether a test runs."""

    slot: int
    uid: str
    observed_us: int
    runs: bool


@dataclass(slots=True)
class _Test:
    """`newest_us`: when something was said of it last."""

    began_us: int
    received_us: int
    newest_us: int


class RunningTests:
    """The tests that run, by series slot. What is said gives notes for the tick's record.

    `left_out` counts those that were too many for their device and hour. How many a device has had is not
    kept over a restart: what was decided stands in the journal, and a replay decides nothing again.
    """

    def __init__(self, most: int = MAX_RUNNING) -> None:
        self.left_out = 0
        self._hour = 0
        self._begun: Counter[str] = Counter()
        self._running: dict[int, _Test] = {}
        self._ended: dict[int, _Test] = {}
        self._unsaid: list[Note] = []
        self._slots: Int32 | None = _NONE
        self._most = most

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)

    @property
    def slots(self) -> Int32:
        """The series in which one runs, in no order."""
        if self._slots is None:
            self._slots = np.fromiter(self._running, np.int32, len(self._running))
        return self._slots

    def restore(self, notes: Iterable[Note], newest_us: Callable[[int], int]) -> None:
        """Takes what was stored; what is no note of a test that runs is passed over. `newest_us` says when a
        series was heard last."""
        for one in notes:
            times = one.value.split()
            if one.profile != OURS or one.table != TESTS or len(times) != 2:
                continue
            if all(map(str.isdecimal, (one.key, *times))):
                slot, began_us = int(one.key), int(times[0])
                self._running[slot] = _Test(began_us, int(times[1]), max(began_us, newest_us(slot)))
        self._slots = None

    def say(self, words: Iterable[Word], received_us: int) -> list[Note]:
        """Takes what devices say in one tick, in the order in which it came."""
        notes: list[Note] = []
        for word in words:
            notes += self._press(word, received_us) if word.runs else self._release(word)
        return notes

    def lapse(self, slots: Iterable[int]) -> list[Note]:
        """In these series none runs any more, and nobody said when it ended."""
        over = [slot for slot in slots if self._running.pop(slot, None) is not None]
        self._slots = None if over else self._slots
        return [_runs(slot, "") for slot in over]

    def forget(self, slots: Iterable[int]) -> None:
        """The series of these slots are gone; the next `take_notes` says so."""
        if self._running:
            self._unsaid += self.lapse(slots)

    def take_notes(self) -> list[Note]:
        """What must be noted of series that are gone."""
        taken, self._unsaid = self._unsaid, []
        return taken

    def _press(self, word: Word, received_us: int) -> list[Note]:
        test = self._running.get(word.slot)
        if test and abs(word.observed_us - test.newest_us) <= LOST_US:
            test.newest_us = max(test.newest_us, word.observed_us)
            return []
        ended = self._ended.get(word.slot)
        if ended and ended.began_us <= word.observed_us <= ended.newest_us:
            return []  # of a test that is over, and came late
        if ended and 0 < word.observed_us - ended.newest_us <= AGAIN_US:
            return self._run(word, ended)
        if not self._may_begin(word.uid, received_us // HOUR_US):
            self.left_out += 1
            return []
        return self._run(word, _Test(word.observed_us, received_us, word.observed_us))

    def _may_begin(self, uid: str, hour: int) -> bool:
        """Whether the device has a new test left in this hour of ours; then it has one less."""
        if hour != self._hour:
            self._hour = hour
            self._begun.clear()
        if self._begun[uid] >= MOST_AN_HOUR:
            return False
        self._begun[uid] += 1
        return True

    def _run(self, word: Word, test: _Test) -> list[Note]:
        is_full = word.slot not in self._running and len(self._running) >= self._most
        notes = self.lapse([next(iter(self._running))]) if is_full else []
        self._ended.pop(word.slot, None)
        self._running[word.slot] = test
        self._slots = None
        test.newest_us = word.observed_us
        running = _runs(word.slot, f"{test.began_us} {test.received_us}")
        return [*notes, running, _row(word.uid, test, None)]

    def _release(self, word: Word) -> list[Note]:
        test = self._running.get(word.slot)
        if test is None or word.observed_us < test.began_us:
            return []
        notes = self.lapse([word.slot])
        test.newest_us = word.observed_us
        self._ended[word.slot] = test
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        return [*notes, _row(word.uid, test, word.observed_us)]


def concerns_tests(metric: Int16, value: Float64, running: int) -> bool:
    """Whether readings of a tick can begin a test, or end one of so many that run. Without a reading of the
    metric it is one comparison of the column."""
    of_tests = metric == _TEST
    return bool(of_tests.any()) and (running > 0 or bool(value[of_tests].any()))


def words_at(batch: ReadingBatch, metric: Int16, running: Int32) -> Int32:
    """Which readings of a batch, whose metrics are given, are words of a test: true ones, and false ones of
    series where one runs or begins here."""
    said = (metric == _TEST) & ((batch.quality & _NO_WORD) == 0)
    true = said & (batch.value == 1.0)
    may_end = np.isin(batch.slot, np.concatenate((running, batch.slot[true])))
    return np.flatnonzero(true | (said & (batch.value == 0.0) & may_end)).astype(np.int32)


def _runs(slot: int, value: str) -> Note:
    return Note(OURS, TESTS, str(slot), value)


def _row(uid: str, test: _Test, ended_us: int | None) -> Note:
    return Note(OURS, TESTED, *noted(uid, test.began_us, test.received_us, ended_us))
