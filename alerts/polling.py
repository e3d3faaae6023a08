"""Asks providers what became of messages, where nothing can come in from outside and where it got lost.

What they say goes into the inbox that callbacks write to, so that whoever is told twice is told once. Each
carrier is asked by a task of its own: one that answers slowly delays nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Row, bindparam, exists, select, update

from alerts.addresses import AddressBook, Destination, Unseals
from alerts.asking import next_ask_us
from alerts.asking_again import ask_again
from alerts.case import ENDED_STATES, State
from alerts.channels.aliyun_sms import AliyunSmsChannel
from alerts.channels.aliyun_voice import AliyunVoiceChannel
from alerts.channels.channel import Channel, Failed
from alerts.channels.receipts import Posted
from alerts.channels.tencent_sms import TencentSmsChannel
from alerts.ladder import UNDELIVERED
from alerts.memos_asked import ask_memos_later, may_memo_come, memos_to_ask
from alerts.receipts_kept import Finds, keep_posted
from alerts.schema import attempt, incident, notification
from devices.database import reading, writing
from devices.model import Carrier

log = structlog.get_logger()

LOOK_S: Final = 5.0
"""Between two looks for what is to be asked (chosen: the first question comes a minute after the sending)."""
REFUSED_S: Final = 600.0
"""After a provider that gives in a lump refused to, such as to an account without leave (chosen)."""
_TIMEOUT_S: Final = 15.0
_BATCH: Final = 40
_AT_ONCE: Final = 4
"""Questions of one look, and under way (chosen: some of the thousands a second that providers take)."""
_NEVER_AGAIN: Final = 0
"""As the time of its sending: what is so long ago is asked about no more."""
_OPEN: Final = [str(state) for state in State if state not in ENDED_STATES]

Answer = Posted | Failed
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that a provider took at `sent_us`. `address` is in clear: never log it. `settled`: what
    became of it is known, and only replies to it are wanted."""

    receipt: str
    sent_us: int
    address: str = field(repr=False)
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """How one carrier is asked: about one message (`one`), or for all since the last time (`lumps`). Where
    both can be, one message is asked about when something in a lump may have been lost."""

    one: Callable[[Asked, int], Awaitable[Answer]] | None = None
    lumps: Sequence[Callable[[int], Awaitable[Answer]]] = ()

    @property
    def parts(self) -> list[Source]:
        """Both ways, each for a task of its own."""
        both = (Source(self.one), Source(lumps=self.lumps))
        return [part for part in both if part.one or part.lumps]


def sources_of(channels: Mapping[Carrier, Channel]) -> dict[Carrier, Source]:
    """Those of these channels that can be asked."""
    found = ((carrier, _source_of(channel)) for carrier, channel in channels.items())
    return {carrier: source for carrier, source in found if source is not None}


def _source_of(channel: Channel) -> Source | None:
    match channel:
        case AliyunSmsChannel():
            sms = channel
            return Source(lambda one, now_us: sms.poll(one.address, one.receipt, one.sent_us, now_us))
        case AliyunVoiceChannel():
            voice = channel
            return Source(lambda one, now_us: voice.poll(one.receipt, one.sent_us, now_us))
        case TencentSmsChannel():
            pulled = channel
            return Source(
                lambda one, now_us: pulled.ask(one.address, one.sent_us, now_us, settled=one.settled),
                (pulled.poll, pulled.poll_replies),
            )
        case _:
            return None


