"""A real service in a folder of its own, looked at only from outside: benches and whole-way tests use it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import cpu_s
from gengfu.ports import free_port
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

PROCESSES = ("ingest", "store", "alerts", "caretaker", "console", "answers")
SNAPSHOT_S = 60.0
"""As the service does by itself: what a bench measures."""
PATIENCE_S = 60.0
"""How long a wait may last before it fails: generous, since it only bounds failures."""


class DidNotHappen(AssertionError):
    """What was waited for did not come in time; the text says what."""


def eventually(happened: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Waits until `happened`, else fails naming `what`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if happened():
            return
        time.sleep(0.05)
    raise DidNotHappen(f"did not happen within {timeout_s:.0f} s: {what}")


class RunningService:
    """`gengfu up` on `folder`, and ways to look at it from outside."""

    def __init__(
        self,
        folder: Path,
        clock_ratio: float = 1.0,
        own_broker_port: int = 0,
        *,
        anonymous: bool = True,
        mosquitto: str = "",
        snapshot_s: float = 3.0,
    ) -> None:
        """With `own_broker_port` the service uses that broker of the caller's instead of a private one.

        `anonymous`: whoever is on this machine may publish, without a credential. `mosquitto`: another
        program as the private broker. `snapshot_s`: short, so that tests meet many of them.
        """
        self.folder = folder
        self._snapshot_s = snapshot_s
        self._anonymous = anonymous
        self.broker_port = own_broker_port or free_port()
        self._broker_host = 'host = "127.0.0.1"\n' if own_broker_port else ""
        self._broker_program = f'program = "{mosquitto}"\n' if mosquitto else ""
        self.ports = {name: free_port() for name in PROCESSES}
        self.console_port, self.answers_port = free_port(), free_port()
        self.config = folder / "gengfu.toml"
        self.config.write_text(self._toml(clock_ratio))
        self._process: subprocess.Popen[bytes] | None = None

    def _toml(self, clock_ratio: float) -> str:
        metrics = "\n".join(f"{name} = {port}" for name, port in self.ports.items())
        return (
            f'data = "data"\n[broker]\n{self._broker_host}{self._broker_program}port = {self.broker_port}\n'
            f"anonymous = {str(self._anonymous).lower()}\n"
            f"[alerts]\nclock_ratio = {clock_ratio}\n"
            f"[console]\nport = {self.console_port}\n[answers]\nport = {self.answers_port}\n"
            f'public_url = "http://127.0.0.1:{self.answers_port}"\n[metrics]\n{metrics}\n'
            f"[ingest]\nsnapshot_s = {self._snapshot_s}\n"
        )

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Starts the service and waits until all of it is well."""
        log = (self.folder / "service.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gengfu", "up", "--config", str(self.config)], stdout=log, stderr=log
        )
        log.close()
        self.ready()

    def ready(self) -> None:
        """Waits until every process says it is well."""
        for name in self.ports:
            eventually(partial(self.healthy, name), f"{name} is healthy; see {self.folder}/service.log")

    def healthy(self, name: str) -> bool:
        """Whether the process answers its /healthz with 200."""
        try:
            url = f"http://127.0.0.1:{self.ports[name]}/healthz"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def figures(self, name: str) -> dict[str, float]:
        """The process's metrics by name (labels included in the name)."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {k: float(v) for k, v in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def pid(self, name: str) -> int:
        """The process id, as the supervisor last noted it."""
        return self.pids()[name]

    def pids(self) -> dict[str, int]:
        """All of them by name, as the supervisor last noted them; `broker` is the private broker's leash."""
        pids: dict[str, int] = json.loads((self.data / "run.json").read_text())["pids"]
        return pids

    def kill(self, name: str) -> None:
        """kill -9 of one process (`supervisor` for the one that watches the others)."""
        if name == "supervisor":
            assert self._process
            self._process.kill()
            self._process.wait()
        else:
            os.kill(self.pid(name), signal.SIGKILL)

    def stop(self) -> None:
        """Ends the service in order."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    def cpu_s(self, name: str) -> float:
        """CPU seconds the process has used, user and system. Raises OSError where there is no /proc."""
        return cpu_s(self.pid(name))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the service's database, read beside it."""
        return self._read(self.data / "gengfu.db", query, values)

    def count_points(self, slots: Sequence[int]) -> int:
        """How many points of these series the embedded store has."""
        with closing(SeriesReader.open(self.data / "points.db")) as reader:
            return reader.count(slots)

    def points(self, slot: int) -> Points:
        """All points of a series."""
        with closing(SeriesReader.open(self.data / "points.db")) as reader:
            return reader.read(slot, 0, 2**62, limit=10**9)

    @staticmethod
    def _read(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(path, timeout=30)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@contextmanager
def running(
    folder: Path,
    clock_ratio: float = 1.0,
    own_broker_port: int = 0,
    *,
    anonymous: bool = True,
    mosquitto: str = "",
    snapshot_s: float = 3.0,
) -> Iterator[RunningService]:
    """A service that is stopped at the end, whatever happens; the caller starts it."""
    service = RunningService(
        folder, clock_ratio, own_broker_port, anonymous=anonymous, mosquitto=mosquitto, snapshot_s=snapshot_s
    )
    try:
        yield service
    finally:
        service.stop()
