"""A provider that takes everything: a process of its own on loopback, so that it costs the bench's nothing.

Run as a module it listens on a free port, says the port on stdout, answers every POST with 200 and an empty
object, and ends when its stdin does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class _Taking(asyncio.Protocol):
    """One connection: requests come one after another, each is answered when its body is here."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(_HEAD_END)) >= 0:
            length = _body_length(self._held[:end])
            if len(self._held) < end + len(_HEAD_END) + length:
                return
            self._held = self._held[end + len(_HEAD_END) + length :]
            if isinstance(self._transport, asyncio.WriteTransport):
                self._transport.write(_ANSWER)


def _body_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


@contextmanager
def receiving() -> Iterator[int]:
    """The port of a receiver that runs meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        process.wait(10)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Taking, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
