"""Outlines of points, and of what the embedded store holds."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric
from ingest.store.embedded import EmbeddedStore
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.history import Outline, Series, SeriesUnread, lacks_of, outline_of
from ingest.store.layout import DAY_NS
from ingest.store.pieces import MOST_PIECES, MS, Sums, check_pieces, sums_of
from ingest.store.points import Points
from ingest.store.reader import SeriesReader
from tests.ingest.outlines import alike

METER = Series(7, "own:m", "l1", Metric.CURRENT)
START_NS = 20_000 * DAY_NS
NAN = math.nan
VALUE = st.floats(-1e9, 1e9) | st.sampled_from([NAN, math.inf, -math.inf])
ROWS = st.lists(st.tuples(st.integers(-50, 300), VALUE, st.integers(0, 2)), unique_by=lambda row: row[0])


def points(*rows: tuple[int, float, int], slot: int = 7) -> Points:
    at, value, quality = zip(*sorted(rows), strict=True) if rows else ((), (), ())
    return Points(
        np.full(len(rows), slot, np.int32),
        np.array(at, np.int64),
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )


def plain(rows: list[tuple[int, float, int]], from_ns: int, to_ns: int, step_ns: int) -> Outline:
    """As it is said, piece by piece."""
    found: list[tuple[int, int, int, float, float, float]] = []
    for begin in range(from_ns, to_ns, step_ns):
        here = [row for row in rows if begin <= row[0] < min(begin + step_ns, to_ns)]
        usable = [value for _, value, _ in here if math.isfinite(value)]
        doubtful = sum(1 for _, value, quality in here if quality or not math.isfinite(value))
        said = (min(usable), math.fsum(usable) / len(usable), max(usable)) if usable else (NAN, NAN, NAN)
        if here:
            found.append((begin, len(usable), doubtful, *said))
    table = np.array(found, np.float64).reshape(-1, 6)
    begin_ns, count, doubtful = table[:, :3].T.astype(np.int64)
    return Outline(step_ns, begin_ns, count, doubtful, *table[:, 3:].T)


def near(found: Outline, wanted: Outline) -> None:
    """AssertionError where they differ; values of both signs may cancel each other out in a mean."""
    np.testing.assert_allclose(found.mean, wanted.mean, rtol=1e-9, atol=1e-3)
    alike(replace(found, mean=wanted.mean), wanted)


@given(ROWS, st.integers(-60, 300), st.integers(-60, 320), st.integers(1, 400))
def test_an_outline_says_of_each_piece_what_its_points_say(
    rows: list[tuple[int, float, int]], from_ns: int, to_ns: int, step_ns: int
) -> None:
    near(outline_of(points(*rows), from_ns, to_ns, step_ns), plain(rows, from_ns, to_ns, step_ns))


@given(ROWS, st.lists(st.integers(-50, 300), max_size=4), st.integers(1, 400))
def test_sums_of_parts_are_those_of_the_whole(
    rows: list[tuple[int, float, int]], cuts: list[int], step_ns: int
) -> None:
    ends = [-50, *sorted(cuts), 301]
    parts = [
        sums_of(points(*(row for row in rows if begin <= row[0] < end)), -50, 301, step_ns)
        for begin, end in pairwise(ends)
    ]
    found = Outline.of(Sums.joined(parts[::-1]), -50, step_ns)
    near(found, plain(rows, -50, 301, step_ns))


def test_outlines_one_behind_the_other_are_one() -> None:
    own = points(*((10 * n, float(n), n % 2) for n in range(10)))
    halves = [outline_of(own, 0, 40, 20), outline_of(own, 40, 95, 20)]
    alike(Outline.joined(halves, 20), outline_of(own, 0, 95, 20))
    assert len(Outline.joined([], 20)) == 0


@pytest.mark.parametrize("step_ns", [0, -MS, 1, MS - 1, MS + 1, 999_999_999])
def test_a_step_that_is_not_whole_milliseconds_is_refused(step_ns: int) -> None:
    with pytest.raises(ValueError, match="whole milliseconds"):
        check_pieces(0, 10**9, step_ns)


def test_so_many_pieces_and_no_more() -> None:
    check_pieces(5, 5 + MOST_PIECES * MS, MS)
    check_pieces(5, 4, MS)
    with pytest.raises(ValueError, match="11001 pieces: 11000 at most"):
        check_pieces(5, 6 + MOST_PIECES * MS, MS)


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "step_ns", "told"),
    [
        (-(2**63) - 1, 0, 2**62, "64 bits"),
        (0, 2**63, 2**62, "64 bits"),
        (0, 1, 2**63 + MS, "64 bits"),
        (-(2**62), 2**62, 2**62, "292 years"),
    ],
)
def test_times_that_have_no_64_bits_are_refused(from_ns: int, to_ns: int, step_ns: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check_pieces(from_ns, to_ns, step_ns // MS * MS)


class Watched(SeriesReader):
    """How many points were held at a time."""

    held = 0

    def read(self, slot: int, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        found = super().read(slot, from_ns, to_ns, limit)
        self.held = max(self.held, len(found))
        return found


def stored(folder: Path, *several: Points) -> Path:
    store = EmbeddedStore(folder / "points.db", keep_days=10_000)
    for n, one in enumerate(several, start=1):
        store.write(one, n)
    store.close()
    return folder / "points.db"


@pytest.mark.parametrize("at_once", [1, 7, 100, 1000, 1001])
@pytest.mark.parametrize("step_ns", [MS, 40 * MS, 33 * MS, 700 * MS, DAY_NS, 30 * DAY_NS])
def test_the_embedded_store_holds_few_points_at_once_however_many_there_are(
    tmp_path: Path, at_once: int, step_ns: int
) -> None:
    rng = np.random.default_rng(20261123)
    at = START_NS + np.sort(rng.choice(10_000, 1000, replace=False)) * MS
    at[500:] += DAY_NS - 9_000 * MS
    value = np.round(rng.uniform(1, 100, 1000), 2)
    value[::11] = NAN
    own = Points(np.full(1000, 7, np.int32), at, value, (rng.random(1000) < 0.3).astype(np.uint32))
    other = points((START_NS, 1e9, 0), (START_NS + 5, 1e9, 0), slot=8)
    path = stored(tmp_path, own[::2], own[1::2], other)
    reader = Watched.open(path)
    history = EmbeddedHistory(reader, path, at_once=at_once)
    begin = START_NS - 3 * MS
    for from_ns in (begin, int(at[0]), int(at[500])):
        to_ns = min(int(at[-1]), from_ns + MOST_PIECES * step_ns)
        alike(history.outline(METER, from_ns, to_ns, step_ns), outline_of(own, from_ns, to_ns, step_ns))
    assert 0 < reader.held <= at_once
    history.close()


def test_readings_of_one_time_all_count(tmp_path: Path) -> None:
    """A page may end among them."""
    same = [points((START_NS, float(n), 0)) for n in range(5)]
    path = stored(tmp_path, *same, points((START_NS + MS, 9.0, 0)))
    history = EmbeddedHistory(SeriesReader.open(path), path, at_once=2)
    found = history.outline(METER, START_NS, START_NS + DAY_NS, MS * 10_000)
    assert (found.count.tolist(), found.mean.tolist()) == ([6], [19 / 6])
    history.close()


def test_the_embedded_store_has_nothing_of_what_it_does_not_hold(tmp_path: Path) -> None:
    path = stored(tmp_path, points((START_NS, 1.0, 0)))
    history = EmbeddedHistory.open(path)
    assert len(history.outline(METER, START_NS, START_NS + 1, MS)) == 1
    assert not len(history.outline(METER, START_NS + 1, START_NS + DAY_NS, DAY_NS))
    assert not len(history.outline(METER, START_NS + 1, START_NS, DAY_NS))
    assert not len(history.outline(Series(8, "own:n", "", Metric.CURRENT), 0, 2**63 - 1, 10**18))
    with pytest.raises(ValueError, match="at most"):
        history.outline(METER, 0, START_NS, MS)
    with pytest.raises(ValueError, match="whole milliseconds"):
        history.outline(METER, 0, START_NS, MS + 1)
    history.close()


def test_a_store_that_is_not_there_or_is_none_is_unread(tmp_path: Path) -> None:
    with pytest.raises(SeriesUnread, match="there is no series store yet"):
        EmbeddedHistory.open(tmp_path / "points.db")
    (tmp_path / "other.db").write_text("a file of somebody's" * 100)
    with pytest.raises(SeriesUnread, match="is not a series store"):
        EmbeddedHistory.open(tmp_path / "other.db")


def test_a_damaged_block_is_said_and_a_locked_file_is_unread(tmp_path: Path) -> None:
    path = stored(tmp_path, points((START_NS, 1.0, 0)), points((START_NS + MS, 2.0, 0)))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE block SET body = x'00' WHERE id = 1")
    history = EmbeddedHistory.open(path, 0.0)
    assert history.lacks == ""
    assert history.read(METER, 0, 2**62).value.tolist() == [2.0]
    assert lacks_of(history) == "points.db: damaged blocks, whose points are not read: 1"
    history.close()
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SeriesUnread, match="locked"):
        EmbeddedHistory.open(path, 0.0)
    connection.close()
