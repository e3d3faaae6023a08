"""Back to where we were: the newest snapshot, then the journal's records after it through the live code.

Every record is evaluated again and its transitions are committed again; their keys make that harmless where
the crash came after the first commit. What was journalled and not committed is committed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from devices.model import Int32
from ingest.journal_files import Damage
from ingest.journal_reader import JournalReader
from ingest.parts import Parts, evaluate
from ingest.record import Record
from ingest.seams import T
from ingest.snapshot import Snapshot

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery did. `last_input_id` is the newest engine input of a person that was journalled; those of
    nobody's have the id 0."""

    replayed: int
    damaged: int
    last_input_id: int


def recover(snapshot: Snapshot | None, journal: Path, parts: Parts[T]) -> Recovered:
    """Brings all parts to the state after the journal's newest record, with all its transitions committed.

    The journal must be open for writing already: that cuts off a torn tail. Raises OperationalError where the
    database does not take a transaction, OSError where the journal cannot be read; calling it again with
    fresh parts starts over.
    """
    index = parts.intake.index
    last_input_id = 0
    if snapshot is not None:
        _restore(snapshot, parts)
        last_input_id = snapshot.last_input_id
    else:
        parts.rules.adopt(index.table())
    replayed = damaged = 0
    for record in _records_after(snapshot.seq if snapshot else 0, journal):
        if isinstance(record, Damage):
            damaged += 1
            log.error("journal_damaged", segment=record.segment, offset=record.offset, size=record.size)
            continue
        _replay(record, parts)
        last_input_id = max([last_input_id, *(one.id for one in record.inputs)])
        replayed += 1
    index.follow()
    log.info("recovered", replayed=replayed, damaged=damaged)
    return Recovered(replayed, damaged, last_input_id)


def seating(snapshot: Snapshot | None) -> Int32 | None:
    """Which series sat where at the snapshot, for a new index. In one of an earlier release each sat by its
    slot."""
    if snapshot is None:
        return None
    seats = snapshot.part("index.").get("slot")
    return (
        np.arange(len(snapshot.part("stamps.")["series.newest_us"]), dtype=np.int32)
        if seats is None
        else seats
    )


def _restore(snapshot: Snapshot, parts: Parts[T]) -> None:
    """The state of a snapshot, without that of series that were freed since."""
    index, stamps = parts.intake.index, parts.intake.stamps
    stood = snapshot.part("index.")
    if stood:
        index.restore(stood)
    stamps.restore(snapshot.part("stamps."))
    stamps.clocks.resume(snapshot.part("clocks."))
    parts.rules.adopt(index.table())
    parts.rules.restore(snapshot.part("rules."))
    parts.tail.restore(snapshot.part("tail."))
    gone = index.leave_ghosts()
    stamps.forget(gone)
    parts.rules.forget(gone)
    if parts.shed:
        parts.shed.restore(snapshot.part("shed."))


def _records_after(seq: int, folder: Path) -> Iterator[Record | Damage]:
    reader = JournalReader(folder, seq)
    try:
        while found := reader.read():
            yield from found
    finally:
        reader.close()


def _replay(record: Record, parts: Parts[T]) -> None:
    intake, index = parts.intake, parts.intake.index
    if record.freed:
        parts.rules.forget(intake.free(record.freed))
        if parts.shed:
            parts.shed.forget(record.freed)
    index.learn(record.new_series)
    index.use(record.batch.slot)
    index.stand(record.standing)
    learnt = index.take_changed()
    if len(learnt):  # a record of an earlier release does not say how its new series stand
        parts.rules.adopt(index.table(), learnt)
    intake.stamps.replay(record)
    intake.dead_letters.count(record)
    if parts.shed:
        parts.shed.count(record)
    transitions = evaluate(record, parts)
    if transitions or record.new_series or record.freed or record.notes:
        parts.ledger.commit(
            transitions, record.new_series, record.strangers, record.seq, record.freed, record.notes
        )
    parts.tail.remember(record.messages.packet_id, record.messages.checksum, source=record.source)
