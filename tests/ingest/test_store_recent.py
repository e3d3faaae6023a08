"""The newest points beside a server: they hold nothing up, and claim no more than is there."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal import Journal
from ingest.store.embedded import EmbeddedStore
from ingest.store.reader import SeriesReader
from ingest.store.recent import AHEAD_US, RecentWriter
from tests.ingest.journalled import SIZE, record

DAY_US = 86_400_000_000
NOW_US = 1_000_000


class Site:
    """A journal of three segments at most, whose oldest goes as soon as its readers have passed it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "journal", folder / "recent.db"
        self.journal = Journal(self.folder, segment_bytes=2 * SIZE, max_bytes=100 * SIZE, readers=())
        self.has_room = True

    def writer(self, *, keep_days: float = 40_000, keep_bytes: int = 0) -> RecentWriter:
        return RecentWriter(
            self.folder,
            self.path,
            keep_days=keep_days,
            keep_bytes=keep_bytes,
            clock_us=lambda: NOW_US,
            has_room=lambda: self.has_room,
        )

    def come_in(self, many: int) -> None:
        for _ in range(many):
            self.journal.append(record(self.journal.next_seq))

    def let_go(self, below: int) -> None:
        """The server has all up to there; nobody else is asked."""
        self.journal.keep_after(below)

    def found(self) -> tuple[list[float], int]:
        """The values of one series, and from when on they are whole."""
        reader = SeriesReader.open(self.path)
        try:
            return reader.read(1, 0, 2**62).value.tolist(), reader.whole_from_ns
        finally:
            reader.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.journal.close()


def all_of(writer: RecentWriter) -> None:
    while writer.run_once():
        pass
    writer.close()


def test_what_came_in_is_there_and_whole(site: Site) -> None:
    site.come_in(6)
    all_of(site.writer())
    site.come_in(2)
    all_of(site.writer())
    values, whole_ns = site.found()
    assert values == [float(n) for n in range(1, 9)]
    assert whole_ns < 0, "no hole: all that ever came in is there"


def test_the_journal_does_not_wait_for_it_and_what_it_missed_it_does_not_claim(site: Site) -> None:
    site.come_in(3)
    all_of(site.writer())
    site.come_in(9)
    site.let_go(9)
    all_of(site.writer())
    values, whole_ns = site.found()
    left = int(values[3])
    assert left > 4, "it held nothing"
    assert values == [1.0, 2.0, 3.0, *(float(n) for n in range(left, 13))]
    assert whole_ns == (record(left).tick_us + AHEAD_US) * 1000


def test_a_file_that_cannot_be_used_is_begun_anew(site: Site) -> None:
    site.path.write_bytes(b"something else" * 10_000)
    site.come_in(2)
    stop = threading.Event()
    writer = site.writer()
    thread = threading.Thread(target=writer.run, args=(stop,))
    with capture_logs() as logs:
        thread.start()
        try:
            for _ in range(500):
                if writer.points == 6:
                    break
                stop.wait(0.02)
        finally:
            stop.set()
            thread.join()
    assert [one["event"] for one in logs] == ["recent_points_wait"]
    assert site.found()[0] == [1.0, 2.0]


def test_nothing_is_written_while_the_disk_is_kept_for_alarms(site: Site) -> None:
    site.come_in(2)
    site.has_room = False
    writer = site.writer()
    assert writer.run_once() is False
    assert writer.points == 0
    site.has_room = True
    all_of(writer)
    assert site.found()[0] == [1.0, 2.0]


def test_a_file_of_before_says_nothing_of_holes_and_is_taken_for_whole(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    EmbeddedStore(path, keep_days=1).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE whole")
    connection.close()
    reader = SeriesReader.open(path)
    assert reader.whole_from_ns < 0
    reader.close()
    EmbeddedStore(path, keep_days=1).close()
    store = EmbeddedStore(path, keep_days=1)
    store.begin_at(7)
    store.begin_at(3)
    store.close()
    reader = SeriesReader.open(path)
    assert reader.whole_from_ns == 7
    reader.close()
