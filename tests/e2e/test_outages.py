"""What the broker holds for us while we are away, and what survives when the broker itself restarts."""

from __future__ import annotations

from pathlib import Path

from benchmarks.fleet import expected_points
from gengfu.ports import free_port
from tests.e2e.site import eventually, site, uid_of
from tests.e2e.test_kill import LOAD_DEVICES, finish, load_points, start_broker, start_load


def test_smoke_at_qos_0_while_we_are_away_alarms_after_our_return(tmp_path: Path) -> None:
    port = free_port()
    broker = start_broker(tmp_path / "broker", port)
    try:
        with site(tmp_path, devices=8, own_broker_port=port) as here:
            home = here.block.dwellings[1].code
            here.publish([here.smoke(home, smoke=False)])
            eventually(lambda: here.ingested() >= 1, "the quiet state is ingested")
            here.service.stop()
            here.publish([here.smoke(home, qos=0)])
            here.service.start()
            eventually(lambda: here.incident_of(home) is not None, "the alarm is raised")
            raised = here.service.rows("SELECT uid, severity, marks FROM transition")
            assert raised == [(uid_of(here.detector(home)), "P0", "queued")]
    finally:
        broker.terminate()
        broker.wait(30)


def test_a_live_message_with_the_retain_bit_is_not_muted(tmp_path: Path) -> None:
    with site(tmp_path, devices=8) as here:
        home = here.block.dwellings[1].code
        here.publish([here.smoke(home, smoke=False, retain=True), here.smoke(home, retain=True)])
        eventually(lambda: here.incident_of(home) is not None, "the alarm is raised")
        assert here.service.rows("SELECT severity, marks FROM transition") == [("P0", "")]


def test_mosquitto_restarted_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    port = free_port()
    broker = start_broker(tmp_path / "broker", port)
    try:
        with site(tmp_path, 8, own_broker_port=port, load_devices=LOAD_DEVICES) as here:
            load = start_load(port, seconds=12.0)
            eventually(lambda: here.ingested() >= 1000, "the load runs")
            broker.terminate()
            broker.wait(30)
            broker = start_broker(tmp_path / "broker", port)
            report = finish(load)
            assert report.reconnects >= 1
            wanted = expected_points(report.sent)
            eventually(lambda: load_points(here) >= wanted, f"{wanted} points stored", timeout_s=120)
            assert here.service.figures("ingest")["gengfu_ingest_connects_total"] >= 2
            assert load_points(here) == wanted
    finally:
        broker.terminate()
        broker.wait(30)
