"""Another process holds the database's write lock: alarms and points are all there afterwards, once."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.crash.rig import Rig

ROOM_KB = 40_000
"""How much a process may grow while it waits: what the sockets and one batch hold, with room (chosen)."""


@contextmanager
def locked(crashes: Rig) -> Iterator[None]:
    """As a backup or a person with a shell would: a write transaction that stays open."""
    connection = sqlite3.connect(crashes.folder / "data" / "gengfu.db", isolation_level=None, timeout=30)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def waits(crashes: Rig, seconds: float) -> None:
    """Locked out for so long, while fires and readings come: nothing is raised meanwhile, all of it after."""
    crashes.start()
    crashes.load(80)
    crashes.fire()
    crashes.balances()
    before_kb = most_kb = crashes.rss_kb()
    known = len(crashes.fires)
    with locked(crashes):
        until = time.monotonic() + seconds
        crashes.fire(2)
        while time.monotonic() < until:
            crashes.load(200, rate=400)
            most_kb = max(most_kb, crashes.rss_kb())
        assert len(crashes.raised()) == known
    crashes.balances()
    assert most_kb - before_kb < ROOM_KB
    crashes.kill()


def test_locked_out_for_seconds_we_raise_everything_after_it(crashes: Rig) -> None:
    waits(crashes, 3.0)


@pytest.mark.slow
def test_locked_out_for_longer_than_a_writer_waits_we_raise_everything_after_it(crashes: Rig) -> None:
    waits(crashes, 32.0)


def test_killed_while_locked_out_we_raise_everything_after_it(crashes: Rig) -> None:
    crashes.start()
    crashes.load(80)
    crashes.balances()
    with locked(crashes):
        crashes.fire(2)
        crashes.load(400, rate=800)
        crashes.kill()
    crashes.start()
    crashes.balances()
    crashes.kill()
