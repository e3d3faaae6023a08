"""Providers that answer well and badly, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from alerts.channels.channel import Message
from devices.model import Medium

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What a provider does with one request: given its head and body, write bytes, or nothing."""


class Provider:
    """A bare server of one `answer`; keeps every request it read."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.arrived = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/secret-token"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while request := await _read_request(reader):
                self.requests.append(request)
                self.arrived.set()
                await self.answer(request, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def wait_for(self, requests: int) -> None:
        while len(self.requests) < requests:
            self.arrived.clear()
            await self.arrived.wait()

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def provider(answer: Answer) -> AsyncIterator[Provider]:
    served = Provider(answer)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()
        await served.stop()
        await server.wait_closed()


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + (await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"")


def says(status: str, body: str = "", *headers: str) -> Answer:
    """A provider that answers every request so."""

    async def answer(_request: bytes, writer: asyncio.StreamWriter) -> None:
        raw = body.encode()
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(raw)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + raw)

    return answer


async def resets(_request: bytes, writer: asyncio.StreamWriter) -> None:
    """Breaks the connection off without an answer."""
    writer.transport.abort()


async def stays_silent(_request: bytes, _writer: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""
    await asyncio.Event().wait()


async def breaks_off_in_the_body(_request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    writer.close()


def message(
    address: str, *, urgent: bool = True, text: str = "厨房 smoke", medium: Medium = Medium.PUSH
) -> Message:
    return Message(
        key="7/1/first/0/3/push",
        address=address,
        medium=medium,
        text=text,
        link="http://a.example/x",
        urgent=urgent,
    )
