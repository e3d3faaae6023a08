"""The first half of a tick: raw messages in, the record to journal out. Touches no disk and no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np

from devices.model import EngineInput, Int32, ReadingBatch
from ingest.deadletters import DeadLetters
from ingest.decoding import Decoder
from ingest.record import Messages, Record
from ingest.redelivery import Split
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
    """What turns messages into a record. `rules_version` is noted in each."""

    index: SeriesIndex
    decoder: Decoder
    stamps: Stamps
    dead_letters: DeadLetters
    rules_version: int = 0
    figures: Figures = field(default_factory=Figures)

    def free(self, slots: Sequence[int]) -> Int32:
        """The series with these slots are gone, their memory too; gives the seats they left."""
        seats = self.index.free(slots)
        self.stamps.forget(seats)
        return seats

    def of_messages(
        self, raw: RawBatch, split: Split, inputs: list[EngineInput], seq: int, freed: list[int]
    ) -> Record:
        """The record of the messages that `split` keeps, under `seq`; notes what was refused."""
        topics: Sequence[str] = raw.topics
        payloads: Sequence[bytes] = raw.payloads
        if split.redelivered:
            topics, payloads = list(compress(topics, split.keep)), list(compress(payloads, split.keep))
        tick = self.decoder.decode(topics, payloads)
        retained = np.array(raw.retain, np.bool_)[split.keep]
        packet_ids, checksums = split.packet_ids[split.keep], split.checksums[split.keep]
        arrived = Arrivals(raw.received_us, packet_ids, checksums, retained, raw.queued)
        stamped = self.stamps.stamp(tick.decoded, arrived)
        strangers = self.decoder.topics_of(tick)
        rejected = Counter(one.reason.value for one in tick.decoded.rejected)
        record = self._record(seq, stamped.batch, stamped.messages, inputs, freed)
        record = replace(record, strangers=strangers, rejected=dict(rejected), source=split.source)
        self.figures.messages += len(topics)
        self.figures.readings += len(stamped.batch)
        self.figures.duplicates += stamped.duplicates
        self.figures.rejected.update(rejected)
        self.dead_letters.note(record, tick.decoded.rejected, topics, payloads)
        self.dead_letters.sight(tick.sightings, raw.received_us)
        return record

    def of_inputs(self, inputs: list[EngineInput], now_us: int, seq: int, freed: list[int]) -> Record:
        """The record of a tick that brought only people's acts, or freed series."""
        return self._record(seq, ReadingBatch.empty(now_us), Messages.empty(), inputs, freed)

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
