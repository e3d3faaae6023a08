"""When the journal goes back from its reserve, and points are stored again."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal_errors import JournalFull
from ingest.journal_files import list_segments
from ingest.reserve import SLOTS
from tests.ingest.journalled import SIZE, disk_full_after
from tests.ingest.reserved import Desk


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


def test_it_goes_back_on_a_quiet_site_where_nothing_comes_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with capture_logs() as logs:
        desk.append(9)
        desk.journal.keep_after(9)
        desk.store.seq = 8
        desk.clock.now_s += 2
        desk.journal.keep_reserve()
    assert desk.stands() == "stores"
    assert [one["event"] for one in logs] == ["points_are_shed", "points_are_stored_again"]
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
