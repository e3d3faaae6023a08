"""Databases for tests: SQLite files, and databases of a private PostgreSQL server that ends with the session.

A test that takes the fixture `database` (or what is built on it) runs once on each engine. Where PostgreSQL
is not installed the tests on it fail and say what to do; with GENGFU_TESTS_WITHOUT_POSTGRESQL=1 they are
skipped, and say so.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import OperationalError

from devices.database import BUSY_TIMEOUT_MS, open_database, reading
from devices.schema import metadata
from gengfu.migrate import TABLES, upgrade
from gengfu.ports import free_port
from tests.emptying import empty, schema_of

WITHOUT = "GENGFU_TESTS_WITHOUT_POSTGRESQL"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
ENGINES = (SQLITE, POSTGRESQL)
PATIENCE_S = 60.0
"""Bounds only failures."""
SETTINGS = {
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off", "shared_buffers": "32MB",
    "wal_level": "minimal", "max_wal_senders": "0", "max_connections": "100", "log_min_messages": "warning",
}  # fmt: skip
"""No test pulls the plug: quick instead of durable."""


def binaries() -> Path | None:
    """The folder of a PostgreSQL server's programs, the newest where there are several."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    for root, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/opt/homebrew/opt", "postgresql*/bin"),
        ("/usr/local/opt", "postgresql*/bin"),
        ("/usr", "pgsql-*/bin"),
    ):
        places += sorted(Path(root).glob(pattern), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


def _reachable(folder: Path) -> bool:
    """Whether any user may enter it: the server runs as another user than a root who tests."""
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.resolve().parents))


