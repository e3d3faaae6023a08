"""One lane of senders: a fair line, and a bound on the sends under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

import structlog

from alerts.addresses import Destination
from alerts.channels.channel import Failed
from alerts.handover import Handover
from alerts.line import Line, Waiting
from alerts.patience import Patience

log = structlog.get_logger()

Found = Mapping[int, Destination | Failed]
LookUp = Callable[[set[int]], Awaitable[Found]]
Carry = Callable[[Handover, Destination | Failed], Awaitable[None]]
Slow = Callable[[list[Handover]], None]

_SHARE: Final = 2
"""One provider has sends for half of the width under way at most (chosen)."""
_TIMES: Final = 8
"""Sends under way through all providers together, times the width (chosen): sixteen providers that do not
answer take a lane up and no fewer, which is more than a site has. Each costs a connection, some 50 kB."""
LOOK_S: Final = 0.5
"""Between two looks at who stands aside and who has no answer: behind a provider that does not answer nobody
waits longer than three of them, 1.5 s, for the next way (chosen: the message is to be handed over within
3 s)."""
_NOT_ANSWERING: Final = Failed("the provider does not answer", unreached=True)
_NO_LOOK_UP: Final = Failed("the address could not be looked up")


class Lane:
    """Carries handovers in the order of `alerts.line`: few at once through one channel, half of `width`
    through one provider, and eight times `width` through all of them.

    One that hangs therefore keeps nobody else waiting, and neither do fifteen. With `look_s`, who would have
    to wait for one that hangs is not kept waiting either: where no send through it has ended for two looks,
    the first tries that stand aside for it end in `carry` as failed, and the contact's next way is used. And
    what has had no answer for `alerts.patience.LOOKS` looks, under way or still in line, is given to `slow`,
    once, and goes on.

    Addresses are looked up for all that is there at once; a look-up that fails ends in `carry` with the
    reason, like any failed send.
    """

    def __init__(
        self,
        name: str,
        width: int,
        look_up: LookUp,
        carry: Carry,
        look_s: float = 0.0,
        slow: Slow | None = None,
    ) -> None:
        """`look_s`: seconds between two looks at who stands aside and who has no answer; 0 for none."""
        self._name = name
        self._look_s = look_s
        self._most = width * _TIMES
        self._look_up = look_up
        self._carry = carry
        self._slow = slow
        self._patience = Patience()
        self._arrived: list[Handover] = []
        self._arrival = asyncio.Event()
        self._line = Line(max(width // _SHARE, 1))
        self._sending: dict[asyncio.Task[None], Waiting] = {}
        self._given_up: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []
        self._open = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def open(self) -> int:
        """Handovers put in and not yet carried."""
        return self._open

    def start(self) -> None:
        """Begins to look up and to send."""
        self._running.append(asyncio.create_task(self._find(), name=f"{self._name}.look-up"))
        if self._look_s:
            self._running.append(asyncio.create_task(self._look(), name=f"{self._name}.look"))

    def put(self, handovers: Iterable[Handover]) -> None:
        """Adds handovers; returns at once."""
        before = len(self._arrived)
        self._arrived.extend(handovers)
        self._open += len(self._arrived) - before
        if self._arrived:
            self._empty.clear()
            self._arrival.set()

    async def wait_empty(self) -> None:
        """Returns when everything put in has been carried."""
        await self._empty.wait()

    async def close(self) -> None:
        """Stops sending; what had not been carried is left."""
        self._most = 0  # nothing further begins
        tasks = [*self._sending, *self._given_up, *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _find(self) -> None:
        while True:
            await self._arrival.wait()
            self._arrival.clear()
            batch, self._arrived = self._arrived, []
            found = await self._ways({handover.channel_id for handover in batch})
            for handover in sorted(batch, key=_age):
                self._line.join(handover, found.get(handover.channel_id, _NO_LOOK_UP))
            self._send()

    async def _ways(self, channel_ids: set[int]) -> Found:
        try:
            return await self._look_up(channel_ids)
        except Exception as error:  # whatever it is: the handovers must come to an end
            log.error("address_look_up_failed", lane=self._name, error=type(error).__name__)
            return {}

    def _send(self) -> None:
        """Begins what may begin now; called whenever something has arrived or ended."""
        while len(self._sending) < self._most and (one := self._line.take()) is not None:
            task = asyncio.create_task(self._carry_out(one.handover, one.way), name=f"{self._name}.send")
            self._sending[task] = one
            task.add_done_callback(self._ended)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            without_answer = [one.handover for one in (*self._sending.values(), *self._line.waiting())]
            if self._slow and (slow := self._patience.look(without_answer)):
                self._slow(slow)
            for one in self._line.give_up():
                task = asyncio.create_task(self._carry_out(one.handover, _NOT_ANSWERING))
                self._given_up.add(task)
                task.add_done_callback(self._given_up.discard)
                task.add_done_callback(self._over)

    async def _carry_out(self, handover: Handover, way: Destination | Failed) -> None:
        await self._carry(handover, way)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._line.end(self._sending.pop(task))
        self._over(task)

    def _over(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if error := task.exception():  # its notification stays `sending`: the next start begins it again
            log.error("carry_failed", lane=self._name, error=type(error).__name__)
        self._open -= 1
        if not self._open:
            self._empty.set()
        self._send()


def _age(handover: Handover) -> tuple[int, int]:
    return handover.created_us, handover.notification_id
