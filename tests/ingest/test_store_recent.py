"""The newest points beside a server: they hold nothing up, and claim no more than is there."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal import Journal
from ingest.store.embedded import EmbeddedStore
from ingest.store.history import NEWEST_NS, OLDEST_NS
from ingest.store.reader import SeriesReader
from ingest.store.recent import AHEAD_US, RecentWriter
from ingest.store.recent_history import FRESH_US, RecentHistory, mark_of
from tests.ingest.journalled import SIZE, record

DAY_US = 86_400_000_000
NOW_US = 1_000_000


class Site:
    """A journal of three segments at most, whose oldest goes as soon as its readers have passed it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "journal", folder / "recent.db"
        self.journal = Journal(self.folder, segment_bytes=2 * SIZE, max_bytes=100 * SIZE, readers=())
        self.has_room = True
        self.now_us = NOW_US

    def writer(self, *, keep_days: float = 40_000, keep_bytes: int = 0) -> RecentWriter:
        return RecentWriter(
            self.folder,
            self.path,
            keep_days=keep_days,
            keep_bytes=keep_bytes,
            clock_us=lambda: self.now_us,
            has_room=lambda: self.has_room,
        )

    def come_in(self, many: int) -> None:
        for _ in range(many):
            self.journal.append(record(self.journal.next_seq))

    def let_go(self, below: int) -> None:
        """The server has all up to there; nobody else is asked."""
        self.journal.keep_after(below)

    def damage(self, seq: int) -> None:
        """The record with this number becomes nonsense."""
        segment, at = divmod(seq - 1, 2)
        path = sorted(self.folder.glob("*.journal"))[segment]
        with path.open("r+b") as file:
            file.seek(at * SIZE + SIZE // 2)
            file.write(b"\xff" * 8)

    def whole_to_ns(self) -> int:
        """As a page is told it."""
        history = RecentHistory.open(self.path, clock_us=lambda: self.now_us)
        try:
            return history.whole_to_ns
        finally:
            history.close()

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
    assert [one["event"] for one in logs] == ["recent_points_wait", "recent_points_go_on"]
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


def test_it_is_up_to_date_while_it_is_written_and_then_says_until_when_it_was(site: Site) -> None:
    site.come_in(3)
    writer = site.writer()
    while writer.run_once():
        pass
    assert site.whole_to_ns() == NEWEST_NS
    read_us = site.now_us
    site.now_us += FRESH_US + 1
    assert site.whole_to_ns() == read_us * 1000
    writer.run_once()
    assert site.whole_to_ns() == NEWEST_NS, "nothing came in since"
    writer.close()


def test_what_waits_for_room_is_not_claimed_and_is_counted_and_told(site: Site) -> None:
    site.come_in(1)
    writer = site.writer()
    writer.run_once()
    stood_us = site.now_us
    site.has_room = False
    site.come_in(4)
    stop = threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    with capture_logs() as logs:
        thread.start()
        try:
            assert eventually(lambda: writer.failing)
            assert writer.behind == 4
            site.now_us += FRESH_US + 1
            assert site.whole_to_ns() == stood_us * 1000
            site.has_room = True
            assert eventually(lambda: not writer.failing)
        finally:
            stop.set()
            thread.join()
    assert [one["event"] for one in logs] == ["recent_points_wait", "recent_points_go_on"]
    assert "kept for alarms" in logs[0]["error"]
    assert "alarms go on" in logs[0]["do"]
    assert (writer.behind, len(site.found()[0])) == (0, 5)


def test_what_was_read_long_before_it_could_be_written_is_whole_to_then(site: Site) -> None:
    """Others may have come in meanwhile."""
    site.come_in(1)
    site.has_room = False
    writer = site.writer()
    writer.run_once()
    read_us = site.now_us
    site.come_in(1)
    site.now_us += FRESH_US + 1
    site.has_room = True
    assert writer.run_once() is False
    assert site.found()[0] == [1.0]
    assert site.whole_to_ns() == read_us * 1000
    writer.run_once()
    assert site.whole_to_ns() == NEWEST_NS
    writer.close()


def test_a_mark_ahead_of_the_clock_and_a_new_file_claim_nothing(site: Site) -> None:
    site.come_in(1)
    all_of(site.writer())
    site.now_us -= FRESH_US + 1
    assert site.whole_to_ns() == OLDEST_NS
    site.now_us = NOW_US
    for ending in ("", "-wal", "-shm"):
        site.path.with_name(site.path.name + ending).unlink(missing_ok=True)
    site.has_room = False
    writer = site.writer()
    writer.run_once()
    site.now_us += FRESH_US + 1
    assert site.whole_to_ns() == 0
    writer.close()
    assert mark_of(site.path).name == "recent.until"


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("met", [False, True])
@pytest.mark.parametrize("damaged", [(5,), (6,), (5, 6)])
def test_damage_of_the_journal_is_a_hole(
    site: Site, restarted: bool, met: bool, damaged: tuple[int, ...]
) -> None:
    """`met`: read before anything came in behind it."""
    site.come_in(4)
    writer = site.writer()
    while writer.run_once():
        pass
    stood_us = site.now_us
    site.now_us += 1000
    site.come_in(2)
    for seq in damaged:
        site.damage(seq)
    if met:
        writer.run_once()
        site.now_us += FRESH_US + 1
        if 6 in damaged:
            assert site.whole_to_ns() == stood_us * 1000, "something came in since, and it is not there"
    if restarted:
        writer.close()
        writer = site.writer()
    site.come_in(2)
    while writer.run_once():
        pass
    all_of(writer)
    values, whole_ns = site.found()
    assert values == [float(seq) for seq in range(1, 9) if seq not in damaged]
    behind = max(damaged) + 1
    assert whole_ns == (record(behind).tick_us + AHEAD_US) * 1000
    assert site.whole_to_ns() == NEWEST_NS


def eventually(happened: Callable[[], bool], patience_s: float = 20.0) -> bool:
    end = time.monotonic() + patience_s
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    return happened()
