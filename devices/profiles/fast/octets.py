"""Sparkplug messages of one form: protobuf octets, of which all but values, times and numbers are the same.

A form is the octets of a message that was understood, with gaps: integers, floating-point numbers and flags
stand in gaps, all else (names, aliases, types, properties, fields nobody knows) must be as it was to the
octet. Many messages are gone through side by side, a cursor each, so a part costs some steps in numpy however
many there are. What a message says beyond that, it says to the general way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int64
from devices.profiles.fast.leaves import Columns
from devices.profiles.fast.octet_parts import LONGEST_VARINT, MOST_64, MOST_TIME, Part, Wire, drawn
from devices.profiles.fast.skeleton import Skeleton, Sort, Unfit

FEW: Final = 4
"""Fewer messages than this cost less the general way, each by itself (measured: the steps of a form cost as
much as 4 to 8 messages)."""


def octets_form(payload: bytes, tree: Any, skeleton: Skeleton) -> OctetsReader:  # noqa: ANN401
    """The reader of messages like this one, which means `tree` and has that skeleton. Raises Unfit."""
    parts, always = drawn(payload, tree, skeleton)
    return OctetsReader(parts, skeleton, always)


@dataclass(frozen=True, slots=True)
class OctetsSaid:
    """Messages that have a form: how many, and the value of each leaf that stands in a gap."""

    count: int
    values: Mapping[int, NDArray[Any]]

    def __len__(self) -> int:
        return self.count


class OctetsReader:
    """As `Reader`. `always` are leaves that are the same in all messages."""

    has_names = False
    few = FEW

    def __init__(self, parts: tuple[Part, ...], skeleton: Skeleton, always: Mapping[int, float]) -> None:
        self.parts = parts
        numeric = [one.number for one in skeleton.leaves if one.sort in (Sort.NUMBER, Sort.FLAG)]
        self.place = {leaf: n for n, leaf in enumerate(numeric)}
        self._whole = [one.number for one in skeleton.leaves if one.sort is Sort.WHOLE]
        self._always = always
        self._must = [
            (self.place[one.number], float(one.must)) for one in skeleton.leaves if one.must is not None
        ]
        if len(numeric) + len(self._whole) != len(skeleton.leaves):
            raise Unfit("a text is read")

    @property
    def same(self) -> tuple[Any, ...]:
        """Equal for forms that read alike."""
        return self.parts, tuple(self._always.items())

    def said(self, payloads: Sequence[bytes]) -> tuple[OctetsSaid, list[int]]:
        """As `Reader.said`."""
        reading = _Cursors(payloads)
        values: dict[int, NDArray[Any]] = {}
        for part in self.parts:
            value = reading.take(part)
            if value is not None and part.leaf >= 0:
                values[part.leaf] = value
        fits = reading.finished()
        if fits.all():
            return OctetsSaid(len(payloads), values), []
        kept = {leaf: value[fits] for leaf, value in values.items()}
        return OctetsSaid(int(fits.sum()), kept), np.flatnonzero(~fits).tolist()

    def columns(self, said: OctetsSaid) -> Columns:
        """As `Reader.columns`."""
        numbers = np.empty((said.count, len(self.place)))
        for leaf, n in self.place.items():
            numbers[:, n] = said.values[leaf] if leaf in said.values else self._always[leaf]
        whole = {
            leaf: said.values[leaf].astype(np.int64)
            if leaf in said.values
            else np.full(said.count, int(self._always[leaf]), np.int64)
            for leaf in self._whole
        }
        return Columns(said.count, numbers, self.place, whole, {})

    def names(self, said: OctetsSaid) -> Int64:
        """There are none."""
        return np.zeros(said.count, np.int64)

    def as_it_was(self, columns: Columns) -> Bool | None:
        """As `Reader.as_it_was`."""
        fits = np.ones(columns.count, np.bool_)
        for place, value in self._must:
            fits &= columns.numbers[:, place] == value
        return None if fits.all() else fits


class _Cursors:
    """A place in each of many payloads, and which of them still fit."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        sizes = np.fromiter(map(len, payloads), np.int64, len(payloads))
        self._octets = np.frombuffer(b"".join((*payloads, bytes(16))), np.uint8)
        self._ends = np.cumsum(sizes)
        self._at = self._ends - sizes
        self._fits = np.ones(len(payloads), np.bool_)
        self._open: tuple[NDArray[Any], Int64] | None = None

    def take(self, part: Part) -> NDArray[Any] | None:
        """The values of a part, None where it has none; what does not have it fits no more."""
        wire = part.wire
        if wire is Wire.SAME:
            self._same(part.octets)
            return None
        if wire is Wire.INT:
            return self._signed(self._varint(), part)
        if wire is Wire.FLAG:
            value = self._bytes(1)[:, 0]
            self._fits &= value <= 1
            return value
        if wire in (Wire.FLOAT, Wire.DOUBLE):
            return self._floats(4 if wire is Wire.FLOAT else 8)
        if wire is Wire.OPEN:
            size = self._varint().astype(np.int64)
            self._open = size, self._at.copy()
        elif self._open is not None:
            size, start = self._open
            self._fits &= self._at - start == size
        return None

    def finished(self) -> Bool:
        """Which payloads fit to their end."""
        fits: Bool = self._fits & (self._at == self._ends)
        return fits

    def _bytes(self, count: int) -> NDArray[np.uint8]:
        found = self._octets.take(self._at[:, None] + np.arange(count), mode="clip")
        self._at = self._at + count
        return found

    def _same(self, octets: bytes) -> None:
        self._fits &= (self._bytes(len(octets)) == np.frombuffer(octets, np.uint8)).all(axis=1)

    def _floats(self, size: int) -> NDArray[Any]:
        value = np.ascontiguousarray(self._bytes(size)).view("<f4" if size == 4 else "<f8")[:, 0]
        self._fits &= np.isfinite(value)
        return value.astype(np.float64)

    def _varint(self) -> NDArray[np.uint64]:
        octet = self._octets.take(self._at, mode="clip")
        value = (octet & 0x7F).astype(np.uint64)
        more = octet >= 0x80
        self._at = self._at + 1
        for n in range(1, LONGEST_VARINT):
            if not more.any():
                return value
            octet = np.where(more, self._octets.take(self._at, mode="clip"), 0).astype(np.uint8)
            if n == LONGEST_VARINT - 1:
                self._fits &= octet <= 1  # beyond 64 bits
            value |= (octet & 0x7F).astype(np.uint64) << np.uint64(7 * n)
            self._at = self._at + more
            more = octet >= 0x80
        self._fits &= ~more
        return value

    def _signed(self, value: NDArray[np.uint64], part: Part) -> NDArray[Any]:
        """A value as its type says it."""
        if part.most < MOST_64:
            self._fits &= value <= np.uint64(part.most)
        if part.leaf >= 0 and part.most == MOST_TIME:
            self._fits &= value > 0  # a time of 0 is none
        if not part.bits:
            return value
        if part.bits < 64:
            low = value & np.uint64((1 << part.bits) - 1)
            half = np.uint64(1 << (part.bits - 1))
            return (low ^ half).astype(np.int64) - np.int64(1 << (part.bits - 1))
        return value.view(np.int64)
