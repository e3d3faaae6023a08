"""From committed attempts to channels and back: two lanes of senders and one writer of outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

import structlog
from sqlalchemy import Engine

from alerts.addresses import AddressBook, Destination, Unseals
from alerts.backoff import URGENT_RANK
from alerts.channels.channel import Channel, Failed, Message, Outcome
from alerts.handover import Handover
from alerts.lane import LOOK_S, Lane, LookUp
from alerts.limits import Allowance, Limits
from alerts.memos import end_memos, is_memo
from alerts.meter import Meter
from alerts.outbox import Ended, write_outcomes
from alerts.settings import Settings
from alerts.slow import open_for_slow
from alerts.whole_parts import whole_parts
from devices.addresses import normalise_address
from devices.database import reading, writing
from devices.model import Carrier

log = structlog.get_logger()

_APART_S: Final = 0.005
"""Between two outcome transactions (design section 4)."""
_WRITE_AGAIN_S: Final = (0.05, 0.2, 1.0)
"""After a failed outcome write, then every second (chosen)."""
_BATCH: Final = 1000
"""Outcomes of one transaction at most, so that it stays short (chosen)."""
_SECOND_US: Final = 1_000_000
_NO_ANSWER: Final = Failed("no answer in time")


class Sender:
    """Hands over and remembers.

    Urgent handovers (P0+ and P0) have half of the senders to themselves, and do not wait in line behind a
    provider that does not answer: the contact's next way is used. Those that hold its places, or wait in line
    behind a slow one, go by the next way too while they go on (`alerts.slow`). An outcome is kept until it is
    written; until then its notification stays `sending` and nobody sends it again. `clock` gives µs UTC.
    What `limits` do not allow now is not sent: it fails with the time until it may be, and so an urgent one
    goes by the contact's next way at once and is tried by this one again. `writes` is the thread on which
    outcomes are written; shared with the turns, neither of the two waits for the other's lock.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Unseals,
        channels: Mapping[Carrier, Channel],
        settings: Settings,
        *,
        clock: Callable[[], int],
        meter: Meter,
        limits: Mapping[Carrier, Limits] | None = None,
        writes: Executor | None = None,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._timeout_s = settings.send_timeout_s
        self._clock = clock
        self._meter = meter
        self._allowance = Allowance(limits or {})
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="sender")  # a look-up each lane, a writer
        self._writes = writes or self._threads
        urgent = max(settings.senders // 2, 1)
        self._urgent = Lane("urgent", urgent, self._looking_up(vault), self._carry, LOOK_S, self._note_slow)
        self._lesser = Lane("lesser", max(settings.senders - urgent, 1), self._looking_up(vault), self._carry)
        self._ended: list[Ended] = []
        self._slow: list[Handover] = []
        self._held: set[int] = set()
        self.settled = asyncio.Lock()
        """Whoever holds it sees no outcome being written."""
        self.doubtful = False
        """An outcome was not written for sure: what it led to may stand in the database, and in no hand."""
        self._news = asyncio.Event()
        self._written = asyncio.Event()
        self._written.set()
        self._writer: asyncio.Task[None] | None = None

    @property
    def backlog(self) -> int:
        """Lesser handovers not yet carried."""
        return self._lesser.open

    @property
    def held(self) -> frozenset[int]:
        """The notifications in hand: submitted, and no outcome written."""
        return frozenset(self._held)

    def start(self) -> None:
        """Starts the senders and the writer."""
        self._urgent.start()
        self._lesser.start()
        self._writer = asyncio.create_task(self._write_all(), name="outcomes")

    def submit(self, handovers: Iterable[Handover]) -> None:
        """Takes committed attempts; returns at once. Never the same attempt twice."""
        urgent: list[Handover] = []
        lesser: list[Handover] = []
        for handover in handovers:
            self._held.add(handover.notification_id)
            (urgent if handover.rank <= URGENT_RANK else lesser).append(handover)
        self._urgent.put(urgent)
        self._lesser.put(lesser)

    async def settle(self) -> None:
        """Returns when everything submitted is carried and every outcome is written."""
        while self._urgent.open or self._lesser.open or not self._written.is_set():
            await self._urgent.wait_empty()
            await self._lesser.wait_empty()
            await self._written.wait()

    async def close(self, bound_s: float) -> None:
        """Lets what is under way end, for at most `bound_s`; the next start recovers the rest."""
        try:
            await asyncio.wait_for(self.settle(), bound_s)
        except TimeoutError:
            log.warning("sender_left_work", urgent=self._urgent.open, lesser=self._lesser.open)
        await self._urgent.close()
        await self._lesser.close()
        if self._writer:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def _looking_up(self, vault: Unseals) -> LookUp:
        book = AddressBook(vault)

        def look_up(channel_ids: set[int]) -> dict[int, Destination | Failed]:
            with reading(self._engine) as connection:
                return book.look_up(connection, channel_ids)

        async def in_thread(channel_ids: set[int]) -> dict[int, Destination | Failed]:
            return await asyncio.get_running_loop().run_in_executor(self._threads, look_up, channel_ids)

        return in_thread

    async def _carry(self, handover: Handover, way: Destination | Failed) -> None:
        self._meter.begun(handover.rank, self._age_s(handover))
        outcome = way if isinstance(way, Failed) else await self._send(handover, way)
        self._meter.ended(handover.rank, outcome, self._age_s(handover))
        carrier = None if isinstance(way, Failed) else way.carrier
        self._ended.append(Ended(handover, outcome, self._clock(), carrier))
        self._written.clear()
        self._news.set()

    def _note_slow(self, slow: list[Handover]) -> None:
        log.warning("no_answer_yet", count=len(slow))
        self._slow += slow
        self._written.clear()
        self._news.set()

    async def _send(self, handover: Handover, way: Destination) -> Outcome:
        channel = self._channels.get(way.carrier)
        if channel is None:
            return Failed("no channel carries this", permanent=True)
        urgent = handover.rank <= URGENT_RANK
        asked = way.carrier, normalise_address(way.address), self._clock()
        if wait_us := self._allowance.wait_us(*asked, urgent=urgent):
            return Failed("the carrier takes no more just now", retry_after_s=wait_us / _SECOND_US)
        message = Message(
            key=handover.key,
            address=way.address,
            medium=handover.medium,
            text=handover.text,
            link=handover.link,
            urgent=urgent,
            language=handover.language,
            parts=whole_parts(handover.parts, handover.text, handover.link, way.carrier, handover.language),
        )
        outcome = await self._sent(channel, message, way.carrier)
        if isinstance(outcome, Failed) and outcome.unreached:
            self._allowance.give_back(*asked)
        return outcome

    async def _sent(self, channel: Channel, message: Message, carrier: Carrier) -> Outcome:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await channel.send(message)
        except TimeoutError:
            return _NO_ANSWER
        except Exception as error:  # a channel's fault must not cost a sender its life
            log.error("channel_raised", carrier=carrier, error=type(error).__name__)
            return Failed(f"the channel raised {type(error).__name__}")

    def _age_s(self, handover: Handover) -> float:
        return (self._clock() - handover.created_us) / _SECOND_US

    async def _write_all(self) -> None:
        failures = 0
        while True:
            await self._news.wait()
            self._ended.sort(key=_order)
            batch, slow = self._ended[:_BATCH], self._slow[:_BATCH]
            if await self._write(batch, slow):
                failures = 0
                del self._ended[: len(batch)], self._slow[: len(slow)]
                self._note_written()
                await asyncio.sleep(_APART_S)
            else:
                await asyncio.sleep(_WRITE_AGAIN_S[min(failures, len(_WRITE_AGAIN_S) - 1)])
                failures += 1

    def _note_written(self) -> None:
        if not self._ended and not self._slow:
            self._news.clear()
            self._written.set()

    async def _write(self, batch: list[Ended], slow: list[Handover]) -> bool:
        async with self.settled:
            try:
                further = await asyncio.get_running_loop().run_in_executor(
                    self._writes, _write_batch, self._engine, batch, slow, self._clock()
                )
            except Exception as error:  # the outcomes are kept and written again, whatever went wrong
                log.error("outcomes_not_written", count=len(batch), error=type(error).__name__)
                self.doubtful = True
                return False
            self._held.difference_update(ended.handover.notification_id for ended in batch)
            self.submit(further)
        return True


def _write_batch(engine: Engine, batch: list[Ended], slow: list[Handover], now_us: int) -> list[Handover]:
    """What has ended comes first: of that nothing is slow any more."""
    with writing(engine) as connection:
        end_memos(connection, [ended for ended in batch if is_memo(ended.handover)])
        begun = write_outcomes(connection, [ended for ended in batch if not is_memo(ended.handover)])
        return begun + open_for_slow(connection, slow, now_us)


def _order(ended: Ended) -> tuple[int, int, int]:
    return ended.handover.rank, ended.handover.created_us, ended.handover.notification_id
