"""The whole bench once, and every key it may print explained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from benchmarks.bench_ingest import Contestant, IngestFigures, MixedFigures
from benchmarks.bench_latency import LatencyFigures, Spread
from benchmarks.bench_memory import Growth, MemoryFigures
from benchmarks.bench_tick import STAGES, Share, Stage, TickFigures
from benchmarks.commands import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PRINTED = (
    IngestFigures, Contestant, MixedFigures,
    LatencyFigures, Spread, MemoryFigures, Growth, TickFigures, Stage, Share,
)  # fmt: skip


@pytest.mark.parametrize("struct", PRINTED, ids=lambda struct: str(struct.__name__))
def test_every_key_is_explained(struct: type[msgspec.Struct]) -> None:
    explained = set(re.findall(r"`([a-z0-9_]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert {field.name for field in msgspec.structs.fields(struct)} - explained == set()


def test_every_stage_is_explained() -> None:
    explained = set(re.findall(r"`([a-z0-9_]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert set(STAGES) - explained == set()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mix", ["fixed", "own:2,smoke:1,bare:1"])
def test_a_short_run_loses_nothing_and_doubles_nothing(mix: str) -> None:
    words = ["ingest", "--seconds", "2", "--devices", "500", "--mix", mix, "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    figures = json.loads(result.stdout)
    assert (figures["lost"], figures["doubled"]) == (0, 0)
    assert set(figures["runs"]) == {"null_before", "service", "null_after", "paho", "aiomqtt", "mixed"}
    assert (figures["mixed"]["lost"], figures["mixed"]["doubled"]) == (0, 0)
    assert figures["mixed"]["points_per_message"] != figures["points_per_message"] or mix != "fixed"
    assert figures["cpu_us_per_message_drained"] > 0
    assert {"ingest", "store", "broker", "generator"} <= set(figures["runs"]["service"]["cpu_us"])
    assert figures["ratio_to_null"] == pytest.approx(
        figures["rate_per_s"] / (sum(figures["null_per_s"]) / 2), abs=0.01
    )
