"""The journal's reserve: alarms go on where there is no room for history, and nothing but points is shed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.journal import Journal
from ingest.journal_errors import JournalFull
from ingest.journal_files import SLOT_HEAD_BYTES, Damage, Mark, list_segments
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.record_bytes import HEADER_BYTES, encode_record
from ingest.reserve import SLOTS
from tests.ingest.house import House
from tests.ingest.test_journal import SIZE, disk_full_after, record

SLOT = SLOT_HEAD_BYTES + 3 * SIZE + 8
"""Three records and not quite a fourth header."""
TORN = 96
"""So much of a record is never the whole of it; the rest of these records may be zeros."""


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Desk:
    """A journal with a reserve, the store's position, and a clock."""

    folder: Path
    most: int = 8 * SIZE
    reserve: int = SLOTS * SLOT
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.store = Mark(self.folder / "reader-store")
        self.open()

    def open(self) -> None:
        self.journal = Journal(
            self.folder,
            segment_bytes=4 * SIZE,
            max_bytes=self.most,
            reserve_bytes=self.reserve,
            monotonic=self.clock,
        )

    def reopen(self) -> None:
        self.journal.close()
        self.open()

    def append(self, count: int = 1) -> list[bool]:
        return [self.journal.append(record(self.journal.next_seq)) for _ in range(count)]

    def stands(self) -> str:
        if self.journal.at_the_brim:
            return "at the brim"
        return "sheds" if self.journal.shedding else "stores"

    def read(self, after: int = 0) -> list[Record | Damage]:
        reader = JournalReader(self.folder, after)
        found = []
        while some := reader.read(2):
            found += some
        reader.close()
        return found

    def seqs(self, after: int = 0, *, shed: bool | None = None) -> list[int]:
        found = self.read(after)
        assert not [one for one in found if isinstance(one, Damage)]
        return [one.seq for one in found if isinstance(one, Record) and shed in (None, one.shed)]

    def close(self) -> None:
        self.store.close()
        self.journal.close()


def test_a_full_journal_goes_on_in_the_reserve_and_the_records_say_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs() as logs:
        assert desk.append(12) == [False] * 8 + [True] * 4
    assert [one["event"] for one in logs] == ["points_are_shed"]
    assert desk.journal.shedding
    assert desk.seqs() == list(range(1, 13))
    assert desk.seqs(shed=True) == [9, 10, 11, 12]
    desk.close()


def test_a_full_disk_goes_on_in_the_reserve(tmp_path: Path) -> None:
    desk = Desk(tmp_path, most=100 * SIZE)
    assert desk.append(3) == [False] * 3
    with disk_full_after(SLOT), capture_logs():
        assert desk.append(4) == [True] * 4  # the fourth would have made the segment longer than a slot
    assert desk.seqs() == list(range(1, 8))
    desk.close()


def test_a_write_that_fails_half_way_goes_to_the_reserve_and_the_half_is_passed_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path, most=100 * SIZE, reserve=SLOTS * (SLOT_HEAD_BYTES + SIZE))
    desk.append(2)
    with disk_full_after(2 * SIZE + 50), capture_logs():
        assert desk.append() == [True]
    with list_segments(tmp_path)[0].path.open("ab") as file:  # as where the process died before the cut
        file.write(encode_record(record(3))[:50])
    assert desk.seqs() == [1, 2, 3]
    desk.reopen()
    assert desk.seqs() == [1, 2, 3]
    desk.close()


def test_without_a_reserve_a_full_journal_refuses_as_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path, reserve=0)
    desk.append(8)
    with pytest.raises(JournalFull):
        desk.append()
    assert desk.journal.reserve.is_whole
    desk.close()


