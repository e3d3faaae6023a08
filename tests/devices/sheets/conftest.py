"""Files written as people and spreadsheets write them, and a hand that imports them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, select

from devices.database import reading
from devices.schema import registry_change
from devices.sheets import FaultsFound, Import, import_sheets
from devices.sheets.faults import Fault
from devices.vault import Vault
from tests.devices.conftest import NOW_US

BLOCK = {
    "area": "code,level,name,parent\nG,grid,第一网格,K\nK,community,幸福里社区,C\nC,city,演示市,\n",
    "building": "code,name,area,floors\nB,3号楼,G,6\n",
    "stair": "code,name,building\nS1,1单元,B\nS2,2单元,B\n",
    "dwelling": "code,stair,floor,flat,attention\n501,S1,5,501,独居\n101,S1,1,101,\n",
    "contact": "code,name,language,way_1,way_2\n"
    "child,示例甲,zh-CN,sms apprise json://13800001234,voice webhook https://voice.example/1\n"
    "brigade,示例站,en,push webhook https://brigade.example/x,\n",
    "binding": "contact,role,place_kind,place,rank,delay_s,quiet,takes_unconfirmed\n"
    "child,family,dwelling,501,,,22:00-07:00,\nbrigade,fire_brigade,area,C,2,60,,yes\n",
    "device": "uid,kind,profile,dwelling,building,label,breaker_a,installed_on\n"
    "own:m-1,smoke,own,501,,hall,,2025-03-01\nown:m-2,electrical,own,,B,riser,16,\n",
    "channel": "device,channel,label,breaker_a\nown:m-2,l1,kitchen,10.5\n",
}

Bring = Callable[..., Import]
Refused = Callable[..., list[Fault]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the block as CSV files."""
    made = tmp_path / "block"
    made.mkdir()
    for name, text in BLOCK.items():
        (made / f"{name}.csv").write_text(text, encoding="utf-8")
    return made


@pytest.fixture
def bring(engine: Engine, vault: Vault) -> Bring:
    """Imports a file; `forms` are those it may hold."""

    def bring(
        path: Path,
        *forms: str,
        dry_run: bool = False,
        now_us: int = NOW_US,
        force: bool = False,
        encoding: str = "",
    ) -> Import:
        return import_sheets(
            engine,
            vault,
            path,
            forms=forms,
            by="t",
            now_us=now_us,
            dry_run=dry_run,
            force=force,
            encoding=encoding,
        )

    return bring


@pytest.fixture
def refused(bring: Bring, engine: Engine) -> Refused:
    """The faults of a file that must be refused, and that changed nothing."""

    def refused(path: Path, *forms: str) -> list[Fault]:
        with reading(engine) as connection:
            before = changes(connection)
        with pytest.raises(FaultsFound) as found:
            bring(path, *forms)
        with reading(engine) as connection:
            assert changes(connection) == before
        return found.value.faults

    return refused


@pytest.fixture
def block(bring: Bring, folder: Path) -> Path:
    """The block in the registry, and its folder."""
    bring(folder)
    return folder


def changes(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(registry_change)).scalar_one()


def counts(done: Import) -> dict[str, tuple[int, int, int]]:
    return {one.form: (one.new, one.changed, one.unchanged) for one in done.forms}
