"""One TCP connection that never blocks: making it, reading it, and keeping what could not be sent yet.

Errors:
* LinkLost: the connection could not be made or is over; start again with a new one.
"""

from __future__ import annotations

import errno
import ipaddress
import math
import select
import socket
import threading
from collections.abc import Callable
from typing import Final

Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]

DIAL_TIMEOUT_S: Final = 5.0
"""How long the look-up and each connect may take (chosen: a broker is near, a lost SYN is sent again at 1 and
3 s)."""
_IN_PROGRESS: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class LinkLost(Exception):
    """The connection could not be made or is over."""


class Link:
    """A socket on its way to `address`, later connected. `opened` says which."""

    def __init__(self, address: Address) -> None:
        self._out = bytearray()
        self._socket = socket.socket(address[0], socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(address[1])
        if code not in _IN_PROGRESS:
            self._fail(f"cannot connect: {errno.errorcode.get(code, code)}")

    def opened(self) -> bool:
        """True once connected, False while on the way. Raises LinkLost when refused."""
        _, writable = _ready(self._socket, select.POLLOUT, 0.0)
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
        return True

    def wait(self, timeout_s: float, *, reading: bool) -> bool:
        """Waits until there is something to read (if `reading`), flushing meanwhile; True when there is."""
        mask = (select.POLLIN if reading else 0) | (select.POLLOUT if self._out else 0)
        readable, writable = _ready(self._socket, mask, timeout_s)
        if writable:
            self.send(b"")
        return readable and reading

    def wait_opened(self, timeout_s: float) -> None:
        """Waits until connected or refused, `timeout_s` at most."""
        _ready(self._socket, select.POLLOUT, timeout_s)

    def receive(self, limit: int) -> bytes:
        """What the socket holds, `limit` bytes at most; empty when nothing. Raises LinkLost at its end."""
        try:
            data = self._socket.recv(limit)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._fail(f"cannot read: {error}")
        if not data:
            self._fail("closed by the broker")
        return data

    def send(self, data: bytes) -> None:
        """Sends behind what is still unsent; what the socket does not take is kept. Raises LinkLost."""
        self._out += data
        if not self._out:
            return
        try:
            sent = self._socket.send(self._out)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(f"cannot write: {error}")
        del self._out[:sent]

    @property
    def unsent(self) -> int:
        """Bytes kept for later."""
        return len(self._out)

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close()

    def _fail(self, why: str) -> None:
        self._socket.close()
        raise LinkLost(why)


def _ready(sock: socket.socket, mask: int, timeout_s: float) -> tuple[bool, bool]:
    poll = select.poll()
    poll.register(sock, mask)
    bits = sum(event for _, event in poll.poll(math.ceil(max(timeout_s, 0.0) * 1000)))
    broken = bits & (select.POLLERR | select.POLLHUP | select.POLLNVAL)
    return bool(bits & select.POLLIN or broken), bool(bits & select.POLLOUT or broken)


class Dialer:
    """Makes a connection step by step: look-up, then each address in turn. Ask again until it is there.

    A name is looked up in a thread of its own, because the system's resolver blocks for seconds; a numeric
    address needs none.
    """

    def __init__(self, host: str, port: int, monotonic: Callable[[], float]) -> None:
        self._host, self._port, self._monotonic = host, port, monotonic
        self._deadline = monotonic() + DIAL_TIMEOUT_S
        self._addresses: list[Address] | None = None
        self._link: Link | None = None
        self._why = "look-up takes too long"
        if _numeric(host):
            self._look_up()
        else:
            threading.Thread(target=self._look_up, name="resolve", daemon=True).start()

    def step(self, timeout_s: float) -> Link | None:
        """The connected link, or None: call again. Waits `timeout_s` at most. LinkLost when all failed."""
        if self._link is None:
            self._link = self._next()
        if self._link is None:
            select.poll().poll(math.ceil(timeout_s * 1000))
            return None
        try:
            self._link.wait_opened(timeout_s)
            if self._link.opened():
                return self._link
        except LinkLost as error:
            self._give_up_address(str(error))
            return None
        if self._monotonic() > self._deadline:
            self._link.close()
            self._give_up_address("no answer to connect")
        return None

    def close(self) -> None:
        """Gives up."""
        if self._link:
            self._link.close()

    def _next(self) -> Link | None:
        while self._addresses:
            address = self._addresses.pop(0)
            try:
                link = Link(address)
            except (LinkLost, OSError) as error:
                self._why = str(error)
                continue
            self._deadline = self._monotonic() + DIAL_TIMEOUT_S
            return link
        if self._addresses is not None or self._monotonic() > self._deadline:
            raise LinkLost(self._why)
        return None

    def _give_up_address(self, why: str) -> None:
        self._link, self._why = None, why

    def _look_up(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self._why = f"cannot look up {self._host}: {error}"
            found = []
        self._addresses = [(family, address) for family, _, _, _, address in found]  # type: ignore[misc]


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
