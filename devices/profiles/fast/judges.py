"""Judges of one column of a form's readings: its leaves in, value, quality and doubt out. Pure.

`reading` remains the authority: a judge asks it about each different value, or does with a whole column what
it does with one, and calls doubtful what it would have to think about.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64, Quality, UInt32
from devices.profiles.compiling.compiled import MISSING, Column
from devices.profiles.fast.leaves import Columns
from devices.profiles.fast.marked import Marker
from devices.profiles.fast.skeleton import Leaf, Sort, Unfit
from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.text import read_text
from devices.profiles.general.findings import Finding
from devices.profiles.values.reading import conversion_in_band, divisor_of, number_of, read_value, sign_of
from devices.profiles.values.reading_columns import read_column

TEXTS_MAX: Final = 4096
"""Texts of one column whose meaning is remembered; then all are forgotten (chosen)."""
TEXT_LENGTH_MAX: Final = 64
"""Characters of such a text; longer ones are doubtful (chosen: words and numbers)."""
_LINES: Final = r"(?>(?:[-+]?[0-9]{1,40}(?>(?:\.[0-9]{0,40})?)\n)+)"
_NUMBERS: Final = re.compile(_LINES)
_NUMBERS_OF_OCTETS: Final = re.compile(_LINES.encode())
"""Texts that `reading.number_of` takes, but for exponents, a line each."""


class Judged(NamedTuple):
    """A column of readings. `doubt`: those of which nothing is said; None: none."""

    value: Float64
    quality: UInt32
    doubt: Bool | None = None


Judge = Callable[[Columns], Judged]


def judge_of(finding: Finding, leaves: Sequence[Leaf], *, octets: bool) -> Judge:
    """The judge of a finding whose raw value is a marker. Raises Unfit where only single values could be
    judged.

    `octets`: texts are whole payloads, as they came.
    """
    column = finding.column
    leaf = leaves[finding.raw.number]
    changed = column.sign is not None or column.factor is not None or column.unit_way is not None
    if column.const is not None or column.metric.is_flag or not changed:
        return _of_leaf(column, leaf, octets=octets)
    bare = replace(
        column,
        sign=None,
        factor=None,
        unit_way=None,
        units=MappingProxyType({}),
        low=-math.inf,
        high=math.inf,
        quality=0,
    )
    return _Changed(
        column,
        _of_leaf(bare, leaf, octets=octets),
        None if column.sign is None else _signs_of(column, finding.sign, leaves),
        None if column.factor is None else _factors_of(finding.factor, leaves),
        None if column.unit_way is None else _unit_of(column, finding.unit),
    )


def _of_leaf(column: Column, leaf: Leaf, *, octets: bool) -> Judge:
    texts = leaf.sort is Sort.TEXT
    judge = _Texts(column, leaf.number, octets=octets) if texts else _numbers(column, leaf)
    return _known_words(judge) if column.is_life else judge


def _known_words(judge: Judge) -> Judge:
    """The same, doubtful where a life flag says what it has no word for: a person must see such a message."""

    def strict(columns: Columns) -> Judged:
        value, quality, doubt = judge(columns)
        wrong = (quality & np.uint32(Quality.TYPE_MISMATCH)) != 0
        if not wrong.any():
            return Judged(value, quality, doubt)
        return Judged(value, quality, wrong if doubt is None else wrong | doubt)

    return strict


def _numbers(column: Column, leaf: Leaf) -> Judge:
    """Numbers and flags, which `read_column` judges whole columns of."""
    number = leaf.number

    def judge(columns: Columns) -> Judged:
        raw = columns.number(number)
        return Judged(*read_column(column, raw != 0 if leaf.sort is Sort.FLAG else raw))

    return judge


class _Texts:
    """Texts that are numbers, all of them, or words of which most have come before."""

    def __init__(self, column: Column, number: int, *, octets: bool) -> None:
        self._column = column
        self._number = number
        self._octets = octets
        self._known: dict[Any, tuple[float, int] | None] = {}

    def __call__(self, columns: Columns) -> Judged:
        texts = columns.texts[self._number]
        numbers = numbers_of(texts)
        if numbers is not None:
            return Judged(*read_column(self._column, numbers))
        known = self._known
        found = [known[text] if text in known else self._read(text) for text in texts]
        doubt = np.array([one is None for one in found], np.bool_)
        read = [one or (math.nan, 0) for one in found]
        value = np.array([one[0] for one in read], np.float64)
        quality = np.array([one[1] for one in read], np.uint32)
        return Judged(value, quality, doubt if doubt.any() else None)

    def _read(self, text: Any) -> tuple[float, int] | None:  # noqa: ANN401
        """What one text says, None where the general way must say it."""
        if len(text) > TEXT_LENGTH_MAX:
            return None
        try:
            read = read_value(self._column, read_text(text) if self._octets else text)
        except Unreadable:
            read = None
        if self._octets and not text:
            read = None  # an empty payload ends a retained message
        if len(self._known) >= TEXTS_MAX:
            self._known.clear()
        self._known[text] = read
        return read


def numbers_of(texts: Sequence[Any]) -> Float64 | None:
    """The texts, all str or all bytes, as numbers, if every one of them is plainly a number."""
    try:
        if type(texts[0]) is bytes:
            plain = _NUMBERS_OF_OCTETS.fullmatch(b"\n".join((*texts, b""))) is not None
        else:
            plain = _NUMBERS.fullmatch("\n".join((*texts, ""))) is not None
        return np.fromiter(map(float, texts), np.float64, len(texts)) if plain else None
    except (ValueError, IndexError):  # a line break within a text; no text
        return None


@dataclass(frozen=True, slots=True)
class _Changed:
    """A number whose sign, factor or unit stands elsewhere. Doubtful is what has no good value without
    them."""

    column: Column
    bare: Judge
    signs: Callable[[Columns], Float64] | None
    factors: Callable[[Columns], Float64] | None
    unit: tuple[float, float] | None

    def __call__(self, columns: Columns) -> Judged:
        value, quality, _ = self.bare(columns)
        bad = quality != 0
        with np.errstate(all="ignore"):
            if self.signs is not None:
                signs = self.signs(columns)
                value = np.where(signs == 0, value, np.abs(value) * signs)
            if self.factors is not None:
                value = value * self.factors(columns)
            if self.unit is not None:
                scale, offset = self.unit
                divisor = divisor_of(scale)
                value = (value / divisor if divisor else value * scale) + offset
        doubt = bad | ~np.isfinite(value)
        outside = (value < self.column.low) | (value > self.column.high)
        said = np.uint32(self.column.quality) | outside * np.uint32(Quality.OUT_OF_RANGE)
        return Judged(value, said.astype(np.uint32), doubt if doubt.any() else None)


def _signs_of(column: Column, sign: Any, leaves: Sequence[Leaf]) -> Callable[[Columns], Float64]:  # noqa: ANN401
    """What `sign_of` says: 1, -1 or 0; NaN where the sign is not known."""
    assert column.sign is not None
    signs = column.sign.signs
    if type(sign) is not Marker:
        always = sign_of(signs, sign)
        if always is None:
            raise Unfit("a sign that is not known")
        return lambda columns: np.full(columns.count, always)
    known: dict[Any, float] = {}

    def read(columns: Columns) -> Float64:
        raws = columns.raw(leaves[sign.number])
        if len(known) > TEXTS_MAX:
            known.clear()
        for raw in set(raws) - known.keys():
            long = type(raw) is str and len(raw) > TEXT_LENGTH_MAX
            found = None if long else sign_of(signs, raw)
            known[raw] = math.nan if found is None else found
        return np.fromiter(map(known.__getitem__, raws), np.float64, len(raws))

    return read


def _factors_of(factor: Any, leaves: Sequence[Leaf]) -> Callable[[Columns], Float64]:  # noqa: ANN401
    """The factors, NaN where one is none."""
    if type(factor) is not Marker:
        number = number_of(factor)
        if number is None or not math.isfinite(number):
            raise Unfit("no factor")
        return lambda columns: np.full(columns.count, number)
    leaf = leaves[factor.number]
    if leaf.sort is Sort.FLAG:
        raise Unfit("a flag as a factor")
    if leaf.sort is not Sort.TEXT:
        return lambda columns: columns.number(factor.number)

    def factors(columns: Columns) -> Float64:
        texts = columns.texts[factor.number]
        numbers = numbers_of(texts)
        return np.full(len(texts), np.nan) if numbers is None else numbers

    return factors


def _unit_of(column: Column, unit: Any) -> tuple[float, float]:  # noqa: ANN401
    conversion = None if unit is MISSING else conversion_in_band(column.units, unit)
    if conversion is None:
        raise Unfit("no unit")
    return conversion
