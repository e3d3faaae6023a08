"""Counts the PUBACKs of one connection by comparing them with what must come.

Packet ids go round 1 .. 65,535 and brokers answer in order (MQTT 5.0, 4.6.0-2), so that the bytes of the
next acknowledgements are known before they come: one comparison with a prepared stream takes the place of
reading them. Anything else is read packet by packet.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from devices.model import Int64
from simulators.wire import NO_LIMIT, PUBACK, REFUSED_FROM, BrokerRefused, packet_length, read_pubacks

_TAILS: Final = frozenset({b"", b"\x00", b"\x10", b"\x00\x00", b"\x10\x00"})
"""What may follow the packet id of a success: nothing, or reason 0x00 or 0x10 (no subscriber), with or
without an empty list of properties (3.4.2)."""
_NONE: Final = np.empty(0, np.int64)


@cache
def _stream(tail: bytes) -> bytes:
    """The PUBACKs of all packet ids twice over, so that a chunk may begin at any of them."""
    ids = np.arange(1, NO_LIMIT + 1)
    head = np.broadcast_to(np.array([PUBACK, 2 + len(tail)]), (NO_LIMIT, 2))
    ends = np.broadcast_to(np.frombuffer(tail, np.uint8), (NO_LIMIT, len(tail)))
    table = np.concatenate((head, ids[:, None] >> 8, ids[:, None] & 0xFF, ends), axis=1)
    return table.astype(np.uint8).tobytes() * 2


class Pubacks:
    """Begins at message `first`, whose packet id is `first % 65535 + 1`."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._rest = b""

    def take(self, chunk: bytes, owed: int) -> tuple[int, Int64]:
        """How many messages `chunk` answers, and which of them (counted from 0 on the connection) it refuses.

        Raises BrokerRefused for more than the `owed` ones, for another order and for other packets.
        """
        received = self._rest + chunk if self._rest else chunk
        size = packet_length(received)
        tail = received[4:size]
        if len(received) >= size >= 4 and tail in _TAILS:
            start = self._next % NO_LIMIT * size
            if _stream(tail).startswith(received, start):
                answered = len(received) // size
                self._move(answered, owed, received[answered * size :])
                return answered, _NONE
        ids, reasons, rest = read_pubacks(received)
        expected = np.arange(self._next, self._next + len(ids)) % NO_LIMIT + 1
        if not np.array_equal(ids, expected):
            raise BrokerRefused("PUBACKs out of order")
        refused = self._next + np.flatnonzero(reasons >= REFUSED_FROM)
        self._move(len(ids), owed, rest)
        return len(ids), refused

    def _move(self, answered: int, owed: int, rest: bytes) -> None:
        if answered > owed:
            raise BrokerRefused("PUBACKs for nothing we sent")
        self._next += answered
        self._rest = rest
