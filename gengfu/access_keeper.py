"""Keeps the broker's access files as the registry is, and makes the broker read them.

Errors:
* CannotReload (OSError): the broker could not be told to read its files.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine, func, select

from devices.database import ChangeNotice, reading
from devices.schema import registry_change
from devices.vault import Vault
from gengfu.access import access_folder, is_private, site_texts, tls_listener
from gengfu.answers import Answers
from gengfu.config import Config
from gengfu.tls import fits
from ingest.gate.files import write_files

log = structlog.get_logger()

UNHEARD_S: Final = 30.0
"""A reload that the log does not show after so long is asked for again, and is trouble (chosen)."""
COMMAND_S: Final = 20.0
"""What the site's reload command may take (chosen)."""


class CannotReload(OSError):
    """The broker could not be told to read its files; the text says why."""


class Keeper:
    """Access files and reloads."""

    def __init__(self, config: Config, engine: Engine, vault: Callable[[], Vault]) -> None:
        self._config, self._engine, self._vault = config, engine, vault
        self._folder = access_folder(config)
        self._notice = ChangeNotice(engine)
        self._unread = True
        self._version = -1
        self._answers = Answers(config)
        self._stamp = self._seen_stamp = self._certificate()
        self._asked_at: float | None = None
        self._waits_since: float | None = None
        self.before_ask: Callable[[], None] = lambda: None
        self._wanted = self._folder is not None  # who ran before may have been killed between file and reload
        self.reloads = self.failures = 0
        self.names: frozenset[str] = frozenset()
        self.trouble = ""

    def look(self) -> None:
        """Writes and reloads what changed. Raises FAILURES; call it again then."""
        self._unread = self._notice.changed() or self._unread
        self._unread = self._answers.changed() or self._unread
        if self._folder and self._unread:
            self._follow(self._folder)
            self._unread = False
        self._look_at_certificate()
        overdue = self._asked_at is not None and time.monotonic() - self._asked_at > UNHEARD_S
        if self._wanted or overdue:
            self._reload()

    def reloaded(self) -> None:
        """The broker's log says that it read its files, after it was asked to."""
        self._asked_at = self._waits_since = None

    def close(self) -> None:
        """Lets go of the database."""
        self._notice.close()

    @property
    def unanswered(self) -> bool:
        """Whether a reload is asked for that the log has not shown since."""
        return self._asked_at is not None

    @property
    def waits(self) -> bool:
        """Whether a reload is asked for and has not been seen for long."""
        return self._waits_since is not None and time.monotonic() - self._waits_since > UNHEARD_S / 2

    def _look_at_certificate(self) -> None:
        """A changed certificate is reloaded once it is the same at two looks and fits its key."""
        stamp = self._certificate()
        tls = tls_listener(self._config)
        settled = stamp == self._seen_stamp
        self._seen_stamp = stamp
        if stamp == self._stamp or not settled or tls is None:
            return
        if not fits(tls.certificate, tls.key):
            raise CannotReload(f"{tls.key} is not the key of {tls.certificate}")
        self._wanted, self._stamp = True, stamp

    def _follow(self, folder: Path) -> None:
        with reading(self._engine) as connection:
            version = connection.scalar(select(func.max(registry_change.c.id))) or 0
        if version == self._version and not self._answers.unwritten:
            return
        texts = site_texts(self._config, self._engine, self._vault(), self._answers.filters)
        self.names = frozenset(line.partition(":")[0] for line in texts["passwords"].splitlines())
        if write_files(folder, texts):
            self._wanted = True
            log.info("access_files_written", accounts=len(self.names))
        self._version = version
        self._answers.unwritten = False

    def _reload(self) -> None:
        if is_private(self._config):
            with contextlib.suppress(OSError):  # who cannot read the log hears no answer either
                self.before_ask()  # what the log says already is no answer
            self._signal()
            self._asked_at = time.monotonic()
            self._waits_since = self._waits_since or self._asked_at
        else:  # the command's exit code is the answer: the site's log may not show reloads
            self._command()
        self._wanted = False
        self.reloads += 1
        log.info("broker_reload_asked")

    def _signal(self) -> None:
        """To the broker's leash, which passes it on when that loses nothing."""
        pid = running_leash(self._config.data_dir)
        if pid is None:
            raise CannotReload("the private broker is not running")
        os.kill(pid, signal.SIGHUP)

    def _command(self) -> None:
        """The site's own command, while ingest is connected: a reload after a restart of the broker makes
        mosquitto drop what it should keep for a session that is not back yet (`gengfu.broker_leash`)."""
        words = self._config.broker.reload_command
        if not words:
            return
        if not self._ingest_connected():
            raise CannotReload("waiting for ingest to be connected")
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise CannotReload(f"{words[0]} took longer than {COMMAND_S:g} s") from None
        if done.returncode:
            raise CannotReload(f"{words[0]} ended with {done.returncode}")

    def _ingest_connected(self) -> bool:
        metrics = self._config.metrics
        url = f"http://{metrics.host}:{metrics.ingest}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return b'"connected":true' in answer.read(4096)
        except urllib.error.HTTPError as answer:  # another trouble, such as another broker that is away
            with answer:
                return b'"connected":true' in answer.read(4096)
        except OSError:
            return False

    def _certificate(self) -> tuple[int, ...]:
        """Changes when the private broker's certificate does."""
        tls = tls_listener(self._config) if is_private(self._config) else None
        if tls is None:
            return ()
        try:
            return (tls.certificate.stat().st_mtime_ns, tls.key.stat().st_mtime_ns)
        except OSError:  # being replaced
            return ()


def running_leash(folder: Path) -> int | None:
    """The broker's leash, when it runs and is ready for a signal; None else. Raises OSError, DecodeError.

    A number in a file may be another's by now, so two must agree: the supervisor's note of what it started,
    and the lock, which the leash takes when it knows what to do with a signal. Where the system says what
    runs under that number, it must be a leash.
    """
    note = msgspec.json.decode((folder / "run.json").read_bytes(), type=_Running)
    pid = note.pids.get("broker", 0)
    held = folder / "broker.lock"
    if not pid or not held.exists() or held.read_text(encoding="utf-8").strip() != str(pid):
        return None
    said = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists() and not (said.exists() and b"broker_leash" in said.read_bytes()):
        return None
    return pid


class _Running(msgspec.Struct):
    pids: dict[str, int]
