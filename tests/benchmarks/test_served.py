"""The price of a message holds what the store still had to do, and only what lies between the looks."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.saturation import Look
from benchmarks.served import copy_store, cost_us, merging_s
from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from ingest.store.reader import SeriesReader


def test_the_price_has_ingest_and_store_and_what_comes_later() -> None:
    first = Look(0.0, 1000, {"ingest": 1.0, "store": 1.0, "broker": 1.0}, 0.0)
    last = Look(9.0, 101_000, {"ingest": 1.3, "store": 1.2, "broker": 9.0}, 0.0)
    assert cost_us(first, last, 0.0) == pytest.approx(5.0)
    assert cost_us(first, last, 0.1) == pytest.approx(6.0)


def test_a_copy_is_merged_and_the_store_stays_as_it_is(tmp_path: Path) -> None:
    slots = np.arange(1, 2001, dtype=np.int32)
    start_ns = 1_763_755_200 * 10**9
    with closing(EmbeddedStore(tmp_path / "points.db", keep_days=36_500)) as store:
        for write in range(60):
            times = np.full(len(slots), start_ns + write * 10**9)
            store.write(Points(slots, times, np.ones(len(slots)), np.zeros(len(slots), np.uint32)), write)
        copy_store(tmp_path / "points.db", tmp_path / "copy.db")
        before = blocks(tmp_path / "points.db")
        assert merging_s(tmp_path / "copy.db") > 0
        assert blocks(tmp_path / "points.db") == before
        assert blocks(tmp_path / "copy.db") < before
    with closing(SeriesReader.open(tmp_path / "copy.db")) as reader:
        assert reader.count() == 60 * len(slots)


def blocks(path: Path) -> int:
    with closing(SeriesReader.open(path)) as reader:
        return int(reader._connection.execute("SELECT count(*) FROM block").fetchone()[0])
