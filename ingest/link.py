"""A connection that never blocks, as bytes: what every kind promises, and the plain one on TCP.

Links lie upon each other (ingest/layer.py): TLS on TCP (ingest/tls_link.py), a WebSocket on either
(ingest/websocket.py).
`ingest/dial.py` makes them.

Errors:
* LinkLost: the connection could not be made or is over; start again with a new one.
"""

from __future__ import annotations

import errno
import math
import select
import socket
from typing import Final, Protocol

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]

_IN_PROGRESS: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class LinkLost(Exception):
    """The connection could not be made or is over. `do`: what an operator can do about it, if anything."""

    def __init__(self, why: str, *, do: str = "") -> None:
        super().__init__(why)
        self.do = do


class Link(Protocol):
    """A connection on its way, later open. Nothing blocks but `wait`."""

    more: bool
    """Whether the last `receive` may have left something: ask again."""

    @property
    def stage(self) -> str:
        """What it is at: connecting, then what belongs to its kind; empty once open."""

    @property
    def pending(self) -> bool:
        """Whether there is something to receive that the socket does not know of: then do not wait for it."""

    @property
    def unsent(self) -> int:
        """Bytes kept for later."""

    def fileno(self) -> int:
        """The socket to wait for."""

    def interest(self, *, reading: bool) -> int:
        """What to wait for on the socket, as a mask of `select.poll`."""

    def opened(self) -> bool:
        """A step of opening it; True once open. Raises LinkLost when refused."""

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        """Waits until there is something to read (if `reading`), flushing meanwhile; True when there is."""

    def receive(self, limit: int) -> bytes:
        """What is there, `limit` bytes at most; empty when nothing. Raises LinkLost at its end."""

    def send(self, data: bytes) -> None:
        """Sends behind what is still unsent; what the socket does not take is kept. Where the connection is
        over, `receive` raises LinkLost at the latest."""

    def close(self) -> None:
        """Lets go of the socket."""


class TcpLink:
    """A socket on its way to `address`, later connected."""

    def __init__(self, address: Address) -> None:
        self.more = False
        self.stage = "connect"
        self._out = bytearray()
        self._broken = ""
        self._socket = socket.socket(address[0], socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(address[1])
        if code not in _IN_PROGRESS:
            self._fail(f"cannot connect: {errno.errorcode.get(code, code)}")

    @property
    def pending(self) -> bool:
        """Whether writing has failed: then look at once."""
        return bool(self._broken)

    @property
    def unsent(self) -> int:
        """Bytes kept for later."""
        return len(self._out)

    def fileno(self) -> int:
        """The socket to wait for."""
        return self._socket.fileno()

    def interest(self, *, reading: bool) -> int:
        """What to wait for on the socket, as a mask of `select.poll`."""
        if self.stage:
            return select.POLLOUT
        return (select.POLLIN if reading else 0) | (select.POLLOUT if self._out else 0)

    def opened(self) -> bool:
        """True once connected, False while on the way. Raises LinkLost when refused."""
        if not self.stage:
            return True
        _, writable = ready(self, select.POLLOUT, 0.0)
        if not writable:
            return False
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(f"cannot connect: {errno.errorcode.get(code, code)}")
        try:
            to_itself = self._socket.getsockname() == self._socket.getpeername()
        except OSError as error:
            self._fail(f"cannot connect: {error}")
        if to_itself:  # what TCP does on loopback when nobody listens and the free port drawn is the same
            self._fail("connected to itself")
        self.stage = ""
        return True

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        """Waits until there is something to read (if `reading`), flushing meanwhile; True when there is."""
        if reading and self._broken:
            return True
        mask = (select.POLLIN if reading else 0) | (select.POLLOUT if self._out else 0)
        readable, writable = ready(self, mask, timeout_s)
        if writable:
            self.send(b"")
        return readable and reading

    def receive(self, limit: int) -> bytes:
        """What the socket holds, `limit` bytes at most; empty when nothing. Raises LinkLost at its end."""
        try:
            data = self._socket.recv(limit)
        except (BlockingIOError, InterruptedError):
            if self._broken:
                self._fail(self._broken)
            self.more = False
            return b""
        except OSError as error:
            self._fail(self._broken or f"cannot read: {error}")
        if not data:
            self._fail("closed by the broker")
        self.more = len(data) == limit
        return data

    def send(self, data: bytes) -> None:
        """Sends behind what is still unsent; what the socket does not take is kept.

        When the connection is over, `receive` says so: what came before may say why, or be a message that
        comes only once.
        """
        if self._broken:
            return
        self._out += data
        if not self._out:
            return
        try:
            sent = self._socket.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broken = f"cannot write: {error}"
            sent = len(self._out)
        del self._out[:sent]

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close()

    def _fail(self, why: str) -> None:
        self._socket.close()
        raise LinkLost(why)


def ready(one: TcpLink | Link, mask: int, timeout_s: float) -> tuple[bool, bool]:
    """Waits for one socket; whether it can be read and written, both also where it is broken."""
    poll = select.poll()
    poll.register(one, mask)
    bits = sum(event for _, event in poll.poll(math.ceil(max(timeout_s, 0.0) * 1000)))
    broken = bits & (select.POLLERR | select.POLLHUP | select.POLLNVAL)
    return bool(bits & select.POLLIN or broken), bool(bits & select.POLLOUT or broken)
