"""After an outage what comes in now is written first, and all of the rest behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import ReadingBatch
from ingest.journal import Journal
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


def append(journal: Journal, count: int) -> None:
    """A record a second, of one point."""
    for _ in range(count):
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
        journal.append(Record(seq, batch, Messages.empty(), [], [], [], {}, 0, 0))


def seqs(load: Load | None) -> list[int]:
    return [record.seq for record in load.records] if load else []


def write(roads: Roads, journal: Journal, *, live: bool) -> list[int]:
    load = roads.ahead(live=live)
    if load is None:
        return []
    roads.pass_by(load, (journal.next_seq - 1) * SECOND_US, live=live)
    return seqs(load)


def test_what_is_not_passed_is_ahead_again(tmp_path: Path, journal: Journal) -> None:
    append(journal, 3)
    roads = Roads(tmp_path, 0)
    assert seqs(roads.ahead(live=True)) == seqs(roads.ahead(live=True)) == [1, 2, 3]
    assert roads.done == 0
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
    journal, written, count = open_journal(folder), set[int](), 0
    roads = Roads(folder, 0, gaps=gaps, behind_us=2 * SECOND_US, records=8)
    for what, n in [*steps, ("live", 1)]:
        if what == "append":
            append(journal, n)
            count += n
            continue
        written.update(write(roads, journal, live=what == "live"))
        assert set(range(1, roads.done + 1)) <= written
    while more := write(roads, journal, live=True) + write(roads, journal, live=False):
        written.update(more)
    assert written == set(range(1, count + 1))
    assert (roads.done, roads.waiting) == (count, 0)
    roads.close()
    journal.close()
