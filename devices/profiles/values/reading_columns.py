"""The same judgement as `reading`, for many values of one column at once: equal to it value by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import HARD_QUALITY, Float64, Quality, UInt32
from devices.profiles.compiling.compiled import MISSING, Column, Word, divisor_of
from devices.profiles.values.reading import NAN, number_of, read_value, sign_of


class ReadColumn(NamedTuple):
    """Values of one column in the metric's unit, and their quality bits."""

    value: Float64
    quality: UInt32


def read_column(
    column: Column,
    raw: Sequence[Any] | NDArray[Any],
    sign: Sequence[Any] | None = None,
    factor: Sequence[Any] | NDArray[Any] | None = None,
    unit: Sequence[Any] | None = None,
) -> ReadColumn:
    """What `read_value` says of each of many: an array of float64 or bool, or any sequence.

    Arrays are read as fast as numpy is, texts of numbers slower; with a unit in band each
    value is read alone.
    """
    if column.unit_way is not None or column.const is not None:
        return _one_by_one(column, raw, sign, factor, unit)
    if not isinstance(raw, np.ndarray):
        if (
            column.metric.is_flag
            and len(raw)
            and type(raw[0]) is str
            and all(type(one) is str for one in raw)
        ):
            return _words_once(column, raw)
        numbers = _texts_as_numbers(column, raw)
        if numbers is None:
            return _one_by_one(column, raw, sign, factor, unit)
        raw = numbers
    if raw.dtype.kind == "b" and column.sign is None and column.factor is None:
        return _booleans(column, raw)
    if raw.dtype.kind != "f":
        return _one_by_one(column, raw, sign, factor, unit)
    if column.metric.is_flag:
        return _numbers_once(column, raw)
    return _floats(column, raw, sign, factor)


def _floats(
    column: Column, raw: Float64, sign: Sequence[Any] | None, factor: Sequence[Any] | NDArray[Any] | None
) -> ReadColumn:
    """Numbers without a unit in band."""
    number, sentinel = raw, np.zeros(len(raw), np.bool_)
    if column.words or column.sentinels:
        number, sentinel = _numbers_said(column, raw)
    missing = np.zeros(len(raw), np.bool_)
    with np.errstate(all="ignore"):
        divisor = divisor_of(column.scale)
        value = number / divisor if divisor else number * column.scale
        value = value + column.offset
        if column.sign is not None:
            signs = _signs(column.sign.signs, sign, len(raw))
            missing |= np.isnan(signs)
            value = np.where(signs == 0.0, value, np.abs(value) * signs)
        if column.factor is not None:
            factors = _factors(factor, len(raw))
            missing |= ~np.isfinite(factors)
            value = value * factors
        wrong = ~np.isfinite(value)
        quality = np.zeros(len(raw), np.uint32)
        quality[(value < column.low) | (value > column.high)] = Quality.OUT_OF_RANGE
    quality[wrong] = Quality.TYPE_MISMATCH
    quality[missing] = Quality.INCOMPLETE
    quality[~np.isfinite(number)] = Quality.TYPE_MISMATCH
    quality[np.isnan(number) | (number < column.broken_below)] = Quality.FAULT
    quality[sentinel] = Quality.SENTINEL
    value[(quality & int(HARD_QUALITY)) != 0] = np.nan
    return ReadColumn(value, quality | np.uint32(column.quality))


def _numbers_said(column: Column, raw: Float64) -> tuple[Float64, NDArray[np.bool_]]:
    """The numbers behind words that are numbers, and where a sentinel stands."""
    number = raw.copy()
    for word, said in column.words.items():
        if not isinstance(word, str):
            number[raw == word] = said
    sentinels = np.array([word for word in column.sentinels if not isinstance(word, str)], np.float64)
    return number, np.isin(number, sentinels)


def _booleans(column: Column, raw: NDArray[Any]) -> ReadColumn:
    false, true = read_value(column, False), read_value(column, True)
    return ReadColumn(
        np.where(raw, true[0], false[0]),
        np.where(raw, np.uint32(true[1]), np.uint32(false[1])).astype(np.uint32),
    )


def _texts_as_numbers(column: Column, raw: Sequence[Any]) -> Float64 | None:
    """Texts as the numbers they are; None where one is not, or could be a word."""
    if any(isinstance(word, str) for word in (*column.words, *column.sentinels)):
        return None
    numbers = [number_of(one) if type(one) is str else None for one in raw]
    return None if None in numbers else np.array(numbers, np.float64)


def _signs(known: Mapping[Word, float], sign: Sequence[Any] | None, count: int) -> Float64:
    """The sign of each value, NaN where it is not known."""
    if sign is None:
        return np.full(count, np.nan)
    found = [sign_of(known, one) for one in sign]
    return np.array([NAN if one is None else one for one in found], np.float64)


def _factors(factor: Sequence[Any] | NDArray[Any] | None, count: int) -> Float64:
    """The factor of each value, NaN where it is no number."""
    if factor is None:
        return np.full(count, np.nan)
    if isinstance(factor, np.ndarray):
        if factor.dtype.kind == "f":
            return factor
        factor = factor.tolist()
    found = [number_of(one) for one in factor]
    return np.array([NAN if one is None else one for one in found], np.float64)


def _words_once(column: Column, raw: Sequence[str]) -> ReadColumn:
    """Texts of which there are few different ones."""
    read = {text: read_value(column, text) for text in set(raw)}
    value = np.array([read[text][0] for text in raw], np.float64)
    return ReadColumn(value, np.array([read[text][1] for text in raw], np.uint32))


def _numbers_once(column: Column, raw: Float64) -> ReadColumn:
    """Numbers of which there are few different ones."""
    different, place = np.unique(raw, return_inverse=True)
    read = [read_value(column, number) for number in different.tolist()]
    value = np.array([one[0] for one in read], np.float64)
    quality = np.array([one[1] for one in read], np.uint32)
    return ReadColumn(value[place], quality[place])


def _one_by_one(
    column: Column,
    raw: Sequence[Any] | NDArray[Any],
    sign: Sequence[Any] | None,
    factor: Sequence[Any] | NDArray[Any] | None,
    unit: Sequence[Any] | None,
) -> ReadColumn:
    count = len(raw)
    columns = [
        [MISSING] * count if given is None else given.tolist() if isinstance(given, np.ndarray) else given
        for given in (raw, sign, factor, unit)
    ]
    read = [read_value(column, *values) for values in zip(*columns, strict=True)]
    return ReadColumn(
        np.array([one[0] for one in read], np.float64), np.array([one[1] for one in read], np.uint32)
    )
