from __future__ import annotations

import os
from pathlib import Path

import pytest

from alerts.site_file import SiteFile, read_site_file
from alerts.toml_table import FILE_BYTES, PolicyError


def test_a_change_is_told_once_when_it_is_the_same_at_two_looks(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("version = 1")
    file = SiteFile(path)
    assert [file.changed(settled=False) for _ in range(3)] == [False, True, False]
    path.write_text("version = 1\n")
    assert file.changed(settled=False) is False
    path.write_text("version = 1\n\n")
    assert [file.changed(settled=False) for _ in range(3)] == [False, True, False]


def test_a_file_known_to_be_whole_is_told_at_the_first_look(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    file = SiteFile(path)
    assert [file.changed(settled=True) for _ in range(2)] == [True, False]  # there is none
    path.write_text("version = 1")
    assert [file.changed(settled=True) for _ in range(2)] == [True, False]
    path.unlink()
    assert [file.changed(settled=True) for _ in range(2)] == [True, False]


def test_another_file_put_in_its_place_is_a_change(tmp_path: Path) -> None:
    path, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    path.write_text("version = 1")
    other.write_text("version = 2")
    for one in (path, other):
        os.utime(one, ns=(1, 1))  # of one length and one time
    file = SiteFile(path)
    assert file.changed(settled=True)
    other.replace(path)
    assert file.changed(settled=True)


def test_who_may_read_it_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("version = 1")
    path.chmod(0o200)
    file = SiteFile(path)
    assert [file.changed(settled=True) for _ in range(2)] == [True, False]
    path.chmod(0o600)
    assert [file.changed(settled=False) for _ in range(3)] == [False, True, False]


def test_one_byte_more_than_allowed_is_read_so_that_its_reader_refuses_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("#" * (FILE_BYTES + 9))
    assert len(read_site_file(path)) == FILE_BYTES + 1


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: No such file or directory"), (b"a\xff", "cannot be read: not UTF-8 at byte 1")],
)
def test_what_cannot_be_read_is_refused_with_its_name(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=rf"^mine\.toml: {why}$"):
        read_site_file(path)
