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
from tests.alerts.story import Story, a_story
from tests.databases import MIGRATED, SQLITE, Databases, sqlite_like
from tests.gengfu.people import seal_cast


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Commands that run in this process set up logs on a stderr that ends with them."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=str(tmp_path / "data"))


@pytest.fixture
def on_engine(config: Config, engine_name: str, request: pytest.FixtureRequest) -> Iterator[Config]:
    """The configuration of a service on a migrated database of this engine; on SQLite the default one."""
    if engine_name == SQLITE:
        config.data_dir.mkdir()
        assert sqlite_like(MIGRATED, config.data_dir) == config.database_url
        yield config
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.fresh(MIGRATED) as url:
        yield msgspec.structs.replace(config, database=url)


@pytest.fixture
def engine(on_engine: Config) -> Iterator[Engine]:
    on_engine.data_dir.mkdir(exist_ok=True)
    engine = open_database(on_engine.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def vault(config: Config) -> Vault:
    create_key(config.key_path)
    return Vault.open(config.key_path)


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as story:
        yield story


@pytest.fixture
def keys(tmp_path: Path) -> Vault:
    """A vault that is no service's."""
    create_key(tmp_path / "keys" / "secret.key")
    return Vault.open(tmp_path / "keys" / "secret.key", {})


@pytest.fixture
def cast(story: Story, keys: Vault) -> dict[str, int]:
    """The number of each contact's name and address."""
    return seal_cast(story.engine, keys)


@pytest.fixture(scope="session")
def whole_app() -> typer.Typer:
    """The `gengfu` command with everything mounted, once: mounting changes the one application."""
    mount(app)
    return app
