"""A log is followed across rotation, truncation and restarts without a line twice or left out."""

from __future__ import annotations

from pathlib import Path

from ingest.gate.follow import LINE_MAX, LogFollower


def append(path: Path, text: str) -> None:
    with path.open("a") as out:
        out.write(text)


def test_lines_come_whole_and_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = LogFollower(path)
    assert follower.lines() == []
    append(path, "one\ntw")
    assert follower.lines() == ["one"]
    append(path, "o\n")
    assert follower.lines() == ["two"]
    assert follower.lines() == []
    follower.close()


def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "one\n")
    follower = LogFollower(path)
    assert follower.lines() == ["one"]
    append(path, "two\n")
    path.rename(tmp_path / "log.1")
    append(path, "three\n")
    assert follower.lines() + follower.lines() == ["two", "three"]
    follower.close()


def test_a_truncated_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "a long first line\n")
    follower = LogFollower(path)
    follower.lines()
    path.write_text("new\n")
    assert follower.lines() == ["new"]
    follower.close()


def test_after_a_restart_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "one\nhal")
    before = LogFollower(path)
    assert before.lines() == ["one"]
    position = before.position
    before.close()
    append(path, "f\n")
    after = LogFollower(path, position)
    assert after.lines() == ["half"]
    after.close()


def test_a_log_of_the_sites_is_read_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "yesterday\n")
    follower = LogFollower(path, from_end=True)
    assert follower.lines() == []
    append(path, "today\n")
    assert follower.lines() == ["today"]
    follower.close()


def test_the_end_of_a_line_that_is_too_long_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = LogFollower(path)
    append(path, "x" * (LINE_MAX + 1))
    assert follower.lines() == []
    append(path, "Reloading config.\nnext\n")
    assert follower.lines() == ["next"]
    follower.close()
