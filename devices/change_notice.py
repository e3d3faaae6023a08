"""A cheap look whether somebody has written to the database: how the processes wake each other."""

from __future__ import annotations

import contextlib
import os
import selectors
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

if TYPE_CHECKING:  # an extra: only whoever has a PostgreSQL URL needs it
    import psycopg

CHANNEL: Final = "gengfu"
"""What `devices.database.writing` notifies on PostgreSQL. Channels are per database."""
LONGEST_SILENCE_S: Final = 1.0
"""On PostgreSQL a look says yes at least so often: whatever eats notices (a pooler in between, a connection
that is dead and does not know it) costs a second, never the alarm (chosen)."""
CONNECT_TIMEOUT_S: Final = 3
"""How long opening a PostgreSQL connection may take, each address (chosen: ingest's tick waits for it)."""
IDLE_TIMEOUT_MS: Final = 60_000
"""A PostgreSQL transaction in which nothing happens for so long is ended by the server: a process that was
stopped in its middle must not keep every other from writing (chosen, twice the wait for another writer)."""
CONNECT: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "client_encoding": "utf8",
    "application_name": "gengfu",
    # A server or a network that vanished is noticed after 10 + 3 × 5 s, on both sides (chosen, below the
    # wait for another writer: one that lost its machine must let go before the others give up).
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "options": " ".join(
        f"-c {setting}"
        for setting in (
            "tcp_keepalives_idle=10",
            "tcp_keepalives_interval=5",
            "tcp_keepalives_count=3",
            f"idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}",
        )
    ),
}
"""How every PostgreSQL connection of ours is opened, as libpq calls it."""
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 5.0
"""Between two tries to connect again: doubling between these (chosen)."""


class ChangeNotice:
    """Tells cheaply whether anybody has committed since the last look.

    SQLite: `PRAGMA data_version`, 30 µs a look (measured); the change is seen at the next look.
    PostgreSQL: a thread listens for the notices that `writing` sends; a look reads a flag, 2 µs. The flag is
    up 0.8 ms after the commit at the median and 8 ms at the 99th percentile (measured over a local socket,
    with two busy cores). A lost connection is one yes, then one each LONGEST_SILENCE_S until it is back,
    then another.

    A look never blocks and raises nothing: where the database cannot be asked it says yes, and the caller
    meets the error where it is prepared for it. Not guaranteed: that anything of interest changed.
    """

    def __init__(self, engine: Engine, clock_s: Callable[[], float] = time.monotonic) -> None:
        """`clock_s` is a monotonic clock, for LONGEST_SILENCE_S. Raises ValueError where there is no file."""
        self._look: _Looks | _Listens = (
            _Listens(engine, clock_s) if engine.dialect.name == "postgresql" else _Looks(engine)
        )

    def changed(self) -> bool:
        """True when the database changed since the last call; True on the first."""
        return self._look.changed()

    def close(self) -> None:
        """Lets go of the file or the connection. May be called twice."""
        self._look.close()


class _Looks:
    """Of a SQLite file."""

    def __init__(self, engine: Engine) -> None:
        if engine.url.database is None:
            raise ValueError("ChangeNotice works on a file, not on a database in memory")
        self._connection = sqlite3.connect(
            Path(engine.url.database), isolation_level=None, check_same_thread=False
        )
        self._seen = -1

    def changed(self) -> bool:
        try:
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return True
        changed = version != self._seen
        self._seen = version
        return changed

    def close(self) -> None:
        self._connection.close()


class _Listens:
    """On a PostgreSQL server, by a thread with a connection of its own."""

    def __init__(self, engine: Engine, clock_s: Callable[[], float]) -> None:
        self._engine = engine
        self._clock_s = clock_s
        self._news = True
        self._said_s = clock_s()
        self._lost: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._ending = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="change-notice", daemon=True)
        self._thread.start()

    def changed(self) -> bool:
        now_s = self._clock_s()
        if not self._news and now_s - self._said_s < LONGEST_SILENCE_S:
            return False
        self._news = False  # before the caller reads: what comes now is news again
        self._said_s = now_s
        return True

    def close(self) -> None:
        if self._ending.is_set():
            return
        self._ending.set()
        os.write(self._wake_write, b".")
        self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._ending.is_set():
            with contextlib.suppress(self._lost), self._connect() as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self._news = True  # what was committed before we listened
                wait_s = _FIRST_WAIT_S
                self._listen(connection)
            self._news = True
            self._ending.wait(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _connect(self) -> psycopg.Connection:
        """A connection beside the pool's, opened as those are."""
        dialect = self._engine.dialect
        words, names = dialect.create_connect_args(self._engine.url)
        opened: psycopg.Connection = dialect.loaded_dbapi.connect(*words, **names, **CONNECT, autocommit=True)
        return opened

    def _listen(self, connection: psycopg.Connection) -> None:
        """Until `close` or the end of the connection, which raises the driver's Error."""
        with selectors.DefaultSelector() as ready:
            ready.register(connection.fileno(), selectors.EVENT_READ)
            ready.register(self._wake_read, selectors.EVENT_READ)
            while not self._ending.is_set():
                ready.select()
                connection.pgconn.consume_input()
                while connection.pgconn.notifies() is not None:
                    self._news = True
