"""The task that begins memos, beside the loop of turns: no alarm waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine

from alerts.handover import Handover
from alerts.memos import anything_waits, begin_memos, recover_memos, tidy_memos
from devices.database import reading, writing

log = structlog.get_logger()

LOOK_S: Final = 1.0
"""Between two looks (chosen: somebody who asks for a test sits and waits)."""
AT_ONCE: Final = 20
"""Begun in one look at most (chosen: 1,200 a minute, far above what is planned)."""
_TIDY_US: Final = 3_600_000_000


class Sends(Protocol):
    """What is needed of `alerts.sender.Sender`."""

    @property
    def backlog(self) -> int:
        """Lesser handovers not yet carried."""

    def submit(self, handovers: Iterable[Handover]) -> None:
        """Takes committed attempts; returns at once."""


class MemoPost:
    """Begins what is due while nothing lesser waits in the sender."""

    def __init__(self, engine: Engine, sender: Sends, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._sender = sender
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "memos")
        self._recovered = False
        self._tidied_us = 0

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Looks until it is cancelled; what fails is logged and tried again."""
        try:
            while True:
                try:
                    await self.look()
                except Exception as error:  # a database that is away: the next look tries
                    log.error("memos_failed", error=type(error).__name__)
                await pause(LOOK_S)
        finally:
            await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def look(self) -> None:
        """One look."""
        if self._sender.backlog:
            return
        begun = await asyncio.get_running_loop().run_in_executor(self._thread, self._begin)
        self._sender.submit(begun)

    def _begin(self) -> list[Handover]:
        """Takes the write lock only when something is due."""
        now_us = self._clock()
        if not self._recovered:
            with writing(self._engine) as connection:
                begun = recover_memos(connection, now_us)
            self._recovered = True
            return begun
        with reading(self._engine) as connection:
            waits = anything_waits(connection, now_us)
        tidy = not 0 <= now_us - self._tidied_us < _TIDY_US
        if not waits and not tidy:
            return []
        with writing(self._engine) as connection:
            if tidy:
                tidy_memos(connection, now_us)
                self._tidied_us = now_us
            return begin_memos(connection, now_us, AT_ONCE)
