"""Connections to web servers: opened, asked one request at a time, kept for the next one, and closed.

Whatever goes wrong is a `Failed` with a short reason: errors' own texts may hold the address.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Final

from aiohappyeyeballs import start_connection

from alerts.channels.answer_reader import Answer, AnswerReader, NotHttp
from alerts.channels.channel import Failed
from alerts.channels.resolver import LaneResolver
from alerts.channels.web_address import Peer

CONNECT_S: Final = 4.0
IDLE_S: Final = 2.0
"""A connection is used again only this soon: servers drop idle ones after 5 s or more, and a POST on a
dropped connection would cost an urgent message its first try."""
IDLE_MAX: Final = 200
"""Connections kept idle at most; beyond it one is closed as soon as it was used (chosen)."""
_SECOND_FAMILY_S: Final = 0.25
"""Until an address of the other family is tried beside one that does not answer (RFC 8305)."""

BROKE_OFF: Final = Failed("the connection broke off")
NO_ANSWER: Final = Failed("no answer in time")
_NO_NAME: Final = Failed("the host name was not found", unreached=True)
_NO_CONNECTION: Final = Failed("no connection", unreached=True)
NO_CONNECTION_IN_TIME: Final = Failed("no connection in time", unreached=True)
_NOT_SECURE: Final = Failed("the secure connection failed", unreached=True)
_NOT_HTTP: Final = Failed("the answer is not HTTP")


class Connection(asyncio.Protocol):
    """One connection, one request at a time. What a server says unasked ends it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader = AnswerReader()
        self._answer: asyncio.Future[Answer | Failed] | None = None
        self.idle_since_s = 0.0

    @property
    def usable(self) -> bool:
        """Whether it may be asked."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> Answer | Failed:
        """The answer to a whole request. Cancelled, it ends the connection."""
        if self._transport is None:
            return BROKE_OFF
        self._reader = AnswerReader()
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            answer = await self._answer
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._answer = None
        if isinstance(answer, Failed) or not answer.goes_on:
            self.abort()
        return answer

    def abort(self) -> None:
        """Closes it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Of `asyncio.Protocol`."""
        if self._answer is None or self._answer.done():
            self.abort()
            return
        try:
            answer = self._reader.feed(data)
        except NotHttp:
            self._answer.set_result(_NOT_HTTP)
            return
        if answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of `asyncio.Protocol`."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            whole = self._reader.end() if exc is None else None
            self._answer.set_result(BROKE_OFF if whole is None else whole)


class Connections:
    """The connections of one lane: it shares none with another, and no look-up thread."""

    def __init__(
        self, lane: str, connect_s: float = CONNECT_S, trust: Callable[[], ssl.SSLContext] | None = None
    ) -> None:
        """`trust` gives the certificates to believe, the operating system's when left out."""
        self._resolver = LaneResolver(lane)
        self._connect_s = connect_s
        self._trust = trust or _as_the_system
        self._idle: defaultdict[Peer, list[Connection]] = defaultdict(list)
        self._kept = 0
        self._sweep: asyncio.TimerHandle | None = None

    async def take(self, peer: Peer) -> Connection | Failed:
        """A connection that was used a moment ago, else a new one."""
        now_s = asyncio.get_running_loop().time()
        while idle := self._idle.get(peer):
            connection = idle.pop()
            self._kept -= 1
            if connection.usable and now_s - connection.idle_since_s <= IDLE_S:
                return connection
            connection.abort()
        return await self._open(peer)

    def give_back(self, peer: Peer, connection: Connection) -> None:
        """Keeps it for the next one who asks the same."""
        if not connection.usable or self._kept >= IDLE_MAX:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        self._idle[peer].append(connection)
        self._kept += 1
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_S, self._close_idle)

    async def close(self) -> None:
        """Closes those that are idle, and gives up look-ups."""
        if self._sweep is not None:
            self._sweep.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()
        self._kept = 0
        await self._resolver.close()

    def _close_idle(self) -> None:
        loop = asyncio.get_running_loop()
        for peer, idle in list(self._idle.items()):
            fresh = [one for one in idle if one.usable and loop.time() - one.idle_since_s < IDLE_S]
            for connection in idle:
                if connection not in fresh:
                    connection.abort()
            self._kept -= len(idle) - len(fresh)
            self._idle[peer] = fresh
            if not fresh:
                del self._idle[peer]
        self._sweep = loop.call_later(IDLE_S, self._close_idle) if self._idle else None

    async def _open(self, peer: Peer) -> Connection | Failed:
        try:
            async with asyncio.timeout(self._connect_s):
                return await self._connected(peer)
        except TimeoutError:
            return NO_CONNECTION_IN_TIME
        except socket.gaierror:
            return _NO_NAME
        except ssl.SSLError:
            return _NOT_SECURE
        except OSError:
            return _NO_CONNECTION

    async def _connected(self, peer: Peer) -> Connection:
        loop = asyncio.get_running_loop()
        found = await self._resolver.resolve(peer.host, peer.port)
        sock = await start_connection(found, happy_eyeballs_delay=_SECOND_FAMILY_S, loop=loop)
        try:
            _, connection = await loop.create_connection(
                Connection,
                sock=sock,
                ssl=self._trust() if peer.secure else None,
                server_hostname=peer.host if peer.secure else None,
            )
        except BaseException:
            sock.close()
            raise
        return connection


@cache
def _as_the_system() -> ssl.SSLContext:
    """Certificates as the operating system trusts them, names checked. Read once: it takes 10 ms and more."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
