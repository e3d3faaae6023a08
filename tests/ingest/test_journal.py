"""The journal: durable, bounded, followed by readers, and honest about damage."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal import Journal
from ingest.journal_errors import JournalFull, JournalLocked
from ingest.journal_files import DURABLE, Damage, Mark, list_segments
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.record_bytes import encode_record
from tests.ingest.journalled import SIZE, disk_full_after, record


def open_journal(folder: Path, segment: int = 4 * SIZE, most: int = 1_000_000, at_least: int = 1) -> Journal:
    return Journal(folder, segment_bytes=segment, max_bytes=most, at_least=at_least)


def fill(journal: Journal, count: int) -> None:
    for _ in range(count):
        journal.append(record(journal.next_seq))


def seqs(folder: Path, after: int = 0) -> list[int]:
    reader = JournalReader(folder, after)
    found: list[int] = []
    while some := reader.read(2):
        found += [one.seq for one in some if isinstance(one, Record)]
    reader.close()
    return found


def test_what_was_appended_is_read_in_order_across_segments(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 11)
    assert len(list_segments(tmp_path)) == 3
    assert seqs(tmp_path) == list(range(1, 12))
    assert seqs(tmp_path, after=6) == [7, 8, 9, 10, 11]
    journal.close()


def test_a_reader_follows_the_tail(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path)
    assert reader.read() == []
    journal = open_journal(tmp_path)
    for n in range(1, 10):
        fill(journal, 1)
        assert [one.seq for one in reader.read() if isinstance(one, Record)] == [n]
        assert reader.read() == []
    journal.close()
    reader.close()


def test_a_reader_never_sees_what_is_not_durable(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 3)
    mark = Mark(tmp_path / DURABLE)
    mark.seq = 2
    assert seqs(tmp_path) == [1, 2]
    mark.close()
    journal.close()


def test_a_torn_tail_is_cut_off_whatever_byte_it_ends_at(tmp_path: Path) -> None:
    for cut in range(SIZE):
        folder = tmp_path / str(cut)
        journal = open_journal(folder)
        fill(journal, 2)
        journal.close()
        with list_segments(folder)[-1].path.open("ab") as file:
            file.write(encode_record(record(3, 3))[:cut])
        journal = open_journal(folder)
        assert journal.next_seq == 3
        assert list_segments(folder)[-1].path.stat().st_size == 2 * SIZE
        fill(journal, 2)
        assert seqs(folder) == [1, 2, 3, 4]
        assert journal.damage == []
        journal.close()


def test_a_whole_record_that_was_not_yet_declared_durable_counts_after_reopening(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 2)
    journal.close()
    with list_segments(tmp_path)[-1].path.open("ab") as file:
        file.write(encode_record(record(3)))
    journal = open_journal(tmp_path)
    assert journal.next_seq == 4
    assert seqs(tmp_path) == [1, 2, 3]
    journal.close()


@pytest.mark.parametrize("segment", [0, 1, 2])
@pytest.mark.parametrize("place", [0, 40, SIZE + 5, 3 * SIZE + 70])
def test_damage_costs_its_own_record_and_is_a_value(tmp_path: Path, segment: int, place: int) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 12)
    journal.close()
    path = list_segments(tmp_path)[segment].path
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    lost = segment * 4 + place // SIZE + 1
    with capture_logs():
        journal = open_journal(tmp_path)
    fill(journal, 2)
    reader = JournalReader(tmp_path)
    found = [one for _ in range(20) for one in reader.read(3)]
    numbers = [one.seq for one in found if isinstance(one, Record)]
    damage = [one for one in found if isinstance(one, Damage)]
    assert numbers == [n for n in range(1, 15) if n != lost]
    assert reader.damaged == len(damage)
    if lost != 12:  # the very last record is taken for a torn tail and its number is not used again
        assert [(one.segment, one.size) for one in damage] == [(path.name, SIZE)]
    journal.close()
    reader.close()


def test_segments_go_when_every_reader_and_the_snapshot_are_past_them(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 12)
    journal.keep_after(12)
    assert len(list_segments(tmp_path)) == 3  # the store has not said anything yet
    store = Mark(tmp_path / "reader-store")
    store.seq = 7
    assert journal.trim() == 1
    assert seqs(tmp_path) == list(range(5, 13))
    store.seq = 12
    journal.keep_after(3)
    assert journal.trim() == 0
    journal.keep_after(8)
    assert [one.first_seq for one in list_segments(tmp_path)] == [9]
    store.close()
    journal.close()


def test_a_full_journal_refuses_and_goes_on_when_a_reader_has_moved(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, most=8 * SIZE)
    fill(journal, 8)
    with pytest.raises(JournalFull):
        fill(journal, 1)
    journal.keep_after(8)
    store = Mark(tmp_path / "reader-store")
    store.seq = 8
    fill(journal, 1)
    assert seqs(tmp_path, after=8) == [9]
    store.close()
    journal.close()


def test_only_one_writer_may_open_a_folder(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(JournalLocked):
        open_journal(tmp_path)
    journal.close()
    open_journal(tmp_path).close()


def test_numbers_go_on_after_everything_was_deleted(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 3)
    journal.close()
    for segment in list_segments(tmp_path):
        segment.path.unlink()
    journal = open_journal(tmp_path)
    assert journal.next_seq == 4
    journal.close()
    (tmp_path / DURABLE).unlink()
    for segment in list_segments(tmp_path):
        segment.path.unlink()
    journal = open_journal(tmp_path, at_least=9)
    assert journal.next_seq == 9
    journal.close()


def test_a_failed_write_is_cut_off_before_the_next(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 1)
    with disk_full_after(SIZE + 50), pytest.raises(OSError, match="too large"):
        fill(journal, 1)
    assert list_segments(tmp_path)[-1].path.stat().st_size == SIZE
    fill(journal, 2)
    assert seqs(tmp_path) == [1, 2, 3]
    journal.close()


def test_a_failed_write_leaves_no_trace_where_the_next_record_opens_a_segment(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 3)
    with disk_full_after(3 * SIZE + 50), pytest.raises(OSError, match="too large"):
        fill(journal, 1)
    journal.append(record(4, 50))
    assert len(list_segments(tmp_path)) == 2
    reader = JournalReader(tmp_path)
    assert [type(one) for one in reader.read()] == [Record] * 4
    reader.close()
    journal.close()


def test_a_reader_forgets_torn_bytes_it_had_read_ahead(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    fill(journal, 1)
    with disk_full_after(SIZE + 90), pytest.raises(OSError, match="too large"):
        journal.append(record(2, 9))
    reader = JournalReader(tmp_path)
    assert len(reader.read()) == 1  # its buffer now ends in the torn record
    fill(journal, 2)
    assert [one.seq for one in reader.read() if isinstance(one, Record)] == [2, 3]
    assert reader.damaged == 0
    journal.close()
    reader.close()
