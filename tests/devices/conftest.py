"""An empty registry on each engine, and a small block of flats in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from devices.commands import Desk
from devices.database import open_database, writing
from devices.registry import add_area, add_building, add_dwelling, add_stair
from devices.registry.rows import need
from devices.schema import building, dwelling
from devices.vault import KEY_BYTES, Vault

NOW_US = 1_763_755_200_000_000


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(KEY_BYTES)))


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as connection:
        yield connection


@pytest.fixture
def desk(engine: Engine, vault: Vault) -> Desk:
    return Desk(engine=engine, vault=vault, by="installer")


@pytest.fixture
def block(connection: Connection, vault: Vault) -> dict[str, int]:
    """City C > community K > grid G > building B (6 floors) > stairs S1 (floors 1 to 4), S2."""
    build_block(connection, vault)
    ids = {code: need(connection, dwelling, "code", code)["id"] for code in DWELLINGS}
    return ids | {"B": need(connection, building, "code", "B")["id"]}


DWELLINGS = ("101", "102", "201", "202", "301", "302", "401", "402", "S2-201")


def build_block(connection: Connection, vault: Vault) -> None:
    for level, code, name, parent in [
        ("city", "C", "演示市", None),
        ("community", "K", "幸福里社区", "C"),
        ("grid", "G", "第一网格", "K"),
        ("community", "OTHER", "别处社区", "C"),
    ]:
        add_area(connection, level=level, code=code, name=name, parent_code=parent, by="t", now_us=NOW_US)
    add_building(connection, code="B", name="3号楼", area_code="G", floors=6, by="t", now_us=NOW_US)
    for code, name in [("S1", "1单元"), ("S2", "2单元")]:
        add_stair(connection, code=code, name=name, building_code="B", by="t", now_us=NOW_US)
    for code in DWELLINGS:
        stair, flat = code.rsplit("-", 1) if "-" in code else ("S1", code)
        add_dwelling(
            connection,
            vault,
            code=code,
            stair_code=stair,
            floor=int(flat[0]),
            flat=flat,
            by="t",
            now_us=NOW_US,
        )
