"""The ballast is made beside the tick, and a disk that refuses is no reason to stop."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from ingest.ballast import Ballast
from tests.ingest.journalled import disk_full_after

SIZE = 1 << 20


def stands(ballast: Ballast) -> bool:
    return ballast.is_whole


def test_it_is_made_in_a_thread_of_its_own(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", SIZE)
    ballast.keep_behind()
    ballast.wait()
    assert stands(ballast)
    assert [one.name for one in tmp_path.iterdir()] == ["ballast"]


def test_one_that_has_no_room_leaves_nothing_behind_and_stops_nothing(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", SIZE)
    with disk_full_after(SIZE // 2), capture_logs() as logs:
        ballast.keep_behind()
        ballast.wait()
    assert [one["event"] for one in logs] == ["ballast_not_made"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_raises_nothing(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "gone" / "ballast", SIZE)
    ballast.keep()
    assert not stands(ballast)
    assert not ballast.leaves_room


def test_what_cannot_be_taken_away_raises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ballast"
    path.mkdir()  # as a disk that has become read-only, it refuses to let go of it
    ballast = Ballast(path, SIZE)
    with capture_logs() as logs:
        ballast.keep()
    assert [one["event"] for one in logs] == ["ballast_not_made"]
    assert not stands(ballast)
