"""A database belongs to one data folder: a second service on it is refused, until it takes over."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from gengfu.belonging import FILE, NotOurs, belong


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    return one, other


def test_the_folder_that_came_first_may_come_again(engine: Engine, folders: tuple[Path, Path]) -> None:
    belong(engine, folders[0])
    belong(engine, folders[0])


def test_another_folder_is_refused_and_told_what_to_do(engine: Engine, folders: tuple[Path, Path]) -> None:
    belong(engine, folders[0])
    with pytest.raises(NotOurs, match=r"another data folder.*--take-over"):
        belong(engine, folders[1])
    belong(engine, folders[0])


def test_who_takes_over_has_it_and_the_former_one_is_refused(
    engine: Engine, folders: tuple[Path, Path]
) -> None:
    belong(engine, folders[0])
    belong(engine, folders[1], take_over=True)
    belong(engine, folders[1])
    with pytest.raises(NotOurs):
        belong(engine, folders[0])


def test_a_folder_whose_number_is_damaged_is_refused(engine: Engine, folders: tuple[Path, Path]) -> None:
    (folders[0] / FILE).write_text("seven", encoding="ascii")
    with pytest.raises(NotOurs, match="not a number"):
        belong(engine, folders[0])
