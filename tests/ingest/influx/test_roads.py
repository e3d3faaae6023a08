"""After an outage what comes in now is written first, and all of the rest behind it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.model import ReadingBatch
from ingest.journal import Journal
from ingest.journal_files import READER, Mark
from ingest.record import Messages, Record
from ingest.store.influx.roads import BEHIND_US, Roads
from ingest.store.road import BATCH_RECORDS, Load

SECOND_US = 1_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = open_journal(tmp_path)
    yield journal
    journal.close()


def open_journal(folder: Path) -> Journal:
    return Journal(folder, segment_bytes=20_000, max_bytes=10**8)


def append(journal: Journal, times: int) -> None:
    """A record a second, of one point."""
    for _ in range(times):
        append_one(journal)


def append_one(journal: Journal) -> bool:
    """Whether it was shed."""
    seq = journal.next_seq
    one = np.ones(1, np.int64)
    batch = ReadingBatch(
        seq * SECOND_US,
        one.astype(np.int32),
        one * seq * SECOND_US,
        one.astype(np.uint16),
        one.astype(np.float64),
        one.astype(np.uint32),
    )
    return journal.append(Record(seq, batch, Messages.empty(), [], [], [], {}, 0, 0))


def seqs(load: Load | None) -> list[int]:
    return [record.seq for record in load.records] if load else []


def write(roads: Roads, journal: Journal, *, live: bool) -> list[int]:
    load = roads.ahead(live=live)
    if load is None:
        return []
    roads.look_further(live=live)
    roads.pass_by(load, (journal.next_seq - 1) * SECOND_US, live=live)
    return seqs(load)


def test_what_is_not_passed_is_ahead_again(tmp_path: Path, journal: Journal) -> None:
    append(journal, 3)
    roads = Roads(tmp_path, 0)
    assert seqs(roads.ahead(live=True)) == seqs(roads.ahead(live=True)) == [1, 2, 3]
    append(journal, 2)
    roads.look_further(live=True)
    load = roads.ahead(live=True)
    assert seqs(load) == [1, 2, 3], "what was read further is not part of it"
    assert roads.done == 0
    assert load
    roads.pass_by(load, 3 * SECOND_US, live=True)
    assert seqs(roads.ahead(live=True)) == [4, 5]
    assert roads.done == 3
    roads.close()


def test_after_an_outage_the_newest_goes_first_and_the_rest_behind_it(
    tmp_path: Path, journal: Journal
) -> None:
    outage = 3 * BATCH_RECORDS
    append(journal, outage)
    roads = Roads(tmp_path, 0)
    assert write(roads, journal, live=True) == list(range(1, BATCH_RECORDS + 1))  # it takes points again
    append(journal, 2)
    assert write(roads, journal, live=True) == [outage + 1, outage + 2]
    assert roads.done == BATCH_RECORDS
    assert roads.waiting == 2 * BATCH_RECORDS
    left = write(roads, journal, live=False) + write(roads, journal, live=False)
    assert left == list(range(BATCH_RECORDS + 1, outage + 1))
    assert write(roads, journal, live=False) == []
    assert (roads.done, roads.waiting) == (outage + 2, 0)
    roads.close()


def test_a_moment_behind_is_no_gap(tmp_path: Path, journal: Journal) -> None:
    """A load that was not full leaves nothing behind, and one of just now is followed in order."""
    append(journal, 5)
    roads = Roads(tmp_path, 0)
    load = roads.ahead(live=True)
    assert load
    roads.pass_by(load, 5 * SECOND_US + 2 * BEHIND_US, live=True)
    append(journal, 1)
    assert write(roads, journal, live=True) == [6]
    assert roads.done == 6
    roads.close()


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_figures_may_be_asked_for_at_any_moment(tmp_path: Path, journal: Journal) -> None:
    """Another thread shows them, while gaps come and go."""
    roads = Roads(tmp_path, 0, behind_us=0, records=2)
    over, wrong = threading.Event(), list[BaseException]()

    def ask() -> None:
        try:
            while not over.is_set():
                assert roads.waiting + roads.damaged >= 0
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(150):
        append(journal, 4)
        while write(roads, journal, live=True) or write(roads, journal, live=False):
            pass
    over.set()
    for thread in threads:
        thread.join()
    roads.close()
    assert not wrong


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["append", "live", "gap"]), st.integers(1, 60)), max_size=40),
    st.integers(1, 3),
)
def test_every_record_is_written_and_the_journal_keeps_what_is_not(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], gaps: int
) -> None:
    """However long the outages are; beyond a number of gaps some records are written twice."""
    folder = tmp_path_factory.mktemp("roads")
    journal, written, appended = open_journal(folder), set[int](), 0
    roads = Roads(folder, 0, gaps=gaps, behind_us=2 * SECOND_US, records=8)
    for what, n in [*steps, ("live", 1)]:
        if what == "append":
            append(journal, n)
            appended += n
            continue
        written.update(write(roads, journal, live=what == "live"))
        assert set(range(1, roads.done + 1)) <= written
    while more := write(roads, journal, live=True) + write(roads, journal, live=False):
        written.update(more)
    assert written == set(range(1, appended + 1))
    assert (roads.done, roads.waiting) == (appended, 0)
    roads.close()
    journal.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "live", "gap", "snapshot"]), st.integers(1, 60)), max_size=60
    )
)
@example([("append", 60)] * 4 + [("live", 1), ("append", 60), ("snapshot", 1)] * 6 + [("gap", 1)] * 3)
def test_where_the_reserve_is_used_again_under_a_gap_no_record_is_taken_for_another(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """What was not shed is all there, and every record says what it said when it was appended."""
    folder = tmp_path_factory.mktemp("roads")
    journal = Journal(
        folder, segment_bytes=4_000, max_bytes=16_000, reserve_bytes=16_000, monotonic=count().__next__
    )
    mark = Mark(folder / f"{READER}store")
    roads = Roads(folder, 0, gaps=3, behind_us=2 * SECOND_US, records=8)
    kept, written = set[int](), set[int]()

    def take(*, live: bool) -> bool:
        load = roads.ahead(live=live)
        if load is None:
            return False
        for record in load.records:
            assert record.batch.observed_us.tolist() == [record.seq * SECOND_US]
        written.update(record.seq for record in load.records if not record.shed)
        roads.pass_by(load, (journal.next_seq - 1) * SECOND_US, live=live)
        mark.seq = roads.done
        return True

    for what, n in steps:
        if what == "append":
            for _ in range(n):
                if journal.is_pressed:
                    journal.keep_after(journal.next_seq - 1, journal.next_seq - 1)
                seq = journal.next_seq
                if not append_one(journal):
                    kept.add(seq)
        elif what == "snapshot":
            journal.keep_after(journal.next_seq - 1, journal.next_seq - 1)
        else:
            take(live=what == "live")
    while take(live=True) or take(live=False):
        pass
    assert written == kept
    assert (roads.done, roads.damaged) == (journal.next_seq - 1, 0)
    roads.close()
    mark.close()
    journal.close()
