"""What a tick is made of, and how these parts evaluate a record: live and in recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from ingest.ballast import Ballast
from ingest.intake import Intake
from ingest.record import Record
from ingest.redelivery import Tail
from ingest.rule_notes import rule_texts
from ingest.seams import Attendance, Freed, Inbox, Ledger, Replying, Rules, Spool, T, TickSource
from ingest.shed import ShedCounts
from ingest.snapshot import SnapshotFolder


@dataclass(frozen=True, slots=True)
class Parts(Generic[T]):
    """What a tick is made of. `recover` brings them to one state; only then may a tick run."""

    source: TickSource
    tail: Tail
    intake: Intake
    journal: Spool
    rules: Rules[T]
    ledger: Ledger[T]
    inbox: Inbox
    snapshots: SnapshotFolder
    freeing: Freed | None = None
    shed: ShedCounts | None = None
    ballast: Ballast | None = None
    replying: Replying | None = None
    presence: Attendance | None = None


def evaluate(record: Record, parts: Parts[T]) -> Sequence[T]:
    """The transitions of a record whose freed and new series the index knows already, and those that come by
    its time: live or replayed."""
    index, rules = parts.intake.index, parts.rules
    if len(record.standing.slot):
        rules.adopt(index.table(), index.seats_of(record.standing.slot))
    inputs = index.seated_inputs(record.inputs)
    turned = [one for text in rule_texts(record.notes) for one in rules.change(text, record.tick_us)]
    found = rules.evaluate(index.seated(record.batch), inputs, record.tick_us, record.source)
    later = rules.advance(record.tick_us)
    return [*turned, *found, *later] if turned or later else found
