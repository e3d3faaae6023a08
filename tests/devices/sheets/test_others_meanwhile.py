"""A large import and everybody else: others wait for the move only, and the import for others."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from devices.database import reading, writing
from devices.registry import add_area
from devices.schema import area, registry_change
from devices.sheets import RegistryMoved, import_sheets
from devices.sheets.carry_out import Ids, carry_out
from devices.sheets.known import read_registry
from devices.sheets.writes import Batch
from devices.vault import Vault
from tests.devices.conftest import NOW_US


class Meddler(Vault):
    """A vault at whose every use somebody changes the registry: the worst moment, since rows are sealed when
    the plan is made and the lock not yet taken."""

    def __init__(self, engine: Engine, times: int) -> None:
        super().__init__(bytes(32))
        self._database = engine
        self.left = times

    def seal(self, text: str, where: str) -> bytes:
        if self.left:
            self.left -= 1
            with writing(self._database) as connection:
                code = f"BY-HAND-{self.left}"
                add_area(connection, level="city", code=code, name="x", by="other", now_us=NOW_US)
        return super().seal(text, where)


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    file = tmp_path / "contact.csv"
    file.write_text("code,name\nP1,x\n")
    return file


def test_an_import_is_planned_anew_when_somebody_was_faster(engine: Engine, contacts: Path) -> None:
    done = import_sheets(engine, Meddler(engine, 2), contacts, forms=["contact"], by="t", now_us=NOW_US)
    assert done.forms[0].new == 1
    with reading(engine) as connection:
        assert connection.execute(select(registry_change.c.by)).scalars().all() == ["other", "other", "t"]


def test_an_import_gives_up_when_others_never_rest(engine: Engine, contacts: Path) -> None:
    with pytest.raises(RegistryMoved, match="nothing was imported"):
        import_sheets(engine, Meddler(engine, 99), contacts, forms=["contact"], by="t", now_us=NOW_US)
    with reading(engine) as connection:
        assert "t" not in connection.execute(select(registry_change.c.by)).scalars().all()


def test_laying_out_rows_needs_no_lock_of_the_registry(engine: Engine, vault: Vault) -> None:
    """Somebody holds the write lock until the rows are laid out; the move then waits for its end."""
    registry = read_registry(engine, vault, {"area": ()})
    laid_out = threading.Event()

    class Rows(list[tuple[int, str, str, str, None]]):
        """Says when it was read to its end."""

        def __getitem__(self, index: slice) -> list[tuple[int, str, str, str, None]]:  # type: ignore[override]
            laid_out.set()
            return super().__getitem__(index)

    [new] = Ids(engine, registry).take(area, 1)
    columns = ("id", "code", "level", "name", "parent_id")
    batch = Batch(area, columns, Rows([(new, "X", "city", "x", None)]))
    held: list[float] = []

    def bring() -> None:
        held.append(carry_out(engine, registry, [batch], what="x", by="t", now_us=NOW_US, dry_run=False))

    thread = threading.Thread(target=bring)
    with writing(engine):
        thread.start()
        assert laid_out.wait(60)
    thread.join(60)
    with reading(engine) as connection:
        assert connection.execute(select(area.c.code)).scalars().all() == ["X"]
    assert len(held) == 1
