"""A short look at a small board in a real browser, whole, and what its figures are made of."""

from __future__ import annotations

import pytest

from benchmarks.bench_console import Course, lost, run_bench
from benchmarks.console_changes import Committed
from benchmarks.console_clients import Heard
from benchmarks.console_seen import Shown, waits_us
from benchmarks.errors import CannotMeasure
from tests.console.chromium import chromium_or_skip


def test_a_small_board_is_measured_whole() -> None:
    chromium_or_skip()
    figures = run_bench(Course(incidents=30, changes_per_s=20, streams=3, pages=3, seconds=5))
    assert 0 < figures.first_paint_ms <= figures.first_paint_worst_ms
    assert 0 < figures.update_p50_ms <= figures.update_p99_ms <= figures.update_worst_ms
    assert figures.updates > 0
    assert (figures.unseen, figures.lost, figures.resyncs, figures.fetch_failed) == (0, 0, 0, 0)
    assert figures.events["change"] > 0
    assert figures.rss_mb > 0 and figures.page_mb > 0


def test_more_pages_than_streams_are_no_course() -> None:
    with pytest.raises(CannotMeasure, match="pages"):
        run_bench(Course(streams=1, pages=2))


def test_an_answer_that_was_passed_over_is_seen_when_the_one_after_it_is() -> None:
    committed = [Committed(1, 7, "w1", 100), Committed(2, 7, "w2", 200), Committed(3, 7, "w3", 900)]
    assert waits_us(committed, [Shown(7, "w2", 500)], {7}) == ([400, 300], 1)


def test_what_a_line_said_before_the_answer_is_no_sight_of_it() -> None:
    committed = [Committed(1, 7, "w1", 100), Committed(2, 7, "w2", 200)]
    assert waits_us(committed, [Shown(7, "w2", 150), Shown(7, "w1", 160)], {7}) == ([60], 1)


def test_changes_elsewhere_and_by_others_than_workers_do_not_count() -> None:
    committed = [Committed(1, 8, "w1", 100), Committed(2, 7, "gengfu", 200)]
    assert waits_us(committed, [Shown(8, "w1", 150)], {7}) == ([], 0)


def test_a_stream_that_missed_a_change_of_its_street_has_lost_it_and_no_other() -> None:
    expected = {0: [1, 2, 2], 1: [1], 2: [2, 2]}
    whole, street = Heard("city-1", {}, [1, 2, 2]), Heard("street-2", {}, [2])
    assert lost([whole, street], expected) == 1
    assert lost([Heard("street-2", {"resync": 1}, [])], expected) == 0
