"""The store process lives on with a file that it cannot use, says so, and begins when it can."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gengfu.config import Config
from gengfu.config_store import Store
from gengfu.run_store import Storing, figures, health
from ingest.store.embedded import EmbeddedStore


def of_the_release_before(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE points (a); CREATE TABLE meta (offset INTEGER)")
    connection.close()


def damaged(path: Path) -> None:
    EmbeddedStore(path, keep_days=1).close()
    data = bytearray(path.read_bytes())
    for page in range(16_384, len(data), 16_384):
        data[page : page + 200] = b"\x7f" * 200
    path.write_bytes(data)


def no_database(path: Path) -> None:
    path.write_bytes(b"something else" * 10_000)


@pytest.mark.parametrize("spoil", [of_the_release_before, damaged, no_database])
def test_a_file_that_cannot_be_used_is_left_and_a_new_one_taken_once_it_is_moved_away(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "points.db"
    spoil(path)
    before = path.read_bytes()
    storing = Storing(Config(data=str(tmp_path)), lambda: True, try_again_s=0.01)
    with capture_logs() as logs:
        storing.open()
        storing.open()
    assert [one["event"] for one in logs] == ["store_cannot_be_opened"], "once"
    assert "move points.db" in logs[0]["do"]
    assert health(storing.writer) == {"ok": False, "trouble": "store_waits"}
    assert figures(storing.writer) == {}
    assert path.read_bytes() == before
    for one in tmp_path.glob("points.db*"):
        one.unlink()
    stop = threading.Event()
    thread = threading.Thread(target=storing.run, args=(stop,))
    thread.start()
    try:
        assert until(lambda: storing.writer is not None)
        assert health(storing.writer) == {"ok": True, "trouble": ""}
        found = figures(storing.writer, storing.recent)
        assert (found["behind_records"], found["recent_waits"]) == (0.0, 0.0)
    finally:
        stop.set()
        thread.join()


def test_a_process_told_to_end_while_its_store_waits_ends(tmp_path: Path) -> None:
    no_database(tmp_path / "points.db")
    storing, stop = Storing(Config(data=str(tmp_path)), lambda: True), threading.Event()
    stop.set()
    with capture_logs():
        storing.open()
        storing.run(stop)
    assert storing.writer is None


def test_the_store_is_bounded_as_configured(tmp_path: Path) -> None:
    storing = Storing(Config(data=str(tmp_path), store=Store(keep_days=3, keep_mb=5)), lambda: True)
    storing.open()
    assert storing.store is not None
    assert (storing.store.keep_days, storing.store.keep_bytes) == (3, 5 << 20)
    stop = threading.Event()
    stop.set()
    storing.run(stop)


def until(done: Callable[[], bool], patience_s: float = 20.0) -> bool:
    end = time.monotonic() + patience_s
    while not done() and time.monotonic() < end:
        time.sleep(0.01)
    return done()
