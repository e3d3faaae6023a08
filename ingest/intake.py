"""The first half of a tick: raw messages in, the record to journal out. Touches no disk and no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from devices.model import EngineInput, Int32, ReadingBatch
from devices.profiles.profile import NO_ASIDES, Asides, Hold, Note
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.heard import Heard
from ingest.holds import Holds, forgotten
from ingest.notes import Recent, takeable
from ingest.record import Messages, Record
from ingest.redelivery import Split
from ingest.replies import Replies
from ingest.series import SeriesIndex
from ingest.source import RawBatch
from ingest.stamps import Arrivals, Stamps


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
    """What turns messages into a record. `rules_version` is noted in each.

    `heard`, where there is one, takes what devices say of themselves; `recent` has the notes of late for
    profiles that are made anew.
    """

    index: SeriesIndex
    decoder: Decoder
    stamps: Stamps
    dead_letters: DeadLetters
    rules_version: int = 0
    figures: Figures = field(default_factory=Figures)
    holds: Holds = field(default_factory=Holds)
    replies: Replies = field(default_factory=Replies)
    heard: Heard | None = None
    recent: Recent = field(default_factory=Recent)

    def free(self, slots: Sequence[int]) -> Int32:
        """The series with these slots are gone, their memory too; gives the seats they left."""
        seats = self.index.free(slots)
        self.stamps.forget(seats)
        self.holds.forget(slots)
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
        strangers = self.decoder.topics_of(tick)
        rejected = Counter(one.reason.value for one in tick.decoded.rejected)
        if tick.asides is not NO_ASIDES:
            notes += self._take(tick.asides, stamped.batch, raw.received_us)
        batch = joined(due, stamped.batch) if due else stamped.batch
        record = self._record(seq, batch, stamped.messages, inputs, freed)
        record = replace(
            record,
            strangers=strangers,
            rejected=dict(rejected),
            source=split.source,
            notes=self.recent.passing(notes),
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
        return replace(record, notes=self.recent.passing(notes)) if notes else record

    def _due(self, now_us: int) -> tuple[ReadingBatch | None, list[Note]]:
        """The flags that count as false by now, as readings, and the notes that they wait no more."""
        notes = self.holds.take_notes()
        if now_us < self.holds.next_us:
            return None, notes
        found = self.holds.take(now_us)
        slots, times = [slot for slot, _ in found], [due_us for _, due_us in found]
        seats = self.index.seats_of(np.array(slots, np.int32))
        here = seats > 0  # the series of others are gone, and with them what was true
        if not here.any():
            return None, notes + forgotten(slots)
        observed = np.array(times, np.int64)[here]
        batch = self.stamps.add(seats[here], observed, np.zeros(len(observed)), now_us)
        return batch, notes + forgotten(slots)

    def _take(self, asides: Asides, batch: ReadingBatch, received_us: int) -> list[Note]:
        """Takes what messages brought beside readings; the notes to be journalled."""
        if self.heard and (asides.said or asides.proposals):
            self.heard.note(asides.said, asides.proposals, received_us)
        if asides.replies:
            self.replies.note(asides.replies)
        return takeable([*asides.notes, *self._hold(asides.holds, batch)])

    def _hold(self, holds: Sequence[Hold], batch: ReadingBatch) -> list[Note]:
        """Notes when each true flag counts as false again: so long after it was observed, or was received,
        where that is later. A flag that was a duplicate moves nothing."""
        if not holds:
            return []
        row = np.array([one.row for one in holds], np.int32)
        metric = np.array([one.metric for one in holds], np.int16)
        slots = self.index.slots_of(self.index.seats_for(row, metric)).tolist()
        at = np.flatnonzero(np.isin(batch.slot, slots) & (batch.value == 1.0))
        newest: dict[int, int] = {}
        for slot, observed_us in zip(batch.slot[at].tolist(), batch.observed_us[at].tolist(), strict=True):
            newest[slot] = max(newest.get(slot, batch.received_us), observed_us)
        due = {
            slot: newest[slot] + one.until_us_after
            for slot, one in zip(slots, holds, strict=True)
            if slot in newest
        }
        notes = [self.holds.put(slot, due_us) for slot, due_us in due.items()]
        return [one for one in notes if one is not None]

    def _record(
        self,
        seq: int,
        batch: ReadingBatch,
        messages: Messages,
        inputs: list[EngineInput],
        freed: list[int],
    ) -> Record:
        index = self.index
        return Record(
            seq, batch, messages, inputs, index.take_new_series(), [], {},
            self.rules_version, index.registry_version, freed, index.standing(index.take_changed()),
        )  # fmt: skip


def joined(first: ReadingBatch, then: ReadingBatch) -> ReadingBatch:
    """The readings of both, in that order, at the time of the second."""
    columns = ("slot", "observed_us", "nudge_ns", "value", "quality")
    return ReadingBatch(
        then.received_us,
        *(np.concatenate((getattr(first, name), getattr(then, name))) for name in columns),
    )
