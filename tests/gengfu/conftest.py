"""A migrated database on each engine, and its vault in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import structlog
import typer
from sqlalchemy import Engine

from devices.database import open_database
from devices.vault import Vault, create_key
from gengfu.cli import app
from gengfu.commands import mount
from gengfu.config import Config
from gengfu.migrate import upgrade
from tests.conftest import NewDatabase
from tests.databases import SQLITE


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Commands that run in this process set up logs on a stderr that ends with them."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=str(tmp_path / "data"))


@pytest.fixture
def on_engine(config: Config, engine_name: str, new_database: NewDatabase) -> Config:
    """The configuration of a service on this engine; on SQLite the default one."""
    if engine_name == SQLITE:
        return config
    return msgspec.structs.replace(config, database=new_database())


@pytest.fixture
def engine(on_engine: Config) -> Iterator[Engine]:
    on_engine.data_dir.mkdir()
    engine = open_database(on_engine.database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def vault(config: Config) -> Vault:
    create_key(config.key_path)
    return Vault.open(config.key_path)


@pytest.fixture(scope="session")
def whole_app() -> typer.Typer:
    """The `gengfu` command with everything mounted, once: mounting changes the one application."""
    mount(app)
    return app
