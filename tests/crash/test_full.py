"""The disk is full for the journal, the database or the store: nothing is lost, and it goes on by itself."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from benchmarks.service import eventually
from tests.crash.rig import Rig

EMPTY = 2**30 - 2
"""SQLite's own bound on pages: room again."""


@contextmanager
def no_file_longer_than(pid: int, size: int) -> Iterator[None]:
    """A write of the process beyond `size` bytes of a file fails, as on a full disk; then it does not."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def full_database(crashes: Rig) -> Iterator[None]:
    """The database may not grow by a page; then it may."""
    pages = crashes.folder / "pages"
    pages.write_text("1")  # SQLite takes it for the size it has
    yield
    pages.write_text(str(EMPTY))


def journal_bytes(crashes: Rig) -> int:
    """The length of the newest segment."""
    return max((crashes.folder / "data" / "journal").glob("*.journal")).stat().st_size


def begins(crashes: Rig) -> None:
    crashes.start()
    crashes.load(400)
    crashes.fire()
    crashes.balances()


def ends(crashes: Rig) -> None:
    """Room again: everything is there, and what comes now goes the usual way."""
    crashes.balances()
    lost = crashes.shed().total()
    eventually(lambda: nothing_more_is_shed(crashes, lost), "history is written again")
    crashes.balances()
    crashes.kill()


def fires_until_stalled(crashes: Rig) -> None:
    """Alarms until a transaction needs a page that is not there."""
    before = crashes.says("ingest_stalled")
    for _ in range(30):
        crashes.fire(5)
        time.sleep(0.1)
        if crashes.says("ingest_stalled") > before:
            return
    raise AssertionError(f"150 alarms found room in a full database; see {crashes.folder}/ingest.log")


def nothing_more_is_shed(crashes: Rig, lost: int) -> bool:
    crashes.load(40)
    crashes.fire()
    crashes.balances()
    return crashes.shed().total() == lost


@pytest.mark.parametrize("spare", [0, 2_000, 30_000])
def test_while_the_journal_cannot_grow_every_fire_is_raised_and_no_point_uncounted(
    crashes: Rig, spare: int
) -> None:
    begins(crashes)
    before = crashes.says("points_are_shed") + crashes.says("ingest_stalled")
    with no_file_longer_than(crashes.pid, journal_bytes(crashes) + spare):
        crashes.load(800)
        crashes.fire(2)
        crashes.load(800)
        eventually(
            lambda: crashes.says("points_are_shed") + crashes.says("ingest_stalled") > before,
            "the journal has no room",
        )
    ends(crashes)


def test_killed_while_the_journal_cannot_grow_it_loses_nothing(crashes: Rig) -> None:
    begins(crashes)
    before = crashes.says("points_are_shed") + crashes.says("ingest_stalled")
    with no_file_longer_than(crashes.pid, journal_bytes(crashes) + 2_000):
        crashes.load(800)
        crashes.fire(2)
        eventually(
            lambda: crashes.says("points_are_shed") + crashes.says("ingest_stalled") > before,
            "the journal has no room",
        )
        time.sleep(0.2)
        crashes.load(400)
        crashes.kill()
    crashes.start()
    ends(crashes)


def test_while_the_database_is_full_nothing_is_acknowledged_that_is_not_told(crashes: Rig) -> None:
    begins(crashes)
    with full_database(crashes):
        fires_until_stalled(crashes)
        crashes.load(400)
        assert len(crashes.raised()) < len(crashes.fires)
    ends(crashes)


def test_killed_while_the_database_is_full_it_starts_again_when_there_is_room(crashes: Rig) -> None:
    begins(crashes)
    with full_database(crashes):
        fires_until_stalled(crashes)
        crashes.kill()
    crashes.start()
    ends(crashes)


def test_while_the_store_is_full_the_journal_keeps_its_points(crashes: Rig) -> None:
    begins(crashes)
    assert crashes.store.pid
    stored = crashes.stored()
    with no_file_longer_than(crashes.store.pid, 4096):
        crashes.load(400)
        crashes.fire()
        eventually(lambda: len(crashes.raised()) == len(crashes.fires), "alarms do not wait for the store")
        time.sleep(0.5)
        assert crashes.stored() < crashes.acknowledged.total()
        assert crashes.stored() >= stored
    ends(crashes)
