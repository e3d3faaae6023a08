"""What all rooms' tests share: a database on each engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from devices.database import open_database
from tests.databases import ENGINES, POSTGRESQL, Databases, Server, create_tables, left_out


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A private PostgreSQL server, started by the first test that needs it."""
    left_out()
    server = Server()
    try:
        databases = Databases(server)
        yield databases
        databases.close()
    finally:
        server.close()


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine this run of the test is about; a file may narrow it by overriding this fixture."""
    return str(request.param)


NewDatabase = Callable[[], str]


@pytest.fixture
def new_database(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Gives the URL of a new database without tables at each call."""
    with ExitStack() as stack:
        count = iter(range(1000))

        def new() -> str:
            if engine_name == POSTGRESQL:
                databases: Databases = request.getfixturevalue("databases")
                return stack.enter_context(databases.fresh(tables=False))
            return f"sqlite:///{tmp_path / f'empty-{next(count)}.db'}"

        yield new


@pytest.fixture
def database(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and nothing in them."""
    if engine_name == POSTGRESQL:
        databases: Databases = request.getfixturevalue("databases")
        with databases.fresh() as url:
            yield url
        return
    url = f"sqlite:///{tmp_path / 'gengfu.db'}"
    engine = open_database(url)
    create_tables(engine)
    engine.dispose()
    yield url
