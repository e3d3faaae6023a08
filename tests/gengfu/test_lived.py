"""Where our absence began: by the pulse of a process that was killed, by the snapshot of one that ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerts.pulse import beat, silence
from devices.database import open_database, writing
from devices.model import InputKind
from gengfu.config import Broker, Config
from gengfu.lived import lived_us
from gengfu.ports import settle_ports
from gengfu.run_ingest import compose
from ingest.snapshot import Snapshot, SnapshotFolder
from tests.databases import MIGRATED, sqlite_like

AT_US = 1_700_000_000_000_000


def saved(folder: SnapshotFolder, path: Path, seq: int, at_us: int) -> None:
    """A snapshot that was written then."""
    folder.save(Snapshot(seq, 0, {}))
    os.utime(path / f"{seq:020d}.snapshot", ns=(at_us * 1000, at_us * 1000))


def test_nothing_is_known_of_a_first_start(engine: Engine, tmp_path: Path) -> None:
    assert lived_us(engine, SnapshotFolder(tmp_path)) == 0


def test_it_is_the_newer_of_pulse_and_snapshot(engine: Engine, tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    saved(folder, tmp_path, 1, AT_US)
    saved(folder, tmp_path, 2, AT_US + 7)
    assert lived_us(engine, folder) == AT_US + 7
    with writing(engine) as connection:
        beat(connection, "alerts", AT_US + 99, "")
        beat(connection, "ingest", AT_US + 8, "")
    assert lived_us(engine, folder) == AT_US + 8
    saved(folder, tmp_path, 3, AT_US + 9)
    assert lived_us(engine, folder) == AT_US + 9
    with writing(engine) as connection:
        silence(connection, "ingest")
    assert lived_us(engine, folder) == AT_US + 9


@pytest.mark.parametrize("beats", [True, False])
def test_a_start_says_so(tmp_path: Path, *, beats: bool) -> None:
    engine = open_database(sqlite_like(MIGRATED, tmp_path))
    with writing(engine) as connection:
        if beats:
            beat(connection, "ingest", AT_US, "")
    engine.dispose()
    one = compose(settle_ports(Config(data=str(tmp_path), broker=Broker(anonymous=True))))
    assert one.parts.presence
    [returned] = one.parts.presence.take(AT_US + 5)
    assert (returned.kind, returned.from_us) == (InputKind.RETURNED, AT_US if beats else 0)
    one.source.close()
    one.journal.close()
    one.engine.dispose()
