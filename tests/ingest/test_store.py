"""The embedded store and its writer: every point once, whatever dies."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from devices.model import ReadingBatch
from ingest.journal import Journal
from ingest.journal_files import read_mark
from ingest.record import Messages, Record
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from ingest.store.road import BATCH_POINTS
from ingest.store.writer import StoreWriter

NAN = float("nan")


def points(*rows: tuple[int, int, float]) -> Points:
    slot, at, value = zip(*rows, strict=True)
    n = len(rows)
    return Points(
        np.array(slot, np.int32),
        np.array(at, np.int64),
        np.array(value, np.float64),
        np.arange(n, dtype=np.uint32),
    )


def rows(found: Points) -> list[tuple[int, int, float]]:
    return list(zip(found.slot.tolist(), found.ts_ns.tolist(), found.value.tolist(), strict=True))


def open_store(folder: Path) -> EmbeddedStore:
    return EmbeddedStore(folder / "points.db", keep_days=1)


def append(journal: Journal, count: int, readings: int = 2) -> None:
    for _ in range(count):
        seq, n = journal.next_seq, readings
        batch = ReadingBatch(
            seq,
            np.arange(1, n + 1, dtype=np.int32),
            np.full(n, seq, np.int64),
            np.full(n, 7, np.uint16),
            np.full(n, float(seq)),
            np.full(n, 3, np.uint32),
        )
        journal.append(Record(seq, batch, Messages.empty(), [], [], [], {}, 0, 0))


def open_journal(folder: Path) -> Journal:
    return Journal(folder / "journal", segment_bytes=2_000, max_bytes=10**8)


def test_points_come_back_by_series_and_time_with_nan_as_nan(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write(points((2, 10, 1.5), (1, 30, NAN), (1, 20, 2.5), (1, 40, float("inf"))), 9)
    assert store.offset == 9
    found = store.read(1, 20, 40)
    assert (found.ts_ns.tolist(), found.quality.tolist()) == ([20, 30], [2, 1])
    assert found.value[0] == 2.5
    assert np.isnan(found.value[1])
    assert rows(store.latest([1, 2, 3])) == [(1, 40, float("inf")), (2, 10, 1.5)]
    assert rows(store.read(1, 0, 99, limit=1)) == [(1, 20, 2.5)]
    assert len(store.read(5, 0, 99)) == 0
    store.close()


def test_the_same_point_is_stored_once_and_another_value_goes_beside_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write(points((1, 10, 1.0), (1, 11, 5.0), (2, 10, NAN)), 1)
    store.write(points((1, 10, 1.0), (1, 10, 2.0), (2, 10, NAN), (2, 10, NAN), (3, 1, 0.0)), 2)
    assert rows(store.read(1, 0, 99)) == [(1, 10, 1.0), (1, 11, 5.0), (1, 12, 2.0)]
    assert len(store.read(2, 0, 99)) == 1
    assert len(store.read(3, 0, 99)) == 1
    assert store.repeats == 1, "of the same write; the others when their blocks are merged"
    store.close()


def test_points_and_offset_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.write(points((1, 10, 1.0)), 1)
    with pytest.raises((sqlite3.Error, OverflowError)):
        store.write(points((1, 20, 1.0)), 2**64)
    assert (store.offset, len(store.read(1, 0, 99))) == (1, 1)
    store.close()


def test_the_writer_moves_every_point_once_and_tells_the_journal_how_far(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    append(journal, 30)
    writer = StoreWriter(tmp_path / "journal", store)
    assert writer.behind == 30
    assert writer.run_once() == 30
    assert writer.run_once() == 0
    assert (writer.behind, writer.points) == (0, 60)
    assert read_mark(tmp_path / "journal" / "reader-store") == store.offset == 30
    assert rows(store.latest([1])) == [(1, 30_007, 30.0)]
    journal.keep_after(30)
    append(journal, 1)
    assert writer.run_once() == 1
    writer.close()
    again = StoreWriter(tmp_path / "journal", store)
    assert again.run_once() == 0
    assert len(store.read(1, 0, 2**62)) == 31
    again.close()
    journal.close()
    store.close()


def test_a_batch_is_bounded_in_points_and_loses_none_between(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    append(journal, 5, readings=BATCH_POINTS // 2)
    append(journal, 1, readings=0)
    writer = StoreWriter(tmp_path / "journal", store)
    assert [writer.run_once() for _ in range(4)] == [2, 2, 2, 0]
    assert store.offset == 6
    assert writer.points == 5 * BATCH_POINTS // 2
    writer.close()
    journal.close()
    store.close()


class FailingStore(EmbeddedStore):
    """Refuses its first writes as a full disk would; stops the writer when it has all."""

    def __init__(self, folder: Path, stop: threading.Event, refuse: int) -> None:
        super().__init__(folder / "points.db", keep_days=100_000)
        self.refuse, self._stop = refuse, stop

    def write(self, points: Points, offset: int) -> None:
        if self.refuse:
            self.refuse -= 1
            raise sqlite3.OperationalError("database or disk is full")
        super().write(points, offset)
        self._stop.set()


class ShortEvent(threading.Event):
    """Waits for nothing, so that a test does not."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_a_store_that_fails_for_a_while_gets_everything_in_the_end(tmp_path: Path) -> None:
    journal, stop = open_journal(tmp_path), ShortEvent()
    append(journal, 8)
    store = FailingStore(tmp_path, stop, refuse=4)
    with capture_logs() as logs:
        StoreWriter(tmp_path / "journal", store).run(stop)
    assert [one["event"] for one in logs] == ["store_waits", "store_goes_on"]
    assert (store.offset, len(store.read(2, 0, 2**62))) == (8, 8)
    store.close()
    journal.close()


