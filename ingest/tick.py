"""One tick: from what the socket holds to the acknowledgement, in the order that loses nothing.

    poll → redelivery → decode → stamp → inputs → journal (fsync) → evaluate → commit → acknowledge

Where nothing comes and the rules have something to say by time alone, a record without readings is written
for it: what they say is journalled under its time, like all else.

A step that cannot be done now (I/O error, database locked) stops the line: the batch stays in hand,
unacknowledged, the step is tried again, and nothing behind it is read. The broker keeps what comes, and the
connection is kept alive. Where it is lost all the same, the batch comes again and the tail knows it.

Where there is no room for history the journal goes on in its reserve (contract 9): the points of the record
are counted as shed, everything else is done as ever. The reserve lasts as long as snapshots can be made, so
they are made more often then, and before a batch that might not fit any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic

import structlog
from sqlalchemy.exc import OperationalError

from devices.model import EngineInput
from ingest.housekeeping import Housekeeping
from ingest.journal_errors import JournalFull
from ingest.parts import Parts, evaluate
from ingest.presence import is_news
from ingest.record import Record
from ingest.redelivery import Split
from ingest.seams import T
from ingest.source import RawBatch

log = structlog.get_logger()

FIRST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 1.0
"""How long a step that failed is left alone before it is tried again: doubling between these (chosen)."""
ADVANCE_US: Final = 1_000_000
"""The least time between a record and one that is written for time alone (chosen: a limit of silence is a
minute or more, and a record costs a synced write)."""


@dataclass(slots=True)
class _InHand(Generic[T]):
    """A tick under way: what is done of it, so that a step tried again repeats none before it."""

    raw: RawBatch | None
    split: Split | None
    record: Record
    journalled: bool = False
    transitions: Sequence[T] | None = None


class Tick(Generic[T]):
    """Runs ticks, in one thread.

    `clock_us` is the wall clock; `wait` is how a step that failed is waited for. Counters are attributes:
    `ticks`, `transitions`, `redelivered`, `stalls` (failed steps), `freed` (series that are gone) and
    `seconds` (working, without waiting), and `turned_s`, when the last turn began (monotonic); those of
    messages and readings are in `Intake.figures`.
    """

    def __init__(
        self,
        parts: Parts[T],
        *,
        last_input_id: int,
        clock_us: Callable[[], int],
        snapshot_s: float = 60.0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._parts = parts
        self._clock_us = clock_us
        self._wait = wait
        self._house = Housekeeping(parts, int(snapshot_s * 1e6), clock_us())
        self._in_hand: _InHand[T] | None = None
        self._wait_s = self._left_s = 0.0
        self._stalled_by = ""
        self._inbox_fails = False
        self._presence: list[EngineInput] = []
        self._recorded_us = 0
        self.last_input_id = last_input_id
        self.ticks = self.transitions = self.redelivered = self.stalls = self.freed = 0
        self.seconds = 0.0
        self.turned_s = time.monotonic()

    @property
    def stalled(self) -> str:
        """What the batch in hand waits for; empty when nothing waits."""
        return self._stalled_by

    @property
    def at_rest(self) -> bool:
        """Whether no batch is in hand: only then may the series index change."""
        return self._in_hand is None

    def run_once(self, timeout_s: float) -> bool:
        """One tick, or a step of the one in hand. Waits at most `timeout_s`. True when a tick was done."""
        self.turned_s = time.monotonic()
        if self._in_hand is None and not self._parts.journal.at_the_brim:
            raw = self._parts.source.poll(timeout_s)
            started = time.perf_counter()
            self._in_hand = self._begin(raw)
        elif not self._has_waited(timeout_s):
            return False
        else:
            started = time.perf_counter()
            if self._in_hand is None and not self._gets_room():
                return False
        done = self._in_hand is not None and self._finish(self._in_hand)
        if done:
            self._in_hand = None
            self.ticks += 1
        if self._in_hand is None:
            self._house.keep(self._clock_us(), self.last_input_id)
        if done:
            self.seconds += time.perf_counter() - started
        return done

    def save_snapshot(self) -> None:
        """Saves the state now and waits for it: after recovery, and at a clean end. Raises OSError.

        Does nothing while a batch is in hand: the state then knows more than the journal and the database do,
        and what is in hand would be taken for done.
        """
        if self._in_hand is None:
            self._house.save(self.last_input_id)

    def _has_waited(self, timeout_s: float) -> bool:
        """Waits a bit for a step that failed; whether it is to be tried again now."""
        self._parts.source.tend()
        wait_s = min(self._left_s, timeout_s)
        self._wait(wait_s)
        self._left_s -= wait_s
        return self._left_s <= 0

    def _gets_room(self) -> bool:
        """At the brim of the reserve: whether a snapshot has made room. What is in hand could not be saved,
        so nothing is taken in hand before."""
        self._house.keep(self._clock_us(), self.last_input_id)
        if self._parts.journal.at_the_brim:
            self._stall(JournalFull("the reserve is nearly full and waits for a snapshot"))
            return False
        self._go_on()
        return True

    def _begin(self, raw: RawBatch | None) -> _InHand[T] | None:
        """Reads and decodes into a record; None where there is nothing to journal."""
        parts, now_us = self._parts, self._clock_us()
        if parts.presence:
            self._presence += parts.presence.take(now_us)
        inputs, freed = self._take_inputs(), self._free()
        news = self._has_news(inputs, freed, now_us)
        if raw is None:
            return self._of_inputs(None, None, inputs, freed, now_us) if news else None
        split = parts.tail.split(raw, parts.source.progress)
        self.redelivered += split.redelivered
        if split.redelivered == len(raw):
            if not news:
                self._acknowledge(raw, split)
                return None
            return self._of_inputs(raw, split, inputs, freed, now_us)
        inputs = self._with_presence(inputs)
        record = parts.intake.of_messages(raw, split, inputs, parts.journal.next_seq, freed)
        return self._take_in_hand(raw, split, record)

    def _of_inputs(
        self,
        raw: RawBatch | None,
        split: Split | None,
        inputs: list[EngineInput],
        freed: list[int],
        now_us: int,
    ) -> _InHand[T]:
        parts, inputs = self._parts, self._with_presence(inputs)
        record = parts.intake.of_inputs(inputs, now_us, parts.journal.next_seq, freed)
        return self._take_in_hand(raw, split, record)

    def _take_in_hand(self, raw: RawBatch | None, split: Split | None, record: Record) -> _InHand[T]:
        self._recorded_us = record.tick_us
        return _InHand(raw, split, record)

    def _with_presence(self, inputs: list[EngineInput]) -> list[EngineInput]:
        """What is known of absences goes first: people's acts, and readings, come after our return."""
        known, self._presence = self._presence, []
        return known + inputs

    def _has_news(self, inputs: list[EngineInput], freed: list[int], now_us: int) -> bool:
        """Whether a tick without new messages has something to journal: also that series stand otherwise,
        that other rules hold, that a flag counts as false by now, or that the rules wait for time alone."""
        intake = self._parts.intake
        if inputs or freed or intake.index.has_changed or any(map(is_news, self._presence)):
            return True
        if intake.rule_notes.waits or (len(intake.holds) and intake.holds.has_due(now_us)):
            return True
        due = self._parts.rules.due_us <= now_us or now_us < self._recorded_us  # or the clock was set back
        return due and abs(now_us - self._recorded_us) >= ADVANCE_US

    def _free(self) -> list[int]:
        """Lets go of the series that are gone; their slots, for the record."""
        parts = self._parts
        freed = parts.freeing.due(self._clock_us()) if parts.freeing else []
        if freed:
            parts.rules.forget(parts.intake.free(freed))
            if parts.shed:
                parts.shed.forget(freed)
            self.freed += len(freed)
        return freed

    def _take_inputs(self) -> list[EngineInput]:
        """New inputs, each once. A database that cannot be read now gives them at a later tick."""
        try:
            inputs = [one for one in self._parts.inbox.take() if one.id > self.last_input_id]
        except OperationalError as error:
            if not self._inbox_fails:
                log.warning("inputs_wait", error=str(error.orig))
            self._inbox_fails = True
            return []
        self._inbox_fails = False
        if inputs:
            self.last_input_id = max(one.id for one in inputs)
        return inputs

    def _finish(self, hand: _InHand[T]) -> bool:
        """The steps from the journal on; False where one failed and must be tried again."""
        parts, record = self._parts, hand.record
        try:
            if not hand.journalled:
                if parts.journal.append(record) and parts.shed:
                    parts.shed.count(replace(record, shed=True))
                hand.journalled = True
            if hand.transitions is None:
                hand.transitions = evaluate(record, parts)
            if hand.transitions or record.new_series or record.freed or record.notes:
                parts.ledger.commit(
                    hand.transitions,
                    record.new_series,
                    record.strangers,
                    record.seq,
                    record.freed,
                    record.notes,
                )
        except (JournalFull, OSError, OperationalError) as error:
            self._stall(error)
            return False
        self.transitions += len(hand.transitions)
        self._go_on()
        if hand.raw is not None and hand.split is not None:
            self._acknowledge(hand.raw, hand.split)
        return True

    def _acknowledge(self, raw: RawBatch, split: Split) -> None:
        parts = self._parts
        parts.source.commit(raw)
        parts.tail.settle(split, parts.source.progress)
        if (answers := parts.intake.replies.take()) and parts.replying:
            parts.intake.replies.count(len(answers), parts.replying.reply(raw, answers))

    def _stall(self, error: Exception) -> None:
        self.stalls += 1
        if self._parts.ballast:
            self._parts.ballast.release(error)
        self._house.let_go()
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S) if self._stalled_by else FIRST_WAIT_S
        if not self._stalled_by:
            log.error("ingest_stalled", error=str(getattr(error, "orig", error)), kind=type(error).__name__)
        self._left_s = self._wait_s
        self._stalled_by = type(error).__name__

    def _go_on(self) -> None:
        if self._stalled_by:
            log.warning("ingest_goes_on", after=self._stalled_by)
        self._stalled_by = ""
