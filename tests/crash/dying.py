"""The ingest process as it is shipped, run so that the kernel ends it at a chosen place: a real SIGKILL.

Nothing of it is replaced. The interpreter's profile hook sees every call and every return, those of built-in
functions too, so that a process can end between the write of a record and its fdatasync, or between a COMMIT
and its return. The processes are forked from a server that has imported everything already: a start costs
tens of milliseconds instead of a second.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from gengfu.config_file import load_config
from gengfu.run_ingest import run_ingest
from gengfu.run_store import run_store

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.crash.dying"])


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process ends: at the `after`-th time that `what` of a function happens.

    `what` is call or return of a Python function, c_call or c_return of a built-in one; `name` its qualified
    name. `inside` names a Python function that must be under way. A `poll` that gives nothing does not count.
    """

    what: str
    name: str
    inside: str = ""
    after: int = 1

    def __str__(self) -> str:
        place = f" in {self.inside}" if self.inside else ""
        return f"{self.what} {self.name}{place} {self.after}"


def start_ingest(config: Path, death: Death | None = None) -> ForkServerProcess:
    """The ingest process of this configuration, which dies there, or lives until SIGTERM."""
    return _start(_ingest, config, death)


def start_store(config: Path) -> ForkServerProcess:
    """The store process of this configuration."""
    return _start(_store, config)


def _start(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    process = _context.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _ingest(config: Path, death: Death | None) -> None:
    _log_to(config.parent / "ingest.log")
    event.listen(Pool, "checkout", _bound(config.parent / "pages"))
    if death:
        hook = _hook(death)
        threading.setprofile(hook)
        sys.setprofile(hook)
    run_ingest(load_config(config))


def _store(config: Path) -> None:
    _log_to(config.parent / "store.log")
    run_store(load_config(config))


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _bound(pages: Path) -> Callable[[sqlite3.Connection, object, object], None]:
    """As many pages as the file says, when there is one, may the database have: for it the disk is full."""

    def bound(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        if pages.exists():
            connection.execute(f"PRAGMA max_page_count = {int(pages.read_text())}")

    return bound


def _hook(death: Death) -> Callable[[FrameType, str, Any], None]:
    left = death.after

    def hook(frame: FrameType, what: str, arg: Any) -> None:
        nonlocal left
        if what != death.what:
            return
        built_in = what.startswith("c_")
        name = getattr(arg, "__name__", "") if built_in else frame.f_code.co_qualname
        if name != death.name or (what == "return" and name.endswith(".poll") and arg is None):
            return
        if death.inside and not _is_inside(frame, death.inside):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _is_inside(frame: FrameType | None, name: str) -> bool:
    while frame is not None:
        if frame.f_code.co_qualname == name:
            return True
        frame = frame.f_back
    return False
