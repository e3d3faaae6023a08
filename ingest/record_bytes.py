"""A record of the journal as bytes that can be replayed.

Layout, little-endian, padded to 8 bytes so that arrays stay aligned: a fixed header (magic, body length,
CRC-32, seq, tick time), counts, the raw arrays by falling width, and a msgpack tail for what is rare.

Errors:
* RecordDamaged: bytes that are not one whole record.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.model import EngineInput, ReadingBatch
from devices.profiles.profile import Note
from ingest.record import STANDING, Messages, NewSeries, Record, Standing, StrangerTopic

MAGIC: Final = b"GFJ2"
_HEADER: Final = struct.Struct("<4sII4xqq")
_COUNTS: Final = struct.Struct("<IIIIqq")
HEADER_BYTES: Final = _HEADER.size
_SHED: Final = 1
"""Bit of the flags, which records of an earlier release have as 0."""
_CHECKED_FROM: Final = 16
"""The checksum covers all bytes from the seq on; magic, length and itself are checked by their use."""
MAX_RECORD_BYTES: Final = 1 << 28
"""A length above 256 MiB is damage, not a record (chosen; a tick of 10,000 messages is below 4 MiB)."""


class RecordDamaged(Exception):
    """The bytes are not one whole record; the text says which check failed."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of a record promise. `size` is the whole record with header and padding."""

    size: int
    seq: int
    tick_us: int


class _Rare(msgspec.Struct, array_like=True, frozen=True):
    inputs: list[EngineInput]
    new_series: list[NewSeries]
    strangers: list[StrangerTopic]
    rejected: dict[str, int]
    freed: list[int] = []  # records of an earlier release end before this
    standing: tuple[bytes, ...] = ()
    source: str = ""
    notes: list[Note] = []
    versions: dict[str, int] = {}


_UNCHANGED: Final = Standing.unchanged()
_COLUMNS_BEFORE: Final = (4, 12)
"""Columns of a standing in records of earlier releases."""
_DTYPES: Final = {name: np.dtype(name) for name in ("<i8", "<f8", "<i4", "<u4", "<u2", "<u1")}
"""Looked up rather than parsed at each array."""
_rare_encoder: Final = msgspec.msgpack.Encoder()
_rare_decoder: Final = msgspec.msgpack.Decoder(_Rare)


def encode_record(record: Record) -> bytes:
    """The record as bytes, a multiple of 8 long. Cost: about a copy of its arrays and one CRC-32."""
    batch, messages = record.batch, record.messages
    rare = _encode_rare(record)
    flags = _SHED if record.shed else 0
    counts = _COUNTS.pack(
        len(batch), len(messages), len(rare), flags, record.rules_version, record.registry_generation
    )
    times = struct.pack("<qq", record.seq, batch.received_us)
    parts = [
        times, counts,
        _raw(batch.observed_us, "<i8"), _raw(batch.value, "<f8"), _raw(messages.seq, "<i8"),
        _raw(batch.slot, "<i4"), _raw(batch.quality, "<u4"),
        _raw(messages.checksum, "<u4"), _raw(messages.device, "<i4"),
        _raw(batch.nudge_ns, "<u2"), _raw(messages.packet_id, "<u2"),
        _raw(messages.proof, "<u1"),
        rare,
    ]  # fmt: skip
    body = b"".join(parts)
    body += b"\0" * (-len(body) % 8)
    head = struct.pack("<4sII4x", MAGIC, len(body) - 16, zlib.crc32(body))
    return head + body


def _encode_rare(record: Record) -> bytes:
    lists = (record.inputs, record.new_series, record.strangers, record.rejected, record.freed)
    learnt = record.notes or record.versions
    if not (any(lists) or len(record.standing.slot) or record.source or learnt):
        return b""
    stands = record.standing
    columns: tuple[NDArray[Any], ...] = stands if len(stands.slot) else ()
    raw = tuple(_raw(column, dtype) for column, dtype in zip(columns, STANDING, strict=False))
    return _rare_encoder.encode(_Rare(*lists, raw, record.source, record.notes, record.versions))


