"""The store's writer where there is no room: it passes over what was shed, and leaves the disk to alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal import Journal
from ingest.journal_files import read_mark
from ingest.store.points import Points
from ingest.store.writer import StoreWriter
from tests.ingest.journalled import SIZE, record


@dataclass
class Shelf:
    """A series store in memory."""

    offset: int = 0
    repeats: int = 0
    values: list[float] = field(default_factory=list)

    def write(self, points: Points, offset: int) -> None:
        self.values += points.value.tolist()
        self.offset = offset

    def fits(self, points: Points) -> bool:
        return len(points) == 0

    def prune(self, now_us: int) -> int:
        return 0


def open_journal(folder: Path) -> Journal:
    return Journal(folder, segment_bytes=4 * SIZE, max_bytes=8 * SIZE, reserve_bytes=8 * 8 * SIZE)


def test_points_of_shed_records_are_not_stored_and_all_others_are(tmp_path: Path) -> None:
    journal, shelf = open_journal(tmp_path), Shelf()
    writer = StoreWriter(tmp_path, shelf)
    with capture_logs():
        shed = [journal.append(record(journal.next_seq)) for _ in range(12)]
        while writer.run_once():
            pass
    assert shed == [False] * 8 + [True] * 4
    assert shelf.values == [float(seq) for seq in range(1, 9) for _ in range(3)]
    assert (shelf.offset, writer.points, writer.passed_over, writer.behind) == (12, 24, 12, 0)
    assert read_mark(tmp_path / "reader-store") == 12  # so the journal may let go of what it holds
    writer.close()
    journal.close()


def test_nothing_is_written_while_the_disk_is_kept_for_alarms(tmp_path: Path) -> None:
    journal, shelf = open_journal(tmp_path), Shelf()
    has_room = [False]
    writer = StoreWriter(tmp_path, shelf, has_room=lambda: has_room[0])
    journal.append(record(1))
    with pytest.raises(OSError, match="kept for alarms"):
        writer.run_once()
    assert (shelf.values, writer.behind) == ([], 1)
    has_room[0] = True
    assert writer.run_once() == 1
    assert shelf.values == [1.0] * 3
    writer.close()
    journal.close()
