"""The journal's reserve: alarms go on where there is no room for history, and nothing but points is shed."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal_errors import JournalFull
from ingest.journal_files import SLOT_HEAD_BYTES, list_segments
from ingest.record_bytes import encode_record
from ingest.reserve import SLOTS
from tests.ingest.house import House
from tests.ingest.journalled import SIZE, disk_full_after, record
from tests.ingest.reserved import SLOT, Desk


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
