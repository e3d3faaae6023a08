"""Writers of one SQLite file take turns: none writes on and on while another waits."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from devices.database import open_database, writing
from devices.line_of_writers import at_the_head

_BUSY_WRITER = """
import sys, time
from pathlib import Path
from sqlalchemy import text
from devices.database import open_database, writing
engine = open_database(sys.argv[1])
while not Path(sys.argv[2]).exists():
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO line (who) VALUES ('busy')"))
        time.sleep(0.03)
"""
"""Holds the file most of the time: 30 ms of writing, and no pause but what Python takes."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/line.db"


@pytest.fixture
def file(url: str) -> Engine:
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE line (id INTEGER PRIMARY KEY, who TEXT)"))
    return engine


def test_who_waits_to_write_comes_before_who_has_just_written(file: Engine, url: str, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    busy = subprocess.Popen([sys.executable, "-c", _BUSY_WRITER, url, str(stop)])
    try:
        while not _of(file, "busy"):
            time.sleep(0.005)
        between = []
        for _ in range(20):
            between.append(_written_meanwhile(file))
            time.sleep(0.05)  # and it writes again
    finally:
        stop.touch()
        busy.wait(30)
    # at most the one under way, and one that was at the head of the line first
    assert max(between) <= 2
    assert sum(between) >= 10


def _written_meanwhile(file: Engine) -> int:
    """How many transactions of the busy one came between our asking and our writing."""
    before = _of(file, "busy")
    with writing(file) as connection:
        return (
            _count(connection.execute(text("SELECT count(*) FROM line WHERE who = 'busy'")).scalar()) - before
        )


def _of(file: Engine, who: str) -> int:
    with file.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM line WHERE who = :who"), {"who": who})
        return _count(found.scalar())


def _count(found: object) -> int:
    assert isinstance(found, int)
    return found


def test_nobody_waits_for_long_for_one_who_was_stopped_at_the_head(file: Engine, tmp_path: Path) -> None:
    """It is a courtesy: SQLite's own lock decides."""
    there, leave = threading.Event(), threading.Event()

    def stand() -> None:
        with at_the_head(f"{tmp_path}/line.db"):
            there.set()
            leave.wait(30)

    stopped = threading.Thread(target=stand)
    stopped.start()
    there.wait(30)
    try:
        with writing(file) as connection:
            connection.execute(text("INSERT INTO line (who) VALUES ('another')"))
    finally:
        leave.set()
        stopped.join()
    assert _of(file, "another") == 1


def test_a_writer_without_a_line_writes_all_the_same(file: Engine, tmp_path: Path) -> None:
    (tmp_path / "line.db-line").unlink()
    (tmp_path / "line.db-line").mkdir()
    with writing(file) as connection:
        connection.execute(text("INSERT INTO line (who) VALUES ('another')"))
    assert _of(file, "another") == 1


def test_the_head_of_the_line_is_left_with_the_block(file: Engine, tmp_path: Path) -> None:
    with writing(file):
        place = os.open(tmp_path / "line.db-line", os.O_RDWR)
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free while its last holder writes
        os.close(place)