def _raw(array: NDArray[np.generic], dtype: str) -> bytes:
    return np.ascontiguousarray(array, dtype=dtype).tobytes()


def read_header(data: bytes, at: int) -> Header | None:
    """The header at `at`, None where there is none (wrong magic, absurd length, too few bytes)."""
    if len(data) - at < HEADER_BYTES:
        return None
    magic, length, _crc, seq, tick_us = _HEADER.unpack_from(data, at)
    if magic != MAGIC or length > MAX_RECORD_BYTES or length % 8:
        return None
    return Header(HEADER_BYTES + length, seq, tick_us)


def is_whole(data: bytes, at: int, header: Header) -> bool:
    """Whether all bytes that `header` promises stand at `at` with the right checksum."""
    if len(data) - at < header.size:
        return False
    crc: int = _HEADER.unpack_from(data, at)[2]
    return zlib.crc32(memoryview(data)[at + _CHECKED_FROM : at + header.size]) == crc


def decode_record(data: bytes, at: int = 0) -> Record:
    """The record at `at`; its arrays are read-only views into `data`. Raises RecordDamaged."""
    header = read_header(data, at)
    if header is None:
        raise RecordDamaged("no record header here")
    if not is_whole(data, at, header):
        raise RecordDamaged(f"record {header.seq} is torn or its checksum does not match")
    return decode_body(data, at, header)


def decode_body(data: bytes, at: int, header: Header) -> Record:
    """The record at `at` whose header and checksum were looked at already. Raises RecordDamaged."""
    at += HEADER_BYTES
    readings, count, rare_bytes, flags, rules_version, generation = _COUNTS.unpack_from(data, at)
    needed = readings * 26 + count * 19 + rare_bytes + _COUNTS.size
    if needed > header.size - HEADER_BYTES:
        raise RecordDamaged(f"record {header.seq} promises more than it holds")
    cut = _Cutter(data, at + _COUNTS.size)
    observed, value, seq = cut.take("<i8", readings), cut.take("<f8", readings), cut.take("<i8", count)
    slot, quality = cut.take("<i4", readings), cut.take("<u4", readings)
    checksum, device = cut.take("<u4", count), cut.take("<i4", count)
    nudge, packet_id = cut.take("<u2", readings), cut.take("<u2", count)
    proof = cut.take("<u1", count)
    rare = _decode_rare(data[cut.at : cut.at + rare_bytes], header.seq)
    return Record(
        header.seq,
        ReadingBatch(header.tick_us, slot, observed, nudge, value, quality),
        Messages(packet_id, checksum, device, seq, proof),
        rare.inputs,
        rare.new_series,
        rare.strangers,
        rare.rejected,
        rules_version,
        generation,
        rare.freed,
        _decode_standing(rare.standing, header.seq),
        shed=bool(flags & _SHED),
        source=rare.source,
        notes=rare.notes,
        versions=rare.versions,
    )


def _decode_rare(data: bytes, seq: int) -> _Rare:
    if not data:
        return _Rare([], [], [], {})
    try:
        return _rare_decoder.decode(data)
    except msgspec.DecodeError as error:
        raise RecordDamaged(f"record {seq}: {error}") from None


def _decode_standing(raw: tuple[bytes, ...], seq: int) -> Standing:
    if not any(raw):
        return _UNCHANGED
    if len(raw) not in (*_COLUMNS_BEFORE, len(STANDING)):
        raise RecordDamaged(f"record {seq}: what it says of series has {len(raw)} columns")
    try:
        columns: list[NDArray[Any]] = [
            np.frombuffer(one, dtype) for one, dtype in zip(raw, STANDING, strict=False)
        ]
    except ValueError as error:
        raise RecordDamaged(f"record {seq}: {error}") from None
    if len({len(column) for column in columns}) != 1:
        raise RecordDamaged(f"record {seq}: what it says of series differs in length")
    return Standing.of(columns)


class _Cutter:
    """Takes arrays one after the other out of one buffer."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at

    def take(self, dtype: str, count: int) -> NDArray[Any]:
        array: NDArray[Any] = np.frombuffer(self._data, _DTYPES[dtype], count, self.at)
        self.at += array.nbytes
        return array
