"""Open pages without a browser: each loads the board, holds its stream, and asks again as the page says.

Run as a module it reads a plan (JSON) from its first line of stdin, says `ready` when every stream was
greeted, measures until its stdin ends, and prints what each stream heard. One process of its own: what the
clients cost is not the console's.
"""

from __future__ import annotations

import asyncio
import html
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import aiohttp
import msgspec

from benchmarks.errors import CannotMeasure

PATIENCE_S: Final = 600.0
"""For all pages to load once: generous, a console that cannot do it is what is measured."""
PARALLEL: Final = 4
"""Pages that load at the same time in the beginning."""
_STREAM: Final = re.compile(r'sse-connect="([^"]*)"')
_ASKS: Final = re.compile(r'hx-get="([^"]*)" hx-trigger="([^"]*)"')
_EVERY: Final = re.compile(r"every ([0-9]+)s")
_CSRF: Final = re.compile(r'name="csrf" value="([^"]*)"')


class Plan(msgspec.Struct, frozen=True):
    """`logins` are dealt to the streams in turn; the first `pages` of them also ask again for their parts."""

    address: str
    logins: list[str]
    password: str
    streams: int
    pages: int


class Heard(msgspec.Struct):
    """One stream: events by name since the measurement began, the incidents of its changes, how often it was
    cut, and bytes."""

    login: str
    events: dict[str, int] = msgspec.field(default_factory=dict)
    changes: list[int] = msgspec.field(default_factory=list)
    cuts: int = 0
    bytes: int = 0


class Report(msgspec.Struct, frozen=True):
    """What all clients got. `fetch_ms` are how long the parts took that pages asked for."""

    streams: list[Heard]
    fetch_ms: list[float]
    fetch_failed: int


class Clients:
    """The process of the clients."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ready(self) -> None:
        """Returns when every stream was greeted. Raises CannotMeasure."""
        assert self._process.stdout
        if self._process.stdout.readline() != b"ready\n":
            raise CannotMeasure(f"the clients ended with {self._process.wait()} before they were connected")

    def report(self) -> Report:
        """Ends the clients and gives what they heard. Raises CannotMeasure."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        said = self._process.stdout.read()
        if self._process.wait(60) or not said:
            raise CannotMeasure("the clients broke off")
        return msgspec.json.decode(said, type=Report)


@contextmanager
def clients(plan: Plan) -> Iterator[Clients]:
    """A process of clients that is gone in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.console_clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdin
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        process.stdin.flush()
        yield Clients(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


class _Tally:
    """What all pages of this process share: whether it counts yet, and how long parts took."""

    def __init__(self) -> None:
        self.is_counting = False
        self.fetch_ms: list[float] = []
        self.fetch_failed = 0


class _Part:
    """An element that the page fetches anew: one request under way and one that waits, as htmx's
    `queue last`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, tally: _Tally) -> None:
        self._session, self._url, self._tally = session, url, tally
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """Something happened."""
        self._wanted.set()

    async def run(self, every_s: float) -> None:
        """Fetches whenever it is wanted, and every so often; 0: only when wanted."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), every_s or None)
            self._wanted.clear()
            began = time.monotonic()
            try:
                async with self._session.get(self._url, headers={"HX-Request": "true"}) as answer:
                    await answer.read()
                    well = answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                well = False
            if self._tally.is_counting:
                self._tally.fetch_ms.append(round(1000 * (time.monotonic() - began), 1))
                self._tally.fetch_failed += not well


class _Page:
    """One open page."""

    def __init__(self, session: aiohttp.ClientSession, login: str, asks: bool, tally: _Tally) -> None:
        self.heard = Heard(login)
        self.greeted = asyncio.Event()
        self._session, self._asks, self._tally = session, asks, tally
        self._events: Counter[str] = Counter()
        self._parts: dict[str, list[_Part]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._rest = b""

    async def load(self) -> str:
        """Loads the page, and gives where its stream is."""
        async with self._session.get("/") as answer:
            page = await answer.text()
        stream = _STREAM.search(page)
        if answer.status != 200 or stream is None:
            raise CannotMeasure(f"the board answers {answer.status} to {self.heard.login}")
        for url, trigger in _ASKS.findall(page) if self._asks else ():
            self._ask(html.unescape(url), trigger)
        return html.unescape(stream[1])

    def _ask(self, url: str, trigger: str) -> None:
        part = _Part(self._session, url, self._tally)
        for one in trigger.split(","):
            if one.strip().startswith("sse:"):
                self._parts.setdefault(one.split()[0].removeprefix("sse:"), []).append(part)
        every = _EVERY.search(trigger)
        self._tasks.append(asyncio.create_task(part.run(float(every[1]) if every else 0.0)))

    async def hold(self, url: str) -> None:
        """The stream, for good. Whether it was cut is noted; nobody connects again."""
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
                if answer.status == 200:
                    async for data in answer.content.iter_any():
                        self._hear(data)
        except aiohttp.ClientError:
            pass
        self.heard.cuts += 1
        self.greeted.set()

    def _hear(self, data: bytes) -> None:
        if self._tally.is_counting:
            self.heard.bytes += len(data)
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            fields = dict(line.split(b": ", 1) for line in event.split(b"\n") if b": " in line)
            name = fields.get(b"event", b"").decode()
            if name == "hello":
                self.greeted.set()
            for part in self._parts.get(name, ()):
                part.want()
            if self._tally.is_counting:
                self._events[name] += 1
                if name == "change":
                    self.heard.changes.append(int(fields[b"data"]))

    def close(self) -> Heard:
        """What it heard."""
        for task in self._tasks:
            task.cancel()
        self.heard.events = dict(self._events)
        return self.heard


async def _sign_in(plan: Plan, login: str) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        plan.address,
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
    )
    async with session.get("/login") as answer:
        token = _CSRF.search(await answer.text())
    form = {"login": login, "password": plan.password, "csrf": token[1] if token else ""}
    async with session.post("/login", data=form, allow_redirects=False) as answer:
        if answer.status != 303:
            raise CannotMeasure(f"{login} is not let in: {answer.status}")
    return session


async def _run(plan: Plan) -> Report:
    loop, tally = asyncio.get_running_loop(), _Tally()
    sessions = {login: await _sign_in(plan, login) for login in plan.logins}
    logins = [plan.logins[n % len(plan.logins)] for n in range(plan.streams)]
    pages = [_Page(sessions[login], login, n < plan.pages, tally) for n, login in enumerate(logins)]
    few = asyncio.Semaphore(PARALLEL)

    async def begin(page: _Page) -> asyncio.Task[None]:
        async with few:
            stream = asyncio.create_task(page.hold(await page.load()))
            await page.greeted.wait()
            return stream

    streams = await asyncio.gather(*map(begin, pages))
    print("ready", flush=True)
    tally.is_counting = True
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    tally.is_counting = False
    heard = [page.close() for page in pages]
    report = Report(heard, tally.fetch_ms, tally.fetch_failed)
    said = msgspec.json.encode(report)
    for stream in streams:
        stream.cancel()
    await asyncio.gather(*streams, return_exceptions=True)
    for session in sessions.values():
        await session.close()
    sys.stdout.buffer.write(said)
    return report


if __name__ == "__main__":
    asyncio.run(_run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
