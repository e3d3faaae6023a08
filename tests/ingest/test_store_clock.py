"""The embedded store beside a clock that jumps: no history is lost by it, and none claimed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from structlog.testing import capture_logs

from ingest.store.embedded import EmbeddedStore
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

NOW_S = 1_790_000_000
DAY_S = 86_400


class Kept:
    """A store that keeps 30 days, and the time that passes for it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.passed_s = folder / "points.db", 0.0
        self.begin()

    def begin(self) -> None:
        """As after a start of the service: monotonic time may begin anew."""
        self.passed_s = 0.0
        self.store = EmbeddedStore(self.path, keep_days=30, monotonic=lambda: self.passed_s)

    def write(self, *ages_s: int) -> None:
        """A write of each, so that each is a block."""
        for age_s in ages_s:
            at = np.array([(NOW_S - age_s) * 10**9], np.int64)
            self.store.write(Points(np.ones(1, np.int32), at, np.ones(1), np.zeros(1, np.uint32)), 1)

    def prune(self, clock_s: int, after_s: float = 5.0) -> None:
        self.passed_s += after_s
        self.store.prune(clock_s * 1_000_000)

    @property
    def left(self) -> int:
        return len(self.store.read(1, 0, 2**62))

    @property
    def whole_from_s(self) -> float:
        reader = SeriesReader.open(self.path)
        try:
            return reader.whole_from_ns / 1e9
        finally:
            reader.close()


def test_a_clock_that_is_ahead_for_a_moment_drops_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write(29 * DAY_S, DAY_S, 0)
    kept.prune(NOW_S)
    with capture_logs() as logs:
        kept.prune(NOW_S + 60 * DAY_S)
        assert (kept.left, round(kept.whole_from_s)) == (3, NOW_S - 30 * DAY_S), "nor is it unseen"
        kept.prune(NOW_S + 10)
    assert kept.left == 3
    assert [one["event"] for one in logs] == ["clock_not_believed", "clock_believed"]
    assert "timedatectl" in logs[0]["do"]
    kept.store.close()


def test_nor_does_one_that_was_ahead_when_the_service_started(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write(29 * DAY_S, DAY_S, 0)
    kept.prune(NOW_S)
    kept.store.close()
    kept.begin()
    kept.prune(NOW_S + 60 * DAY_S)
    kept.write(-60 * DAY_S)
    kept.prune(NOW_S + 60 * DAY_S + 5)
    assert kept.left == 4
    kept.store.close()


def test_a_clock_that_holds_for_an_hour_is_believed(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write(29 * DAY_S, DAY_S, 0)
    kept.prune(NOW_S)
    for minute in range(0, 61, 10):
        kept.prune(NOW_S + 10 * DAY_S + minute * 60, 600.0)
    assert kept.left == 2
    kept.store.close()


def test_a_service_that_was_away_for_days_and_starts_often_is_pruned_all_the_same(tmp_path: Path) -> None:
    """What came in an hour ago says that the clock has held."""
    kept = Kept(tmp_path)
    kept.write(29 * DAY_S, 0)
    kept.prune(NOW_S)
    kept.store.close()
    for hours, left in ((0, 2), (1, 2), (2, 3)):
        kept.begin()
        now_s = NOW_S + 3 * DAY_S + hours * 3600
        kept.prune(now_s)
        assert kept.left == left
        kept.write(NOW_S - now_s)
        kept.store.close()


def test_what_a_wrong_clock_dropped_is_not_claimed_when_it_is_right_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.write(29 * DAY_S, 20 * DAY_S, 0)
    kept.prune(NOW_S)
    for minute in range(0, 61, 10):
        kept.prune(NOW_S + 15 * DAY_S + minute * 60, 600.0)
    assert kept.left == 1
    kept.prune(NOW_S + 4200)
    assert (kept.left, kept.whole_from_s) == (1, NOW_S - 20 * DAY_S + 1e-9)
    kept.store.close()
