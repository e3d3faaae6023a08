"""Batches of PUBLISH packets of many layouts, patched digit by digit instead of encoded one by one.

Every form is encoded once. A batch is the forms' packets joined, and its numbers are written over it in one
assignment: all messages give the same thirteen groups of four digits (device, at, seq, and four numbers that
change with every message), and each form knows the place of each digit. A digit that a form has no place for
goes where a later one overwrites it: the device's last digit, which every form has, is written last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int64
from simulators.forms import FORMS, Form
from simulators.mix import MAX_DEVICES, device_id
from simulators.wire import publish

__all__ = ["FIRST_SEQ", "MAX_DEVICES", "POINTS_PER_MESSAGE", "Batch", "Stencil", "device_id", "make_stencil"]

FIRST_SEQ: Final = 1_000_000_000
"""The smallest sequence number: JSON forbids leading zeros, and all of them must be ten digits."""
POINTS_PER_MESSAGE: Final = 4
"""Of the kinds `fixed` and `own`."""
_MARK: Final = re.compile(rb"<device>|<at>|<seq>|#{1,4}")
_WIDTH: Final = {b"<device>": 7, b"<at>": 13, b"<seq>": 10}
_RUNS: Final = ((7, 13), (31, 17), (101, 29), (57, 7))
"""Run r of `#` shows the last digits of device * factor + seq * step; no step divides ten, so that the last
digit differs from one message of a device to its next."""
_GROUP: Final = {b"<at>": 4, b"<seq>": 8, b"<device>": 11}
"""The first of a field's groups, right to left within its digits; the runs have 0 .. 3."""
_GROUPS: Final = 13
_DIGITS: Final = np.frombuffer(b"".join(b"%04d" % n for n in range(10_000)), np.uint32)
"""The four ASCII digits of 0 .. 9999 as they lie in memory."""

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Batch:
    """Packets one after the other; packet i ends before `ends[i]`."""

    octets: memoryview
    ends: Int64


@dataclass(frozen=True, slots=True)
class Stencil:
    """The packets of all forms and, by form, where the digits and the packet id (-1 at QoS 0) go."""

    packets: tuple[bytes, ...]
    lengths: Int64
    digits: Index
    packet_id: Index

    def batch(self, forms: Int64, devices: Int64, packet_ids: Int64, at_ms: Int64, seqs: Int64) -> Batch:
        """The packets of these columns. `at_ms` has 13 digits (until the year 2286), `seqs` ten."""
        octets = bytearray().join(map(self.packets.__getitem__, forms.tolist()))
        lengths = self.lengths.take(forms)
        ends = lengths.cumsum()
        starts = ends - lengths
        table = np.frombuffer(octets, np.uint8)
        columns = self.digits.take(forms, axis=0)
        columns += starts[:, None]
        table[columns] = _groups(devices, at_ms, seqs).view(np.uint8)
        if self.packet_id[0] >= 0:
            column = starts + self.packet_id[forms]
            table[column] = packet_ids >> 8
            table[column + 1] = packet_ids & 0xFF
        return Batch(memoryview(octets), ends)


def _groups(devices: Int64, at_ms: Int64, seqs: Int64) -> NDArray[np.uint32]:
    """Every number of every message in groups of four digits, a row a message, in the order of `_GROUP`."""
    numbers = np.empty((_GROUPS, len(devices)), np.int64)
    for run, (factor, step) in enumerate(_RUNS):
        numbers[run] = (devices * factor + seqs * step) % 10_000
    for first, last, number in ((4, 7, at_ms), (8, 10, seqs), (11, 12, devices)):
        rest = number
        for group in range(last, first, -1):
            higher = rest // 10_000
            numbers[group] = rest - higher * 10_000
            rest = higher
        numbers[first] = rest
    return np.ascontiguousarray(_DIGITS[numbers].T)


def make_stencil(qos: int) -> Stencil:
    """The stencil of QoS 0 or 1."""
    made = [_encode(form, qos) for form in FORMS]
    return Stencil(
        packets=tuple(packet for packet, *_ in made),
        lengths=np.array([len(packet) for packet, *_ in made]),
        digits=np.array([digits for _, digits, _ in made]),
        packet_id=np.array([packet_id for *_, packet_id in made]),
    )


def _encode(form: Form, qos: int) -> tuple[bytes, list[int], int]:
    """The packet with zeros at its marks, the column of each digit, and the packet id's."""
    topic, payload = form.topic.encode(), form.payload.encode()
    topic_marks, payload_marks = _marks(topic), _marks(payload)
    blank_topic, blank_payload = _blank(topic), _blank(payload)
    packet = publish(blank_topic.decode(), blank_payload, qos)
    topic_at, payload_at = packet.index(blank_topic), len(packet) - len(blank_payload)
    places = [(mark, topic_at + at) for mark, at in topic_marks]
    places += [(mark, payload_at + at) for mark, at in payload_marks]
    return packet, _columns(places), topic_at + len(blank_topic) if qos else -1


def _marks(text: bytes) -> list[tuple[bytes, int]]:
    """Each mark, and where its digits begin once all marks before it are digits."""
    found, moved = [], 0
    for match in _MARK.finditer(text):
        found.append((match[0], match.start() + moved))
        moved += _WIDTH.get(match[0], len(match[0])) - len(match[0])
    return found


def _blank(text: bytes) -> bytes:
    return _MARK.sub(lambda match: b"0" * _WIDTH.get(match[0], len(match[0])), text)


def _columns(places: Sequence[tuple[bytes, int]]) -> list[int]:
    """The column of each of the digits, in groups of four.

    The digits of a group that lie left of their field go to its first digit, which comes later and stands.
    """
    [device_at] = [at for mark, at in places if mark == b"<device>"]
    columns = [device_at + _WIDTH[b"<device>"] - 1] * (4 * _GROUPS)
    runs = iter(range(len(_RUNS)))
    for mark, at in places:
        group = _GROUP[mark] if mark in _GROUP else next(runs)
        width = _WIDTH.get(mark, len(mark))
        whole = -(-width // 4) * 4
        for digit in range(whole):
            columns[4 * group + digit] = at + max(0, digit - (whole - width))
    return columns
