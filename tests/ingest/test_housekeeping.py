"""What is done between ticks."""

from __future__ import annotations

from pathlib import Path

from ingest.journal_files import list_segments
from tests.ingest.house import House


def test_segments_are_forgotten_once_two_snapshots_and_the_store_are_past_them(tmp_path: Path) -> None:
    house = House(tmp_path, segment_bytes=1_000)
    tick = house.start(batch=1, snapshot_s=10.0)
    store = house.folder / "journal" / "reader-store"
    store.write_bytes((2**40).to_bytes(8, "little"))
    for n in range(100):
        house.broker.publish("t/d1", b'{"amps": %d}' % n)
    for _ in range(100):
        tick.run_once(0.0)
        house.parts.snapshots.wait()
    first = list_segments(tmp_path / "journal")[0].first_seq
    safe = house.parts.snapshots.safe_seq
    assert 1 < first <= safe + 1
    house.stop()
    house.run(house.start())
    assert house.recovered.replayed <= 100 - safe
    house.stop()
