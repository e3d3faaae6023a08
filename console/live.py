"""Changes of incidents, pushed to open pages as server-sent events.

One thread per process looks at the database; every stream has a bounded queue of its own. An event carries
the id of its `incident_change` row, so that a browser that comes back names the last one it saw
(Last-Event-ID) and gets what it missed. Events only say what changed; pages fetch the state as it is now, so
a repeated or missing event can never show something wrong for long.

A page is sent what happens in its scope and nothing else: where a change lies is looked up once for all
streams, and each compares it with the areas that it holds. What pages may hear of is looked up again when
the registry changes, at a log-out, and every RECHECK_S: whose scope is another fetches everything anew, who
may no longer look is cut off.

A browser keeps at most six connections to one origin over HTTP/1.1, and each open page holds one: more than
five pages in one browser wait for each other.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from alerts import schema
from alerts.views import OpenIncident, changes_after, newest_change_id
from console.boards import Boards, News, Reader, reader_of
from console.filters import EVERYTHING, Filter
from console.watch import Look, Pushed, Watch, pushed
from devices.database import ChangeNotice, reading
from devices.schema import registry_change

log = structlog.get_logger()

QUEUE_LIMIT: Final = 256
REPLAY_LIMIT: Final = 1000
CHUNK: Final = 100
STREAM_LIMIT: Final = 400
PING_S: Final = 15.0
STALE_S: Final = 10.0
RECHECK_S: Final = 15.0
LOOKS_APART_S: Final = 2.0
REDRAW_S: Final = 2.0
"""Chosen. LOOKS_APART_S because an import changes the registry all the time, and each look at all pages
costs. Beyond QUEUE_LIMIT or REPLAY_LIMIT a page is told to fetch everything (`resync`)."""


CLOSED: Final = Pushed("closed")


@dataclass(frozen=True, slots=True)
class Lines:
    """What is another on a board since the last time, as JSON; `number` is that of its version."""

    reader: Reader
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Fires:
    """The fire alarms that nobody has taken, where they are others than before."""

    reader: Reader
    number: int
    untaken: tuple[OpenIncident, ...]


Event = Pushed | Lines | Fires


@dataclass(frozen=True, slots=True)
class Screen:
    """What a page shows beside its own matter: the siren, in `language`, and the board where it names the
    `version` of it that it has, of what `actor` chose."""

    language: str
    version: str = ""
    chosen: Filter = EVERYTHING
    actor: str = ""


class Stream:
    """What one open page has not been sent yet. Touched on the event loop only, but for `look`."""

    def __init__(self, look: Look, screen: Screen | None = None) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LIMIT)
        self.look = look
        self.screen = screen
        self.watch: Watch | None = None

    @property
    def reader(self) -> Reader | None:
        """Whose board concerns the page; None where it shows none, or who it is is not known yet."""
        screen = self.screen
        if self.watch is None or screen is None:
            return None
        return reader_of(self.watch, screen.language, screen.chosen, screen.actor)

    def tell(self, news: News) -> None:
        """Queues what of the board's news the page shows."""
        for one in self.of(news):
            self.put(one)

    def of(self, news: News) -> list[Event]:
        """What of a board's news the page shows."""
        reader, found = self.reader, list[Event]()
        if reader and news.untaken is not None:
            found.append(Fires(reader, news.number, news.untaken))
        if reader and news.board and self.screen and self.screen.version:
            found.append(Lines(reader, news.number, news.board))
        return found

    def wants(self, event: Event) -> bool:
        """Whether the page is sent it; as long as that is not known it is kept, and asked again."""
        if not isinstance(event, Pushed):
            return event.reader == self.reader  # whose scope is another now is not shown the old one's lines
        return self.watch is None or self.watch.hears(event)

    def put(self, pushed: Event) -> None:
        """Queues what the page may hear of; one too far behind loses its queue and gets one `resync` with
        the newest id."""
        if not self.wants(pushed):
            return
        if not self._queue.full():
            self._queue.put_nowait(pushed)
            return
        while not self._queue.empty():
            self._queue.get_nowait()
        newest = pushed.change_id if isinstance(pushed, Pushed) else 0
        self._queue.put_nowait(CLOSED if pushed is CLOSED else Pushed("resync", newest))

    async def next(self, timeout_s: float) -> Event | None:
        """The next one, or None after `timeout_s` of silence."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout_s)
        except TimeoutError:
            return None

    def rest(self) -> list[Event]:
        """What waits now, up to a CLOSED, which stays."""
        found: list[Event] = []
        while not self._queue.empty() and CLOSED not in found:
            found.append(self._queue.get_nowait())
        return found


class ChangeFeed:
    """Looks for changes every `poll_s` in a thread and hands them to every stream.

    `start` and `close` are called on the event loop. After `close` streams end at once. A failing database is
    logged once per outage and looked at again; `is_fresh` tells health checks.
    """

    def __init__(
        self, engine: Engine, poll_s: float, ping_s: float = PING_S, recheck_s: float = RECHECK_S
    ) -> None:
        self._engine = engine
        self._recheck_s = recheck_s
        self._ping_s = ping_s
        self._poll_s = poll_s
        self._streams: set[Stream] = set()
        self._ending = threading.Event()
        self._looked_at = time.monotonic()
        self._follows = False
        self._again = threading.Event()
        self._thread: threading.Thread | None = None
        self.boards: Boards | None = None
        """What pages are sent of their boards; None: nothing. Set before the start."""

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

    def look_again(self) -> None:
        """Has what every page may hear of looked up at once: a session has ended."""
        self._again.set()

    async def events(
        self,
        seen_id: int | None,
        here: int,
        look: Look,
        told: Callable[[int], str] = str,
        screen: Screen | None = None,
    ) -> AsyncIterator[str]:
        """The text of one page's stream: what was missed since `seen_id`, then changes as they come, as many
        at once as there are.

        It ends when `look` says that the page may no longer look: a session that ended, a user who was
        disabled. `told` is what the number of a change is called to this page. With `screen` it is sent the
        news of its siren and its board too. A ping goes out after `ping_s` of silence, as long as the
        database can be looked at. Raises TimeoutError where STALE_S passed without a first look.
        """
        stream = Stream(look, screen)
        self._streams.add(stream)  # before the replay: nothing falls between the two
        try:
            await self._first_look()
            stream.watch, missed, newest = await asyncio.to_thread(self._missed, seen_id, look)
            if stream.watch is None:
                return
            yield "retry: 1000\n\n"
            for one in missed:
                yield one.wire(here, told)
            yield Pushed("hello", newest).wire(here, told)
            reader, drawn = stream.reader, 0
            if self.boards and reader and screen:
                news = await asyncio.to_thread(self.boards.since, reader, screen.version)
                drawn = news.number
                yield "".join(self._wire(one, here, told) for one in stream.of(news))
            while not self.closed:
                coming = await stream.next(self._ping_s)
                if coming is CLOSED or (coming is None and not self.is_fresh):
                    return
                if coming is None:
                    yield "event: ping\ndata: \n\n"
                    continue
                events = [coming, *stream.rest()]
                fresh = [
                    one for one in events if stream.wants(one) and not _is_old(one, newest, reader, drawn)
                ]
                if text := "".join(self._wire(one, here, told) for one in fresh if one is not CLOSED):
                    yield text
                if CLOSED in events:
                    return
        finally:
            self._streams.discard(stream)

    def _wire(self, event: Event, here: int, told: Callable[[int], str]) -> str:
        if isinstance(event, Pushed):
            return event.wire(here, told)
        if isinstance(event, Lines):
            return f"event: board\ndata: {event.text}\n\n"
        text = self.boards.siren(event.untaken, here, event.reader.language) if self.boards else ""
        return f"event: siren\ndata: {text}\n\n"

    async def _first_look(self) -> None:
        """Waits until changes are followed. The thread begins with the newest there is at its first look: a
        page greeted before that would never hear of what came between."""
        deadline = time.monotonic() + STALE_S
        while not (self._follows or self.closed):
            if time.monotonic() > deadline:
                raise TimeoutError("the database could not be looked at yet")
            await asyncio.sleep(self._poll_s)

    def _missed(self, seen_id: int | None, look: Look) -> tuple[Watch | None, list[Pushed], int]:
        """What a page may hear of, what it must still get that saw `seen_id` last, and the newest id it then
        has."""
        with reading(self._engine) as connection:
            watch, newest = look(connection), newest_change_id(connection)
            if watch is None or seen_id is None or seen_id == newest:
                return watch, [], newest
            if not 0 <= seen_id < newest or newest - seen_id > REPLAY_LIMIT:
                return watch, [Pushed("resync", newest)], newest
            missed = pushed(connection, changes_after(connection, seen_id, REPLAY_LIMIT))
            return watch, [one for one in missed if watch.hears(one)], newest

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """The thread: from the newest change on, until closed."""
        notice = ChangeNotice(self._engine)
        seen, faults, failing, more, drawn_s = -1, "", False, False, 0.0
        checks = Checks(self._recheck_s)
        while not self._ending.is_set():
            try:
                changed = notice.changed() or failing or more
                if checks.is_due(changed, self._again, time.monotonic()):
                    self._check(loop, checks)
                if changed:
                    seen, faults, found = self._found(seen, faults)
                    more = len(found) >= CHUNK
                    if found:
                        loop.call_soon_threadsafe(self._publish, found)
                if changed or time.monotonic() - drawn_s >= REDRAW_S:
                    drawn_s = time.monotonic()
                    self._draw(loop)
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

    def _draw(self, loop: asyncio.AbstractEventLoop) -> None:
        """Sends what is another on the boards of open pages."""
        readers = {stream.reader for stream in list(self._streams)} - {None}
        if self.boards and readers:
            news = self.boards.news([one for one in readers if one is not None])
            if news:
                loop.call_soon_threadsafe(self._tell, news)

    def _found(self, seen: int, faults: str) -> tuple[int, str, list[Pushed]]:
        with reading(self._engine) as connection:
            now_faults = _faults_as_text(connection)
            found = [Pushed("faults")] if now_faults != faults else []
            if seen < 0:
                return newest_change_id(connection), now_faults, found
            changes = changes_after(connection, seen, CHUNK)
            found += pushed(connection, changes)
        return (changes[-1].id if changes else seen), now_faults, found

    def _check(self, loop: asyncio.AbstractEventLoop, checks: Checks) -> None:
        """Looks up what every page may hear of, where the registry is another or it is time."""
        streams = list(self._streams)
        with reading(self._engine) as connection:
            if not checks.is_needed(_registry_version(connection), time.monotonic()):
                return
            watches = {stream: stream.look(connection) for stream in streams}
        loop.call_soon_threadsafe(self._watched, watches)

    def _watched(self, watches: Mapping[Stream, Watch | None]) -> None:
        """On the event loop: cuts off who may no longer look, and has whose scope is another fetch all."""
        for stream, watch in watches.items():
            if watch is None:
                stream.put(CLOSED)
            elif stream.watch is not None and watch != stream.watch:
                stream.watch = watch
                stream.put(Pushed("resync"))

    def _tell(self, news: Mapping[Reader, News]) -> None:
        for stream in self._streams:
            if stream.reader is not None and stream.reader in news:
                stream.tell(news[stream.reader])

    def _publish(self, found: list[Pushed]) -> None:
        for stream in self._streams:
            for one in found:
                stream.put(one)


class Checks:
    """When what pages may hear of is looked up again. Used by the feed's thread alone."""

    def __init__(self, recheck_s: float = RECHECK_S) -> None:
        self._recheck_s = recheck_s
        self._version = -1
        self._checked_at = 0.0
        self._is_waiting = True
        self._is_asked = False

    def is_due(self, changed: bool, asked: threading.Event, now: float) -> bool:
        """Whether the registry's version is worth asking for: somebody wrote something, or time passed."""
        self._is_waiting |= changed
        if asked.is_set():
            asked.clear()
            self._is_asked = True
        since = now - self._checked_at
        return self._is_asked or since >= self._recheck_s or (self._is_waiting and since >= LOOKS_APART_S)

    def is_needed(self, version: int, now: float) -> bool:
        """Whether all pages are looked at: for another version, when asked to, and every RECHECK_S."""
        needed = self._is_asked or version != self._version or now - self._checked_at >= self._recheck_s
        self._is_waiting = self._is_asked = False
        self._version = version
        if needed:
            self._checked_at = now
        return needed


def _registry_version(connection: Connection) -> int:
    return int(connection.scalar(select(func.max(registry_change.c.id))) or 0)


def _faults_as_text(connection: Connection) -> str:
    """What stands now, to be compared with what stood before."""
    fault = schema.system_fault.c
    rows = connection.execute(
        select(fault.code, fault.severity, fault.text).where(fault.ended_us.is_(None)).order_by(fault.code)
    )
    return repr(rows.all())


def _is_old(event: Event, newest: int, reader: Reader | None, drawn: int) -> bool:
    """Whether the page was greeted with it already."""
    if isinstance(event, Pushed):
        return 0 < event.change_id <= newest
    return event.reader == reader and event.number <= drawn
