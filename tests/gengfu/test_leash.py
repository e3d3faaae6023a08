"""Nothing outlives its supervisor, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gengfu.broker_leash import ANYBODY, safety_sign
from tests.gengfu.program import alive, eventually

PARENT = """
import sys, time
from gengfu.supervisor import Member, Supervisor

supervisor = Supervisor([Member("child", sys.argv[1:])], on_start=lambda name, pid: print(pid, flush=True))
supervisor.start("child")
time.sleep(120)
"""
CHILD = """
import sys, time
from pathlib import Path
from gengfu.leash import follow_leash
from gengfu.service import stop_on_signal

stop = stop_on_signal()
follow_leash()
Path(sys.argv[1]).touch()
stop.wait(120)
Path(sys.argv[2]).touch()
"""
FOREIGN = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(120)"


@contextmanager
def supervised(*command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor in a process of its own, and its child's number."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout
    try:
        with parent.stdout:
            yield parent, int(parent.stdout.readline())
    finally:
        parent.kill()
        parent.wait()


def number_in(path: Path) -> int:
    eventually(lambda: path.exists() and bool(path.read_text()), f"{path.name} is written")
    return int(path.read_text())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_stops_in_order_when_its_supervisor_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    ready, finished = tmp_path / "ready", tmp_path / "finished"
    with supervised(sys.executable, "-c", CHILD, str(ready), str(finished)) as (parent, child):
        eventually(ready.exists, "the child is ready")
        parent.send_signal(how)
        parent.wait()
        eventually(lambda: not alive(child), "the child ended")
    assert finished.exists()


def test_without_a_leash_a_process_runs_on(tmp_path: Path) -> None:
    ready, finished = tmp_path / "ready", tmp_path / "finished"
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(ready), str(finished)])
    eventually(ready.exists, "the process is ready")
    assert process.poll() is None
    process.terminate()
    assert process.wait() == 0


def walked(folder: Path) -> list[str]:
    words = [
        str(folder),
        str(folder / "log"),
        ANYBODY,
        sys.executable,
        "-c",
        FOREIGN,
        str(folder / "foreign"),
    ]
    return [sys.executable, "-m", "gengfu.broker_leash", *words]


def test_a_foreign_program_is_ended_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with supervised(*walked(tmp_path)) as (parent, walker):
        foreign = number_in(tmp_path / "foreign")
        parent.kill()
        parent.wait()
        eventually(lambda: not alive(foreign) and not alive(walker), "both ended")


def test_a_foreign_program_is_ended_when_its_walker_is_told_to_stop(tmp_path: Path) -> None:
    walker = subprocess.Popen(walked(tmp_path))
    foreign = number_in(tmp_path / "foreign")
    walker.terminate()
    walker.wait()
    assert not alive(foreign)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_foreign_program_is_ended_when_its_walker_is_killed(tmp_path: Path) -> None:
    walker = subprocess.Popen(walked(tmp_path))
    foreign = number_in(tmp_path / "foreign")
    walker.kill()
    walker.wait()
    eventually(lambda: not alive(foreign), "the program ended")


def test_its_exit_code_is_the_foreign_programs(tmp_path: Path) -> None:
    words = [str(tmp_path), str(tmp_path / "log"), ANYBODY, sys.executable, "-c", "raise SystemExit(7)"]
    assert subprocess.run([sys.executable, "-m", "gengfu.broker_leash", *words], check=False).returncode == 7


STAMP = b"2026-11-22T00:57:45: "
SIGN = b"New client connected from 127.0.0.1:5000 as gengfu-ingest (p5, c0, k30, u'gengfu-ingest')."


@pytest.mark.parametrize("before", [b"", STAMP + b"Reloading config.\n"])
def test_ingests_own_connection_is_the_sign_that_a_reload_is_safe(before: bytes) -> None:
    assert safety_sign("gengfu-ingest").search(before + STAMP + SIGN + b"\n")
    assert safety_sign(ANYBODY).search(before + STAMP + b"mosquitto version 2.0.11 running\n")


@pytest.mark.parametrize(
    "line",
    [
        b"Denied PUBLISH from evil (d0, q1, r0, m1, 'x as gengfu-ingest (p', ... (1 bytes))",
        b"Denied PUBLISH from evil (d0, q1, r0, m1, '" + STAMP + SIGN,
        b"Denied PUBLISH from evil (d0, q1, r0, m1, ' running', ... (1 bytes))",
        b"Denied PUBLISH from evil (d0, q1, r0, m1, '" + STAMP + b"mosquitto version 2.0.11 running",
        b"New client connected from 10.0.0.7:5000 as x as gengfu-ingest (p5, c0, k30, u'gengfu-ingest').",
        b"New client connected from 10.0.0.7:5000 as gengfu-ingest (p5, c0, k30, u'evil').",
        b"New client connected from 10.0.0.7:5000 as gengfu-ingest (p5, c0, k" + b"0" * 900 + SIGN[-20:],
        b"New client connected from 10.0.0.7:5000 as evil (p5, c0, k30, u'gengfu-ingest').",
        b"Client " + SIGN + b" disconnected.",
        SIGN + b" ",
        b" " + SIGN,
    ],
)
def test_no_line_with_a_publishers_words_in_it_is_that_sign(line: bytes) -> None:
    assert not safety_sign("gengfu-ingest").search(STAMP + line + b"\n")
    assert not safety_sign(ANYBODY).search(STAMP + line + b"\n")


def test_the_sign_without_the_brokers_stamp_is_none() -> None:
    assert not safety_sign("gengfu-ingest").search(SIGN + b"\n")
