"""One connection of the load generator: which message comes next, what is unacknowledged, what is half sent.

Messages of a connection are numbered from 0. Everything about message k follows from k: its device, its
sequence number, its form, its packet id and, at a constant rate, the time it was meant to go. A resent
message is therefore the same message, byte for byte, and acknowledgements need only be counted: brokers must
send PUBACKs in the order of the PUBLISHes (MQTT 5.0, 4.6.0-2), which is checked.

For the same reason messages are encoded ahead, a block at a time: a block costs some dozen numpy calls
whether it holds one message or a thousand, and a tick sends a slice of it. At rate 0 `at` is the time at
which the block was encoded.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

import numpy as np

from devices.model import Int64
from simulators.forms import FORMS, forms_of
from simulators.mix import FIXED, Mix, parse_mix
from simulators.pubacks import Pubacks
from simulators.share import Share
from simulators.spread import Spread
from simulators.stencil import Batch, Stencil, make_stencil
from simulators.wire import NO_LIMIT, BrokerRefused, connect, packet_length, read_connack

RECEIVE_BYTES: Final = 1 << 14
"""Read at once: some thousand acknowledgements, and little enough that the C library maps no pages for it
(256 kB took 20 us a call, 16 kB takes 5)."""
CONNECT_TIMEOUT_S: Final = 5.0
MAX_REFUSED: Final = 10_000
"""Refused messages remembered one by one, a connection (chosen)."""
MAX_RECORDS: Final = 4096
"""Of TLS, read at once: a read gives one record, and a broker may put each acknowledgement into its own."""
BLOCK_S: Final = 0.1
MIN_BLOCK: Final = 64
MAX_BLOCK: Final = 1024
"""A block holds what is due in BLOCK_S, within these bounds (chosen: at a thousand the numpy calls vanish
beside the bytes, and encoding it takes less than a tick)."""
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is, and who we are to it. `ca` means TLS, with the authority in that file."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    ca: str = ""


@dataclass(slots=True)
class _Block:
    """Encoded messages `first` .. of the connection; at rate 0 they were meant for `encoded_s`."""

    batch: Batch
    first: int
    encoded_s: float

    def end(self, message: int) -> int:
        """Where the message before `message` ends."""
        return int(self.batch.ends[message - self.first - 1]) if message > self.first else 0

    @property
    def last(self) -> int:
        """One after the last message."""
        return self.first + len(self.batch.ends)


@dataclass(slots=True)
class _Outgoing:
    """A slice on its way: what the kernel has not taken yet, how many messages, when the first was meant."""

    rest: memoryview
    messages: int
    intended_s: float


class Publisher:
    """A connected publisher. Not thread-safe. Sockets are non-blocking after `open`."""

    def __init__(
        self,
        address: Address,
        client_id: str,
        share: Share,
        *,
        qos: int,
        window: int,
        behind: Spread,
        mix: Mix | None = None,
    ) -> None:
        """`window` bounds unacknowledged messages (0: the broker's Receive Maximum, which always bounds).

        `behind` takes how long after their intended time messages were wholly with the kernel.
        """
        self.share = share
        self.mix = mix or parse_mix(FIXED)
        self.qos = qos
        self.sent = 0
        self.published = 0
        self.acknowledged = 0
        self.resent: Int64 = np.zeros(len(FORMS), np.int64)
        self.refused: list[int] = []
        self.refused_count = 0
        self.behind = behind
        self._address, self._client_id = address, client_id
        self._wanted_window, self._window = window, 0
        self._stencil: Stencil = make_stencil(qos)
        self._block_size = int(max(MIN_BLOCK, min(MAX_BLOCK, BLOCK_S * share.rate)))
        self._block: _Block | None = None
        self._outgoing: _Outgoing | None = None
        self._pubacks = Pubacks(0)
        self.socket: socket.socket | None = None

    def open(self) -> None:
        """Connects and takes up after the last acknowledged message (at QoS 0 after the last one sent).

        Raises OSError or BrokerRefused.
        """
        address = self._address
        sock = socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.ca:
                context = ssl.create_default_context(cafile=address.ca)
                sock = context.wrap_socket(sock, server_hostname=address.host)
            sock.sendall(connect(self._client_id, address.username, address.password))
            granted = read_connack(_receive_packet(sock))
            if granted.maximum_qos < self.qos:
                raise BrokerRefused(f"the broker allows QoS {granted.maximum_qos} only")
        except BaseException:
            sock.close()
            raise
        sock.setblocking(False)
        self.socket = sock
        self._window = min(granted.receive_maximum, self._wanted_window or NO_LIMIT)
        self._outgoing = self._block = None
        self._pubacks = Pubacks(self.acknowledged)
        if self.qos:
            self.resent += self.share.forms_counted(self.acknowledged, self.sent, self.mix)
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
    def paced(self) -> bool:
        """Whether messages have intended times."""
        return self.share.interval_s > 0

    @property
    def done(self) -> bool:
        """Whether all messages of the share went, and at QoS 1 were answered."""
        return self.sent == self.share.count and not self.sending and not self.unanswered

    @property
    def unanswered(self) -> int:
        """Messages at QoS 1 that the broker owes a PUBACK."""
        return self.sent - self.acknowledged if self.qos else 0

    def late(self, elapsed_s: float) -> bool:
        """Whether something is due that the kernel does not have yet."""
        return self.sending or self.share.due(elapsed_s) > self.sent

    @property
    def room(self) -> int:
        """How many messages the window has room for."""
        return self._window - self.unanswered

    def send(self, elapsed_s: float, start_ms: int, most: int, clock: Callable[[], float]) -> int:
        """Hands the kernel what is due `elapsed_s` after the start (epoch `start_ms`), `most` messages at
        most, and returns how many bytes it took. Raises OSError when the connection is lost.

        `clock` tells seconds after the start: asked once the kernel has them all, so that what encoding and
        sending took is in `behind`."""
        assert self.socket is not None
        if self._outgoing is None:
            messages = min(self.share.due(elapsed_s) - self.sent, self.room, most)
            if messages <= 0:
                return 0
            self._outgoing = self._next(messages, elapsed_s, start_ms)
        try:
            taken = self.socket.send(self._outgoing.rest)
        except _NOT_NOW:
            return 0
        if taken == len(self._outgoing.rest):
            self.behind.add(clock() - self._outgoing.intended_s, self._outgoing.messages)
            self._outgoing = None
        else:
            self._outgoing.rest = self._outgoing.rest[taken:]
        return taken

    def _next(self, messages: int, elapsed_s: float, start_ms: int) -> _Outgoing:
        """The next `messages` messages, fewer where the block ends."""
        block, first = self._block, self.sent
        if block is None or first == block.last:
            block = self._block = self._encode(first, elapsed_s, start_ms)
        end = min(first + messages, block.last)
        intended_s = self.share.intended_s(first) if self.share.interval_s else block.encoded_s
        self.sent = end
        self.published = max(self.published, end)
        rest = block.batch.octets[block.end(first) : block.end(end)]
        return _Outgoing(rest, end - first, intended_s)

    def _encode(self, first: int, elapsed_s: float, start_ms: int) -> _Block:
        share = self.share
        k: Int64 = np.arange(first, min(first + self._block_size, share.count))
        at_s = share.offset_s + k * share.interval_s if share.interval_s else np.full(len(k), elapsed_s)
        devices, seqs = share.devices_and_seqs(k)
        batch = self._stencil.batch(
            forms=forms_of(devices, seqs, self.mix),
            devices=devices,
            packet_ids=k % NO_LIMIT + 1,
            at_ms=start_ms + (at_s * 1000).astype(np.int64),
            seqs=seqs,
        )
        return _Block(batch, first, elapsed_s)

    def receive(self) -> None:
        """Counts the PUBACKs that have come. Raises OSError or BrokerRefused when the connection is lost."""
        assert self.socket is not None
        records = MAX_RECORDS if isinstance(self.socket, ssl.SSLSocket) else 1
        chunk = _read(self.socket, records)
        if not chunk:
            return
        answered, refused = self._pubacks.take(chunk, self.unanswered)
        self.acknowledged += answered
        self.refused_count += len(refused)
        self.refused.extend(refused[: MAX_REFUSED - len(self.refused)].tolist())


def _read(sock: socket.socket, records: int) -> bytes:
    """What `sock` holds, at most so many reads of it; empty when there is nothing. Raises OSError when the
    connection has ended."""
    chunks: list[bytes] = []
    try:
        while len(chunks) < records:
            chunk = sock.recv(RECEIVE_BYTES)
            if not chunk:
                raise ConnectionResetError("the broker closed the connection")
            chunks.append(chunk)
    except _NOT_NOW:
        pass
    return b"".join(chunks)


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
