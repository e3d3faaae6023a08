"""Records: what goes in comes out, and damage is noticed."""

from __future__ import annotations

import dataclasses
import struct
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, ReadingBatch
from devices.profiles.profile import Note
from ingest.record import STANDING, Messages, NewSeries, Proof, Record, Standing, StrangerTopic
from ingest.record_bytes import HEADER_BYTES, MAGIC, RecordDamaged, decode_record, encode_record

I64 = st.integers(-(2**63), 2**63 - 1)
I32 = st.integers(-(2**31), 2**31 - 1)
U32 = st.integers(0, 2**32 - 1)
U16 = st.integers(0, 2**16 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
READINGS = st.lists(st.tuples(I32, I64, U16, st.floats(), U32), max_size=20)
MESSAGES = st.lists(st.tuples(U16, U32, I32, I64, st.sampled_from(Proof)), max_size=20)
INPUTS = st.lists(
    st.builds(EngineInput, I64, I64, st.sampled_from(InputKind), TEXT, I32, I32, I64), max_size=3
)
F32 = st.floats(width=32)
U8 = st.integers(0, 255)
STANDS = st.tuples(I32, I32, I32, st.floats(), I32, I32, I32, I32, F32, F32, U8, U8, U8)


@st.composite
def records(draw: st.DrawFn) -> Record:
    readings, messages = draw(READINGS), draw(MESSAGES)
    columns = list(zip(*readings, strict=True)) or [()] * 5
    slot, at, nudge, value, quality = columns
    batch = ReadingBatch(
        draw(I64),
        np.array(slot, np.int32),
        np.array(at, np.int64),
        np.array(nudge, np.uint16),
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )
    packet_id, checksum, device, seq, proof = list(zip(*messages, strict=True)) or [()] * 5
    sent = Messages(
        np.array(packet_id, np.uint16),
        np.array(checksum, np.uint32),
        np.array(device, np.int32),
        np.array(seq, np.int64),
        np.array(proof, np.uint8),
    )
    return Record(
        draw(I64),
        batch,
        sent,
        draw(INPUTS),
        draw(st.lists(st.builds(NewSeries, I32, TEXT, TEXT, st.integers(1, 63)), max_size=3)),
        draw(st.lists(st.builds(StrangerTopic, I32, TEXT), max_size=3)),
        draw(st.dictionaries(TEXT, st.integers(0, 2**31), max_size=3)),
        draw(I64),
        draw(I64),
        draw(st.lists(I32, max_size=3)),
        standing(draw(st.lists(STANDS, max_size=5))),
        source=draw(st.sampled_from(["", "north"])),
        notes=draw(st.lists(st.builds(Note, TEXT, TEXT, TEXT, TEXT), max_size=3)),
        versions=draw(st.dictionaries(TEXT, st.integers(1, 2**31), max_size=3)),
    )


def standing(rows: list[tuple[float, ...]]) -> Standing:
    columns = list(zip(*rows, strict=True)) or [()] * len(STANDING)
    return Standing(*(np.array(one, kind) for one, kind in zip(columns, STANDING, strict=True)))


def plain(record: Record) -> object:
    """The record with arrays as bytes, so that NaN equals itself."""

    def flat(value: object) -> object:
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.tobytes()
        return value

    def fields(value: object) -> list[object]:
        assert dataclasses.is_dataclass(value)
        return [flat(getattr(value, field.name)) for field in dataclasses.fields(value)]

    stands = [flat(column) for column in record.standing]
    flat_already = ("batch", "messages", "standing")
    rest = [getattr(record, one.name) for one in dataclasses.fields(record) if one.name not in flat_already]
    return fields(record.batch), fields(record.messages), *rest, stands


@given(records())
def test_a_record_comes_back_as_it_went_in(record: Record) -> None:
    data = encode_record(record)
    assert len(data) % 8 == 0
    assert plain(decode_record(data)) == plain(record)


@given(records())
def test_a_record_of_a_release_that_knew_no_notes_is_read(record: Record) -> None:
    """The rare part of such a record ends before them."""
    before = dataclasses.replace(record, notes=[], versions={})
    older = rewritten(before, lambda words: words[:-2])
    assert plain(decode_record(older)) == plain(before)


@given(records())
def test_of_a_record_that_knew_four_facts_of_a_series_all_else_is_unknown(record: Record) -> None:
    """As records were before there were stairs, areas and gateways in them: with empty columns, too."""

    def four(words: list[Any]) -> list[Any]:
        words[STANDING_AT] = [*words[STANDING_AT], b"", b"", b"", b""][:4]
        return words

    read = decode_record(rewritten(record, four))
    stood, stands = record.standing, read.standing
    for name in ("slot", "device", "dwelling", "reference_a"):
        assert getattr(stands, name).tobytes() == getattr(stood, name).tobytes()
    n = len(stood.slot)
    assert [column.dtype.str for column in stands] == [np.dtype(kind).str for kind in STANDING]
    for name in ("stair", "building", "area", "parent", "insulation", "earthing", "kind"):
        assert getattr(stands, name).tolist() == [0] * n
    assert np.isnan(stands.breaker_a).all()
    assert np.isnan(stands.silence_s).all()
    assert len(stands.silence_s) == n
    rest = dataclasses.replace(read, standing=stood)
    assert plain(rest) == plain(record)


@given(records())
def test_of_a_record_that_knew_no_kinds_of_devices_they_are_unknown(record: Record) -> None:
    def without(words: list[Any]) -> list[Any]:
        words[STANDING_AT] = words[STANDING_AT][:12]
        return words

    read = decode_record(rewritten(record, without))
    nothing = np.zeros(len(record.standing.slot), np.uint8)
    expected = dataclasses.replace(record, standing=record.standing._replace(kind=nothing))
    assert plain(read) == plain(expected)


@pytest.mark.parametrize("columns", [1, 3, 5, 11, 14])
def test_a_standing_of_any_other_width_is_damage(columns: int) -> None:
    record = dataclasses.replace(empty(), standing=standing([(1,) * len(STANDING)]))

    def other(words: list[Any]) -> list[Any]:
        words[STANDING_AT] = [b"\0" * 4] * columns
        return words

    with pytest.raises(RecordDamaged, match=rf"{columns} columns"):
        decode_record(rewritten(record, other))


def empty() -> Record:
    return Record(1, ReadingBatch.empty(1), Messages.empty(), [], [], [], {}, 0, 0)


STANDING_AT = 5
"""The place of the standing in the rare part."""


def rewritten(record: Record, change: Callable[[list[Any]], list[Any]]) -> bytes:
    """The record with another rare part, whole in all else; as it is where it has none."""
    data = encode_record(record)
    at, counts = HEADER_BYTES, struct.Struct("<IIIIqq")
    readings, messages, rare, *rest = counts.unpack_from(data, at)
    if not rare:
        return data
    start = at + counts.size + 26 * readings + 19 * messages
    words = msgspec.msgpack.decode(data[start : start + rare])
    older = msgspec.msgpack.encode(change(words))
    body = struct.pack("<qq", record.seq, record.tick_us)
    body += counts.pack(readings, messages, len(older), *rest) + data[at + counts.size : start] + older
    body += b"\0" * (-len(body) % 8)
    head = struct.pack("<4sII4x", MAGIC, len(body) - 16, zlib.crc32(body))
    return head + body


@given(records(), st.data())
def test_a_cut_record_is_never_taken_for_a_whole_one(record: Record, data: st.DataObject) -> None:
    encoded = encode_record(record)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(RecordDamaged):
        decode_record(encoded[:cut])


@given(records(), st.data())
def test_a_flipped_bit_is_noticed(record: Record, data: st.DataObject) -> None:
    encoded = bytearray(encode_record(record))
    padding = range(12, 16)  # the only bytes that mean nothing
    at = data.draw(st.integers(0, len(encoded) - 1).filter(lambda i: i not in padding))
    encoded[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RecordDamaged):
        decode_record(bytes(encoded))


def test_an_input_of_a_release_that_knew_no_begin_of_an_absence_has_none() -> None:
    given = EngineInput(0, 7, InputKind.RETURNED, "", 0, 0, 5)
    fields = msgspec.to_builtins(given)
    assert msgspec.convert(fields, EngineInput) == given
    del fields["from_us"]
    assert msgspec.convert(fields, EngineInput) == dataclasses.replace(given, from_us=0)
