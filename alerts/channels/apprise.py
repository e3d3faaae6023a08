"""Every service that Apprise knows, through an Apprise process of its own (`apprise_worker`).

Not guaranteed: for DingTalk, Feishu, Lark, WeCom bots, ServerChan, PushDeer and PushMe, Apprise reports
success whenever the vendor answers HTTP 200, even with an error code (measured with Apprise 2.2.0).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

import msgspec
import structlog

from alerts.channels.apprise_lines import Done, Drop, Order, Send, threads
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from devices.keyring import without_key
from devices.model import Medium

log = structlog.get_logger()

_WORKER: Final = (sys.executable, "-m", "alerts.channels.apprise_worker")
_TITLE: Final = "更夫 Gengfu"
_REST_S: Final = 1.0
"""Between two starts of the process, so that one that dies at once does not eat the machine (chosen)."""
_END_S: Final = 2.0
_DIED: Final = Failed("the apprise process ended")


class AppriseChannel:
    """Hands messages to the Apprise process, at most as many at once as it has threads, by lane.

    A process that dies fails what it had in hand (to be tried again) and is started again by the next send.
    """

    def __init__(self, command: Sequence[str] = _WORKER, now_s: Callable[[], float] = time.monotonic) -> None:
        self._command = command
        self._now_s = now_s
        self._worker: _Worker | None = None
        self._started_s = -_REST_S
        self._starting = asyncio.Lock()
        self._room = {urgent: asyncio.Semaphore(threads(urgent)) for urgent in (True, False)}

    @property
    def pid(self) -> int | None:
        """The process's number while it runs."""
        return self._worker.pid if self._worker and self._worker.alive else None

    async def warm(self) -> None:
        """Starts the process, so that the first message does not wait for half a second of imports."""
        await self._running()

    async def send(self, message: Message) -> Outcome:
        """Notifies once. Reasons never hold the address."""
        async with self._room[message.urgent]:
            worker = await self._running()
            if worker is None:
                return Failed("the apprise process cannot be started")
            return await worker.ask(message)

    async def close(self) -> None:
        """Closes the process's stdin, which ends it; kills it when it does not."""
        if self._worker:
            await self._worker.close()
            self._worker = None

    async def _running(self) -> _Worker | None:
        async with self._starting:
            if self._worker and self._worker.alive and not self._worker.choked:
                return self._worker
            if self._now_s() - self._started_s < _REST_S:
                return None
            self._started_s = self._now_s()
            if self._worker:
                log.warning("apprise_process_replaced", choked=self._worker.choked)
                await self._worker.close()
            self._worker = await _start(self._command)
            return self._worker


async def _start(command: Sequence[str]) -> _Worker | None:
    """A fresh process. Its stderr goes nowhere: tracebacks of plugins hold addresses."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=without_key(os.environ),
        )
    except OSError as error:
        log.error("apprise_process_not_started", error=type(error).__name__)
        return None
    return _Worker(process)


class _Worker:
    """One running Apprise process: orders go in, answers resolve futures, its end fails them all."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._abandoned: dict[bool, set[int]] = {True: set(), False: set()}
        self._reader = asyncio.create_task(self._read(), name="apprise.answers")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._reader.done()

    @property
    def choked(self) -> bool:
        """True when every thread of a lane is held by a send that nobody waits for any more."""
        return any(len(self._abandoned[urgent]) >= threads(urgent) for urgent in (True, False))

    async def ask(self, message: Message) -> Outcome:
        number = next(self._ids)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._write(Send(number, message.address, _title(message), _body(message), message.urgent))
            return await future
        except asyncio.CancelledError:
            self._abandoned[message.urgent].add(number)
            self._write(Drop(number))
            raise
        finally:
            del self._waiting[number]

    def _write(self, order: Order) -> None:
        """Leaves the line to the transport's buffer, which the bound on sends under way keeps small."""
        stdin = self._process.stdin
        if self.alive and stdin and not stdin.is_closing():
            stdin.write(msgspec.json.encode(order) + b"\n")
        elif isinstance(order, Send):
            self._waiting[order.id].set_result(_DIED)

    async def _read(self) -> None:
        stdout = self._process.stdout
        answers = msgspec.json.Decoder(Done)
        try:
            while stdout and (line := await stdout.readline()):
                self._settle(answers.decode(line))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.error("apprise_process_unreadable", error=type(error).__name__)
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(_DIED)

    def _settle(self, done: Done) -> None:
        future = self._waiting.get(done.id)
        if future and not future.done():
            future.set_result(Failed(done.reason, done.permanent) if done.reason else Accepted())
        for abandoned in self._abandoned.values():
            abandoned.discard(done.id)

    async def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _END_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader


def _title(message: Message) -> str:
    return _TITLE if message.medium in (Medium.PUSH, Medium.EMAIL) else ""


def _body(message: Message) -> str:
    if not message.link or message.link in message.text:
        return message.text
    return f"{message.text}\n{message.link}"
