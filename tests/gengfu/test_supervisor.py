"""Processes that die come back, ever more slowly; the end is in order and certain."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gengfu.supervisor import FIRST_PAUSE_S, HEALTHY_S, LONGEST_PAUSE_S, Member, Supervisor
from tests.gengfu.program import alive, eventually

DIES = [sys.executable, "-c", "raise SystemExit(3)"]
SLEEPS = [sys.executable, "-c", "import time; time.sleep(120)"]
STUBBORN = """
import signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1]).touch()
time.sleep(120)
"""
NOTES_ITS_END = """
import signal, sys, time
from pathlib import Path

def end(*_):
    with open(sys.argv[1], "a") as notes:
        notes.write(sys.argv[2] + "\\n")
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
Path(sys.argv[1] + "." + sys.argv[2]).touch()
time.sleep(120)
"""


@dataclass
class Clock:
    """A monotonic clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Watched:
    supervisor: Supervisor
    clock: Clock
    started: list[tuple[str, int]] = field(default_factory=list)

    def died(self, name: str) -> None:
        """Returns when the newest process of that name has ended."""
        pid = next(pid for each, pid in reversed(self.started) if each == name)
        eventually(lambda: not alive(pid), f"{name} ended")

    def pause(self, name: str) -> float:
        """How long after its end the member is started again, found by moving the clock."""
        self.died(name)
        self.supervisor.watch()
        before, count, waited = self.clock.now, len(self.started), 0.0
        while len(self.started) == count:
            waited += 0.05
            self.clock.now = before + waited
            self.supervisor.watch()
        return round(waited, 2)


@contextmanager
def watched(*members: Member, stop_wait_s: float = 30.0) -> Iterator[Watched]:
    clock = Clock()
    started: list[tuple[str, int]] = []
    supervisor = Supervisor(
        members,
        on_start=lambda name, pid: started.append((name, pid)),
        stop_wait_s=stop_wait_s,
        monotonic=clock,
    )
    try:
        yield Watched(supervisor, clock, started)
    finally:
        supervisor.stop()


def test_a_member_that_keeps_dying_is_started_again_after_doubling_pauses() -> None:
    with watched(Member("a", DIES)) as here:
        here.supervisor.start("a")
        pauses = [here.pause("a") for _ in range(9)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert here.supervisor.restarts == 9


def test_after_a_time_of_health_the_pause_is_short_again() -> None:
    with watched(Member("a", DIES)) as here:
        here.supervisor.start("a")
        for _ in range(4):
            here.pause("a")
        here.clock.now += HEALTHY_S + 1
        assert here.pause("a") == FIRST_PAUSE_S


def test_the_others_run_on_when_one_dies() -> None:
    with watched(Member("a", SLEEPS), Member("b", DIES)) as here:
        here.supervisor.start("a")
        here.supervisor.start("b")
        here.pause("b")
        assert [name for name, _ in here.started] == ["a", "b", "b"]
        assert here.supervisor.lives("a")


def test_a_member_that_cannot_be_started_again_is_tried_again_and_ends_nothing(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    program.chmod(0o700)
    with watched(Member("a", SLEEPS), Member("b", [str(program)])) as here:
        here.supervisor.start("a")
        here.supervisor.start("b")
        here.died("b")
        program.unlink()
        for _ in range(5):
            here.clock.now += LONGEST_PAUSE_S
            here.supervisor.watch()
        assert here.supervisor.lives("a")
        assert [name for name, _ in here.started] == ["a", "b"]
        program.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
        program.chmod(0o700)
        here.clock.now += LONGEST_PAUSE_S
        here.supervisor.watch()
        assert [name for name, _ in here.started] == ["a", "b", "b"]


def test_a_member_that_cannot_be_started_at_all_is_an_error() -> None:
    with watched(Member("a", ["/nowhere/program"])) as here, pytest.raises(FileNotFoundError):
        here.supervisor.start("a")


def test_the_end_comes_in_reverse_order_of_start(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    members = [Member(name, [sys.executable, "-c", NOTES_ITS_END, str(notes), name]) for name in "abc"]
    with watched(*members) as here:
        for name in "abc":
            here.supervisor.start(name)
        for name in "abc":
            eventually((tmp_path / f"notes.{name}").exists, f"{name} is ready")
        here.supervisor.stop()
        assert notes.read_text().split() == ["c", "b", "a"]
        assert not any(alive(pid) for _, pid in here.started)


def test_one_that_ignores_sigterm_is_killed_and_the_others_still_end(tmp_path: Path) -> None:
    stubborn = Member("stubborn", [sys.executable, "-c", STUBBORN, str(tmp_path / "ready")])
    with watched(Member("a", SLEEPS), stubborn, Member("b", SLEEPS), stop_wait_s=0.3) as here:
        for name in ("a", "stubborn", "b"):
            here.supervisor.start(name)
        eventually((tmp_path / "ready").exists, "it ignores SIGTERM")
        here.supervisor.stop()
        assert not any(alive(pid) for _, pid in here.started)


def test_stopping_twice_and_stopping_what_never_started_is_harmless() -> None:
    with watched(Member("a", SLEEPS)) as here:
        here.supervisor.stop()
        here.supervisor.stop()


def test_a_log_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("before\n")
    with watched(Member("a", [sys.executable, "-c", "print('after')"], path)) as here:
        here.supervisor.start("a")
        here.died("a")
    assert path.read_text() == "before\nafter\n"
