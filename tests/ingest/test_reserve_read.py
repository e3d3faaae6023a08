"""What is read of the journal's reserve: after a torn write, amid damage, and where a slot is used again."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.journal_files import SLOT_HEAD_BYTES, Damage, list_segments
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.record_bytes import HEADER_BYTES, encode_record
from ingest.reserve import SLOTS
from tests.ingest.journalled import SIZE, disk_full_after, record
from tests.ingest.reserved import SLOT, TORN, Desk


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
