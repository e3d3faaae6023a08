"""A server's process for tests: on a loopback port, in a folder of its own, ended by its own id."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gengfu.ports import free_port

PATIENCE_S = 60.0
"""Bounds only failures."""
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True)
class Answer:
    """What a server said: names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = TEXT,
    patience_s: float = PATIENCE_S,
    method: str | None = None,
) -> Answer:
    """Posts the body, or gets without one, unless told otherwise; OSError where nobody answers in time."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method=method)
    try:
        with _OPENER.open(request, timeout=patience_s) as got:
            return Answer(got.status, _lower(got.headers), got.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, _lower(refused.headers), refused.read())


def _lower(headers: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in headers.items()}


class Process:
    """Started with what `command` says; `ready` is a path that answers when the server serves."""

    def __init__(self, ready: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gengfu-series-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready = ready
        self._command: Sequence[str] = ()
        self._running: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str]) -> None:
        """Starts it for the first time."""
        self._command = command
        self.start()

    def start(self) -> None:
        """On the same port and data as before; returns when it answers."""
        assert not self.is_running()
        log = self.folder / "log"
        with log.open("ab") as out:
            self._running = subprocess.Popen(
                self._command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self.answers():
            assert self.is_running(), f"{self._command[0]} ended at once: {log.read_text()[-1000:]}"
            assert time.monotonic() < deadline, f"{self._command[0]} does not answer"
            time.sleep(0.005)

    def answers(self, patience_s: float = PATIENCE_S) -> bool:
        try:
            return ask(self.url + self._ready, patience_s=patience_s).status < 300
        except OSError:
            return False

    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """As a power cut would; what is on the disk stays."""
        if self._running:
            self._running.kill()
            self._running.wait(PATIENCE_S)

    def pause(self) -> None:
        """It holds its connections and answers nothing; returns when it has stopped."""
        assert self._running
        self._running.send_signal(signal.SIGSTOP)
        os.waitpid(self._running.pid, os.WUNTRACED)

    def resume(self) -> None:
        assert self._running
        self._running.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Ends it and removes all it kept."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
