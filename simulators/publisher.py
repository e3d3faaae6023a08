"""One connection of the load generator: which message comes next, what is unacknowledged, what is half sent.

Messages of a connection are numbered from 0. Everything about message k follows from k: its device, its
sequence number, its packet id and, at a constant rate, the time it was meant to go. A resent message is
therefore the same message, byte for byte, and acknowledgements need only be counted: brokers must send
PUBACKs in the order of the PUBLISHes (MQTT 5.0, 4.6.0-2), which is checked.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import numpy as np

from devices.model import Int64
from simulators.spread import Spread
from simulators.stencil import Stencil, make_stencil
from simulators.wire import (
    NO_LIMIT,
    REFUSED_FROM,
    BrokerRefused,
    connect,
    packet_length,
    read_connack,
    read_pubacks,
)

RECEIVE_BYTES: Final = 1 << 18
CONNECT_TIMEOUT_S: Final = 5.0
MAX_REFUSED: Final = 10_000
"""Refused messages remembered one by one, a connection (chosen)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and who we are to it. `ca` means TLS, with the authority in that file."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    ca: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a plan that one connection carries: `count` messages round its devices.

    Message k is meant for `offset_s + k * interval_s` after the start; interval 0 means as fast as it goes.
    """

    first_device: int
    devices: int
    first_seq: int
    count: int
    offset_s: float
    interval_s: float

    def due(self, elapsed_s: float) -> int:
        """How many messages should have gone by `elapsed_s` after the start."""
        if elapsed_s < self.offset_s:
            return 0
        if self.interval_s == 0:
            return self.count
        return min(self.count, int((elapsed_s - self.offset_s) / self.interval_s) + 1)


@dataclass(slots=True)
class _Outgoing:
    """A batch on its way: what the kernel has not taken yet, how many messages, when the first was meant."""

    rest: memoryview
    messages: int
    intended_s: float


class Publisher:
    """A connected publisher. Not thread-safe. Sockets are non-blocking after `open`."""

    def __init__(
        self, address: Address, client_id: str, share: Share, *, qos: int, window: int, behind: Spread
    ) -> None:
        """`window` bounds unacknowledged messages (0: the broker's Receive Maximum, which always bounds).

        `behind` takes how long after their intended time messages were wholly with the kernel.
        """
        self.share = share
        self.sent = 0
        self.published = 0
        self.acknowledged = 0
        self.resent = 0
        self.refused: list[int] = []
        self.refused_count = 0
        self.behind = behind
        self._address, self._client_id = address, client_id
        self._qos, self._wanted_window, self._window = qos, window, 0
        self._stencil: Stencil = make_stencil(qos)
        self._outgoing: _Outgoing | None = None
        self._received = b""
        self.socket: socket.socket | None = None

    def open(self) -> None:
        """Connects and takes up after the last acknowledged message. Raises OSError or BrokerRefused."""
        address = self._address
        sock = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(connect(self._client_id, address.username, address.password))
            granted = read_connack(_receive_packet(sock))
            if granted.maximum_qos < self._qos:
                raise BrokerRefused(f"the broker allows QoS {granted.maximum_qos} only")
        except BaseException:
            sock.close()
            raise
        sock.setblocking(False)
        self.socket = sock
        self._window = min(granted.receive_maximum, self._wanted_window or NO_LIMIT)
        self._received, self._outgoing = b"", None
        if self._qos:
            self.resent += self.sent - self.acknowledged
            self.sent = self.acknowledged

    def close(self, farewell: bytes = b"") -> None:
        """Lets go of the socket, saying `farewell` if it can be said at once."""
        if self.socket is None:
            return
        with suppress(OSError):  # a peer that is gone needs no farewell
            self.socket.send(farewell)
        self.socket.close()
        self.socket = None

    @property
    def sending(self) -> bool:
        """Whether part of a batch still waits for the kernel."""
        return self._outgoing is not None

    @property
    def done(self) -> bool:
        """Whether all messages of the share went, and at QoS 1 were answered."""
        return self.sent == self.share.count and not self.sending and not self.unanswered

    @property
    def unanswered(self) -> int:
        """Messages at QoS 1 that the broker owes a PUBACK."""
        return self.sent - self.acknowledged if self._qos else 0

    def late(self, elapsed_s: float) -> bool:
        """Whether something is due that the kernel does not have yet."""
        return self.sending or self.share.due(elapsed_s) > self.sent

    @property
    def room(self) -> int:
        """How many messages the window has room for."""
        return self._window - self.unanswered

    def send(self, elapsed_s: float, start_ms: int, most: int) -> int:
        """Hands the kernel what is due `elapsed_s` after the start (epoch `start_ms`), `most` messages at
        most, and returns how many bytes it took. Raises OSError when the connection is lost."""
        assert self.socket is not None
        if self._outgoing is None:
            messages = min(self.share.due(elapsed_s) - self.sent, self.room, most)
            if messages <= 0:
                return 0
            self._outgoing = self._encode(messages, elapsed_s, start_ms)
        try:
            taken = self.socket.send(self._outgoing.rest)
        except BlockingIOError:
            return 0
        if taken == len(self._outgoing.rest):
            self.behind.add(elapsed_s - self._outgoing.intended_s, self._outgoing.messages)
            self._outgoing = None
        else:
            self._outgoing.rest = self._outgoing.rest[taken:]
        return taken

    def _encode(self, messages: int, elapsed_s: float, start_ms: int) -> _Outgoing:
        share = self.share
        k: Int64 = np.arange(self.sent, self.sent + messages, dtype=np.int64)
        if share.interval_s == 0:
            intended_s = np.full(messages, elapsed_s)
        else:
            intended_s = share.offset_s + k * share.interval_s
        packets = self._stencil.batch(
            devices=share.first_device + k % share.devices,
            packet_ids=k % NO_LIMIT + 1,
            at_ms=start_ms + (intended_s * 1000).astype(np.int64),
            seqs=share.first_seq + k // share.devices,
        )
        self.sent += messages
        self.published = max(self.published, self.sent)
        return _Outgoing(memoryview(packets), messages, float(intended_s[0]))

    def receive(self) -> None:
        """Counts the PUBACKs that have come. Raises OSError or BrokerRefused when the connection is lost."""
        assert self.socket is not None
        try:
            chunk = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            raise ConnectionResetError("the broker closed the connection")
        ids, reasons, self._received = read_pubacks(self._received + chunk)
        expected = np.arange(self.acknowledged, self.acknowledged + len(ids)) % NO_LIMIT + 1
        if self.acknowledged + len(ids) > self.sent or not np.array_equal(ids, expected):
            raise BrokerRefused("PUBACKs out of order or for nothing we sent")
        refused = self.acknowledged + np.flatnonzero(reasons >= REFUSED_FROM)
        self.refused_count += len(refused)
        self.refused.extend(refused[: MAX_REFUSED - len(self.refused)].tolist())
        self.acknowledged += len(ids)


def _receive_packet(sock: socket.socket) -> bytes:
    """One whole packet from a blocking socket, at most CONNECT_TIMEOUT_S from now."""
    until = monotonic() + CONNECT_TIMEOUT_S
    received = b""
    while not (size := packet_length(received)) or len(received) < size:
        if monotonic() > until:
            raise TimeoutError("no answer to CONNECT")
        chunk = sock.recv(size - len(received) if size else 1)
        if not chunk:
            raise BrokerRefused("the broker closed the connection before it answered")
        received += chunk
    return received
