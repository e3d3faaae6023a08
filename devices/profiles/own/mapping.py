"""A flat mapping, compiled: a vendor's key → metric, channel, scale and kind, for whole ticks at once.

What a key means is said once, in a `Field`. `FlatMapping` turns fields into columns of arrays, so that
judging a tick's values costs a handful of numpy calls and two look-ups per value, whatever their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import compress
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import LIFE_FLAGS, Bool, Float64, Metric, Quality, UInt32

Columns = NDArray[np.intp]
"""Numbers of fields, one per value; 0 is a key that the mapping does not know."""


class Kind(IntEnum):
    """What values a field takes. A number with boolean value, or the reverse, is a type mismatch."""

    NUMBER = 0
    FLAG = 1
    """true, false, 1 or 0."""
    BITS = 2
    """true, false, or a bit field in which any set bit means true."""
    LIFE = 3
    """true, false, any number but 0 as true, or one of `WORDS`: a fire is not lost to a spelling."""


TRUE_WORDS: Final = frozenset(
    {
        *("true", "on", "1", "yes", "active", "triggered", "detected", "smoke detected", "fire detected"),
        *("alarm", "alarming", "alarmed", "alert", "fire", "fire alarm", "smoke", "smoke alarm"),
        *("报警", "告警", "火警", "火灾", "着火", "有烟", "烟雾报警"),
    }
)
"""Texts by which a life flag says an alarm, in any case (chosen: such as say it plainly). What is none of
`WORDS` is no value and refuses the message: `no smoke` is not said by `smoke`, nor `no fire` by `fire`."""
WORDS: Final = dict.fromkeys(sorted(TRUE_WORDS), 1.0) | dict.fromkeys(
    ("false", "off", "0", "normal", "no alarm", "cleared", "clear", "none", "ok", "no", "正常", "无烟"), 0.0
)
"""Texts that a life flag takes, in any case; seen from gateways that send every value as text (chosen)."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one key means.

    `channel` is empty where the value belongs to the channel it was reported under. `scale` turns the
    vendor's unit into the canonical one. Life flags are of the kind LIFE whatever `kind` says, so that no
    profile can forget it. Values equal to one of `sentinels` (vendor's unit) mean "nothing
    measured". `null_is_silence` drops null, which otherwise says that measuring failed. Values outside
    `low` … `high` (canonical unit) are kept and flagged.
    """

    key: str
    metric: Metric
    channel: str = ""
    scale: float = 1.0
    kind: Kind = Kind.NUMBER
    sentinels: tuple[float, ...] = ()
    null_is_silence: bool = False
    low: float = -np.inf
    high: float = np.inf


class Judged(NamedTuple):
    """Values of known keys: canonical `value` (NaN with a hard flag), `quality`, and which to keep."""

    value: Float64
    quality: UInt32
    keep: Bool

    def at(self, n: int) -> tuple[float, int]:
        """Value and quality of one reading, for the few that leave the arrays."""
        return float(self.value[n]), int(self.quality[n])


class FlatMapping:
    """Fields compiled for whole ticks. `channels` are the names behind the numbers in `channel_number`."""

    def __init__(self, fields: Sequence[Field]) -> None:
        known = [Field("", Metric.DEVICE_ALARM), *fields]  # column 0 stands for keys nobody knows
        self.channels = tuple(dict.fromkeys(field.channel for field in known))
        self.life_keys = tuple(field.key for field in fields if field.metric in LIFE_FLAGS)
        """The keys of life flags, for `rescue.Rescue`."""
        self.metric = np.array([field.metric for field in known], np.int16)
        self.channel_number = np.array([self.channels.index(field.channel) for field in known], np.intp)
        self._column_of = _ColumnOf({field.key: n for n, field in enumerate(known) if n})
        self._scale = np.array([field.scale for field in known], np.float64)
        self._kind = np.array([_kind(field) for field in known], np.uint8)
        self._silent = np.array([field.null_is_silence for field in known], np.bool_)
        self._low = np.array([field.low for field in known], np.float64)
        self._high = np.array([field.high for field in known], np.float64)
        self._sentinels = _padded([field.sentinels for field in known])
        self._type_of = {field.key: _type_as_is(field) for field in fields}

    def columns(self, keys: Sequence[str]) -> Columns:
        """The column of each key, 0 for unknown ones."""
        return np.fromiter(map(self._column_of.__getitem__, keys), np.intp, len(keys))

    def type_as_is(self, key: str) -> type | None:
        """The type (bool, or float for any number) whose values are canonical as JSON gives them, but for the
        limits; object for a key that means nothing, None where values must be judged one by one."""
        return self._type_of.get(key, object)

    def limits(self, columns: Columns) -> tuple[Float64, Float64] | None:
        """The least and the largest value of each column; None where all are unbounded."""
        low, high = self._low[columns], self._high[columns]
        return None if np.isinf(low).all() and np.isinf(high).all() else (low, high)

    def judge(self, columns: Columns, values: list[Any]) -> Judged:
        """Each value against its (known) column. Never raises, whatever JSON gave."""
        shape = np.fromiter(map(_SHAPES.__getitem__, map(type, values)), np.uint8, len(values))
        null, boolean, other = shape == _NULL, shape == _BOOLEAN, shape == _OTHER
        kind = self._kind[columns]
        if other.any():
            values, other = _read_words(values, other, kind)
        raw = _floats(values, other)
        wrong = other | (boolean & (kind == Kind.NUMBER)) | ((kind == Kind.FLAG) & (raw != 0) & (raw != 1))
        with np.errstate(over="ignore"):
            value = raw * self._scale[columns]
        np.copyto(value, raw != 0, where=kind >= Kind.BITS)
        wrong = (wrong | ~np.isfinite(value)) & ~null
        sentinel = (raw[:, None] == self._sentinels[columns]).any(axis=1)
        outside = (value < self._low[columns]) | (value > self._high[columns])
        quality = (
            null * np.uint32(Quality.FAULT)
            | wrong * np.uint32(Quality.TYPE_MISMATCH)
            | sentinel * np.uint32(Quality.SENTINEL)
            | (outside & ~wrong & ~sentinel) * np.uint32(Quality.OUT_OF_RANGE)
        )
        value[null | wrong | sentinel] = np.nan
        return Judged(value, quality.astype(np.uint32), ~(null & self._silent[columns]))


class _ColumnOf(dict[str, int]):
    """Columns by key; an unknown key is column 0 and is not remembered."""

    def __missing__(self, _key: str) -> int:
        return 0


_NUMBER, _BOOLEAN, _NULL, _OTHER = range(4)
_SHAPES: Final[dict[type, int]] = {
    int: _NUMBER,
    float: _NUMBER,
    bool: _BOOLEAN,
    type(None): _NULL,
    str: _OTHER,
    list: _OTHER,
    dict: _OTHER,
}
"""Everything that JSON can give."""


def _kind(field: Field) -> Kind:
    return Kind.LIFE if field.metric in LIFE_FLAGS else field.kind


def _type_as_is(field: Field) -> type | None:
    if field.scale != 1.0 or field.sentinels:
        return None
    return float if _kind(field) is Kind.NUMBER else bool


def _read_words(values: list[Any], other: Bool, kind: NDArray[np.uint8]) -> tuple[list[Any], Bool]:
    """`values` with the words of life flags as numbers, and what is still no number."""
    values, other = values.copy(), other.copy()
    for n in np.flatnonzero(other & (kind == Kind.LIFE)).tolist():
        text = values[n]
        number = WORDS.get(text.strip().lower()) if type(text) is str else None
        if number is not None:
            values[n], other[n] = number, False
    return values, other


def _floats(values: list[Any], other: Bool) -> Float64:
    """The values as floats: null, and what is no number, as NaN; a number beyond float64 as infinity."""
    if other.any():
        numbers = [None if bad else value for value, bad in zip(values, other.tolist(), strict=True)]
    else:
        numbers = values
    try:
        return np.array(numbers, np.float64)
    except OverflowError:  # an integer of more than 308 digits
        return np.array([_float(number) for number in numbers], np.float64)


def _float(number: float | None) -> float | None:
    try:
        return None if number is None else float(number)
    except OverflowError:
        return float("inf")


def _padded(rows: Sequence[tuple[float, ...]]) -> Float64:
    """Rows of unequal length as one table; NaN, which equals nothing, fills it up."""
    table = np.full((len(rows), max(1, *map(len, rows))), np.nan)
    for n, row in enumerate(rows):
        table[n, : len(row)] = row
    return table


def known_only(known: Bool, values: list[Any]) -> list[Any]:
    """The values whose key is known, in order."""
    return values if known.all() else list(compress(values, known.tolist()))