def test_damage_in_the_journal_is_passed_over_and_said(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    append(journal, 3)
    path = next((tmp_path / "journal").glob("*.journal"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with capture_logs() as logs:
        writer = StoreWriter(tmp_path / "journal", store)
        writer.run_once()
    assert [one["event"] for one in logs] == ["journal_damaged"]
    assert (store.offset, writer.damaged, len(store.read(1, 0, 2**62))) == (3, 1, 2)
    writer.close()
    journal.close()
    store.close()


class Rounds(threading.Event):
    """Waits for nothing, and is over after so many waits."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def wait(self, timeout: float | None = None) -> bool:
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


def ticking(step_s: float = 10.0) -> Callable[[], float]:
    at_s = itertools.count(step_s, step_s)
    return lambda: next(at_s)


def test_a_disk_full_of_history_heals_itself_as_days_pass(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    many = 50_000
    values = np.random.default_rng(1).random(many)
    for day in range(4):
        at = np.arange(many, dtype=np.int64) * 10**6 + day * 3_600 * 10**9
        store.write(Points(np.arange(many, dtype=np.int32), at, values, np.zeros(many, np.uint32)), 0)
    pages = store._pages()[0]
    append(journal, 40, readings=100)
    writer = StoreWriter(
        tmp_path / "journal",
        store,
        clock_us=lambda: 3 * 86_400 * 10**6,
        monotonic=ticking(),
        has_room=lambda: False,
    )
    with capture_logs() as logs:
        writer.run(Rounds(20))
    assert [one["event"] for one in logs] == ["store_waits", "store_goes_on"]
    assert "store.keep_mb" in logs[0]["do"]
    assert (store.offset, writer.points, writer.failing) == (40, 4000, False)
    assert store._pages()[0] <= pages, "it takes nothing of the disk"
    store.close()
    journal.close()


def test_what_does_not_fit_into_freed_room_waits_while_there_is_none(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    append(journal, 3)
    writer = StoreWriter(tmp_path / "journal", store, monotonic=ticking(), has_room=lambda: False)
    with capture_logs():
        writer.run(Rounds(20))
    assert (store.offset, writer.points, writer.failing) == (0, 0, True)
    store.close()
    journal.close()


def test_a_file_found_damaged_while_it_is_written_is_said_and_tried_again(tmp_path: Path) -> None:
    journal, store = open_journal(tmp_path), open_store(tmp_path)
    append(journal, 3)
    (root,) = store._connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE name = 'block_by_age'"
    ).fetchone()
    store.close()
    path = tmp_path / "points.db"
    data = bytearray(path.read_bytes())
    at = (root - 1) * 16_384
    data[at : at + 200] = b"\x7f" * 200
    path.write_bytes(data)
    store = open_store(tmp_path)
    writer = StoreWriter(tmp_path / "journal", store, monotonic=ticking())
    with capture_logs() as logs:
        writer.run(Rounds(5))
    assert [one["event"] for one in logs] == ["store_waits"]
    assert "move points.db" in logs[0]["do"]
    assert (writer.failing, writer.points) == (True, 0)
    store.close()
    journal.close()