def _server_user() -> dict[str, Any]:
    """Whom the server runs as, for `subprocess`: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {}
    known = {one.pw_name: one for one in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """A private PostgreSQL server in a temporary folder.

    It listens on a Unix socket in a folder of its own that nobody else may enter, and trusts who comes that
    way. With `password` it listens on a loopback port as well and asks there for that password.
    """

    def __init__(self, password: str = "") -> None:
        self._programs = binaries()
        if self._programs is None:
            raise FileNotFoundError(
                "PostgreSQL is not installed: `sh deploy/need.sh postgresql` brings it, "
                f"or set {WITHOUT}=1 to leave out what needs it"
            )
        place = next((p for p in (Path(tempfile.gettempdir()), Path("/tmp")) if _reachable(p)), None)
        self.folder = Path(tempfile.mkdtemp(prefix="gengfu-pg-", dir=place))
        self._as_server = _server_user()
        if self._as_server:
            os.chown(self.folder, self._as_server["user"], self._as_server["group"])
        self.port = free_port() if password else 5432
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None
        self._make()
        self.start()

    def _make(self) -> None:
        """The order of words is a language's, as on a real server, not that of their bytes."""
        words = ["-U", "gengfu", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]
        words += ["-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]
        self._run("initdb", "-D", str(self.folder / "data"), *words)

    def _run(self, program: str, *words: str) -> None:
        assert self._programs
        command = [str(self._programs / program), *words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as_server
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        assert self._programs
        settings = SETTINGS | {"listen_addresses": "127.0.0.1" if self._password else ""}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        self._process = subprocess.Popen(
            [*command, "-p", str(self.port), *words],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_server,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                with self.connect() as connection:
                    if self._password:
                        connection.execute(f"ALTER USER gengfu PASSWORD '{self._password}'")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, "postgres ended at once"
                assert time.monotonic() < deadline, "postgres does not answer"
                time.sleep(0.02)

    def stop(self) -> None:
        """Ends it as an operator would who does not wait for clients."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE_S)

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the administrator, each statement a transaction."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="gengfu", dbname=database, autocommit=True
        )

    def url(self, database: str) -> str:
        """What the configuration's key `database` takes."""
        if self._password:
            return f"postgresql+psycopg://gengfu:{self._password}@127.0.0.1:{self.port}/{database}"
        return f"postgresql+psycopg://gengfu@/{database}?host={self.folder}"

    def close(self) -> None:
        """Ends it and removes all it kept."""
        if self._process and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


EMPTY, TABLES_ONLY, MIGRATED = "template0", "tables", "migrated"
"""What a new database is a copy of: nothing; the tables as the code describes them, or as the chain of
migrations makes them."""


LEAVING_S = 0.2
"""How long a closed connection may take to be gone before it counts as a used one (chosen)."""


class Databases:
    """Fresh databases of one server, each a copy of a template.

    A database that a test leaves with the schema it got is emptied and serves the next test: that costs a
    fraction of a new one. Any other is dropped.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._admin = server.connect()
        self._schemas = {EMPTY: ""}
        self._emptied: dict[str, list[str]] = {EMPTY: [], TABLES_ONLY: [], MIGRATED: []}

    @contextmanager
    def fresh(self, template: str = TABLES_ONLY) -> Iterator[str]:
        """The URL of a database like the template; whoever still uses it at the end is thrown out."""
        kept = self._emptied[template]
        name = kept.pop() if kept else self._copy(template)
        try:
            yield self.server.url(name)
        finally:
            if self._empty(name, self._schemas[template]):
                kept.append(name)
            else:
                self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _copy(self, template: str) -> str:
        if template not in self._schemas:
            self._admin.execute(f"CREATE DATABASE {template}")
            _fill(template, self.server.url(template))
            with self.server.connect(template) as connection:
                self._schemas[template] = schema_of(connection)
        name = f"test_{secrets.token_hex(8)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def _empty(self, name: str, schema: str) -> bool:
        """Whether the database is again like its template; no promise is made where that is not certain."""
        if not schema or self._used(name):
            return False
        try:
            with self.server.connect(name) as connection:
                if same := schema_of(connection) == schema:
                    empty(connection)
                return same
        except psycopg.Error:
            return False

    def _used(self, name: str) -> bool:
        """Whether somebody stays connected: a connection that was closed is there for a moment longer."""
        users = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        deadline = time.monotonic() + LEAVING_S
        while used := self._admin.execute(users, (name,)).fetchone() is not None:
            if time.monotonic() > deadline:
                break
            time.sleep(0.002)
        return used

    def close(self) -> None:
        self._admin.close()


def _fill(template: str, url: str) -> None:
    """Makes an empty database that template."""
    engine = open_database(url)
    {TABLES_ONLY: create_tables, MIGRATED: upgrade}[template](engine)
    engine.dispose()


def create_tables(engine: Engine) -> None:
    """All tables of all rooms, as the code describes them."""
    assert TABLES
    metadata.create_all(engine)


@cache
def _sqlite_file(template: str) -> bytes:
    """The whole file of a SQLite database that is one of the templates."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        _fill(template, f"sqlite:///{file}")
        return file.read_bytes()


def sqlite_in(folder: str | Path) -> str:
    """The URL of a SQLite file in `folder`: for tests that need many databases and show nothing of them."""
    return f"sqlite:///{Path(folder) / 'gengfu.db'}"


def sqlite_like(template: str, folder: str | Path) -> str:
    """The URL of a new SQLite file in `folder`, a copy of the template."""
    (Path(folder) / "gengfu.db").write_bytes(_sqlite_file(template))
    return sqlite_in(folder)


def dump_of(engine: Engine) -> bytes:
    """Everything that lies in the database, as a thief of its disk or of a dump would have it."""
    if engine.dialect.name == SQLITE:
        file = Path(str(engine.url.database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    with reading(engine) as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def impatient_engine(url: str) -> Engine:
    """Fails at once where ours would wait half a minute for another writer."""
    engine = open_database(url)
    if engine.dialect.name == SQLITE:
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=0"))
    else:
        event.listen(engine, "before_cursor_execute", _without_patience, retval=True)
    return engine


def _without_patience(
    _connection: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool
) -> tuple[str, Any]:
    return statement.replace(f"'{BUSY_TIMEOUT_MS}'", "'1'"), values


def losing_the_next_answer(engine: Engine) -> None:
    """The next commit of a writer on `engine` happens, and its answer is lost on the way back."""

    def commit_and_lose(connection: Connection) -> None:
        if not connection.get_execution_options().get("writing"):
            return
        event.remove(engine, "commit", commit_and_lose)
        connection.connection.commit()
        raise OperationalError("COMMIT", None, Exception("the connection was lost"))

    event.listen(engine, "commit", commit_and_lose)


def left_out() -> None:
    """Skips a test on PostgreSQL where the environment says so, by name and in the open."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT}=1")
