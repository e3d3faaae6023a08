"""What `gengfu check` says of the room kept for alarms."""

from __future__ import annotations

from pathlib import Path

from gengfu.check_room import room_finding
from gengfu.config import Config, Ingest
from ingest.ballast import NAME
from ingest.journal import Journal
from ingest.journal_files import allocate


def config(folder: Path, reserve_mb: int = 8, ballast_mb: int = 1) -> Config:
    return Config(data=str(folder), ingest=Ingest(reserve_mb=reserve_mb, ballast_mb=ballast_mb))


def test_what_is_taken_is_said_and_what_is_missing_is_made_later(tmp_path: Path) -> None:
    ok, text = room_finding(config(tmp_path))
    assert ok
    assert text.startswith("0 of 9 MB taken for alarms on a full disk; the rest is made")
    journal = Journal(tmp_path / "journal", segment_bytes=1 << 20, max_bytes=1 << 24, reserve_bytes=8 << 20)
    journal.close()
    allocate(tmp_path / NAME, 1 << 20)
    assert room_finding(config(tmp_path)) == (True, "9 of 9 MB taken for alarms on a full disk")


def test_a_disk_without_room_for_it_is_a_problem(tmp_path: Path) -> None:
    ok, text = room_finding(config(tmp_path / "not there yet"))  # a folder that cannot be asked has none
    assert not ok
    assert "make room for" in text


def test_no_reserve_at_all_is_a_problem(tmp_path: Path) -> None:
    ok, text = room_finding(config(tmp_path, reserve_mb=0))
    assert not ok
    assert "ingest.reserve_mb" in text
