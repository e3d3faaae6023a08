"""Snapshots: whole or not at all, and always one to fall back on."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from structlog.testing import capture_logs

from ingest.snapshot import Snapshot, SnapshotFolder, stretches

ARRAYS = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=8),
    arrays.arrays(
        st.sampled_from([np.int64, np.float64, np.uint16, np.bool_, np.uint64]),
        arrays.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=5),
    ),
    max_size=5,
)


def snapshot(seq: int) -> Snapshot:
    return Snapshot(seq, seq * 10, {"a.x": np.arange(seq), "b.y": np.full(3, seq, np.float64)})


@given(ARRAYS)
@settings(max_examples=50, deadline=None)
def test_arrays_come_back_as_they_went_in(found: dict[str, np.ndarray]) -> None:
    with TemporaryDirectory() as name:
        folder = SnapshotFolder(Path(name))
        folder.save(Snapshot(5, 6, found))
        loaded = folder.load()
    assert loaded is not None
    assert (loaded.seq, loaded.last_input_id) == (5, 6)
    assert {n: (a.dtype, a.shape, a.tobytes()) for n, a in loaded.arrays.items()} == {
        n: (a.dtype, a.shape, a.tobytes()) for n, a in found.items()
    }


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(1, 16))
def test_a_file_goes_to_the_disk_in_stretches_of_one_size(parts: list[bytes], size: int) -> None:
    found = [bytes(piece) for piece in stretches(parts, size)]
    assert b"".join(found) == b"".join(parts)
    assert all(len(piece) == size for piece in found[:-1])
    assert all(0 < len(piece) <= size for piece in found)


def test_a_state_of_several_stretches_comes_back(tmp_path: Path) -> None:
    big = np.arange(3_000_001, dtype=np.int32)
    folder = SnapshotFolder(tmp_path)
    folder.save(Snapshot(1, 1, {"a.small": np.arange(3), "b.big": big, "c.after": np.arange(5)}))
    loaded = folder.load()
    assert loaded is not None
    assert np.array_equal(loaded.arrays["b.big"], big)
    assert loaded.arrays["c.after"].tolist() == [0, 1, 2, 3, 4]


def test_the_newest_two_are_kept_and_the_older_of_them_is_what_the_journal_may_forget(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    assert folder.load() is None
    folder.save(snapshot(1))
    assert folder.safe_seq == 0
    for seq in (2, 3):
        folder.save(snapshot(seq))
    assert folder.safe_seq == 2
    again = SnapshotFolder(tmp_path)
    loaded = again.load()
    assert loaded is not None
    assert loaded.seq == 3
    assert loaded.part("a.")["x"].tolist() == [0, 1, 2]
    assert again.safe_seq == 2
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_snapshot_costs_only_itself(tmp_path: Path, damage: str) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save(snapshot(1))
    folder.save(snapshot(2))
    newest = max(tmp_path.iterdir())
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(bytes({"cut": data[:-9], "flip": data, "empty": bytearray()}[damage]))
    with capture_logs() as logs:
        again = SnapshotFolder(tmp_path)
        loaded = again.load()
    assert loaded is not None
    assert loaded.seq == 1
    assert [one["event"] for one in logs] == ["snapshot_damaged"]
    assert again.safe_seq == 0  # one good snapshot left: the journal keeps everything
    (tmp_path / "00000000000000000003.new").write_bytes(b"half")  # a death while writing
    assert again.load() is not None


def test_a_snapshot_written_behind_is_there_in_the_end(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    folder.save_behind(snapshot(4))
    folder.wait()
    assert not folder.busy
    loaded = folder.load()
    assert loaded is not None
    assert loaded.seq == 4


def test_a_snapshot_that_cannot_be_made_is_a_failure_and_leaves_nothing(tmp_path: Path) -> None:
    folder = SnapshotFolder(tmp_path)
    huge = np.broadcast_to(np.zeros(2), (1 << 50, 2))  # two numbers, until it is written
    with capture_logs() as logs:
        folder.save_behind(Snapshot(1, 0, {"a.x": huge}))
        folder.wait()
    assert folder.failures == 1
    assert isinstance(folder.failed_by, MemoryError)
    assert [one["event"] for one in logs] == ["snapshot_failed"]
    assert list(tmp_path.iterdir()) == []
    folder.save_behind(snapshot(2))
    folder.wait()
    assert folder.failures == 1
    assert folder.newest_seq == 2
