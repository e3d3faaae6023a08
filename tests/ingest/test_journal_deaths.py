"""The journal of a process that dies anywhere, on a disk that is full now and then."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.journal import TRIES, Journal
from ingest.journal_errors import JournalFull
from ingest.journal_files import SLOT_HEAD_BYTES, Damage, Mark, list_segments
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.record_bytes import encode_record
from ingest.reserve import SLOTS
from tests.ingest.faults import Killed, abandon, failing, failing_read, killed_at_line
from tests.ingest.journalled import SIZE, record

SLOT = SLOT_HEAD_BYTES + 3 * SIZE + 8
WAYS = (("c_call", "pwrite"), ("c_return", "pwrite"), ("c_call", "fdatasync"))
"""A write that finds no room: nothing of it, all of it, all of it and never synced."""


@dataclass
class Site:
    """A journal with all who use it: the tick that appends and snapshots, the store, recovery after a death.

    `shed` is what was promised: by seq whether its points were shed, None where the process died first.
    """

    folder: Path
    now_s: float = 0.0
    has_room: bool = True
    shed: dict[int, bool | None] = field(default_factory=dict)
    stored: set[int] = field(default_factory=set)
    snapshots: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.mark = Mark(self.folder / "reader-store")
        self.reader = JournalReader(self.folder)
        self.open()

    def open(self) -> None:
        self.journal = Journal(
            self.folder,
            segment_bytes=2 * SIZE,
            max_bytes=1 << 20,
            at_least=self.snapshots[1] + 1,
            reserve_bytes=SLOTS * SLOT,
            may_return=lambda: self.has_room,
            monotonic=lambda: self.now_s,
        )
        self.journal.keep_after(*self.snapshots)

    def append(self, way: int = 0, kill: int = 0, size: int = 3) -> None:
        self.now_s += 0.6
        seq = self.journal.next_seq
        try:
            with killed_at_line(kill):
                if self.journal.at_the_brim:
                    self.journal.keep_reserve()
                elif self.has_room:
                    self.shed[seq] = self.journal.append(record(seq, size))
                else:
                    with failing(*WAYS[way]):
                        self.shed[seq] = self.journal.append(record(seq, size))
        except (JournalFull, OSError):
            pass
        except Killed:
            self.reopen()

    def reopen(self) -> None:
        """A new process: what was promised is there, and at most one record more."""
        abandon(self.journal)
        promised = max(self.shed, default=0)
        self.open()
        assert self.journal.next_seq in (promised + 1, promised + 2)
        if self.journal.next_seq == promised + 2:
            self.shed[promised + 1] = None
        self.recovers()

    def recovers(self) -> None:
        reader, found = JournalReader(self.folder, self.snapshots[1]), []
        while some := reader.read(3):
            found += [one.seq if isinstance(one, Record) else one for one in some]
        reader.close()
        assert found == list(range(self.snapshots[1] + 1, self.journal.next_seq))

    def snapshot(self) -> None:
        self.snapshots = (self.snapshots[1], self.journal.next_seq - 1)
        self.journal.keep_after(*self.snapshots)

    def store(self, count: int) -> None:
        """The store reads and remembers."""
        for one in self.reader.read(count):
            assert isinstance(one, Record)
            if not one.shed:
                self.stored.add(one.seq)
        assert self.reader.position < self.journal.next_seq
        self.mark.seq = self.reader.position

    def close(self) -> None:
        """All that was promised and not shed is stored in the end."""
        self.recovers()
        for _ in range(2 + len(self.shed)):
            self.store(100)
        assert {seq for seq, shed in self.shed.items() if shed is False} <= self.stored
        assert self.reader.damaged == 0
        self.reader.close()
        self.journal.close()
        self.mark.close()


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("held", [0, 2])
def test_dying_at_any_line_of_going_to_the_reserve_and_back_loses_nothing(
    tmp_path: Path, way: int, held: int
) -> None:
    """`held` records lie in the segment that is written when the disk becomes full: 2 fill it."""
    for line in range(1, 160):
        with capture_logs():
            site = Site(tmp_path / f"{line}")
            for _ in range(2 + held):
                site.append()
            site.store(100)
            site.has_room = False
            site.append(way, line)
            site.store(100)  # it can stand now in a slot that is given back
            site.has_room = True
            site.append(0, 160 - line)
            site.snapshot()
            site.store(2 + held)
            site.journal.trim()
            for _ in range(3):
                site.append()
            site.snapshot()
            site.snapshot()
            site.append()
            site.close()


def test_a_store_that_stands_in_an_empty_slot_finds_the_segment_that_comes_in_its_place(
    tmp_path: Path,
) -> None:
    for line in range(1, 80):
        with capture_logs():
            site = Site(tmp_path / f"{line}")
            for _ in range(2):
                site.append()
            site.store(100)
            site.has_room = False
            for _ in range(3):
                site.append()
            site.append(0, line)  # begins the second slot
            site.snapshot()
            site.snapshot()
            site.store(100)
            site.has_room = True
            for _ in range(2):
                site.append()
            site.has_room = False
            site.append()
            site.close()


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 2), st.integers(0, 8)),
        st.tuples(st.just("append"), st.integers(0, 2), st.just(3)),
        st.tuples(st.just("kill"), st.integers(0, 2), st.integers(1, 150)),
        st.tuples(st.just("room"), st.booleans(), st.just(0)),
        st.tuples(st.just("snapshot"), st.just(0), st.just(0)),
        st.tuples(st.just("store"), st.integers(1, 9), st.just(0)),
    ),
    min_size=10,
    max_size=80,
)


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_whatever_happens_and_wherever_it_dies_recovery_and_store_have_what_was_promised(
    acts: list[tuple[str, int, int]],
) -> None:
    with TemporaryDirectory() as folder, capture_logs():
        site = Site(Path(folder))
        for what, one, other in acts:
            if what == "append":
                site.append(one, 0, min(other, 3))
            elif what == "kill":
                site.append(one, other)
            elif what == "room":
                site.has_room = bool(one)
            elif what == "snapshot":
                site.snapshot()
            else:
                site.store(one)
        site.close()


@pytest.mark.parametrize("after", range(1, 7))
def test_a_read_that_fails_half_way_loses_nothing_of_what_it_had_found(tmp_path: Path, after: int) -> None:
    site = Site(tmp_path)
    for _ in range(6):
        site.append()
    found = []
    with failing_read(after):
        for _ in range(3):
            try:
                found += site.reader.read()
            except OSError:
                assert not found
    assert [one.seq for one in found if isinstance(one, Record)] == [1, 2, 3, 4, 5, 6]
    assert site.reader.damaged == 0
    site.journal.close()


def test_damage_before_a_record_that_is_not_durable_yet_does_not_cost_that_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1 << 20, max_bytes=1 << 21)
    for seq in (1, 2, 3):
        journal.append(record(seq))
    durable = Mark(tmp_path / "durable")
    durable.seq = 2
    with list_segments(tmp_path)[0].path.open("r+b") as file:
        file.seek(SIZE + 50)
        file.write(b"\xff")
    reader = JournalReader(tmp_path)
    found = [*reader.read(), *reader.read()]
    assert [one.seq for one in found if isinstance(one, Record)] == [1]
    assert [one.size for one in found if isinstance(one, Damage)] == [SIZE]
    durable.seq = 3
    assert [one.seq for one in reader.read() if isinstance(one, Record)] == [3]
    assert reader.damaged == 1
    journal.close()


def test_damage_at_the_end_is_told_once_and_what_is_written_behind_it_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1 << 20, max_bytes=1 << 21)
    for seq in (1, 2):
        journal.append(record(seq))
    path = list_segments(tmp_path)[0].path
    with path.open("r+b") as file:
        file.seek(SIZE + 50)
        file.write(b"\xff")
        file.seek(2 * SIZE)
        file.write(encode_record(record(3))[:70])  # under way
    reader = JournalReader(tmp_path)
    found = [*reader.read(), *reader.read()]
    journal.append(record(3))
    found += reader.read()
    assert [one.seq for one in found if isinstance(one, Record)] == [1, 3]
    assert len([one for one in found if isinstance(one, Damage)]) == reader.damaged == 1
    journal.close()


@pytest.mark.parametrize("reserve", [0, SLOTS * SLOT])
def test_a_segment_that_fails_for_good_is_left_for_another(tmp_path: Path, reserve: int) -> None:
    journal = Journal(tmp_path, segment_bytes=1 << 20, max_bytes=1 << 21, reserve_bytes=reserve)
    journal.append(record(1))
    bad = list_segments(tmp_path)[0].path.name
    tries = 0
    with capture_logs():
        while journal.next_seq == 2:
            tries += 1
            try:
                with failing("c_call", "fdatasync", errno.EIO, bad):
                    assert journal.append(record(2)) is False
            except OSError as error:
                assert error.errno == errno.EIO
            assert tries <= TRIES + 1
    found = JournalReader(tmp_path).read()
    assert [one.seq for one in found if isinstance(one, Record)] == [1, 2]
    journal.close()


def test_a_disk_that_fails_for_good_outside_the_reserve_is_left_for_the_reserve(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1 << 20, max_bytes=1 << 21, reserve_bytes=SLOTS * SLOT)
    tries = 0
    with capture_logs():
        while journal.next_seq == 1:
            tries += 1
            try:
                with failing("c_call", "fdatasync", errno.EIO):
                    assert journal.append(record(1)) is True
            except OSError as error:
                assert error.errno == errno.EIO
            assert tries <= 2 * TRIES
    assert journal.shedding
    journal.close()
