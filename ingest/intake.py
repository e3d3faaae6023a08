"""The first half of a tick: raw messages in, the record to journal out. Touches no disk and no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import itemgetter
from typing import Final

import numpy as np

from devices.model import HARD_QUALITY, EngineInput, Int32, Quality, ReadingBatch
from devices.profiles.profile import NO_ASIDES, Asides, Decoded, Hold, Note
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.heard import Heard
from ingest.holds import Holds, forgotten
from ingest.notes import Recent, takeable
from ingest.record import Messages, Record
from ingest.redelivery import Split
from ingest.replies import Replies
from ingest.rule_notes import RuleNotes
from ingest.series import SeriesIndex
from ingest.source import RawBatch
from ingest.stamps import Arrivals, Stamped, Stamps
from ingest.tested import RunningTests, Word, concerns_tests, words_at

_NOT_NOW: Final = int(Quality.LATE | Quality.RETAINED | Quality.REPLAYED | Quality.STALE)
"""A false with any of these does not say that the flag is false now: no rule takes it for the end."""


@dataclass(slots=True)
class Figures:
    """Totals since the start of this process, for metrics."""

    messages: int = 0
    readings: int = 0
    duplicates: int = 0
    redelivered: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Intake:
    """What turns messages into a record. `rule_notes` says what rules hold from the next one on.

    `heard`, where there is one, takes what devices say of themselves; `recent` has the notes of late for
    profiles that are made anew.
    """

    index: SeriesIndex
    decoder: Decoder
    stamps: Stamps
    dead_letters: DeadLetters
    rule_notes: RuleNotes = field(default_factory=RuleNotes)
    figures: Figures = field(default_factory=Figures)
    holds: Holds = field(default_factory=Holds)
    tested: RunningTests = field(default_factory=RunningTests)
    replies: Replies = field(default_factory=Replies)
    heard: Heard | None = None
    recent: Recent = field(default_factory=Recent)

    def remember(self, notes: Sequence[Note]) -> None:
        """Takes what ingest itself noted before a restart; notes of others are passed over."""
        self.holds.restore(notes)
        self.tested.restore(notes, self._newest_us)
        self.stamps.clocks.restore(notes)

    def free(self, slots: Sequence[int]) -> Int32:
        """The series with these slots are gone, their memory too; gives the seats they left."""
        seats = self.index.free(slots)
        self.stamps.forget(seats)
        self.holds.forget(slots)
        self.tested.forget(slots)
        return seats

    def of_messages(
        self, raw: RawBatch, split: Split, inputs: list[EngineInput], seq: int, freed: list[int]
    ) -> Record:
        """The record of the messages that `split` keeps, under `seq`; notes what was refused."""
        topics: Sequence[str] = raw.topics
        payloads: Sequence[bytes] = raw.payloads
        if split.redelivered:
            topics, payloads = list(compress(topics, split.keep)), list(compress(payloads, split.keep))
        due, notes = self._due(raw.received_us)
        retained = np.array(raw.retain, np.bool_)[split.keep]
        kept = retained.tolist() if retained.any() else None
        tick = self.decoder.decode(topics, payloads, received_us=raw.received_us, retained=kept)
        packet_ids, checksums = split.packet_ids[split.keep], split.checksums[split.keep]
        arrived = Arrivals(raw.received_us, packet_ids, checksums, retained, raw.queued)
        stamped = self.stamps.stamp(tick.decoded, arrived)
        notes += stamped.notes
        strangers = self.decoder.topics_of(tick)
        rejected = Counter(one.reason.value for one in tick.decoded.rejected)
        if tick.asides is not NO_ASIDES or len(self.holds):
            notes += self._take(tick.asides, tick.decoded, stamped, raw.received_us)
        if concerns_tests(tick.decoded.metric, tick.decoded.value, len(self.tested)):
            notes += self.tested.say(self._words(stamped.batch), raw.received_us)
        batch = joined(due, stamped.batch) if due else stamped.batch
        record = self._record(seq, batch, stamped.messages, inputs, freed)
        record = replace(
            record,
            strangers=strangers,
            rejected=dict(rejected),
            source=split.source,
            notes=[*record.notes, *self.recent.passing(notes)],
            versions=self.decoder.take_versions(),
        )
        self.figures.messages += len(topics)
        self.figures.readings += len(stamped.batch)
        self.figures.duplicates += stamped.duplicates
        self.figures.rejected.update(rejected)
        self.dead_letters.note(record, tick.decoded.rejected, topics, payloads)
        self.dead_letters.sight(tick.sightings, raw.received_us)
        return record

    def of_inputs(self, inputs: list[EngineInput], now_us: int, seq: int, freed: list[int]) -> Record:
        """The record of a tick that brought only people's acts, freed series, or flags that are due."""
        due, notes = self._due(now_us)
        record = self._record(seq, due or ReadingBatch.empty(now_us), Messages.empty(), inputs, freed)
        return replace(record, notes=[*record.notes, *self.recent.passing(notes)]) if notes else record

    def _due(self, now_us: int) -> tuple[ReadingBatch | None, list[Note]]:
        """The flags that count as false by now, as readings, and the notes that they wait no more."""
        notes = [*self.holds.take_notes(), *self.tested.take_notes()]
        if now_us < self.holds.next_us:
            return None, notes
        found = self.holds.take(now_us)
        slots, times = [slot for slot, _ in found], [due_us for _, due_us in found]
        seats = self.index.seats_of(np.array(slots, np.int32))
        notes += forgotten(slots) + self.tested.lapse(slots)
        here = seats > 0  # the series of others are gone, and with them what was true
        if not here.any():
            return None, notes
        observed = np.array(times, np.int64)[here]
        batch = self.stamps.add(seats[here], observed, np.zeros(len(observed)), now_us)
        return batch, notes

    def _words(self, batch: ReadingBatch) -> list[Word]:
        """What devices say of their tests, in the order in which it came."""
        seats = self.index.seats_of(batch.slot)
        at = words_at(batch, self.index.metrics_of(seats), self.tested.slots)
        columns = (batch.slot[at], batch.observed_us[at], batch.value[at])
        uids = [self.index.name_of(seat).uid for seat in seats[at].tolist()]
        return [
            Word(slot, uid, observed_us, value == 1.0)
            for uid, slot, observed_us, value in zip(uids, *(one.tolist() for one in columns), strict=True)
        ]

    def _newest_us(self, slot: int) -> int:
        """When a series was heard last; 0 for one that is gone."""
        return int(self.stamps.newest_us(self.index.seats_of(np.array([slot], np.int32)))[0])

    def _take(self, asides: Asides, decoded: Decoded, stamped: Stamped, received_us: int) -> list[Note]:
        """Takes what messages brought beside readings; the notes to be journalled."""
        if asides.said:
            self.index.hear(asides.said)
        if self.heard and (asides.said or asides.proposals):
            self.heard.note(asides.said, asides.proposals, received_us)
        if asides.replies:
            self.replies.note(asides.replies)
        return takeable([*asides.notes, *self._hold(asides.holds, decoded, stamped)])

    def _hold(self, holds: Sequence[Hold], decoded: Decoded, stamped: Stamped) -> list[Note]:
        """Notes when each true flag counts as false again: so long after it was observed, or was received,
        where that is later. A flag that was a duplicate moves nothing.

        The newest word counts: a reading of a flag that waits, and has no hold of its own, ends the waiting.
        After a true the device's own false is waited for; after a false it is over already. What cannot be
        read, and a false that does not speak of now, change nothing.
        """
        own = self._by_series(holds)
        waiting = self.holds.slots
        if own:
            waiting = np.union1d(waiting, np.array([slot for _, slot in own], np.int32))
        batch = stamped.batch
        said = (batch.quality & int(HARD_QUALITY)) == 0
        said &= (batch.value != 0.0) | ((batch.quality & _NOT_NOW) == 0)
        at = np.flatnonzero(np.isin(batch.slot, waiting) & said)
        columns = (stamped.message[at], batch.slot[at], batch.observed_us[at], batch.value[at])
        due: dict[int, int] = {}
        newest: dict[int, int] = {}
        words = list(zip(*(one.tolist() for one in columns), strict=True))
        if stamped.duplicates:
            words = sorted(words + self._again(decoded, waiting, own), key=itemgetter(0))
        for message, slot, observed_us, value in words:
            after_us = own.get((message, slot), 0) if value == 1.0 else 0
            if after_us:
                newest[slot] = max(newest.get(slot, batch.received_us), observed_us)
            due[slot] = newest[slot] + after_us if after_us else 0
        notes = [
            self.holds.put(slot, due_us) if due_us else self.holds.end(slot) for slot, due_us in due.items()
        ]
        return [one for one in notes if one is not None]

    def _again(
        self, decoded: Decoded, waiting: Int32, own: Mapping[tuple[int, int], int]
    ) -> list[tuple[int, int, int, float]]:
        """Trues without a hold of flags that wait, duplicates too: two messages may say one at one time."""
        slots = self.index.slots_of(self.index.seats_for(decoded.row, decoded.metric))
        at = np.flatnonzero(np.isin(slots, waiting) & (decoded.value == 1.0))
        pairs = zip(decoded.message[at].tolist(), slots[at].tolist(), strict=True)
        return [(message, slot, 0, 1.0) for message, slot in pairs if (message, slot) not in own]

    def _by_series(self, holds: Sequence[Hold]) -> dict[tuple[int, int], int]:
        """How long each true flag counts, by its message and slot."""
        if not holds:
            return {}
        row = np.array([one.row for one in holds], np.int32)
        metric = np.array([one.metric for one in holds], np.int16)
        slots = self.index.slots_of(self.index.seats_for(row, metric)).tolist()
        return {(one.message, slot): one.until_us_after for one, slot in zip(holds, slots, strict=True)}

    def _record(
        self,
        seq: int,
        batch: ReadingBatch,
        messages: Messages,
        inputs: list[EngineInput],
        freed: list[int],
    ) -> Record:
        index, notes = self.index, self.rule_notes.take()
        return Record(
            seq, batch, messages, inputs, index.take_new_series(), [], {},
            self.rule_notes.version, index.registry_version, freed, index.standing(index.take_changed()),
            notes=notes,
        )  # fmt: skip


def joined(first: ReadingBatch, then: ReadingBatch) -> ReadingBatch:
    """The readings of both, in that order, at the time of the second."""
    columns = ("slot", "observed_us", "nudge_ns", "value", "quality")
    return ReadingBatch(
        then.received_us,
        *(np.concatenate((getattr(first, name), getattr(then, name))) for name in columns),
    )
