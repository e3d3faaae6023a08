"""kill -9 of each of our processes at random moments under load: nothing acknowledged is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import msgspec
import pytest

from benchmarks.fleet import expected_points
from gengfu.ports import free_port
from ingest.broker import find_mosquitto, private_broker, wait_ready, write_configuration
from simulators.load import LoadReport
from tests.e2e.site import Site, eventually, site

VICTIMS = ("ingest", "store", "alerts", "caretaker", "console", "answers", "supervisor")
RATE = 400
LOAD_DEVICES = 200


@pytest.mark.slow
def test_forty_kills_lose_nothing(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, rounds=40, seed=20_261_121)


def test_a_few_kills_lose_nothing(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, rounds=7, seed=7)


def kill_again_and_again(folder: Path, rounds: int, seed: int) -> None:
    """The broker is not ours and lives on; everything else dies, one process a round, while smoke comes."""
    dice = random.Random(seed)
    port = free_port()
    broker = start_broker(folder / "broker", port)
    try:
        with site(folder, 2 * rounds, own_broker_port=port, load_devices=LOAD_DEVICES) as here:
            load = start_load(port, seconds=rounds * 3.0 + 5)
            for number, home in enumerate(here.block.dwellings[:rounds]):
                victim = VICTIMS[number % len(VICTIMS)]
                time.sleep(dice.uniform(0.2, 1.5))
                here.publish([here.smoke(home.code)])
                time.sleep(dice.uniform(0.0, dice.choice((0.05, 0.3))))  # often amid the hand-overs
                here.service.kill(victim)
                if victim == "supervisor":
                    restart(here)
            report = finish(load)
            here.service.ready()
            ledger_balances(here, report, rounds, seed)
    finally:
        broker.terminate()
        broker.wait(30)


def restart(here: Site) -> None:
    """As systemd would: again and again until the last service's processes have let go of the folder."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            here.service.start()
            return
        except AssertionError:
            continue
    raise AssertionError("the service did not start again")


def ledger_balances(here: Site, report: LoadReport, rounds: int, seed: int) -> None:
    """Every point once, every alarm once with one incident, every contact told; duplicates are counted."""
    assert report.acknowledged == report.sent == report.intended
    homes = [home.code for home in here.block.dwellings[:rounds]]
    detectors = len(homes) * 4
    wanted = expected_points(report.sent)
    eventually(
        lambda: load_points(here) >= wanted, f"{wanted} points of {report.sent} messages", timeout_s=120
    )
    assert load_points(here) == wanted
    raised = [uid for rule, to, uid in here.transitions() if (rule, to) == ("S1", "raised")]
    assert len(raised) == len(set(raised)) == rounds
    incidents = here.service.rows("SELECT place, count(*) FROM incident GROUP BY place")
    assert {count for _, count in incidents} == {1} and len(incidents) == rounds
    doubled = 0
    for home in homes:
        incident = here.incident_of(home)
        assert incident
        expected = here.expected_at_once(home)
        eventually(partial(all_told, here, incident, expected), f"{expected} told of {home}")
        doubled += sum(n - 1 for counts in here.told(incident).values() for n in counts.values())
    unknown = here.service.rows("SELECT count(*) FROM attempt WHERE outcome = 'unknown'")[0][0]
    print(f"\nkills {rounds}, seed {seed}: messages {report.sent}, points {wanted}, detectors {detectors},")
    print(f"alarms {len(raised)}, doubled on phones {doubled}, attempts cut off and counted {unknown}")
    assert doubled <= unknown


def all_told(here: Site, incident: int, expected: set[str]) -> bool:
    """Whether everybody expected has been told of the incident."""
    return expected <= here.told(incident).keys()


def load_points(here: Site) -> int:
    """Stored points of the load generator's devices."""
    slots = [slot for (slot,) in here.service.rows("SELECT slot FROM series WHERE uid LIKE 'own:load-%'")]
    return here.service.count_points(slots)


def start_broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A mosquitto with our configuration that survives the service."""
    mosquitto = find_mosquitto()
    assert mosquitto, "mosquitto is missing"
    conf = write_configuration(private_broker(folder, port))
    process = subprocess.Popen([str(mosquitto), "-c", str(conf)], stderr=subprocess.DEVNULL)
    wait_ready("127.0.0.1", port, 10.0)
    return process


def start_load(port: int, seconds: float, rate: int = RATE) -> subprocess.Popen[bytes]:
    """The load generator in a process of its own; it ends by itself."""
    options = {"port": port, "rate": rate, "seconds": seconds, "devices": LOAD_DEVICES, "drain-s": 60}
    command = [sys.executable, "-m", "simulators.load", "--json", *(f"--{k}={v}" for k, v in options.items())]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def finish(load: subprocess.Popen[bytes]) -> LoadReport:
    """Waits for the generator's own end."""
    out, _ = load.communicate(timeout=600)
    assert load.returncode == 0
    return msgspec.json.decode(out, type=LoadReport)
