"""The tick's profile: the real process over a source of its own, and every microsecond in one stage."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.bench_tick import BUDGET, STAGES, Measured, composed, describe, figures, staged
from benchmarks.commands import app
from benchmarks.timing import Timed, Watch


def work(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_a_stage_has_its_own_time_without_that_of_the_stages_inside() -> None:
    watch = Watch()
    with watch.stage("outer"):
        work(0.02)
        with watch.stage("inner"):
            work(0.04)
        work(0.02)
    assert watch.spent_ns["inner"] / 1e9 == pytest.approx(0.04, abs=0.01)
    assert watch.spent_ns["outer"] / 1e9 == pytest.approx(0.04, abs=0.01)


def test_a_stage_that_fails_ends_all_the_same() -> None:
    watch = Watch()
    with pytest.raises(ZeroDivisionError), watch.stage("one"):
        1 / 0  # noqa: B018 - for its exception
    with watch.stage("two"):
        work(0.01)
    assert set(watch.spent_ns) == {"one", "two"}


def test_a_timed_part_does_what_it_did() -> None:
    watch = Watch()
    part = Timed([3, 1, 2], watch, index="look")
    assert part.index(1) == 1
    assert part.count(2) == 1
    assert set(watch.spent_ns) == {"look"}
    with pytest.raises(ValueError, match="not in list"):
        part.index(9)


def test_writing_is_what_the_journal_takes_beyond_encoding() -> None:
    found = staged({"encode_alone": 30, "journal": 100, "decode": 7})
    assert (found["journal_encode"], found["journal_sync"], found["decode"]) == (30, 70, 7)
    assert set(found) == set(STAGES)
    assert staged({"encode_alone": 120, "journal": 100})["journal_sync"] == 0


def test_a_line_tells_what_is_fixed_from_what_grows() -> None:
    def tick(size: int) -> Measured:
        return Measured(size, dict.fromkeys(STAGES, 0) | {"decode": 50_000 + 2000 * size}, 7000)

    found = figures([tick(size) for size in (100, 100, 200, 400)], devices=10, messages=400, mix="fixed")
    assert found.stages["decode"].fixed_us == pytest.approx(50)
    assert found.stages["decode"].marginal_us == pytest.approx(2)
    assert found.us_per_message == {"100": 2.5, "200": 2.25, "400": 2.12}
    assert found.budget["decode"].us_per_message == pytest.approx(2.125, abs=0.01)
    assert found.sync_wall_us["100"] == 7
    assert "decode" in describe(found)


def test_every_stage_is_in_one_line_of_the_budget() -> None:
    named = [stage for _, stages in BUDGET.values() for stage in stages]
    assert sorted(named) == sorted(STAGES)


@pytest.mark.parametrize("mix", ["fixed", "own:2,smoke:1,bare:1"])
def test_the_real_process_takes_every_message_of_the_feed(tmp_path: Path, mix: str) -> None:
    with composed(tmp_path, devices=60, mix=mix) as bench:
        found = [bench.run(60) for _ in range(3)]
        taken = bench.taken
        assert (taken.messages, taken.duplicates, dict(taken.rejected)) == (180, 0, {})
        assert taken.readings >= 360
    for stage in ("wire", "split", "decode", "stamp", "journal_encode", "seat", "rules", "acknowledge"):
        assert all(one.stage_ns[stage] > 0 for one in found), stage
    assert found[0].stage_ns["commit"] > 0  # the new series


def test_one_batch_size_is_refused() -> None:
    result = CliRunner().invoke(app, ["tick", "--batch", "200", "--devices", "10"])
    assert result.exit_code == 1
    assert "two batch sizes" in result.stderr
