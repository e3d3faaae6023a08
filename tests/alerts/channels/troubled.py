"""Servers that misbehave in every way that the network allows, each at an address of its own on loopback.

What comes of a trouble is either held until the test lets go (`HOLDS`), or is there at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from devices.model import Carrier

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_REFUSED_WITH_200 = (
    b'{"errcode": 310000, "errmsg": "x", "code": 19024, "msg": "x", "Code": "isv.X", "Message": "x", '
    b'"Response": {"Error": {"Code": "FailedOperation.X", "Message": "x"}}}'
)
_MQTT_QUOTA = b"\x20\x03\x00\x97\x00"
"""CONNACK of MQTT 5: quota exceeded."""


@dataclass
class Troubled:
    """One such server. `given` counts the bytes that its clients took of it, what lies in the kernel too."""

    carrier: Carrier
    behave: Callable[[Troubled, Streams], Awaitable[None]]
    released: asyncio.Event
    host: str = ""
    port: int = 0
    open: int = 0
    most_open: int = 0
    connections: int = 0
    given: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.tasks.add(task)
        self.open += 1
        self.connections += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self.behave(self, (reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self.tasks.discard(task)
            writer.transport.abort()

    async def give(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        writer.write(data)
        await writer.drain()
        self.given += len(data)


async def is_silent(server: Troubled, streams: Streams) -> None:
    """Takes the connection and says nothing, not even the hello of a handshake."""
    await server.released.wait()


async def drips(server: Troubled, streams: Streams) -> None:
    """Says something every now and then and never comes to an end."""
    mute = b"HTTP/1.1 200 OK\r\nX: "
    begin = {Carrier.SMTP: b"220-", Carrier.MQTT: b"\x20\xff\xff\x7f"}.get(server.carrier, mute)
    await server.give(streams[1], begin)
    while not server.released.is_set():
        await server.give(streams[1], b"x")
        await asyncio.sleep(0.02)


async def never_stops(server: Troubled, streams: Streams) -> None:
    """Talks without end, as fast as it is listened to."""
    if server.carrier is Carrier.SMTP:
        line = b"220-" + b"x" * 1_000 + b"\r\n"
    else:
        await _request(streams[0])
        await server.give(streams[1], b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        line = b"x" * 8_192
    while True:
        await server.give(streams[1], line)


async def never_ends_its_head(server: Troubled, streams: Streams) -> None:
    """One header after the other; a mail server: a line without an end."""
    line = b"x" * 4_000 if server.carrier is Carrier.SMTP else b"X-N: " + b"x" * 1_000 + b"\r\n"
    await server.give(streams[1], b"220 " if server.carrier is Carrier.SMTP else b"HTTP/1.1 200 OK\r\n")
    while True:
        await server.give(streams[1], line)


async def resets(server: Troubled, streams: Streams) -> None:
    if server.carrier is not Carrier.SMTP:  # there the server speaks first
        await streams[0].read(1)


async def refuses_with_200(server: Troubled, streams: Streams) -> None:
    await _answer(server, streams, b"HTTP/1.1 200 OK\r\n", _REFUSED_WITH_200)


async def asks_to_wait(server: Troubled, streams: Streams) -> None:
    await _answer(server, streams, b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\n", b"")


async def _answer(server: Troubled, streams: Streams, head: bytes, body: bytes) -> None:
    """The words of the carrier's own protocol, where it is not HTTP."""
    if server.carrier is Carrier.SMTP:
        await server.give(streams[1], b"421 busy\r\n")
    elif server.carrier is Carrier.MQTT:
        await streams[0].read(1)
        await server.give(streams[1], _MQTT_QUOTA)
        await streams[0].read()
    else:
        while await _request(streams[0]):
            await server.give(streams[1], head + b"Content-Length: %d\r\n\r\n" % len(body) + body)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")


@asynccontextmanager
async def troubled(
    carriers: list[Carrier], behave: Callable[[Troubled, Streams], Awaitable[None]]
) -> AsyncIterator[dict[Carrier, Troubled]]:
    """One for each carrier; they let go at the end, if not before."""
    released = asyncio.Event()
    all_of_them = {one: Troubled(one, behave, released) for one in carriers}
    listening = []
    try:
        for number, one in enumerate(all_of_them.values(), 10):
            one.host = f"127.0.0.{number}"
            listening.append(await asyncio.start_server(one.serve, one.host, 0))
            one.port = listening[-1].sockets[0].getsockname()[1]
        yield all_of_them
    finally:
        for server in listening:
            server.close()
        tasks = [task for one in all_of_them.values() for task in one.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in listening:
            await server.wait_closed()
