"""What all rooms' tests share: a database on each engine, and that they may run side by side.

`pytest -n 2` runs them in two processes: each has its own PostgreSQL server, temporary folders and ports.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

import pytest

from gengfu.ports import take_ports_from
from tests.databases import EMPTY, ENGINES, POSTGRESQL, TABLES_ONLY, Databases, Server, left_out, sqlite_like
from tests.series_servers import KINDS, SeriesServer, SeriesServers

PORTS = range(10_000, 32_000)
"""Below those that Linux and macOS give to connections."""
SIDE_BY_SIDE = 8
"""So many processes have ports of their own; more of them would share."""
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30
"""What all folders of a run hold at one time, twenty times over."""


def pytest_configure() -> None:
    """Before the first test, in each process."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each `gengfu` that a test starts compiles anew
    if "TMPDIR" not in os.environ and _takes_our_folders(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % SIDE_BY_SIDE
    size = len(PORTS) // SIDE_BY_SIDE
    span = PORTS[worker * size : (worker + 1) * size]
    take_ports_from(span, random.choice(span))  # at random: another run may be under way on this machine


def _takes_our_folders(folder: Path) -> bool:
    """Whether tests can live there: no test pulls the plug, and waiting for a disk is most of many a test."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    programs_run = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return programs_run and shutil.disk_usage(folder).free > ENOUGH_BYTES


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every story runs on SQLite; on PostgreSQL every other one, by its name, and the rest in
    `make test-slow` (chosen, so that all tests stay quick enough to be run before each change)."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        is_story = "story" in getattr(item, "fixturenames", ())
        if is_story and parameters.get("engine_name") == POSTGRESQL and crc32(item.nodeid.encode()) % 2:
            item.add_marker(pytest.mark.slow)


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
                return stack.enter_context(databases.fresh(EMPTY))
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
    yield sqlite_like(TABLES_ONLY, tmp_path)


@pytest.fixture(scope="session")
def series_servers() -> Iterator[SeriesServers]:
    """Series stores, each started by the first test that needs it."""
    servers = SeriesServers()
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture(params=KINDS)
def series_kind(request: pytest.FixtureRequest) -> str:
    """The kind of store this run of the test is about; a file may narrow it by overriding this fixture."""
    return str(request.param)


@pytest.fixture
def series_server(series_kind: str, series_servers: SeriesServers) -> Iterator[SeriesServer]:
    """A store of that kind with an empty database."""
    with series_servers.fresh(series_kind) as server:
        yield server
