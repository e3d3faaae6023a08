"""The writer is killed, the file locked or full, readers read all the while: no point is lost or doubled."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.store.embedded import EmbeddedStore
from ingest.store.layout import DAY_NS
from ingest.store.merging import Sizes
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

SMALL = Sizes(fan=3, full_wide=3_000, full_narrow=2_000, at_once=4_000, block=500)
SERIES = 40
PER_WRITE = 10
WRITES = 60
START_NS = 20_000 * DAY_NS

WRITER = """
import os, signal, sys
from pathlib import Path
from tests.ingest.test_store_crashes import Dying
store = Dying(Path(sys.argv[1]), int(sys.argv[2]))
store.fill()
"""


def batch(number: int) -> Points:
    """What write `number` brings: later times than before, and the last point of the write before again."""
    step = np.arange(PER_WRITE + 1) - 1 + (number - 1) * PER_WRITE
    slot = np.repeat(np.arange(1, SERIES + 1, dtype=np.int32) * 400, len(step))
    at = np.tile(START_NS + step * 1_000_000_000, SERIES)
    return Points(slot, at, np.tile(step / 10, SERIES), np.zeros(len(slot), np.uint32))


class Dying(EmbeddedStore):
    """Writes all that is missing; dies by signal 9 at the SQL statement with the number given."""

    def __init__(self, path: Path, statements: int) -> None:
        super().__init__(path, keep_days=10_000, sizes=SMALL)
        self._left = statements
        self._connection.set_trace_callback(self._count_down)

    def _count_down(self, _statement: str) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def fill(self) -> None:
        for number in range(self.offset + 1, WRITES + 1):
            self.write(batch(number), number)
            if number % 3 == 0:
                self.merge(2_000)


def written(path: Path) -> tuple[int, int]:
    """The offset and how many points there are; each series must be without a gap up to the offset."""
    with closing(sqlite3.connect(path)) as connection:
        (offset,) = connection.execute("SELECT offset FROM meta").fetchone()
    with closing(SeriesReader.open(path)) as reader:
        count = reader.count()
        steps = np.arange(-1, offset * PER_WRITE) if offset else np.arange(0)
        for slot in (400, 400 * SERIES):
            points = reader.read(slot, 0, 2**62)
            assert points.ts_ns.tolist() == (START_NS + steps * 1_000_000_000).tolist()
            assert points.value.tolist() == (steps / 10).tolist()
    return offset, count


def test_a_writer_killed_anywhere_in_writes_and_merges_leaves_exactly_the_points_of_its_offset(
    tmp_path: Path,
) -> None:
    path = tmp_path / "points.db"
    offsets = [0]
    for statements in (7, 30, 77, 240, 343, 501, 900):
        command = [sys.executable, "-c", WRITER, str(path), str(statements)]
        done = subprocess.run(command, check=False, timeout=120)
        assert done.returncode in (0, -signal.SIGKILL)
        offset, count = written(path)
        assert count == ((offset * PER_WRITE + 1) * SERIES if offset else 0)
        assert offset >= offsets[-1]
        offsets.append(offset)
    assert sum(a != b for a, b in pairwise(offsets)) > 5, "it died in many places"
    with closing(sqlite3.connect(path)) as connection:
        (merged,) = connection.execute("SELECT count(*) FROM block WHERE tier > 0").fetchone()
    assert merged > 0


def test_a_reader_in_another_process_sees_whole_states_while_blocks_are_written_and_merged(
    tmp_path: Path,
) -> None:
    path = tmp_path / "points.db"
    EmbeddedStore(path, keep_days=10_000).close()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "0"])
    seen = [0]
    with closing(SeriesReader.open(path)) as reader:
        while seen[-1] < WRITES * PER_WRITE + 1:
            assert writer.poll() in (None, 0)
            points = reader.read(400 * SERIES, 0, 2**62)
            assert (np.diff(points.ts_ns) == 1_000_000_000).all()
            assert len(points) % PER_WRITE == (1 if len(points) else 0), "whole writes only"
            assert len(points) >= seen[-1]
            assert reader.count() % SERIES == 0
            seen.append(len(points))
    assert writer.wait(60) == 0


@pytest.mark.parametrize("blocked", ["locked", "full"])
def test_a_locked_or_full_file_takes_nothing_and_everything_later(tmp_path: Path, blocked: str) -> None:
    path = tmp_path / "points.db"
    store = EmbeddedStore(path, keep_days=10_000, sizes=SMALL)
    store.write(batch(1), 1)
    own = store._connection
    own.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        if blocked == "locked":
            other.execute("BEGIN IMMEDIATE")
        else:
            own.execute(f"PRAGMA max_page_count = {own.execute('PRAGMA page_count').fetchone()[0]}")
        number = 2
        with pytest.raises(sqlite3.OperationalError):
            for number in range(2, 50):
                store.write(batch(number), number)
    assert store.offset == number - 1
    own.execute("PRAGMA max_page_count = 1000000")
    for again in range(number, WRITES + 1):
        store.write(batch(again), again)
    store.close()
    assert written(path) == (WRITES, (WRITES * PER_WRITE + 1) * SERIES)
