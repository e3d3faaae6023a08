"""Follows the registry: a thread that reads what changed, so that the tick only has to apply it.

The tick takes the changed devices a slice at a time and no longer than it may. So one changed device is seen
within the time of a look, and a hundred thousand hold up no reading.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import structlog
from sqlalchemy import Engine

from devices.database import ChangeNotice, reading
from ingest.registered import Slice, read_changes, registry_version
from ingest.series import SeriesIndex

log = structlog.get_logger()

LOOK_S: Final = 0.25
"""How often the registry is looked at for changes; the promise is 2 s (chosen)."""
BUDGET_S: Final = 0.002
"""For how long a tick applies changes before it goes on; the last slice may run over it (chosen)."""
_AHEAD: Final = 4
"""Slices that wait for the tick before the thread waits itself (chosen)."""
_REST_S: Final = 0.001
"""The thread's rest after each slice: the interpreter lock is the tick's first of all (chosen)."""


class Following:
    """Reads changes after `known` from `engine` in a thread of its own; `take` gives them in order.

    Where the database cannot be read the thread looks again later, and readings go on with what is known.
    """

    def __init__(self, engine: Engine, known: int, *, look_s: float = LOOK_S) -> None:
        self._engine = engine
        self._known = known
        self._look_s = look_s
        self._slices: queue.Queue[Slice] = queue.Queue(_AHEAD)
        self._stop = threading.Event()
        self._fails = False
        self._thread = threading.Thread(target=self._run, name="registry", daemon=True)

    @property
    def waits(self) -> bool:
        """Whether something is there to take."""
        return not self._slices.empty()

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stop.set()
        self._thread.join()

    def take(self) -> Slice | None:
        """The next slice, None when there is none now. Never waits."""
        try:
            return self._slices.get_nowait()
        except queue.Empty:
            return None

    def _run(self) -> None:
        notice, unread = ChangeNotice(self._engine), True
        while not self._stop.is_set():
            unread = notice.changed() or unread
            if unread:
                unread = not self._look()
            self._stop.wait(self._look_s)
        notice.close()

    def _look(self) -> bool:
        """Hands out all that is new. False where the database could not be read to the end."""
        try:
            with reading(self._engine) as connection:
                if registry_version(connection) == self._known:
                    return True
                with closing(read_changes(connection, self._known)) as parts:
                    for part in parts:
                        if not self._hand_out(part):
                            return False
                        self._known = self._known if part.version is None else part.version
        except Exception as error:  # whatever it is: without this thread no change would be seen any more
            if not self._fails:
                log.error("registry_waits", error=type(error).__name__)
            self._fails = True
            return False
        self._fails = False
        return True

    def _hand_out(self, part: Slice) -> bool:
        while not self._stop.is_set():
            try:
                self._slices.put(part, timeout=0.1)
            except queue.Full:
                continue
            self._stop.wait(_REST_S)
            return True
        return False


def apply_changes(
    index: SeriesIndex,
    following: Following,
    *,
    budget_s: float = BUDGET_S,
    monotonic: Callable[[], float] = time.monotonic,
) -> int:
    """Applies what waits, within the budget but at least one slice; how many devices. Between ticks only."""
    ends, devices = monotonic() + budget_s, 0
    while (part := following.take()) is not None:
        index.apply(part)
        devices += len(part.devices)
        if part.version is not None:
            log.info("registry_followed", version=part.version)
        if monotonic() >= ends:
            break
    return devices
