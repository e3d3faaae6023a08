"""Ingest starts over a journal folder that was lost or holds only what was shed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gengfu.config import Config
from ingest.journal import Journal
from ingest.store.embedded import EmbeddedStore
from ingest.store.offset import stored_seq
from ingest.store.writer import StoreWriter
from tests.gengfu.composed import brokerless, composed
from tests.ingest.journalled import record


@pytest.fixture
def small(config: Config) -> Config:
    return brokerless(config)


def test_where_the_journal_was_lost_the_store_is_not_told_old_numbers(small: Config) -> None:
    folder = small.data_dir / "journal"
    journal = Journal(folder, segment_bytes=1 << 20, max_bytes=1 << 24)
    for seq in range(1, 101):
        journal.append(record(seq))
    store = EmbeddedStore(small.data_dir / "points.db", keep_days=36_500)
    writer = StoreWriter(folder, store)
    while store.offset < 100:
        writer.run_once()
    writer.close()
    store.close()
    journal.close()
    shutil.rmtree(folder)
    assert stored_seq(small.data_dir / "points.db") == 100
    with capture_logs(), composed(small) as ingest:
        assert ingest.journal.next_seq == 101


def test_a_store_that_is_none_or_no_store_gives_nothing(tmp_path: Path) -> None:
    assert stored_seq(tmp_path / "points.db") == 0
    (tmp_path / "points.db").write_bytes(b"no store" * 1000)
    with capture_logs() as logs:
        assert stored_seq(tmp_path / "points.db") == 0
    assert [one["event"] for one in logs] == ["store_offset_unknown"]
