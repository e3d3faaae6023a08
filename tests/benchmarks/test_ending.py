"""A bench that is told to end leaves nothing running."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_S = 60.0


def test_a_bench_that_is_told_to_end_ends_the_programs_it_started() -> None:
    words = ["bench", "ingest", "--devices", "100", "--seconds", "60"]
    bench = subprocess.Popen(
        [sys.executable, "-m", "gengfu", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        started = _programs_of(bench.pid)
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(PATIENCE_S) == 128 + signal.SIGTERM
        assert not [pid for pid in started if Path(f"/proc/{pid}/cmdline").exists()]
    finally:
        bench.kill()
        bench.wait()


def _programs_of(pid: int) -> list[int]:
    """The broker and what talks to it, once both are there."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = [int(one.name) for one in Path("/proc").iterdir() if _parent(one.name) == pid]
        if len(found) >= 2:
            return found
        time.sleep(0.05)
    raise AssertionError("the bench started nothing")


def _parent(name: str) -> int:
    try:
        return int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0
