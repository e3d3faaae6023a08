"""Changes of incidents, pushed to open pages as server-sent events.

One thread per process looks at the database; every stream has a bounded queue of its own. An event carries
the id of its `incident_change` row, so that a browser that comes back names the last one it saw
(Last-Event-ID) and gets what it missed. Events only say what changed; pages fetch the state as it is now, so
a repeated or missing event can never show something wrong for long.

A browser keeps at most six connections to one origin over HTTP/1.1, and each open page holds one: more than
five pages in one browser wait for each other.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from alerts import schema
from alerts.views import ChangeLine, changes_after, newest_change_id
from devices.database import ChangeNotice, reading

log = structlog.get_logger()

QUEUE_LIMIT: Final = 256
REPLAY_LIMIT: Final = 1000
CHUNK: Final = 100
STREAM_LIMIT: Final = 400
PING_S: Final = 15.0
STALE_S: Final = 10.0
"""Chosen. Beyond QUEUE_LIMIT or REPLAY_LIMIT a page is told to fetch everything (`resync`)."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """One event on its way to pages. `change_id` 0: not a row of the timeline (faults, resync). `whole_id` is
    the incident that this one was merged into, 0 for none: its page shows the change too."""

    name: str
    change_id: int = 0
    incident_id: int = 0
    whole_id: int = 0

    def wire(self, here: int) -> str:
        """As text/event-stream; a change of incident `here` is called `change-here`."""
        is_here = here and here in {self.incident_id, self.whole_id}
        name = "change-here" if self.name == "change" and is_here else self.name
        head = f"id: {self.change_id}\n" if self.change_id else ""
        return f"{head}event: {name}\ndata: {self.incident_id}\n\n"


CLOSED: Final = Pushed("closed")


class Stream:
    """What one open page has not been sent yet. Touched on the event loop only."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Pushed] = asyncio.Queue(QUEUE_LIMIT)

    def put(self, pushed: Pushed) -> None:
        """Queues it; a page too far behind loses its queue and gets one `resync` with the newest id."""
        if not self._queue.full():
            self._queue.put_nowait(pushed)
            return
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(CLOSED if pushed is CLOSED else Pushed("resync", pushed.change_id))

    async def next(self, timeout_s: float) -> Pushed | None:
        """The next one, or None after `timeout_s` of silence."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout_s)
        except TimeoutError:
            return None


class ChangeFeed:
    """Looks for changes every `poll_s` in a thread and hands them to every stream.

    `start` and `close` are called on the event loop. After `close` streams end at once. A failing database is
    logged once per outage and looked at again; `is_fresh` tells health checks.
    """

    def __init__(self, engine: Engine, poll_s: float, ping_s: float = PING_S) -> None:
        self._engine = engine
        self._ping_s = ping_s
        self._poll_s = poll_s
        self._streams: set[Stream] = set()
        self._ending = threading.Event()
        self._looked_at = time.monotonic()
        self._follows = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts looking, from the newest change there is."""
        loop = asyncio.get_running_loop()
        self._ending.clear()
        self._follows = False
        self._thread = threading.Thread(target=self._look, args=(loop,), name="change-feed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends every stream and the thread. May be called twice."""
        self._ending.set()
        for stream in self._streams:
            stream.put(CLOSED)
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None

    @property
    def closed(self) -> bool:
        """True once `close` was called."""
        return self._ending.is_set()

    @property
    def streams(self) -> int:
        """How many pages are connected."""
        return len(self._streams)

    @property
    def is_fresh(self) -> bool:
        """False when the database could not be looked at for STALE_S."""
        return time.monotonic() - self._looked_at < STALE_S

    async def events(
        self, seen_id: int | None, here: int, still_allowed: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """The text of one page's stream: what was missed since `seen_id`, then changes as they come.

        A ping goes out after `ping_s` of silence, and only while `still_allowed`: a session that ended or a
        user who was disabled ends the stream. Raises TimeoutError where STALE_S passed without a look.
        """
        stream = Stream()
        self._streams.add(stream)  # before the replay: nothing falls between the two
        try:
            await self._first_look()
            missed, newest = await asyncio.to_thread(self._missed, seen_id)
            yield "retry: 1000\n\n"
            for pushed in missed:
                yield pushed.wire(here)
            yield Pushed("hello", newest).wire(here)
            while not self.closed:
                coming = await stream.next(self._ping_s)
                if coming is CLOSED or (coming is None and not await still_allowed()):
                    return
                if coming is None:
                    yield "event: ping\ndata: \n\n"
                elif not 0 < coming.change_id <= newest:
                    yield coming.wire(here)
        finally:
            self._streams.discard(stream)

    async def _first_look(self) -> None:
        """Waits until changes are followed. The thread begins with the newest there is at its first look: a
        page greeted before that would never hear of what came between."""
        deadline = time.monotonic() + STALE_S
        while not (self._follows or self.closed):
            if time.monotonic() > deadline:
                raise TimeoutError("the database could not be looked at yet")
            await asyncio.sleep(self._poll_s)

    def _missed(self, seen_id: int | None) -> tuple[list[Pushed], int]:
        """What a page that saw `seen_id` last must still get, and the newest id it then has."""
        with reading(self._engine) as connection:
            newest = newest_change_id(connection)
            if seen_id is None or seen_id == newest:
                return [], newest
            if not 0 <= seen_id < newest or newest - seen_id > REPLAY_LIMIT:
                return [Pushed("resync", newest)], newest
            return _pushed(connection, changes_after(connection, seen_id, REPLAY_LIMIT)), newest

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread: from the newest change on, until closed."""
        notice = ChangeNotice(self._engine)
        seen, faults, failing, more = -1, "", False, False
        while not self._ending.is_set():
            try:
                if notice.changed() or failing or more:
                    seen, faults, found = self._found(seen, faults)
                    more = len(found) >= CHUNK
                    if found:
                        loop.call_soon_threadsafe(self._publish, found)
                self._looked_at = time.monotonic()
                self._follows = seen >= 0
                failing = False
            except SQLAlchemyError as error:
                if not failing:
                    log.warning("live_pages_blind", error=str(error))
                failing = True
            except RuntimeError:  # the loop ended under us
                break
            self._ending.wait(self._poll_s)
        notice.close()

    def _found(self, seen: int, faults: str) -> tuple[int, str, list[Pushed]]:
        with reading(self._engine) as connection:
            now_faults = _faults_as_text(connection)
            found = [Pushed("faults")] if now_faults != faults else []
            if seen < 0:
                return newest_change_id(connection), now_faults, found
            changes = changes_after(connection, seen, CHUNK)
            found += _pushed(connection, changes)
        return (changes[-1].id if changes else seen), now_faults, found

    def _publish(self, found: list[Pushed]) -> None:
        for stream in self._streams:
            for pushed in found:
                stream.put(pushed)


def _pushed(connection: Connection, changes: Sequence[ChangeLine]) -> list[Pushed]:
    """Changes as events, each with the whole that its incident is a part of."""
    i = schema.incident.c
    of = {change.incident_id for change in changes}
    parts = select(i.id, i.merged_into).where(i.id.in_(of), i.merged_into.is_not(None))
    wholes: dict[int, int] = {row.id: row.merged_into for row in connection.execute(parts)} if of else {}
    return [Pushed("change", c.id, c.incident_id, wholes.get(c.incident_id, 0)) for c in changes]


def _faults_as_text(connection: Connection) -> str:
    """What stands now, to be compared with what stood before."""
    fault = schema.system_fault.c
    rows = connection.execute(
        select(fault.code, fault.severity, fault.text).where(fault.ended_us.is_(None)).order_by(fault.code)
    )
    return repr(rows.all())