class Polls:
    """The tasks that ask. `find` tells whose number a reply came from, `clock` gives µs UTC."""

    def __init__(
        self,
        engine: Engine,
        vault: Unseals,
        sources: Mapping[Carrier, Source],
        find: Finds,
        clock: Callable[[], int],
    ) -> None:
        self._engine = engine
        self._book = AddressBook(vault)
        self._sources = sources
        self._find = find
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "polls")

    async def run(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Asks until it is cancelled; `pause` waits for so many seconds."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for carrier, source in self._sources.items():
                    for part in source.parts:
                        asking = self._ask_on(carrier, part, pause)
                        tasks.create_task(asking, name=f"polls.{carrier}")
        finally:
            await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)

    async def _ask_on(
        self, carrier: Carrier, part: Source, pause: Callable[[float], Awaitable[None]]
    ) -> None:
        can_be_lost = bool(part.lumps and self._sources[carrier].one)
        doubtful = can_be_lost
        while True:
            wait_s = LOOK_S
            try:
                if doubtful:
                    await self._on(self._ask_again, carrier)
                wait_s = await self.look(carrier, part)
                doubtful = can_be_lost and wait_s == REFUSED_S
            except Exception as error:  # a database that is away, a provider's nonsense: the next look tries
                log.error("polling_failed", carrier=carrier, error=type(error).__name__)
            await pause(wait_s)

    async def look(self, carrier: Carrier, part: Source | None = None) -> float:
        """One look: asks what is due, keeps what is said; how long until the next. `part`: in one way."""
        source = part or self._sources[carrier]
        if source.one:
            return await self._ask_each(carrier, source.one)
        waits = [
            await self._take_lump(carrier, lump) for lump in source.lumps if await self._on(self._may_come)
        ]
        return max(waits, default=LOOK_S)

    async def _ask_each(self, carrier: Carrier, ask: Callable[[Asked, int], Awaitable[Answer]]) -> float:
        due = await self._on(self._due, carrier)
        if not due:
            return LOOK_S
        gate = asyncio.Semaphore(_AT_ONCE)

        async def answer(one: Asked) -> Answer:
            async with gate:
                return await _bounded(ask(one, self._clock()))

        answers = await asyncio.gather(*(answer(one) for one in due.values()))
        posted = [one for one in answers if isinstance(one, Posted)]
        if refused := [one.reason for one in answers if isinstance(one, Failed)]:
            log.warning("provider_not_asked", carrier=carrier, count=len(refused), reason=refused[0])
        sent = {
            number: _NEVER_AGAIN if one.settled and isinstance(answer, Posted) else one.sent_us
            for (number, one), answer in zip(due.items(), answers, strict=True)
        }
        await self._on(self._keep, posted, carrier, sent)
        return 0.0 if len(due) == _BATCH else LOOK_S

    async def _take_lump(self, carrier: Carrier, lump: Callable[[int], Awaitable[Answer]]) -> float:
        """What is given once must be kept: it is written until it stands."""
        posted = await _bounded(lump(self._clock()))
        if isinstance(posted, Failed):
            log.warning("provider_not_asked", carrier=carrier, count=1, reason=posted.reason)
            return REFUSED_S
        while posted.receipts or posted.replies:
            try:
                await self._on(self._keep, [posted], carrier, {})
                return 0.1  # there may be more
            except Exception as error:
                log.error("polled_not_kept", carrier=carrier, error=type(error).__name__)
                await asyncio.sleep(1.0)
        return LOOK_S

    async def _on(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _ask_again(self, carrier: Carrier) -> None:
        with writing(self._engine) as connection:
            ask_again(connection, carrier, self._clock())

    def _due(self, carrier: Carrier) -> dict[int, Asked]:
        """The messages to ask about now by their attempt's id; one without an address is asked later."""
        a, n = attempt.c, notification.c
        settled = (n.delivered_us.is_not(None) | (n.state == UNDELIVERED)).label("settled")
        with reading(self._engine) as connection:
            rows = connection.execute(
                select(a.id, a.receipt, a.ended_us, n.channel_id, settled)
                .join(notification, n.id == a.notification_id)
                .where(a.ask_us <= self._clock(), a.carrier == str(carrier))
                .order_by(a.ask_us, a.id)
                .limit(_BATCH)
            ).all()
            rows = [*rows, *memos_to_ask(connection, carrier, self._clock(), _BATCH - len(rows))]
            ways = self._book.look_up(connection, {row.channel_id for row in rows})
        return {row.id: _asked(row, ways[row.channel_id]) for row in rows}

    def _may_come(self) -> bool:
        """Whether anything can come: an incident is open, whose people may answer, or a test is under way."""
        with reading(self._engine) as connection:
            is_open = connection.scalar(select(exists().where(incident.c.state.in_(_OPEN))))
            return bool(is_open) or may_memo_come(connection, self._clock())

    def _keep(self, posted: Sequence[Posted], carrier: Carrier, sent: Mapping[int, int]) -> None:
        now_us = self._clock()
        with writing(self._engine) as connection:
            for one in posted:
                keep_posted(connection, one, self._find, now_us)
            _ask_later(connection, carrier, {n: us for n, us in sent.items() if n > 0}, now_us)
            ask_memos_later(connection, carrier, sent, now_us)


def _asked(row: Row[Any, Any, Any, Any], way: Destination | Failed) -> Asked:
    address = way.address if isinstance(way, Destination) else ""
    return Asked(row.receipt, row.ended_us, address, bool(getattr(row, "settled", False)))


async def _bounded(asking: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await asking
    except TimeoutError:
        return Failed("no answer in time")


def _ask_later(connection: Connection, carrier: Carrier, sent: Mapping[int, int], now_us: int) -> None:
    if sent:
        later = (
            {"b_id": number, "b_ask": next_ask_us(carrier, sent_us, now_us)}
            for number, sent_us in sent.items()
        )
        connection.execute(_ASK_LATER, list(later))


_ASK_LATER: Final = update(attempt).where(attempt.c.id == bindparam("b_id")).values(ask_us=bindparam("b_ask"))
