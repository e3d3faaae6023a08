"""The subscribers of a bench: what is missing is said, and what they count is what was published."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from benchmarks.commands import app
from benchmarks.errors import CannotMeasure
from benchmarks.saturation import Bounds, saturate, warm_up
from benchmarks.subscribers import Lone, Null, Programs, counting, null

FEW = Bounds(devices=50, seconds=5, messages=400)


@pytest.mark.parametrize(
    ("programs", "missing"),
    [
        (Programs(mosquitto_sub="no-such-subscriber"), "no-such-subscriber is missing"),
        (Programs(mosquitto="/no/such/broker"), "/no/such/broker is missing"),
    ],
)
def test_a_missing_program_is_named_before_anything_starts(programs: Programs, missing: str) -> None:
    with pytest.raises(CannotMeasure, match=missing):
        programs.check()


@pytest.mark.parametrize("command", ["ingest", "latency", "memory"])
def test_the_commands_refuse_without_a_null_subscriber(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--mosquitto-sub", "no-such-subscriber"])
    assert result.exit_code == 1
    assert "cannot measure: no-such-subscriber is missing" in result.stderr
    assert not result.stdout


def test_the_broker_tells_its_version() -> None:
    assert Programs().version()[0].isdigit()


def test_the_null_subscriber_is_counted_by_what_it_reads() -> None:
    with null(Programs()) as subscriber:
        report = warm_up(subscriber, FEW)
        assert report.acknowledged == FEW.devices
        before = subscriber.count()
        warm_up(subscriber, FEW)
        assert subscriber.count() - before == pytest.approx(FEW.devices, abs=0.5)
        assert warm_up(subscriber, replace(FEW, warm_rounds=3)).acknowledged == 3 * FEW.devices


@pytest.mark.parametrize("kind", ["paho", "aiomqtt"])
def test_a_library_subscriber_counts_every_message_once(kind: str) -> None:
    with counting(kind, Programs()) as subscriber:
        warm_up(subscriber, FEW)
        assert subscriber.count() == FEW.devices


def test_nothing_read_teaches_nothing() -> None:
    with pytest.raises(CannotMeasure, match="read nothing"):
        Null(Lone(0, 0, 0, lambda: 0.0)).learn(10, 0)


@pytest.mark.slow  # a run that is over before the first look measures nothing, and says so
def test_a_short_run_says_who_used_the_processor() -> None:
    bounds = Bounds(devices=50, seconds=20, messages=60_000)
    with ExitStack() as stack:
        subscriber = stack.enter_context(counting("paho", Programs()))
        run = saturate(subscriber, bounds)
    assert run.flat.sent == run.flat.acknowledged == bounds.messages
    assert 0 < run.messages <= bounds.messages
    assert run.rate_per_s > 0
    assert {"broker", "subscriber"} <= set(run.cpu_us)
