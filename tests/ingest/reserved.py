"""A journal with a small reserve, and what is read of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingest.journal import Journal
from ingest.journal_files import SLOT_HEAD_BYTES, Damage, Mark
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.reserve import SLOTS
from tests.ingest.journalled import SIZE, record

SLOT = SLOT_HEAD_BYTES + 3 * SIZE + 8
"""Three records and not quite a fourth header."""

TORN = 96
"""So much of a record is never the whole of it; the rest of these records may be zeros."""


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Desk:
    """A journal with a reserve, the store's position, and a clock."""

    folder: Path
    most: int = 8 * SIZE
    reserve: int = SLOTS * SLOT
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.store = Mark(self.folder / "reader-store")
        self.open()

    def open(self) -> None:
        self.journal = Journal(
            self.folder,
            segment_bytes=4 * SIZE,
            max_bytes=self.most,
            reserve_bytes=self.reserve,
            monotonic=self.clock,
        )

    def reopen(self) -> None:
        self.journal.close()
        self.open()

    def append(self, count: int = 1) -> list[bool]:
        return [self.journal.append(record(self.journal.next_seq)) for _ in range(count)]

    def stands(self) -> str:
        if self.journal.at_the_brim:
            return "at the brim"
        return "sheds" if self.journal.shedding else "stores"

    def read(self, after: int = 0) -> list[Record | Damage]:
        reader = JournalReader(self.folder, after)
        found = []
        while some := reader.read(2):
            found += some
        reader.close()
        return found

    def seqs(self, after: int = 0, *, shed: bool | None = None) -> list[int]:
        found = self.read(after)
        assert not [one for one in found if isinstance(one, Damage)]
        return [one.seq for one in found if isinstance(one, Record) and shed in (None, one.shed)]

    def close(self) -> None:
        self.store.close()
        self.journal.close()
