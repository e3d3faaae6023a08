"""The fires bench, on small made-up recordings of the same form."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_fires import FIXED_ON, HELD_OUT, channels_of, measure
from benchmarks.errors import CannotMeasure

HEADS = {"Ion1A": 60, "Pho1A": 70, "Ion2B": 50, "Ion3E": 80}
COLUMNS = ["TIME", "TCFIRE", "Ion1A", "Pho1A", "Ion3B"]


def made_up(folder: Path, tests: Sequence[str] = (*FIXED_ON, *HELD_OUT), smoke_s: float = 50) -> Path:
    """A fire at 30 s whose smoke arrives at `smoke_s`, a row every 2 s."""
    folder.mkdir(exist_ok=True)
    names = [f"{test}-{head}" for test in tests for head in HEADS]
    times = [str(at) for _ in tests for at in HEADS.values()]
    (folder / "Activation_Times.csv").write_text(f"{','.join(names)}\n{','.join(times)}\n")
    rows = []
    for at in np.arange(0, 120, 2.0):
        smoke = max(0.0, at - smoke_s)
        rows.append([at, 20 + 400 * (at >= 30), 5.4 - 0.1 * smoke, 230 + 10 * smoke, 4500 - 100 * smoke])
    text = "\n".join([",".join(COLUMNS), *(",".join(f"{cell:.3e}" for cell in row) for row in rows)])
    for test in tests:
        (folder / f"{test}.csv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_a_rule_that_is_in_time_is_and_how_early(tmp_path: Path) -> None:
    figures = measure(made_up(tmp_path / "nist_smoke_alarms"))
    test = figures["tests"]["SDC07"]  # type: ignore[index]
    assert (test["channels"], test["in_time"], test["share"], test["late"]) == (3, 3, 1.0, {})
    assert test["leads_s"]["Ion3E"] > test["leads_s"]["Ion1A"] > 0
    assert (test["ignition_s"], test["before_ignition"], test["interval_s"]) == (30.0, 0, 2.0)


def test_the_folder_may_hold_the_collection_or_be_it(tmp_path: Path) -> None:
    made_up(tmp_path / "nist_smoke_alarms")
    assert measure(tmp_path) == measure(tmp_path / "nist_smoke_alarms")


def test_smoke_that_comes_after_the_detector_sounded_is_late(tmp_path: Path) -> None:
    test = measure(made_up(tmp_path / "d", smoke_s=64))["tests"]["SDC02"]  # type: ignore[index]
    assert test["late"]["Ion1A"]["detector_s"] == 60 < test["late"]["Ion1A"]["rule_s"]
    assert "Ion3E" not in test["late"]


def test_columns_of_station_b_are_the_heads_of_whichever_station_is_not_digital() -> None:
    sounded = {"T-Ion2B": 1.0, "T-Ion4B": 2.0, "T-Ion4E": 3.0, "T-Ion1E": 4.0, "T-Ion4D": 5.0, "U-Ion4D": 6.0}
    found = channels_of("T", ["Ion4B", "Ion1BE", "Ion4D"], sounded)
    assert [(one.name, one.column, one.sounded_s) for one in found] == [
        ("Ion4E", "Ion4B", 3.0),
        ("Ion1E", "Ion1BE", 4.0),
        ("Ion4D", "Ion4D", 5.0),
    ]


def test_a_recording_that_is_missing_or_another_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="Activation_Times"):
        measure(tmp_path)
    made_up(tmp_path)
    (tmp_path / "SDC05.csv.gz").write_bytes(gzip.compress(b"TIME,x\n1,2\n"))
    with pytest.raises(CannotMeasure, match=r"SDC05\.csv\.gz: is no recording"):
        measure(tmp_path)
