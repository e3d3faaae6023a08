"""How far copying has come outlives whatever happens; what cannot be read counts as nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.store.influx.copying_progress import FILE, Noted, Progress, load, save

SOME = Progress(
    target="http://a/write?db=b",
    position=(7, 3),
    days={"2026-09-04": Noted(points=9, joined=2, refused=1), "2026-09-05": Noted(points=4, unnamed=3)},
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    save(tmp_path, SOME)
    assert load(tmp_path) == SOME
    assert SOME.in_server == 10
    assert (SOME.total.points, SOME.total.behind) == (13, 4)
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


def test_what_is_known_of_a_day_takes_the_place_of_what_was_known_before() -> None:
    better = SOME.with_day("2026-09-05", Noted(points=4))
    assert list(better.days) == ["2026-09-04", "2026-09-05"]
    assert better.days["2026-09-05"].behind == 0
    assert list(SOME.with_day("2026-09-04", None).days) == ["2026-09-05"]
    assert next(iter(SOME.with_day("2026-09-01", Noted()).days)) == "2026-09-01"
