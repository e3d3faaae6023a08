"""Back to where we were: the newest snapshot, then the journal's records after it through the live code.

Every record is evaluated again and its transitions are committed again; their keys make that harmless where
the crash came after the first commit. What was journalled and not committed is committed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest.journal_files import Damage
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.seams import T
from ingest.snapshot import Snapshot
from ingest.tick import Parts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recovered:
    """What recovery did. `last_input_id` is the newest engine input that was journalled."""

    replayed: int
    damaged: int
    last_input_id: int


def recover(snapshot: Snapshot | None, journal: Path, parts: Parts[T]) -> Recovered:
    """Brings all parts to the state after the journal's newest record, with all its transitions committed.

    The journal must be open for writing already: that cuts off a torn tail. Raises OperationalError where the
    database does not take a transaction, OSError where the journal cannot be read; calling it again with
    fresh parts starts over.
    """
    parts.rules.adopt(parts.intake.index.table())
    last_input_id = 0
    if snapshot is not None:
        parts.intake.stamps.restore(snapshot.part("stamps."))
        parts.rules.restore(snapshot.part("rules."))
        parts.tail.remember(snapshot.arrays["tail.packet_id"], snapshot.arrays["tail.checksum"])
        last_input_id = snapshot.last_input_id
    replayed = damaged = 0
    for record in _records_after(snapshot.seq if snapshot else 0, journal):
        if isinstance(record, Damage):
            damaged += 1
            log.error("journal_damaged", segment=record.segment, offset=record.offset, size=record.size)
            continue
        _replay(record, parts)
        last_input_id = max([last_input_id, *(one.id for one in record.inputs)])
        replayed += 1
    log.info("recovered", replayed=replayed, damaged=damaged)
    return Recovered(replayed, damaged, last_input_id)


def _records_after(seq: int, folder: Path) -> Iterator[Record | Damage]:
    reader = JournalReader(folder, seq)
    try:
        while found := reader.read():
            yield from found
    finally:
        reader.close()


def _replay(record: Record, parts: Parts[T]) -> None:
    intake, rules = parts.intake, parts.rules
    if record.new_series:
        intake.index.learn(record.new_series)
        rules.adopt(intake.index.table())
    intake.stamps.replay(record)
    intake.dead_letters.count(record)
    transitions = rules.evaluate(record.batch, record.inputs, record.tick_us)
    if transitions or record.new_series:
        parts.ledger.commit(transitions, record.new_series, record.strangers, record.seq)
    parts.tail.remember(record.messages.packet_id, record.messages.checksum)
