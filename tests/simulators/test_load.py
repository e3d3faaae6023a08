"""The load generator against a real mosquitto: everything it says it sent is there, once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devices.profiles.own.own_profile import OwnProfile
from gengfu.tls import AUTHORITY, CERTIFICATE, KEY, make_authority, make_server
from simulators.ledger import read_ledger
from simulators.load import LoadError, LoadPlan, LoadReport, run_load
from simulators.mix import identity_of, kind_of, parse_mix
from simulators.stencil import FIRST_SEQ, device_id
from tests.devices.profiles.listening import Registry
from tests.devices.profiles.shipping import zigbee2mqtt
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


def test_a_mix_arrives_with_exactly_the_points_that_are_reported(mosquitto: Mosquitto) -> None:
    text = "own:60,smoke:25,bare:15"
    with Listener(mosquitto.port) as listener:
        report = run_load(
            LoadPlan(port=mosquitto.port, rate=3000, count=2000, devices=90, connections=2, mix=text)
        )
        listener.wait_for(2000)
    points: Counter[str] = Counter()
    for profile in (OwnProfile(), zigbee2mqtt()):
        mine = [(topic, payload) for topic, payload, *_ in listener.messages if profile.matches(topic)]
        decoded = profile.decode([topic for topic, _ in mine], [payload for _, payload in mine], Registry())
        assert decoded.rejected == []
        points[profile.name] = len(decoded.row)
    kinds = report.kinds
    assert points["own"] == kinds["own"].points + kinds["bare"].points
    assert points["zigbee2mqtt"] == kinds["smoke"].points
    assert report.points == points.total() == sum(each.points for each in kinds.values())
    assert report.points_per_message == pytest.approx(report.points / 2000, abs=1e-3)
    mix = parse_mix(text)
    sent = Counter(identity_of(index, mix).topic for index in range(90))
    assert {topic for topic, *_ in listener.messages} == set(sent)
    assert kinds["smoke"].messages == pytest.approx(500, abs=30)
    assert report.message_bytes < 200


def test_the_first_devices_publish_at_qos_0_where_a_share_does(mosquitto: Mosquitto, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    plan = LoadPlan(
        port=mosquitto.port, rate=2000, count=1000, devices=50, qos0_share=0.2, ledger=str(ledger)
    )
    with Listener(mosquitto.port) as listener:
        report = run_load(plan)
        listener.wait_for(1000)
    assert (report.sent, report.acknowledged, report.unfinished) == (1000, 800, False)
    at_qos_0 = {f"gengfu/{device_id(device)}/readings" for device in range(10)}
    assert {each.qos for each in read_ledger(ledger) if each.first_device < 10} == {0}
    assert {topic for topic, _ in in_ledger(ledger, "acknowledged")}.isdisjoint(at_qos_0)
    assert listener.reports() == Counter(in_ledger(ledger, "published"))
    assert len(in_ledger(ledger, "acknowledged")) == 800


def test_a_load_goes_over_tls(tmp_path: Path) -> None:
    make_authority(tmp_path, "test", datetime.now(UTC))
    make_server(tmp_path, ["127.0.0.1"], datetime.now(UTC))
    port = free_port()
    listener = f"listener {port} 127.0.0.1\ncertfile {tmp_path / CERTIFICATE}\nkeyfile {tmp_path / KEY}\n"
    with Mosquitto(tmp_path, lambda text: f"{text}\n{listener}") as broker, Listener(broker.port) as heard:
        plan = LoadPlan(port=port, rate=0, count=3000, seconds=60, drain_s=60, ca=str(tmp_path / AUTHORITY))
        report = run_load(plan)
        heard.wait_for(3000)
        assert report.acknowledged == 3000
        assert set(heard.reports().values()) == {1}
        with pytest.raises(LoadError, match=f"127.0.0.1:{port}"):
            run_load(LoadPlan(port=port, ca=str(other_authority(tmp_path))))


def other_authority(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    make_authority(other, "other", datetime.now(UTC))
    return other / AUTHORITY


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "::"])
def test_a_broker_elsewhere_is_refused_unless_allowed(host: str) -> None:
    with pytest.raises(LoadError, match="allow_remote"):
        run_load(LoadPlan(host=host))


def test_this_machine_is_no_broker_elsewhere(mosquitto: Mosquitto) -> None:
    assert run_load(LoadPlan(host="localhost", port=mosquitto.port, rate=0, count=10)).sent == 10


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


def test_what_is_published_twice_after_a_restart_is_counted_by_kind(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """With nothing acknowledged when the broker dies, all that went before goes again, and only that."""
    ledger = tmp_path / "ledger"
    plan = LoadPlan(
        port=mosquitto.port,
        rate=2000,
        seconds=20,
        count=4000,
        devices=100,
        mix="own:2,smoke",
        ledger=str(ledger),
    )
    reports: list[LoadReport] = []
    run = threading.Thread(target=lambda: reports.append(run_load(plan)))
    with Listener(mosquitto.port) as listener:
        run.start()
        listener.wait_for(500)
        mosquitto.freeze()
        threading.Event().wait(0.3)
        mosquitto.kill()
        mosquitto.start()
        run.join(60)
    [report] = reports
    assert report.reconnects >= 1
    assert report.resent == sum(each.resent for each in report.kinds.values()) > 0
    assert report.sent == report.acknowledged == sum(each.messages for each in report.kinds.values()) == 4000
    mix = parse_mix("own:2,smoke")
    lines = read_ledger(ledger)
    for what in ("published", "acknowledged"):
        pairs = [pair for each in lines if each.what == what for pair in each]
        assert len(pairs) == len(set(pairs)) == 4000
        counted = Counter(kind_of(device, mix) for device, _ in pairs)
        assert counted == {kind: each.messages for kind, each in report.kinds.items()}


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
    assert told["points"] == 400


@pytest.mark.parametrize(
    "words",
    [["--rate", "fast"], ["--qos", "2"], ["--port", "1"], ["--mix", "water"], ["--host", "192.0.2.1"]],
)
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
