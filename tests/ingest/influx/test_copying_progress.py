"""How far copying has come outlives whatever happens; what cannot be read counts as nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.store.influx.copying_progress import FILE, Progress, load, save

SOME = Progress(
    target="http://a/write?db=b", position=(7, 3), days=("2026-09-04",), points=9, joined=2, refused=1
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(tmp_path, SOME)
    assert load(tmp_path) == SOME
    assert SOME.in_server == 6
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"target": 1}', b"\xff\x00"])
def test_a_file_that_is_none_of_ours_is_no_progress(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert load(tmp_path) is None


def test_what_was_cut_short_leaves_what_was_there(tmp_path: Path) -> None:
    save(tmp_path, SOME)
    (tmp_path / "points.copied.new").write_bytes(b'{"tar')
    assert load(tmp_path) == SOME
    save(tmp_path, SOME)
    assert load(tmp_path) == SOME
