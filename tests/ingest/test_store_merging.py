"""The embedded store against a plain reference: whatever is written, merged, dropped and reopened, it reads
alike."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.store.embedded import EmbeddedStore
from ingest.store.layout import DAY_NS, NARROW, WIDE, LayoutUnknown
from ingest.store.merging import Sizes
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

Row = tuple[int, int, float]
NAN = math.nan
SMALL = Sizes(fan=3, fan_past=2, full_wide=12, full_narrow=10, at_once=14, block=4)
KEEP_DAYS = 12
FIRST_DAY = 20_000
SLOTS = [1, 2, NARROW - 1, NARROW, WIDE - 1, WIDE, 3 * WIDE + 5]
EVER = (-(2**62), 2**62)


@dataclass
class Reference:
    """What the store promises, point by point."""

    asked: dict[tuple[int, int], dict[float | None, tuple[float, int]]] = field(default_factory=dict)
    horizon_ns: int = EVER[0]

    def write(self, rows: list[Row], quality: int) -> None:
        for slot, at, value in rows:
            of_time = self.asked.setdefault((slot, at), {})
            of_time.setdefault(None if math.isnan(value) else value, (value, quality))

    def read(self, slot: int) -> list[tuple[int, float, int]]:
        times = sorted(at for s, at in self.asked if s == slot and at >= self.horizon_ns)
        taken = set(times)
        found = []
        for at in times:
            first, *others = self.asked[slot, at].values()
            found.append((at, *first))
            for other in others:
                free = next(n for n in range(at, at + len(self.asked) + 99) if n not in taken)
                taken.add(free)
                found.append((free, *other))
        return sorted(found, key=lambda one: one[0])

    def count(self) -> int:
        return sum(len(of_time) for (_, at), of_time in self.asked.items() if at >= self.horizon_ns)


def points_of(rows: list[Row], quality: int = 0) -> Points:
    slot, at, value = zip(*rows, strict=True) if rows else ((), (), ())
    return Points(
        np.array(slot, np.int32),
        np.array(at, np.int64),
        np.array(value, np.float64),
        np.full(len(rows), quality, np.uint32),
    )


def tuples(points: Points) -> list[tuple[int, float, int]]:
    return list(zip(points.ts_ns.tolist(), points.value.tolist(), points.quality.tolist(), strict=True))


def shown(found: list[tuple[int, float, int]]) -> list[tuple[int, str, int]]:
    """NaN equals NaN, and 0.0 is -0.0."""
    return [(at, str(value + 0.0), quality) for at, value, quality in found]


times = st.builds(
    lambda day, rest: (FIRST_DAY + day) * DAY_NS + rest,
    st.sampled_from([0, 0, 0, 1, 5]),
    st.one_of(st.integers(-3, 3), st.sampled_from([999_999, 1_000_000, DAY_NS // 2])),
)
written = st.lists(
    st.tuples(st.sampled_from(SLOTS), times, st.sampled_from([0.0, -0.0, 1.0, 2.5, NAN, math.inf])),
    max_size=12,
)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), written),
        st.tuples(st.just("merge"), st.integers(1, 50)),
        st.tuples(st.just("prune"), st.integers(1, 40)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=25,
)


@given(actions, st.data())
@settings(max_examples=40, deadline=None)
def test_any_history_reads_like_the_reference(
    history: list[tuple[str, int | list[Row]]], data: st.DataObject
) -> None:
    reference, hours = Reference(), FIRST_DAY * 24

    def passed_s() -> float:
        return hours * 3600.0

    with TemporaryDirectory() as folder:
        path = Path(folder) / "points.db"
        store = EmbeddedStore(path, keep_days=KEEP_DAYS, sizes=SMALL, monotonic=passed_s)
        for number, (action, what) in enumerate(history, 1):
            if isinstance(what, list):
                store.write(points_of(what, number), number)
                reference.write(what, number)
                assert store.offset == number
            elif action == "merge":
                store.merge(what)
            elif action == "prune":
                hours += what
                store.prune(hours * 3_600_000_000)
                reference.horizon_ns = (hours - KEEP_DAYS * 24) * 3_600_000_000_000
            else:
                store.close()
                store = EmbeddedStore(path, keep_days=KEEP_DAYS, sizes=SMALL, monotonic=passed_s)
                store.prune(hours * 3_600_000_000)
                reference.horizon_ns = (hours - KEEP_DAYS * 24) * 3_600_000_000_000
        with closing(store), closing(SeriesReader.open(path)) as reader:
            compare(store, reader, reference, data)


def compare(store: EmbeddedStore, reader: SeriesReader, reference: Reference, data: st.DataObject) -> None:
    expected = {slot: reference.read(slot) for slot in SLOTS}
    for slot in SLOTS:
        assert shown(tuples(reader.read(slot, *EVER))) == shown(expected[slot])
        assert shown(tuples(store.latest([slot]))) == shown(expected[slot][-1:])
    assert reader.count() == reference.count()
    assert reader.count(SLOTS[:2]) == sum(len(expected[slot]) for slot in SLOTS[:2])
    assert reader.slots() == [slot for slot in SLOTS if expected[slot]]
    slot, limit = data.draw(st.sampled_from(SLOTS)), data.draw(st.integers(1, 5))
    begin, end = data.draw(times), data.draw(times)
    wanted = [one for one in expected[slot] if begin <= one[0] < end][:limit]
    assert shown(tuples(reader.read(slot, begin, end, limit))) == shown(wanted)


def blocks(path: Path) -> list[tuple[int, int, int]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT width, tier, points FROM block ORDER BY id").fetchall()


def test_blocks_stay_few_and_points_are_written_again_a_bounded_number_of_times(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    sizes = Sizes(fan=4, full_wide=64, full_narrow=64, at_once=128, block=32)
    store = EmbeddedStore(path, keep_days=30, sizes=sizes)
    for second in range(600):
        at = FIRST_DAY * DAY_NS + second * 10**9
        store.write(points_of([(slot, at, float(second)) for slot in (1, 2, 3)]), second + 1)
        if second % 5 == 0:
            store.prune(at // 1000)
    store.prune((FIRST_DAY * DAY_NS + 600 * 10**9) // 1000)
    unfinished = [one for one in blocks(path) if one[1] != 99]
    assert len(unfinished) < 4 * 5
    assert store.merged / 1800 <= 6, "tiers of both widths"
    assert len(store.read(2, *EVER)) == 600
    store.close()


def test_a_day_that_is_long_past_is_made_one(tmp_path: Path) -> None:
    path, passed_s = tmp_path / "points.db", [0.0]
    store = EmbeddedStore(path, keep_days=30, monotonic=lambda: passed_s[0])
    for n in range(7):
        store.write(points_of([(slot, FIRST_DAY * DAY_NS + n, 1.0) for slot in (1, NARROW)]), n)
    store.prune((FIRST_DAY + 8) * DAY_NS // 1000)
    assert [one[:2] for one in blocks(path)] == [(WIDE, 0)] * 7
    passed_s[0] = 86_400.0
    for _ in range(2):
        store.prune((FIRST_DAY + 9) * DAY_NS // 1000)
    assert blocks(path) == [(NARROW, 0, 7), (NARROW, 0, 7)]
    store.close()


def test_a_point_that_came_twice_is_counted_when_its_blocks_meet(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db", keep_days=30, sizes=Sizes(fan=3))
    for n in range(3):
        store.write(points_of([(1, 5, 1.0), (1, 6, float(n)), (1, 6, float(n))]), n)
        assert store.repeats == n + 1, "those within one write at once"
    assert len(store.read(1, *EVER)) == 4
    store.merge(1)
    assert store.repeats == 5
    assert tuples(store.read(1, *EVER)) == [(5, 1.0, 0), (6, 0.0, 0), (7, 1.0, 0), (8, 2.0, 0)]
    store.close()


def test_what_is_too_old_is_not_read_and_goes_block_by_block(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    store = EmbeddedStore(path, keep_days=1)
    noon = FIRST_DAY * DAY_NS + DAY_NS // 2
    for day in range(5):
        store.write(points_of([(1, noon + day * DAY_NS - 1, 1.0), (1, noon + day * DAY_NS, 2.0)]), day)
    now_us = (noon + 4 * DAY_NS) // 1000
    assert [store.prune(now_us, blocks=2) for _ in range(3)] == [4, 2, 0]
    assert tuples(store.read(1, *EVER)) == [
        (noon + 3 * DAY_NS, 2.0, 0),
        (noon + 4 * DAY_NS - 1, 1.0, 0),
        (noon + 4 * DAY_NS, 2.0, 0),
    ]
    assert len(blocks(path)) == 2
    store.close()


def test_a_store_that_is_too_large_drops_its_oldest_blocks(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "points.db", keep_days=3_000, keep_bytes=1_000_000)
    random = np.random.default_rng(1)
    for n in range(40):
        at = FIRST_DAY * DAY_NS + np.arange(10_000) * 1_000_000 + n * 10**11
        points = Points(np.full(10_000, 7, np.int32), at, random.random(10_000), np.zeros(10_000, np.uint32))
        store.write(points, n)
    for _ in range(3):
        store.prune(FIRST_DAY * DAY_NS // 1000)
    kept = store.read(7, *EVER, limit=10**6)
    assert 30_000 <= len(kept) <= 90_000
    assert kept.ts_ns[-1] == FIRST_DAY * DAY_NS + 9_999 * 1_000_000 + 39 * 10**11
    store.close()
    reader = SeriesReader.open(tmp_path / "points.db")
    assert FIRST_DAY * DAY_NS < reader.whole_from_ns <= kept.ts_ns[0], "what was dropped is not claimed"
    reader.close()


def damage(path: Path, number: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (body,) = connection.execute("SELECT body FROM block WHERE id = ?", (number,)).fetchone()
        broken = body[:-1] + bytes([body[-1] ^ 1])
        connection.execute("UPDATE block SET body = ? WHERE id = ?", (broken, number))
        connection.commit()


def test_a_damaged_block_is_named_and_left_out_and_the_rest_is_read_and_merged(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    store = EmbeddedStore(path, keep_days=30, sizes=Sizes(fan=3))
    for n in range(3):
        store.write(points_of([(1, n, float(n))]), n)
    damage(path, 2)
    with closing(SeriesReader.open(path)) as reader, capture_logs() as logs:
        assert [row[0] for row in tuples(reader.read(1, *EVER))] == [0, 2]
        assert [row[0] for row in tuples(reader.read(1, *EVER))] == [0, 2]
        assert reader.damaged == 1
    assert [(one["event"], one["block"]) for one in logs] == [("block_damaged", 2)]
    with capture_logs() as logs:
        store.merge(1)
    assert [(one["event"], one["block"]) for one in logs] == [("block_damaged", 2)]
    assert store.damaged == 1
    assert [(tier, points) for _, tier, points in blocks(path)] == [(-1, 1), (1, 2)]
    assert [row[0] for row in tuples(store.read(1, *EVER))] == [0, 2]
    store.close()


def test_a_file_of_another_layout_is_refused_by_name_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "points.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE points (slot INTEGER, ts_ns INTEGER, value REAL, quality INTEGER)")
        connection.commit()
    before = path.read_bytes()
    for opened in (lambda: EmbeddedStore(path, keep_days=1), lambda: SeriesReader.open(path)):
        with pytest.raises(LayoutUnknown, match=r"points\.db is not a series store of this release"):
            opened()
    assert path.read_bytes() == before
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(LayoutUnknown, match="is not a series store"):
        SeriesReader.open(path)


def test_a_reader_says_that_there_is_no_store_yet_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SeriesReader.open(tmp_path / "points.db")
    assert not list(tmp_path.iterdir())
