"""The `gengfu` command as a person runs it, and small services on ports of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gengfu.ports import free_port

PATIENCE_S = 60.0
"""Bounds only failures."""
METRICS = "ingest", "store", "alerts", "caretaker", "console", "answers"


def gengfu(*words: str, cwd: Path, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `gengfu <words>` to its end in `cwd`, without the caller's $GENGFU_CONFIG."""
    return subprocess.run(
        [sys.executable, "-m", "gengfu", *words],
        cwd=cwd,
        env={**_environment(), **environment},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def objects(text: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [msgspec.json.decode(line) for line in text.splitlines()]


def broken_mosquitto(folder: Path) -> str:
    """A PATH on which mosquitto is a program that ends at once, saying why."""
    program = folder / "bin" / "mosquitto"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Error: out of candles' >&2\nexit 3\n")
    program.chmod(0o700)
    return f"{program.parent}:{os.environ['PATH']}"


def free_ports(folder: Path, more: str = "") -> Path:
    """A configuration whose ports are all free ones; `more` is appended."""
    path = folder / "gengfu.toml"
    metrics = "".join(f"{name} = {free_port()}\n" for name in METRICS)
    path.write_text(
        f"[console]\nport = {free_port()}\n[answers]\nport = {free_port()}\n[metrics]\n{metrics}{more}"
    )
    return path


@contextmanager
def started(*words: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A `gengfu` that runs until the end of the block; what is left of it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gengfu", *words],
        cwd=cwd,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


def told_to_stop(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    """Exit code and stderr after the signal."""
    process.send_signal(how)
    _, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, errors


def eventually(happened: Callable[[], bool], what: str) -> None:
    """Waits until `happened`, else fails naming `what`."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if happened():
            return
        time.sleep(0.02)
    raise AssertionError(f"did not happen: {what}")


def alive(pid: int) -> bool:
    """Whether a process with this number runs (one that only waits to be collected does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def pids(folder: Path) -> dict[str, int]:
    """What runs under which number, as the service noted it; empty before it did."""
    note = folder / "run.json"
    return dict(msgspec.json.decode(note.read_bytes())["pids"]) if note.exists() else {}


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "GENGFU_CONFIG"}
