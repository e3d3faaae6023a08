"""What the benches read of processes is what those processes did."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.machine import (
    busy_s,
    busy_ticks,
    bytes_read,
    children,
    cores,
    cpu_s,
    family,
    resident_mb,
    stolen_s,
    wait_idle,
)  # fmt: skip


@contextmanager
def python(program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that says a line when it has done what is asked, and then waits for its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{program}\nprint(flush=True)\nimport sys\nsys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        process.stdout.readline()
        yield process
    finally:
        process.communicate()


def test_a_process_that_works_uses_cpu_and_one_that_sleeps_none() -> None:
    work = "import time\nwhile time.process_time() < 0.3: pass"
    with python(work) as worker:
        after_work = cpu_s(worker.pid)
        busy = busy_s()
        time.sleep(0.3)
        assert after_work >= 0.28
        assert cpu_s(worker.pid) == pytest.approx(after_work, abs=0.05)
    assert busy > after_work


def test_what_nobody_here_used_is_not_busy() -> None:
    user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice = range(1, 11)
    stat = (
        f"cpu  {user} {nice} {system} {idle} {iowait} {irq} {softirq} {steal} {guest} {guest_nice}\ncpu0 9 9"
    )
    assert busy_ticks(stat) == user + nice + system + irq + softirq
    assert stolen_s() >= 0


def test_a_machine_is_never_busier_than_its_cores() -> None:
    before, start = busy_s(), time.monotonic()
    time.sleep(0.5)
    used = (busy_s() - before) / (time.monotonic() - start)
    assert 0 <= used <= (os.cpu_count() or 1) * 1.1


def test_memory_that_is_used_is_resident() -> None:
    with python("kept = bytearray(60_000_000)") as one, python("kept = b''") as other:
        assert resident_mb(one.pid) - resident_mb(other.pid) == pytest.approx(60, abs=10)


def test_bytes_read_are_those_of_files_that_were_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(1_000_000))
    before = bytes_read(os.getpid())
    file.read_bytes()
    assert 1_000_000 <= bytes_read(os.getpid()) - before < 1_100_000


def test_children_and_their_children_are_family() -> None:
    program = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=0)"
    )
    with python(program) as process:
        [child] = children(process.pid)
        assert family(process.pid) == [process.pid, child]
        assert process.pid in children(os.getpid())


def test_a_process_that_is_gone_has_no_figures() -> None:
    with python("pass") as process:
        pass
    with pytest.raises(OSError, match=str(process.pid)):
        cpu_s(process.pid)


def test_waiting_for_rest_ends_when_patience_does() -> None:
    assert wait_idle(0.0, look_s=0.05) >= 0
    assert cores() >= 1
