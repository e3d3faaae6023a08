"""What is done between ticks: dead letters, counts, snapshots, old segments, what is kept for a full disk."""

from __future__ import annotations

from typing import Any, Final, Generic

import structlog
from numpy.typing import NDArray

from ingest.parts import Parts
from ingest.seams import T
from ingest.snapshot import Snapshot

log = structlog.get_logger()

PRESSED_US: Final = 2_000_000
"""Between snapshots while the reserve is running out (chosen: a busy site fills a slot in two seconds)."""


class Housekeeping(Generic[T]):
    """Of the parts of a tick. `now_us` is a wall clock's; `last_input_id` the newest engine input taken.

    A snapshot may be made only while no batch is in hand: the state then knows more than the journal and the
    database do, and what is in hand would be taken for done.
    """

    def __init__(self, parts: Parts[T], snapshot_us: int, now_us: int) -> None:
        """Snapshots are made every `snapshot_us` from now on."""
        self._parts = parts
        self._snapshot_us = snapshot_us
        self._snapshotted_us = now_us
        self._let_go_by = (0, 0)
        self._snapshot_seq = -1

    def keep(self, now_us: int, last_input_id: int) -> None:
        """All of it, as far as it is due; a snapshot is saved in a thread. Raises nothing."""
        parts = self._parts
        parts.intake.dead_letters.flush(now_us)
        if parts.intake.heard:
            parts.intake.heard.flush(now_us)
        if parts.shed:
            parts.shed.flush(now_us)
        if parts.ballast:
            parts.ballast.keep_behind()
            if parts.snapshots.failed_by:
                parts.ballast.release(parts.snapshots.failed_by)
        parts.journal.keep_reserve()
        if self._is_due(now_us) and not parts.snapshots.busy:
            self._snapshotted_us = now_us
            parts.snapshots.save_behind(self._snapshot(last_input_id))
        self.let_go()

    def save(self, last_input_id: int) -> None:
        """A snapshot now; waits for it. Raises OSError."""
        self._parts.snapshots.wait()
        self._parts.snapshots.save(self._snapshot(last_input_id))
        self.let_go()

    def let_go(self) -> None:
        """Tells the journal which records recovery does not need any more."""
        snapshots = self._parts.snapshots
        if (snapshots.safe_seq, snapshots.newest_seq) != self._let_go_by:
            self._let_go_by = (snapshots.safe_seq, snapshots.newest_seq)
            try:
                self._parts.journal.keep_after(*self._let_go_by)
            except OSError as error:  # room not won now; the next snapshot tries again
                log.warning("journal_not_trimmed", error=error.strerror)

    def _is_due(self, now_us: int) -> bool:
        """Every so often where something was journalled; sooner where the reserve is running out."""
        journal, since_us = self._parts.journal, abs(now_us - self._snapshotted_us)
        pressed = journal.is_pressed and since_us >= PRESSED_US
        if not (pressed or since_us >= self._snapshot_us or journal.at_the_brim):
            return False
        return journal.next_seq - 1 != self._snapshot_seq or self._parts.snapshots.failed_by is not None

    def _snapshot(self, last_input_id: int) -> Snapshot:
        parts = self._parts
        self._snapshot_seq = parts.journal.next_seq - 1
        arrays: dict[str, NDArray[Any]] = {
            f"tail.{name}": array for name, array in parts.tail.snapshot().items()
        }
        arrays |= {f"index.{name}": array for name, array in parts.intake.index.snapshot().items()}
        arrays |= {f"stamps.{name}": array for name, array in parts.intake.stamps.snapshot().items()}
        learning = parts.intake.stamps.clocks.snapshot()
        arrays |= {f"clocks.{name}": array for name, array in learning.items()}
        arrays |= {f"rules.{name}": array for name, array in parts.rules.snapshot().items()}
        if parts.shed:
            arrays |= {f"shed.{name}": array for name, array in parts.shed.snapshot().items()}
        return Snapshot(self._snapshot_seq, last_input_id, arrays)
