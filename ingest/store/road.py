"""The way of a store's writer along the journal: records in batches, the same until they are passed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from ingest.journal_files import Damage
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.store.points import Points

log = structlog.get_logger()

BATCH_RECORDS: Final = 512
BATCH_POINTS: Final = 262_144
"""A batch ends at either (chosen: some tens of milliseconds of work, and 20 MB)."""
_NO_END: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Load:
    """Records to be written together; `offset` is the seq that is passed with them, `full` says that more is
    there already."""

    records: list[Record]
    offset: int
    full: bool

    @property
    def points(self) -> Points:
        """Of all records that were not shed."""
        batches = [record.batch for record in self.records if not record.shed]
        if not batches:
            return Points.empty()
        return Points(
            np.concatenate([batch.slot for batch in batches]),
            np.concatenate([batch.observed_ns for batch in batches]),
            np.concatenate([batch.value for batch in batches]),
            np.concatenate([batch.quality for batch in batches]),
        )

    @property
    def shed_points(self) -> int:
        """How many points are in records that were shed: they are passed over."""
        return sum(len(record.batch) for record in self.records if record.shed)


class Road:
    """Records after `after`, up to `until` where it is given, each once. Damage is named in the log and
    passed over. Not for several threads."""

    def __init__(
        self, folder: Path, after: int, until: int = _NO_END, *, records: int = BATCH_RECORDS
    ) -> None:
        """`records` of a load at most."""
        self._records = records
        self._reader = JournalReader(folder, after)
        self._pending: list[Record] = []
        self._reached = self._passed = after
        self._further: tuple[list[Record], int] | None = None
        self.until = until

    @property
    def position(self) -> int:
        """The newest seq that was passed."""
        return self._passed

    @property
    def durable(self) -> int:
        """The newest seq that is in the journal."""
        return self._reader.durable

    @property
    def damaged(self) -> int:
        """How often the journal could not be read."""
        return self._reader.damaged

    @property
    def is_over(self) -> bool:
        """Whether its end was passed."""
        return self._passed >= self.until

    def ahead(self) -> Load | None:
        """What comes next, the same until it was passed; None where there is nothing. Raises OSError with
        nothing lost."""
        if not self._pending:
            self._pending, self._reached = self._further or self._read()
            self._further = None
        batch = _first_batch(self._pending)
        rest = len(self._pending) > len(batch)
        offset = batch[-1].seq if rest else self._reached
        if offset <= self._passed:
            return None
        return Load(batch, offset, rest or len(batch) >= self._records)

    def look_further(self) -> None:
        """Reads what comes behind the load at hand, which stays as it is, while that is on its way. Raises
        nothing: what cannot be read now is read when its turn comes."""
        if self._pending and self._further is None:
            with contextlib.suppress(OSError):
                found = self._read()
                self._further = found if found[0] else None

    def pass_by(self, load: Load) -> None:
        """What `ahead` gave is written, or needs no writing."""
        self._pending = self._pending[len(load.records) :]
        self._passed = load.offset

    def close(self) -> None:
        """Lets go of the journal's files."""
        self._reader.close()

    def _read(self) -> tuple[list[Record], int]:
        """The next records, and the seq that was reached with them."""
        found = _without_damage(self._reader.read(self._records))
        return [record for record in found if record.seq <= self.until], min(
            self._reader.position, self.until
        )


def _without_damage(found: list[Record | Damage]) -> list[Record]:
    records = []
    for one in found:
        if isinstance(one, Damage):
            log.error("journal_damaged", segment=one.segment, offset=one.offset, size=one.size)
        else:
            records.append(one)
    return records


def _first_batch(records: list[Record]) -> list[Record]:
    taken, points = [], 0
    for record in records:
        taken.append(record)
        points += len(record.batch)
        if points >= BATCH_POINTS:
            break
    return taken
