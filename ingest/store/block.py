"""One block of the embedded store: some thousand points of neighbouring series as bytes.

Points stand by series, then time. Each column takes the smallest width that holds it exactly: times as steps
in their own unit (milliseconds where all are whole ones), values as whole numbers of a decimal place where
every one of them is exactly that, else as float64. What is read is exactly what was written, but that -0.0
may become 0.0 and any NaN is as good as another.

Layout, little-endian: a header (magic, CRC-32 of all that follows, counts, bases, one type code per column),
then the columns.

Errors:
* BlockDamaged: bytes that are not one whole block.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Float64, Int32, Int64
from ingest.store.points import Points

_HEAD: Final = struct.Struct("<4sI")
_REST: Final = struct.Struct("<IIqqqqqB7s")
MAGIC: Final = b"GFB1"
_CODES: Final = {0: b"-", 1: b"1", 2: b"2", 4: b"4", 8: b"8"}
_WIDTHS: Final = {code[0]: width for width, code in _CODES.items()}
_RAW: Final = b"d"[0]
_DECIMALS: Final = tuple(10.0**places for places in range(7))
_AS_IS: Final = 0x40
_UNKNOWN: Final = 0x80
"""Beside the decimal places: values as float64; the largest number stands for NaN."""
_PROBED: Final = 64
"""How many values are looked at to guess the decimal places (chosen); all are verified afterwards."""
_NONE: Final = np.empty(0, np.int64)
Column = NDArray[Any]


class BlockDamaged(Exception):
    """The bytes are not one whole block; the text says which check failed."""


def encode_block(points: Points) -> bytes:
    """At least one point, in order of series and time, as bytes."""
    first = np.ones(len(points), np.bool_)
    np.not_equal(points.slot[1:], points.slot[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    counts = np.empty_like(starts)
    counts[:-1] = starts[1:] - starts[:-1]
    counts[-1] = len(points) - starts[-1]
    times, rests, unit = _split_times(points.ts_ns)
    firsts = times[starts]
    base = int(firsts.min())
    steps = (times[1:] - times[:-1])[~first[1:]]
    scale, value_base, values = _encode_values(points.value)
    slots = points.slot[starts].astype(np.int64)
    lowest, highest = int(points.quality.min()), int(points.quality.max())
    packed = [
        _packed(slots - slots[0]),
        _packed(counts - 1),
        _packed(firsts - base),
        _packed(steps),
        _packed(rests),
        values if values.dtype == np.float64 else _packed(values),
        _packed(points.quality - np.uint32(lowest)) if highest > lowest else _NONE,
    ]
    codes = bytes(_code(column) for column in packed)
    rest = _REST.pack(
        len(points), len(starts), int(slots[0]), base, unit, value_base, lowest, scale, codes
    ) + b"".join(column.tobytes() for column in packed)
    return _HEAD.pack(MAGIC, zlib.crc32(rest)) + rest


def decode_block(body: bytes) -> Points:
    """All points of a block. Raises BlockDamaged."""
    if len(body) < _HEAD.size + _REST.size or body[:4] != MAGIC:
        raise BlockDamaged("no block header")
    if zlib.crc32(memoryview(body)[_HEAD.size :]) != _HEAD.unpack_from(body)[1]:
        raise BlockDamaged("the checksum does not match")
    n, series, slot_base, base, unit, value_base, lowest, scale, codes = _REST.unpack_from(body, _HEAD.size)
    cut = _Cutter(body, codes)
    slots, counts, firsts = cut.take(series), cut.take(series), cut.take(series)
    counts = counts.astype(np.int64) + 1
    steps, rests, values, quality = cut.take(n - series), cut.take(n), cut.take(n), cut.take(n)
    times = _times(firsts.astype(np.int64) + base, steps, counts, n)
    times *= unit * 1000
    if rests.any():
        times += rests
    return Points(
        np.repeat((slots.astype(np.int64) + slot_base).astype(np.int32), counts),
        times,
        _decode_values(values, scale, value_base),
        quality + np.uint32(lowest),
    )


def _split_times(ts_ns: Int64) -> tuple[Int64, Column, int]:
    """Whole units, the nanoseconds beside a microsecond, and the unit in microseconds."""
    if not (ts_ns[:_PROBED] % 1_000_000).any():
        times_ms = ts_ns // 1_000_000
        if (times_ms * 1_000_000 == ts_ns).all():
            return times_ms, _NONE, 1000
    times_us = ts_ns // 1000
    return times_us, ts_ns - times_us * 1000, 1


def _times(firsts: Int64, steps: Column, counts: Int64, n: int) -> Int64:
    """Each series begins at its first time and goes on by its steps."""
    if n == len(counts):
        return firsts
    starts = np.cumsum(counts) - counts
    inner = np.ones(n, np.bool_)
    inner[starts] = False
    walked = np.zeros(n, np.int64)
    walked[inner] = steps
    np.cumsum(walked, out=walked)
    found: Int64 = walked + np.repeat(firsts - walked[starts], counts)
    return found


def _encode_values(value: Float64) -> tuple[int, int, Column]:
    """Decimal places, smallest number, numbers from it on (NaN: one beyond the largest); or as they are."""
    for places, scale in enumerate(_DECIMALS):
        if _whole(value[:_PROBED], scale) is not None and (numbers := _whole(value, scale)) is not None:
            least = numbers.min()
            return places, int(least), (numbers - least).view(np.uint32)
    unknown = np.isnan(value)
    if not unknown.any():
        return _AS_IS, 0, value
    code, least, column = (0, 0, _NONE) if unknown.all() else _encode_values(value[~unknown])
    most = int(column.max()) + 1 if len(column) and not code & _AS_IS else 0
    if code & _AS_IS or most >= 1 << 32:
        return _AS_IS, 0, value
    found = np.full(len(value), most, np.uint32)
    found[~unknown] = column
    return code | _UNKNOWN, least, found


def _whole(value: Float64, scale: float) -> Int32 | None:
    """The whole numbers that give exactly these values when divided by `scale`."""
    with np.errstate(all="ignore"):
        numbers = np.rint(value * scale).astype(np.int32)  # what does not fit differs on the way back
    return numbers if (numbers / scale == value).all() else None


def _decode_values(values: Column, scale: int, base: int) -> Float64:
    if scale & _AS_IS:
        return values.astype(np.float64)
    found: Float64 = values + np.float64(base)  # exact: below 2**53
    if scale & 0x0F:
        found /= _DECIMALS[scale & 0x0F]
    if scale & _UNKNOWN:
        found[values == values.max()] = np.nan
    return found


def _packed(column: Column) -> Column:
    """The same numbers, none negative, in the smallest width; nothing at all where all are 0."""
    most = int(column.max()) if len(column) else 0
    if not most:
        return column[:0]
    width = 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4 if most < 1 << 32 else 8
    return column.astype(f"<u{width}")


def _code(column: Column) -> int:
    if column.dtype == np.float64:
        return _RAW
    return _CODES[column.itemsize if len(column) else 0][0]


class _Cutter:
    """Takes columns one after the other out of a block's bytes."""

    def __init__(self, body: bytes, codes: bytes) -> None:
        self._body = body
        self._codes = iter(codes)
        self._at = _HEAD.size + _REST.size

    def take(self, count: int) -> Column:
        code = next(self._codes)
        if code != _RAW and not _WIDTHS[code]:
            return np.zeros(count, np.uint8)
        dtype = np.dtype("<f8") if code == _RAW else np.dtype(f"<u{_WIDTHS[code]}")
        column: Column = np.frombuffer(self._body, dtype, count, self._at)
        self._at += column.nbytes
        return column
