"""The load generator against a real mosquitto: everything it says it sent is there, once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.ledger import read_ledger
from simulators.load import LoadError, LoadPlan, LoadReport, run_load
from simulators.stencil import FIRST_SEQ, device_id
from tests.ingest.mosquitto import Mosquitto, free_port
from tests.simulators.broker import Listener


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def in_ledger(path: Path, what: str) -> set[tuple[str, int]]:
    return {
        (f"gengfu/{device_id(device)}/readings", seq)
        for each in read_ledger(path)
        if each.what == what
        for device, seq in each
    }


@pytest.mark.parametrize("qos", [0, 1])
def test_each_message_arrives_exactly_once(mosquitto: Mosquitto, tmp_path: Path, qos: int) -> None:
    ledger = tmp_path / "ledger"
    plan = LoadPlan(
        port=mosquitto.port, rate=2000, count=1500, devices=70, connections=3, qos=qos, ledger=str(ledger)
    )
    with Listener(mosquitto.port) as listener:
        report = run_load(plan)
        listener.wait_for(1500)
    published = in_ledger(ledger, "published")
    assert listener.reports() == Counter(published)
    assert len(published) == report.sent == report.intended == 1500
    assert in_ledger(ledger, "acknowledged") == (published if qos else set())
    assert report.acknowledged == (1500 if qos else 0)
    assert (report.refused, report.resent, report.reconnects, report.unfinished) == (0, 0, 0, False)


def test_device_and_sequence_numbers_begin_where_the_plan_says(mosquitto: Mosquitto) -> None:
    plan = LoadPlan(
        port=mosquitto.port, rate=0, count=4, devices=2, first_device=500, first_seq=FIRST_SEQ + 70
    )
    with Listener(mosquitto.port) as listener:
        run_load(plan)
        listener.wait_for(4)
    assert set(listener.reports()) == {
        (f"gengfu/{device_id(device)}/readings", FIRST_SEQ + seq) for device in (500, 501) for seq in (70, 71)
    }


def test_the_time_ends_a_run_that_the_count_does_not(mosquitto: Mosquitto) -> None:
    report = run_load(LoadPlan(port=mosquitto.port, rate=500, seconds=0.4))
    assert report.intended == report.sent == report.acknowledged == 200


def test_packet_ids_come_round_again(mosquitto: Mosquitto) -> None:
    report = run_load(LoadPlan(port=mosquitto.port, rate=0, count=70_000, seconds=60, drain_s=60))
    assert report.acknowledged == report.sent == 70_000


def test_a_window_bounds_what_is_unacknowledged(mosquitto: Mosquitto) -> None:
    report = run_load(LoadPlan(port=mosquitto.port, rate=0, count=500, seconds=60, window=1))
    assert report.acknowledged == 500


def test_a_broker_that_refuses_is_counted_and_not_called_acknowledged(tmp_path: Path) -> None:
    rights = tmp_path / "rights"
    rights.write_text(f"topic readwrite gengfu/{device_id(1)}/readings\n")
    ledger = tmp_path / "ledger"
    with Mosquitto(tmp_path, lambda text: f"{text}\nacl_file {rights}\n") as broker:
        report = run_load(LoadPlan(port=broker.port, rate=0, count=10, devices=2, ledger=str(ledger)))
    assert (report.sent, report.refused) == (10, 5)
    assert in_ledger(ledger, "refused") == {
        (f"gengfu/{device_id(0)}/readings", FIRST_SEQ + n) for n in range(5)
    }


def test_a_broker_that_restarts_gets_what_it_had_not_acknowledged(mosquitto: Mosquitto) -> None:
    reports: list[LoadReport] = []
    plan = LoadPlan(port=mosquitto.port, rate=2000, seconds=20, count=6000)
    run = threading.Thread(target=lambda: reports.append(run_load(plan)))
    with Listener(mosquitto.port) as listener:
        run.start()
        listener.wait_for(500)
        mosquitto.kill()
        mosquitto.start()
        run.join(60)
    assert reports[0].reconnects >= 1
    assert reports[0].sent == reports[0].acknowledged == 6000


def test_nobody_there_is_an_error_with_the_address() -> None:
    port = free_port()
    with pytest.raises(LoadError, match=f"127.0.0.1:{port}"):
        run_load(LoadPlan(port=port))


def test_the_entry_for_benches_prints_one_json_object(mosquitto: Mosquitto) -> None:
    words = ["--json", "--port", str(mosquitto.port), "--rate", "1000", "--count", "100", "--devices", "10"]
    done = subprocess.run(
        [sys.executable, "-m", "simulators.load", *words], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["sent"] == told["acknowledged"] == 100
    assert {"rate_per_s", "behind_p99_ms", "cpu_us_per_message"} <= set(told)


@pytest.mark.parametrize("words", [["--rate", "fast"], ["--qos", "2"], ["--port", "1"]])
def test_a_refused_plan_is_exit_code_1_with_the_reason_on_stderr(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "simulators.load", "--json", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip()
