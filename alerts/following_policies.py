"""Follows the site's own policies file while the service runs.

A file that cannot be used stops nobody from being told: the shipped policies hold then, whatever held before,
so that it is the same after a restart, and a standing fault says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Engine

from alerts.plans import Policies, PolicyError, own_policies, shipped_policies
from alerts.standing import settle_faults
from alerts.toml_table import FILE_BYTES

log = structlog.get_logger()

REFUSED: Final = "policies"
"""The code of the standing fault."""
_TEXT_CHARS: Final = 300


def read_policies(path: Path) -> Policies:
    """The shipped policies with those of the file in their place. Raises PolicyError."""
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES + 1).decode("utf-8")
    except OSError as error:
        raise PolicyError(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path.name}: cannot be read: not UTF-8 at byte {error.start}") from None
    return own_policies(text, path.name)


class FollowingPolicies:
    """The policies of a file, read again when it changes. `path` empty: the shipped ones, for good."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._seen: object = None
        self._used: object = None
        self.policies = shipped_policies()
        self.refused = ""

    def look(self, *, settled: bool = False) -> Policies:
        """What holds now; with `settled` false a change counts that is the same at two looks. Never raises: a
        file that cannot be used is told in `refused`."""
        if self._path is None:
            return self.policies
        stamp = stamp_of(self._path)
        same, self._seen = stamp == self._seen, stamp
        if stamp != self._used and (same or settled):
            self._used = stamp
            try:
                self.policies, self.refused = read_policies(self._path), ""
                log.info("policies_read", own=len(self.policies.own))
            except Exception as error:
                self.policies, self.refused = shipped_policies(), _one_line(error)
                log.error("policies_refused", why=self.refused, do="correct it; the shipped ones hold")
        return self.policies

    def tell(self, engine: Engine, now_us: int) -> None:
        """Makes the standing fault stand, or ends it."""
        found = {REFUSED: _fault_text(self.refused)} if self.refused else {}
        settle_faults(engine, (REFUSED,), found, now_us)


def _fault_text(why: str) -> str:
    chinese = f"通知方案文件不能使用，现按出厂方案通知：{why}"
    return f"{chinese} · the policies file cannot be used, the shipped policies hold: {why}"


def _one_line(error: Exception) -> str:
    """What is wrong with the file; of anything but a PolicyError its kind only."""
    said = str(error) if isinstance(error, PolicyError) else f"cannot be read: {type(error).__name__}"
    return " ".join(said.split())[:_TEXT_CHARS]


def stamp_of(path: Path) -> object:
    """Changes when the file does."""
    try:
        said = path.stat()
    except OSError as error:
        return error.errno
    return said.st_size, said.st_mtime_ns, said.st_ino
