"""Keeps the processes of one service alive, and ends them together.

A process that dies is started again: at once the first time, then after a doubling pause, forgotten after a
minute of health. When the supervisor itself dies, the leash ends its processes (see `leash`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from gengfu.leash import LEASH

log = structlog.get_logger()

FIRST_PAUSE_S: Final = 0.1
"""Chosen: a detector's message waits in the broker for so long at least."""
LONGEST_PAUSE_S: Final = 10.0
HEALTHY_S: Final = 60.0
STOP_WAIT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Member:
    """One process: its name, its command, and where its log goes (None: the supervisor's own stderr)."""

    name: str
    command: Sequence[str]
    log: Path | None = None


@dataclass(slots=True)
class _Running:
    member: Member
    process: subprocess.Popen[bytes]
    started: float
    pause_s: float = FIRST_PAUSE_S
    restart_at: float = 0.0

    def put_off(self, now: float) -> None:
        """The next start is due after the pause, which doubles."""
        self.restart_at = now + self.pause_s
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)


class Supervisor:
    """Starts `members` in order, watches them, ends them in reverse order.

    `on_start` is told the name and number of each process that starts; `stop_wait_s` is how long each may
    take to end.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        on_start: Callable[[str, int], None],
        stop_wait_s: float = STOP_WAIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._members = members
        self._on_start = on_start
        self._stop_wait_s = stop_wait_s
        self._monotonic = monotonic
        self._stopped = False
        self._running: dict[str, _Running] = {}
        self._leash_read, self._leash_write = os.pipe()
        os.set_inheritable(self._leash_read, True)
        self.restarts = 0

    def start(self, name: str) -> None:
        """Starts the member called `name`. Raises OSError where the system cannot."""
        member = next(m for m in self._members if m.name == name)
        self._running[name] = _Running(member, self._launch(member), self._monotonic())
        self._on_start(name, self._running[name].process.pid)

    def lives(self, name: str) -> bool:
        """Whether the member was started and has not ended."""
        return name in self._running and self._running[name].process.poll() is None

    def _launch(self, member: Member) -> subprocess.Popen[bytes]:
        sink = member.log.open("ab") if member.log else None
        process = subprocess.Popen(
            member.command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=os.environ | {LEASH: str(self._leash_read)},
            pass_fds=(self._leash_read,),
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which then ends the rest in order
        )
        if sink:
            sink.close()
        return process

    def watch(self) -> None:
        """One look: notices deaths and starts again what is due. Call it a few times a second."""
        now = self._monotonic()
        for running in self._running.values():
            if running.restart_at:
                if now >= running.restart_at:
                    self._restart(running, now)
            elif (code := running.process.poll()) is not None:
                if now - running.started > HEALTHY_S:
                    running.pause_s = FIRST_PAUSE_S
                running.put_off(now)
                log.error("process ended, will be started again", name=running.member.name, code=code)

    def _restart(self, running: _Running, now: float) -> None:
        try:
            running.process = self._launch(running.member)
        except OSError as error:  # no process or no memory left: the others must not end for it
            log.error("process not started, tried again", name=running.member.name, reason=error.strerror)
            running.put_off(now)
            return
        running.started, running.restart_at = now, 0.0
        self.restarts += 1
        self._on_start(running.member.name, running.process.pid)

    def stop(self) -> None:
        """Ends all in reverse order of start: SIGTERM, and SIGKILL only for what does not end in time.

        Called again it does nothing.
        """
        if self._stopped:
            return
        self._stopped = True
        for running in reversed(self._running.values()):
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGTERM)
            try:
                running.process.wait(self._stop_wait_s)
            except subprocess.TimeoutExpired:
                log.error("process did not end, killed", name=running.member.name)
                running.process.kill()
                running.process.wait()
        os.close(self._leash_write)
        os.close(self._leash_read)