def test_the_reserve_is_used_again_once_the_snapshot_is_past_it_although_the_store_stands_still(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        for _ in range(30):
            desk.append(3)
            newest = desk.journal.next_seq - 1
            desk.journal.keep_after(newest - 5, newest)
            assert desk.seqs(newest - 5) == list(range(max(1, newest - 4), newest + 1))
    assert desk.journal.shedding
    assert desk.seqs(shed=False) == list(range(1, 9))
    assert sum(1 for one in tmp_path.glob("*.reserve")) == SLOTS
    desk.close()


def test_a_reserve_that_is_used_up_refuses_and_goes_on_with_the_next_snapshot(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(8 + 3 * SLOTS)
        assert desk.stands() == "at the brim"
        for _ in range(3):
            with pytest.raises(JournalFull):
                desk.append()
        newest = desk.journal.next_seq - 1
        desk.journal.keep_after(0, newest - 1)
        assert desk.stands() == "sheds"
        assert desk.append(2) == [True, True]
    assert desk.seqs(newest) == [newest + 1, newest + 2]
    desk.close()


def test_a_record_longer_than_a_slot_uses_none_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(9)
        free = desk.journal.reserve.free
        for _ in range(3):
            with pytest.raises(JournalFull, match="too long"):
                desk.journal.append(record(desk.journal.next_seq, 100))
        assert desk.journal.reserve.free == free
        desk.append()
    assert desk.seqs() == list(range(1, 11))
    desk.close()


def test_it_goes_back_when_there_is_room_for_a_segment_and_not_before(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs() as logs:
        desk.append(9)
        desk.journal.keep_after(9)
        desk.store.seq = 8
        assert desk.append() == [True]  # not looked at yet
        desk.clock.now_s += 2
        assert desk.append(2) == [False, False]
    assert [one["event"] for one in logs] == ["points_are_shed", "points_are_stored_again"]
    assert desk.seqs(8) == [9, 10, 11, 12]
    desk.journal.keep_after(11)
    assert desk.journal.reserve.free == SLOTS
    desk.close()


def test_it_does_not_go_back_while_the_disk_has_no_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path, most=100 * SIZE, reserve=SLOTS * 3 * SIZE)
    with capture_logs(), disk_full_after(3 * SIZE):
        desk.append(4)
        desk.clock.now_s += 2
        assert desk.append() == [True]
        assert len([one for one in list_segments(tmp_path) if not one.in_reserve]) == 1
    desk.clock.now_s += 2
    with capture_logs():
        assert desk.append() == [False]
    assert desk.seqs() == list(range(1, 7))
    desk.close()


def test_it_starts_in_the_reserve_where_the_disk_has_no_room_for_a_first_segment(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.append(3)
    desk.journal.close()
    for one in list_segments(tmp_path):
        one.path.unlink()
    with capture_logs(), disk_full_after(10):
        desk.open()
    desk.append()
    assert desk.seqs(3) == [4]
    desk.close()


def test_a_disk_without_room_gives_a_smaller_reserve_and_the_rest_comes_later(tmp_path: Path) -> None:
    with capture_logs() as logs, disk_full_after(SLOT - 1):
        desk = Desk(tmp_path)
        desk.journal.reserve.keep()
    assert [one["event"] for one in logs] == ["reserve_has_no_room"]
    assert (desk.journal.reserve.free, desk.journal.reserve.is_whole) == (0, False)
    desk.journal.reserve.keep()
    assert (desk.journal.reserve.free, desk.journal.reserve.is_whole) == (SLOTS, True)
    desk.close()


def test_another_size_comes_with_the_next_use_and_loses_no_record(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(10)
        desk.reserve = SLOTS * 2 * SLOT
        desk.reopen()
        assert desk.seqs() == list(range(1, 11))
        desk.append(9)
        desk.journal.keep_after(16)
        desk.journal.reserve.keep()
    assert desk.seqs(16) == [17, 18, 19]
    assert {one.stat().st_size for one in tmp_path.glob("*.reserve")} == {2 * SLOT}
    desk.close()


@pytest.mark.parametrize("cut", range(0, TORN, 8))
def test_a_torn_tail_in_a_slot_with_an_older_use_is_never_a_record(tmp_path: Path, cut: int) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(8 + 3 * SLOTS)
        desk.journal.keep_after(0, desk.journal.next_seq - 1)
        desk.append(2)
        newest = desk.journal.next_seq - 1
        with list_segments(tmp_path)[-1].path.open("r+b") as file:
            file.seek(SLOT_HEAD_BYTES + 2 * SIZE)
            file.write(encode_record(record(newest + 1))[:cut])
        desk.reopen()
        assert desk.journal.next_seq == newest + 1
        assert desk.seqs(newest - 2) == [newest - 1, newest]
        desk.append(2)
    assert desk.seqs(newest) == [newest + 1, newest + 2]
    desk.close()


def test_damage_in_the_reserve_costs_its_own_record(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(14)
    with list_segments(tmp_path)[-2].path.open("r+b") as file:
        file.seek(SLOT_HEAD_BYTES + SIZE + HEADER_BYTES + 3)
        file.write(b"\xff")
    found = desk.read(8)
    assert [one.seq for one in found if isinstance(one, Record)] == [9, 11, 12, 13, 14]
    assert [one.size for one in found if isinstance(one, Damage)] == [SIZE]
    desk.close()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 9)),
        st.tuples(st.just("store"), st.integers(0, 12)),
        st.tuples(st.just("snapshot"), st.integers(0, 6)),
        st.tuples(st.just("die"), st.integers(0, TORN)),
        st.tuples(st.just("full"), st.integers(1, 6)),
        st.tuples(st.just("wait"), st.just(2)),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=50, deadline=None)
def test_whatever_happens_recovery_has_every_record_and_the_store_every_point_that_was_not_shed(
    steps: list[tuple[str, int]],
) -> None:
    with TemporaryDirectory() as folder, capture_logs():
        desk = Desk(Path(folder))
        shed: dict[int, bool] = {}
        reader, stored, snapshots = JournalReader(desk.folder), [], [0, 0]
        for step, number in steps:
            journal = desk.journal
            if step in ("append", "full"):
                limit = 10**9 if step == "append" else max(SLOT, 2 * SIZE)
                with disk_full_after(limit):
                    for _ in range(number):
                        if journal.at_the_brim:  # as the tick does: a snapshot first
                            snapshots = [snapshots[1], journal.next_seq - 1]
                            journal.keep_after(*snapshots)
                        seq = journal.next_seq
                        shed[seq] = journal.append(record(seq))
            elif step == "store":
                for one in reader.read(number) if number else ():
                    assert isinstance(one, Record)
                    assert one.shed == shed[one.seq]
                    stored += [] if one.shed else [one.seq]
                desk.store.seq = reader.position
            elif step == "snapshot":
                snapshots = [snapshots[1], max(snapshots[1], journal.next_seq - 1 - number)]
                journal.keep_after(*snapshots)
            elif step == "die":
                newest = list_segments(desk.folder)[-1]
                with newest.path.open("r+b") as file:
                    file.seek(journal._open.end)
                    room = SLOT - journal._open.end if newest.in_reserve else SIZE
                    file.write(encode_record(record(journal.next_seq))[: min(number, room)])
                desk.reopen()
                assert desk.journal.next_seq == len(shed) + 1
                desk.journal.keep_after(*snapshots)
            else:
                desk.clock.now_s += number
            assert desk.seqs(snapshots[1]) == list(range(snapshots[1] + 1, len(shed) + 1))
        while found := reader.read():
            assert all(isinstance(one, Record) for one in found)
            stored += [one.seq for one in found if isinstance(one, Record) and not one.shed]
        assert stored == [seq for seq, gone in shed.items() if not gone]
        reader.close()
        desk.close()


def test_a_reader_whose_slot_was_used_again_under_it_misses_nothing_that_was_stored(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(10)
        reader = JournalReader(tmp_path)
        assert len(reader.read(100)) == 10  # it now stands within the first slot
        desk.store.seq = 8
        desk.journal.keep_after(10)
        desk.clock.now_s += 2
        assert desk.append(8) == [False] * 8
        for _ in range(SLOTS):
            desk.append(3)
            newest = desk.journal.next_seq - 1
            desk.journal.keep_after(newest - 2, newest)
    first = list_segments(tmp_path)[-1]
    assert first.path.name == "00.reserve"  # the slot the reader stands in
    found = [one for _ in range(9) for one in reader.read(100)]
    assert [one.seq for one in found if isinstance(one, Record) and not one.shed] == list(range(11, 19))
    assert reader.damaged == 0
    reader.close()
    desk.close()


def test_a_reserve_of_one_slot_is_begun_anew_with_every_snapshot_that_has_all_of_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(8)
        desk.journal.reserve._free[1:] = []
        for _ in range(5):
            while not desk.journal.at_the_brim:
                assert desk.append() == [True]
            newest = desk.journal.next_seq - 1
            desk.journal.keep_after(0, newest - 1)
            desk.journal.keep_reserve()
            assert desk.stands() == "at the brim"
            desk.journal.keep_after(newest - 1, newest)
            assert desk.stands() == "sheds"
            assert desk.append() == [True]
            assert desk.seqs(newest) == [newest + 1]
            desk.reopen()
            assert desk.seqs(newest) == [newest + 1]
            desk.journal.reserve._free[:] = []
    desk.close()


def test_at_the_brim_it_goes_back_when_there_is_room_although_no_snapshot_can_be_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(8 + 3 * SLOTS)
        desk.store.seq = 8
        desk.journal.keep_after(9)
        while not desk.journal.at_the_brim:
            desk.append()
        desk.clock.now_s += 2
        desk.journal.keep_reserve()
        assert desk.stands() == "stores"
        assert desk.append() == [False]
    desk.close()


def test_a_reserve_that_is_not_asked_for_any_more_is_left_as_soon_as_there_is_room(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs():
        desk.append(9)
        desk.reserve = 0
        desk.reopen()
        assert not desk.journal.at_the_brim
        assert desk.append(2) == [True] * 2  # what is left of the slot
        for _ in range(2):
            with pytest.raises(JournalFull, match="no reserve"):
                desk.append()
        desk.journal.keep_after(desk.journal.next_seq - 1)
        desk.store.seq = 8
        desk.clock.now_s += 2
        assert desk.append() == [False]
    assert desk.seqs(11) == [12]
    desk.close()


def test_with_one_slot_the_tick_takes_all_that_comes_and_the_fire_too(tmp_path: Path) -> None:
    house = House(tmp_path, max_bytes=8192, segment_bytes=4096)
    house.reserve_bytes = SLOTS * 8192
    tick = house.start()
    house.journal.reserve._free[1:] = []
    for n in range(400):
        house.broker.publish("t/d1", b'{"amps": %d}' % n)
    house.broker.publish("t/d1", b'{"smoke": 1}')
    with capture_logs():
        for _ in range(1_000):
            tick.run_once(0.0)
            house.parts.snapshots.wait()
            house.line.now_us += 1_000_000
    assert house.journal.shedding
    assert (house.broker.waiting, house.broker.inflight) == ([], {})
    assert len(house.alarms()) == 1
    house.stop()
