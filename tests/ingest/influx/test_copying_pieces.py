"""The embedded store gives its points piece by piece: all of them, each once, none too large."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.store.embedded import EmbeddedStore
from ingest.store.layout import DAY_NS, NARROW, WIDE, open_for_writing
from ingest.store.merging import Sizes
from ingest.store.points import Points, ordered, without_repeats
from ingest.store.reader import SeriesReader
from tests.ingest.influx.house_copying import DAY, DAYS, SERIES, hard_points

SLOTS = np.array([1, 2, 70, NARROW - 1, NARROW, 3 * NARROW + 5, WIDE - 1, WIDE, 3 * WIDE + 7], np.int32)


def spread(n: int) -> list[Points]:
    """Hard points of series in several cells, wide and narrow."""
    before = np.array([one.slot for one in SERIES])
    return [
        Points(SLOTS[np.searchsorted(before, part.slot)], part.ts_ns, part.value, part.quality)
        for part in hard_points(n)
    ]


def stored(path: Path, writes: list[Points]) -> SeriesReader:
    """Merged a little at each write, so that points are in blocks of every kind."""
    store = EmbeddedStore(path, keep_days=100_000, sizes=Sizes(4, 3, 2, 500, 100))
    for n, part in enumerate(writes):
        store.write(part, n + 1)
        store.prune(0)
    store.close()
    return SeriesReader.open(path)


@pytest.mark.parametrize("most", [1, 50, 1_000, 10**9])
def test_pieces_are_all_points_by_series_time_and_arrival(tmp_path: Path, most: int) -> None:
    writes = [part[at : at + 100] for part in spread(3_000) for at in range(0, len(part), 100)]
    reader = stored(tmp_path / "points.db", writes)
    every = without_repeats(ordered(Points.joined(writes)))
    assert reader.days() == [*range(DAY, DAY + DAYS)]
    for day in reader.days():
        of_day = every[every.ts_ns // DAY_NS == day]
        found = Points.joined(list(reader.pieces(day, most)))
        assert np.array_equal(found.slot, of_day.slot)
        assert np.array_equal(found.ts_ns, of_day.ts_ns)
        assert np.array_equal(found.value, of_day.value, equal_nan=True)
        assert np.array_equal(found.quality, of_day.quality)
    reader.close()


def test_what_is_much_is_several_pieces_and_what_is_little_is_one(tmp_path: Path) -> None:
    reader = stored(tmp_path / "points.db", spread(20_000))
    small = [len(piece) for piece in reader.pieces(DAY, 1_000)]
    large = list(reader.pieces(DAY, 10**9))
    assert sum(small) == sum(map(len, large))
    assert max(small) < sum(small) / 2
    assert len(large) == 3, "as many as there are wide cells with points"
    assert all(np.ptp(piece.slot) < WIDE for piece in large)
    reader.close()


def test_one_series_of_many_points_is_one_piece(tmp_path: Path) -> None:
    writes = [Points(np.full_like(p.slot, 5), p.ts_ns, p.value, p.quality) for p in hard_points(3_000)]
    reader = stored(tmp_path / "points.db", writes)
    assert len(list(reader.pieces(DAY, 10))) == 1
    reader.close()


def test_points_that_are_too_old_are_in_no_piece(tmp_path: Path) -> None:
    reader = stored(tmp_path / "points.db", spread(2_000))
    reader.close()
    horizon_ns = (DAY + 1) * DAY_NS + 12 * 3600 * 10**9
    connection = open_for_writing(tmp_path / "points.db")
    connection.execute("UPDATE meta SET horizon_ns = ?", (horizon_ns,))
    connection.close()
    reader = SeriesReader.open(tmp_path / "points.db")
    assert reader.days() == [DAY + 1, DAY + 2]
    assert not list(reader.pieces(DAY))
    assert min(int(piece.ts_ns.min()) for piece in reader.pieces(DAY + 1)) >= horizon_ns
    reader.close()


def test_that_somebody_wrote_is_seen_by_the_position(tmp_path: Path) -> None:
    reader = stored(tmp_path / "points.db", spread(100))
    before = reader.position
    assert reader.position == before
    store = EmbeddedStore(tmp_path / "points.db", keep_days=100_000)
    store.write(spread(100)[0], store.offset)
    store.close()
    assert reader.position != before
    reader.close()
