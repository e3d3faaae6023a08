"""Batches of PUBLISH packets of one fixed length, patched column by column instead of encoded one by one.

A packet is `gengfu/load-0000000/readings` with four metrics in about 200 bytes. Device, packet id, `at`,
`seq` and the last digits of the current are fixed-width fields of the pre-encoded packet: a batch is a table
of bytes, one row a packet, and a field is a slice of its columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int64
from simulators.formats import own_topic
from simulators.wire import publish

MAX_DEVICES: Final = 1_000_000
FIRST_SEQ: Final = 1_000_000_000
"""The smallest sequence number: JSON forbids leading zeros, and all of them must be ten digits."""
POINTS_PER_MESSAGE: Final = 4
_AT: Final = 1_000_000_000_000
_PAYLOAD: Final = (
    f'{{"at": {_AT}, "seq": {FIRST_SEQ}, "values": {{"temperature.ambient": 23.4375}}, "channels": {{"l1": '
    '{"current": 2.345600, "current.residual": 0.00421875, "power.active": 523.140625}}}'
).encode()
_DIGITS: Final = np.array([list(b"%04d" % n) for n in range(10_000)], np.uint8)
"""The four ASCII digits of 0 .. 9999."""

Bytes = NDArray[np.uint8]
Index = NDArray[np.intp]


def device_id(index: int) -> str:
    """The native id of the load generator's device `index`, 0 .. MAX_DEVICES - 1."""
    return f"load-{index:07d}"


@dataclass(frozen=True, slots=True)
class Stencil:
    """The pre-encoded packet and where its numbers go; `packet_id` is its column, -1 at QoS 0.

    Numbers are written four digits at a time: group g is number `source[g]` of (device, at, seq, current)
    divided by `divisor[g]`, and its digits go to four columns; `columns` names those of all groups that lie
    inside their field and `kept` where they stand among all digits.
    """

    packet: Bytes
    packet_id: int
    source: Index
    divisor: Int64
    columns: Index
    kept: Index

    def batch(self, devices: Int64, packet_ids: Int64, at_ms: Int64, seqs: Int64) -> bytes:
        """The packets of these columns one after the other, ready for the socket.

        `at_ms` has 13 digits (until the year 2286), `seqs` ten. The current varies with device and sequence
        within 2.34 .. 2.35 A, so that no value is constant.
        """
        numbers = np.stack((devices, at_ms, seqs, devices * 7 + seqs * 13), axis=1)
        digits = _DIGITS[numbers[:, self.source] // self.divisor % 10_000].reshape(len(devices), -1)
        rows = np.empty((len(devices), len(self.packet)), np.uint8)
        rows[:] = self.packet
        rows[:, self.columns] = digits[:, self.kept]
        if self.packet_id >= 0:
            rows[:, self.packet_id] = packet_ids >> 8
            rows[:, self.packet_id + 1] = packet_ids & 0xFF
        return rows.tobytes()


def make_stencil(qos: int) -> Stencil:
    """The stencil of QoS 0 or 1."""
    topic = own_topic(device_id(0))
    packet = publish(topic, _PAYLOAD, qos)
    start = len(packet) - len(_PAYLOAD)
    fields = (
        (packet.index(b"load-") + len("load-"), 7),
        (start + _PAYLOAD.index(b"%d" % _AT), 13),
        (start + _PAYLOAD.index(b": %d," % FIRST_SEQ) + 2, 10),
        (start + _PAYLOAD.index(b"2.345600") + len("2.34"), 4),
    )
    groups = [
        (number, power, first + width - power - 4, first)
        for number, (first, width) in enumerate(fields)
        for power in range(0, width, 4)
    ]
    columns = np.array([[first + digit for digit in range(4)] for _, _, first, _ in groups]).ravel()
    inside = columns >= np.repeat([field for *_, field in groups], 4)
    return Stencil(
        packet=np.frombuffer(packet, np.uint8),
        packet_id=packet.index(topic.encode()) + len(topic) if qos else -1,
        source=np.array([number for number, *_ in groups]),
        divisor=np.array([10**power for _, power, *_ in groups], np.int64),
        columns=columns[inside],
        kept=np.flatnonzero(inside),
    )
