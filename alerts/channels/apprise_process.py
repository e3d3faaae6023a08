"""One running Apprise process (`apprise_worker`): orders go in, answers come back, its end fails them all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from itertools import count
from typing import Final

import msgspec
import structlog

from alerts.channels.apprise_lines import READY, Done, Drop, Order, Send, threads
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from devices.keyring import without_key
from devices.model import Medium

log = structlog.get_logger()

_TITLE: Final = "更夫 Gengfu"
_END_S: Final = 2.0
DIED: Final = Failed("the apprise process ended")


async def start(command: Sequence[str]) -> AppriseProcess | None:
    """A fresh process; None where there can be none. Its stderr goes nowhere: tracebacks of plugins hold
    addresses."""
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
    return AppriseProcess(process)


class AppriseProcess:
    """Asks it, as many times at once as the caller likes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ready = False
        """It has said that all plugins are loaded. What is asked before then waits for it."""
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._abandoned: dict[bool, set[int]] = {True: set(), False: set()}
        self._reader = asyncio.create_task(self._read(), name="apprise.answers")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return not self._reader.done()

    @property
    def choked(self) -> bool:
        """True when every thread of a lane is held by a send that nobody waits for any more."""
        return any(len(self._abandoned[urgent]) >= threads(urgent) for urgent in (True, False))

    async def ask(self, message: Message) -> Outcome:
        """How sending it ended. Cancelled, it drops the order if that has not begun."""
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
            self._waiting[order.id].set_result(DIED)

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
                    future.set_result(DIED)

    def _settle(self, done: Done) -> None:
        self.ready = self.ready or done.id == READY
        future = self._waiting.get(done.id)
        if future and not future.done():
            future.set_result(Failed(done.reason, done.permanent) if done.reason else Accepted())
        for abandoned in self._abandoned.values():
            abandoned.discard(done.id)

    async def close(self) -> None:
        """Closes its stdin, which ends it; kills it when it does not."""
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
