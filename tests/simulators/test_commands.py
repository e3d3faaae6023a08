"""`gengfu simulate …` as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.faults import bad_inputs
from tests.ingest.mosquitto import Mosquitto, free_port
from tests.simulators.broker import Listener


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from simulators.commands import app; app()"]
    return subprocess.run([*program, *words], capture_output=True, text=True, check=False, timeout=60)


def test_a_fleet_reports_what_it_published(mosquitto: Mosquitto) -> None:
    with Listener(mosquitto.port) as listener:
        done = simulate("fleet", "--port", str(mosquitto.port), "--devices", "8", "--seconds", "2", "--json")
        told = json.loads(done.stdout)
        listener.wait_for(told["published"])
    assert done.returncode == 0
    assert told["complete"]
    assert len(listener.messages) == told["published"] >= 3


def test_a_load_runs_to_its_end(mosquitto: Mosquitto) -> None:
    words = ("--port", str(mosquitto.port), "--devices", "10", "--seconds", "0.5", "--rate", "200")
    assert json.loads(simulate("load", *words, "--json").stdout)["acknowledged"] == 100
    mixed = simulate("load", *words, "--mix", "own:3,smoke", "--qos0-share", "0.5").stdout
    assert "acknowledged_per_s" in mixed
    assert "smoke " in mixed


def test_a_load_for_another_machine_must_be_allowed() -> None:
    done = simulate("load", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "allow_remote" in done.stderr


def test_faults_reach_the_broker_even_past_one_that_it_refuses(mosquitto: Mosquitto) -> None:
    """The shipped configuration refuses the oversize payload, or cuts the connection over it."""
    words = ("--port", str(mosquitto.port), "--rate", "5000", "--garbage", "50")
    bad = bad_inputs("m", "d", 1, 262_144)
    with Listener(mosquitto.port) as listener:
        done = simulate("faults", *words, "--json")
        sent = len(bad) + 50
        listener.wait_for(sent - 1)
    told = json.loads(done.stdout)
    assert told["published"] + told["given_up"] == sent
    assert told["given_up"] <= 1
    assert len({topic for topic, *_ in listener.messages}) == 50 + len({each.topic for each in bad})
    assert len(listener.messages) == sent - 1


@pytest.mark.parametrize("what", ["fleet", "load", "faults"])
def test_no_broker_is_exit_code_1_with_a_reason_and_nothing_on_stdout(what: str) -> None:
    done = simulate(what, "--port", str(free_port()), "--seconds", "0.5", "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "gengfu: 127.0.0.1:" in done.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    assert simulate("fleet", "--devices", "many").returncode == 2
