"""Every service that Apprise knows, through Apprise processes of its own (`apprise_worker`).

Not guaranteed: for DingTalk, Feishu, Lark, WeCom bots, ServerChan, PushDeer and PushMe, Apprise reports
success whenever the vendor answers HTTP 200, even with an error code (measured with Apprise 2.2.0).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from alerts.channels.apprise_lines import threads
from alerts.channels.apprise_process import AppriseProcess, start
from alerts.channels.channel import Failed, Message, Outcome

log = structlog.get_logger()

_WORKER: Final = (sys.executable, "-m", "alerts.channels.apprise_worker")
_REST_S: Final = 1.0
"""Between two starts of a process, so that one that dies at once does not eat the machine (chosen)."""


class AppriseChannel:
    """Hands messages to an Apprise process, and in a storm to a second one beside it.

    A send is a millisecond of one core, and a process can use no more than one: when a lane of the first has
    all its threads in hand, a second is started, 60 MB, and takes part as soon as it is ready. It stays.
    """

    def __init__(self, command: Sequence[str] = _WORKER, now_s: Callable[[], float] = time.monotonic) -> None:
        self._first = _Desk(command, now_s)
        self._second = _Desk(command, now_s)
        self._helping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The first process's number while it runs."""
        return self._first.pid

    async def warm(self) -> None:
        """Starts the process, so that the first message does not wait for half a second of imports."""
        await self._first.warm()

    async def send(self, message: Message) -> Outcome:
        """Notifies once. Reasons never hold the address."""
        first, second = self._first.in_hand[message.urgent], self._second.in_hand[message.urgent]
        if first >= threads(message.urgent) and not self._second.is_ready:
            self._get_help()
        desk = self._second if self._second.is_ready and second < first else self._first
        return await desk.send(message)

    def _get_help(self) -> None:
        if self._helping is None or self._helping.done():
            self._helping = asyncio.create_task(self._second.warm(), name="apprise.second")

    async def close(self) -> None:
        """Ends both."""
        if self._helping:
            await asyncio.gather(self._helping, return_exceptions=True)
        await self._first.close()
        await self._second.close()


class _Desk:
    """One process, with at most as many sends at once as it has threads, by lane.

    A process that dies fails what it had in hand (to be tried again) and is started again by the next send.
    """

    def __init__(self, command: Sequence[str], now_s: Callable[[], float]) -> None:
        self._command = command
        self._now_s = now_s
        self._process: AppriseProcess | None = None
        self._started_s = -_REST_S
        self._starting = asyncio.Lock()
        self._room = {urgent: asyncio.Semaphore(threads(urgent)) for urgent in (True, False)}
        self.in_hand = Counter[bool]()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.alive else None

    @property
    def is_ready(self) -> bool:
        """Whether a send would begin at once, room given."""
        return self._process is not None and self._process.alive and self._process.ready

    async def warm(self) -> None:
        await self._running()

    async def send(self, message: Message) -> Outcome:
        self.in_hand[message.urgent] += 1
        try:
            async with self._room[message.urgent]:
                process = await self._running()
                if process is None:
                    return Failed("the apprise process cannot be started")
                return await process.ask(message)
        finally:
            self.in_hand[message.urgent] -= 1

    async def close(self) -> None:
        if self._process:
            await self._process.close()
            self._process = None

    async def _running(self) -> AppriseProcess | None:
        async with self._starting:
            if self._process and self._process.alive and not self._process.choked:
                return self._process
            if self._now_s() - self._started_s < _REST_S:
                return None
            self._started_s = self._now_s()
            if self._process:
                log.warning("apprise_process_replaced", choked=self._process.choked)
                await self._process.close()
            self._process = await start(self._command)
            return self._process
