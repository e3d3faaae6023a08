"""The alerts process: turns as the database changes, hand-overs, retries, and checks every ten seconds.

One loop on the event loop; everything that blocks runs on threads of its own. Nothing here decides: turns
decide who is told, the outbox when to try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

import structlog
from sqlalchemy import Engine

from alerts.addresses import Unseals
from alerts.ailments import Ailments
from alerts.backoff import URGENT_RANK
from alerts.channels.carriers import Accounts, close_channels, open_channels, warm_channels
from alerts.channels.channel import Channel
from alerts.channels.intake import LIMITS
from alerts.following_policies import FollowingPolicies
from alerts.following_texts import FollowingTexts
from alerts.handover import Handover
from alerts.limits import Limits
from alerts.memo_post import MemoPost
from alerts.meter import Meter
from alerts.outbox import begun_by, due_retries, next_retry_us, recover
from alerts.pace import Pace
from alerts.polling import Polls, sources_of
from alerts.receipts_kept import Finds, nobody
from alerts.refused import check_refused
from alerts.replies_lost import check_replies
from alerts.sender import Sender
from alerts.set_back import BACK_US, bring_back, newest_pulse_us
from alerts.settings import Settings
from alerts.standing import check_standing
from alerts.trying import cancelled, on_thread, pause, tried
from alerts.turn import TurnResult, run_turn
from alerts.undelivered import check_undelivered
from alerts.windows_kept import close_books
from devices.database import ChangeNotice, reading, writing
from devices.model import Carrier

log = structlog.get_logger()

_POLL_S: Final = 0.02
"""Between two looks for change: 30 µs each, a row is seen within 20 ms (design section 4)."""
_RETRY_LOOK_US: Final = 200_000
"""Between two looks for due retries, the shortest of which waits 2 s (chosen)."""
_RETRY_BATCH: Final = 500
_BACKLOG: Final = 2_000
"""Lesser handovers held in memory before their retries wait in the database (chosen)."""
_AFTER_ERROR_S: Final = 0.5
_CHECK_S: Final = 10.0
"""Between two looks for standing faults (chosen: a fire message that does not get through is said soon)."""

Turn = Callable[[Engine, Settings, int], TurnResult]


async def run_alerts(
    engine: Engine,
    vault: Unseals,
    settings: Settings,
    clock: Callable[[], int],
    stop: asyncio.Event,
    meter: Meter,
    *,
    find: Finds = nobody,
    accounts: Accounts | None = None,
    channels: Mapping[Carrier, Channel] | None = None,
    limits: Mapping[Carrier, Limits] = LIMITS,
    turn: Turn = run_turn,
) -> None:
    """Runs until `stop` is set, then lets what is under way end, within the time one send may take.

    Raises what recovery raises: without it nothing may be sent. Later errors (a locked database) are logged
    and tried again. `clock` gives µs UTC; `find` tells whose number a reply came from; `accounts` are the
    site's with providers; `limits` how much carriers take; `channels` and `turn` stand in for our own.
    """
    opened = open_channels(accounts) if channels is None else channels
    writes = ThreadPoolExecutor(1, "writes")
    sender = Sender(engine, vault, opened, settings, clock=clock, meter=meter, limits=limits, writes=writes)
    loop = _Loop(engine, settings, clock, sender, turn, meter, writes)
    polls = Polls(engine, vault, sources_of(opened), find, clock)
    polling: asyncio.Task[None] | None = None
    memos: asyncio.Task[None] | None = None
    try:
        meter.possible_duplicates(await loop.recover())
        sender.start()
        polling = asyncio.create_task(polls.run(), name="alerts.polls")
        memos = asyncio.create_task(MemoPost(engine, sender, clock).run(), name="alerts.memos")
        await warm_channels(opened)
        await loop.run(stop)
    finally:
        await cancelled(memos)
        await cancelled(polling)
        await sender.close(settings.send_timeout_s)
        await close_channels(opened)
        loop.close()


class _Loop:
    """What the loop remembers from one look to the next."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Callable[[], int],
        sender: Sender,
        turn: Turn,
        meter: Meter,
        writes: ThreadPoolExecutor,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._sender = sender
        self._decide = turn
        self._meter = meter
        self._next_due_us: int | None = None
        self._more = True
        self._retries_looked_us = 0
        self._latest_us = 0
        self._version: int | None = None
        self._ailments = Ailments()
        self._following = FollowingPolicies(settings.policies_file) if settings.policies_file else None
        self._reading = FollowingTexts(settings.texts_file)
        self._pace = Pace()
        self._doubtful = False
        self._turns = writes  # with the outcomes: two writers of one process would only wait for each other
        self._checks = ThreadPoolExecutor(1, "checks")  # a long check must not hold up a turn

    async def recover(self) -> int:
        """Begins again what the last end cut off; how many may be told twice."""
        await tried("policies", lambda: self._follow_policies(settled=True))
        await tried("texts", lambda: self._follow_texts(settled=True))
        self._latest_us = await on_thread(self._turns, newest_pulse_us, self._engine)
        begun = await on_thread(self._turns, _recover, self._engine, self._clock())
        if begun:
            log.warning("attempts_cut_off", possible_duplicates=len(begun))
        self._sender.submit(begun)
        return len(begun)

    async def run(self, stop: asyncio.Event) -> None:
        """Turns and retries every 20 ms, checks every ten seconds, until `stop` is set."""
        checks = asyncio.create_task(self._check(stop), name="alerts.checks")
        notice = ChangeNotice(self._engine)
        try:
            while not stop.is_set():
                self._more = notice.changed() or self._more
                sure = await tried("clock", self._follow_clock) and await tried("doubt", self._take_up)
                turned = await tried("turn", self._turn)
                retried = await tried("retries", self._retry)
                well = sure and turned and retried
                self._doubtful = self._doubtful or not (turned and retried)
                await pause(stop, _AFTER_ERROR_S if not well else 0.0 if self._more else _POLL_S)
        finally:
            notice.close()
            checks.cancel()
            await asyncio.gather(checks, return_exceptions=True)

    async def _take_up(self) -> None:
        """After a transaction that failed: begins again what stands begun in the database and is in no hand.

        A commit whose answer was lost with the connection may have happened. Nobody would hand over what it
        began until the next start of the process.
        """
        if not (self._doubtful or self._sender.doubtful):
            return
        async with self._sender.settled:
            held = self._sender.held
            begun = await on_thread(self._turns, _take_up, self._engine, self._clock(), held)
            self._sender.submit(begun)
            self._doubtful = self._sender.doubtful = False
        if begun:
            log.warning("attempts_taken_up", possible_duplicates=len(begun))
            self._meter.possible_duplicates(len(begun))

    async def _follow_clock(self) -> None:
        """A clock that is set back holds up no step that waits."""
        now_us = self._clock()
        back_us = self._latest_us - now_us
        if back_us > BACK_US:
            steps = await on_thread(self._turns, bring_back, self._engine, back_us, now_us)
            log.warning("clock_set_back", by_s=round(back_us / 1e6, 1), steps=steps)
            self._retries_looked_us, self._more = 0, True
        self._latest_us = now_us

    async def _turn(self) -> None:
        now_us = self._clock()
        if self._more or (self._next_due_us is not None and self._next_due_us <= now_us):
            settings = replace(self._settings, lesser_at_once=self._pace.at_once)
            result = await on_thread(self._turns, self._decide, self._engine, settings, now_us)
            self._pace = self._pace.after(max(result.transitions, result.steps), self._clock() - now_us)
            self._next_due_us, self._more = result.next_due_us, result.more
            self._sender.submit(result.handovers)

    async def _retry(self) -> None:
        now_us = self._clock()
        if now_us - self._retries_looked_us >= _RETRY_LOOK_US:
            self._retries_looked_us = now_us
            worst_rank = None if self._sender.backlog < _BACKLOG else URGENT_RANK
            self._sender.submit(await on_thread(self._turns, _retries, self._engine, now_us, worst_rank))

    async def _check(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await tried("policies", self._follow_policies)
            await tried("texts", self._follow_texts)
            await tried("check of the registry", self._check_registry)  # each by itself: one that fails
            await tried("check of undelivered", self._check_undelivered)  # must not keep the others from
            await tried("check of refused", self._check_refused)  # being looked at
            await tried("check of replies", self._check_replies)
            await tried("check of processes", self._check_processes)
            await tried("windows that are over", self._close_books)
            await pause(stop, _CHECK_S)

    async def _follow_policies(self, *, settled: bool = False) -> None:
        """Before the first turn, and then at every check."""
        if self._following:
            policies = await on_thread(self._checks, partial(self._following.look, settled=settled))
            self._settings = replace(self._settings, policies=policies)
            await on_thread(self._checks, self._following.tell, self._engine, self._clock())

    async def _follow_texts(self, *, settled: bool = False) -> None:
        """The same for what messages say; without a file, once, that nothing is wrong with it."""
        if self._settings.texts_file:
            texts = await on_thread(self._checks, partial(self._reading.look, settled=settled))
            self._settings = replace(self._settings, texts=texts)
        if self._settings.texts_file or settled:
            await on_thread(self._checks, self._reading.tell, self._engine, self._clock())

    async def _check_registry(self) -> None:
        looked = self._engine, self._clock(), self._version
        self._version = await on_thread(self._checks, check_standing, *looked)

    async def _check_undelivered(self) -> None:
        await on_thread(self._checks, check_undelivered, self._engine, self._clock())

    async def _check_refused(self) -> None:
        await on_thread(self._checks, check_refused, self._engine, self._clock())

    async def _close_books(self) -> None:
        await on_thread(self._checks, close_books, self._engine, self._clock())

    async def _check_replies(self) -> None:
        await on_thread(self._checks, check_replies, self._engine, self._clock())

    async def _check_processes(self) -> None:
        await on_thread(self._checks, self._ailments.check, self._engine, self._clock())

    def close(self) -> None:
        """Lets go of the threads when what they are at is done: the database is closed after this."""
        self._turns.shutdown(wait=True, cancel_futures=True)
        self._checks.shutdown(wait=True, cancel_futures=True)


def _recover(engine: Engine, now_us: int) -> list[Handover]:
    with writing(engine) as connection:
        return recover(connection, now_us)


def _take_up(engine: Engine, now_us: int, held: frozenset[int]) -> list[Handover]:
    """Takes the write lock only when something is in no hand."""
    with reading(engine) as connection:
        if begun_by(connection) <= held:
            return []
    with writing(engine) as connection:
        return recover(connection, now_us, held)


def _retries(engine: Engine, now_us: int, worst_rank: int | None) -> list[Handover]:
    """Takes the write lock only when something is due."""
    with reading(engine) as connection:
        due_us = next_retry_us(connection)
    if due_us is None or due_us > now_us:
        return []
    with writing(engine) as connection:
        return due_retries(connection, now_us, _RETRY_BATCH, worst_rank)
