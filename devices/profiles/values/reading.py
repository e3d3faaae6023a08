"""What a raw value of a payload is worth: the only judge of it. Columns of them: `reading_columns`.

The order is that of `language.file.Value`. Bad values are values: NaN with a hard quality flag. Never raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Column, Word, divisor_of, word_of

__all__ = [
    "LARGEST_BITS",
    "NAN",
    "Read",
    "conversion_in_band",
    "divisor_of",
    "number_of",
    "read_value",
    "scaled",
    "sign_of",
]
NAN: Final = float("nan")
LARGEST_BITS: Final = 1 << 53
"""Whole numbers from here on have lost bits as float64."""
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,4})?")
_GLUED: Final = re.compile(
    r"\s{0,8}(?P<number>[-+]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}))"
    r"\s{0,8}(?P<unit>[^\W\d_]{1,8}(?:[/·][^\W\d_]{1,8})?|[%℃]|%RH|°[CF])\s{0,8}"
)
"""A number and its unit in one text: `87 %`, `21.5°C`, `3.2 dB/m`."""
_NOTHING: Final = frozenset({"", "nan", "-nan", "+nan", "null", "none", "inf", "-inf", "+inf"})
"""Texts, in any case, of devices whose measuring failed (chosen; the first two are seen often)."""
_FAULT: Final = (NAN, int(Quality.FAULT))
_MISMATCH: Final = (NAN, int(Quality.TYPE_MISMATCH))
_INCOMPLETE: Final = (NAN, int(Quality.INCOMPLETE))
_SENTINEL: Final = (NAN, int(Quality.SENTINEL))
Read = tuple[float, int]
"""A value in the metric's unit, and its quality bits."""


def read_value(
    column: Column, raw: object, sign: object = MISSING, factor: object = MISSING, unit: object = MISSING
) -> Read:
    """What `raw` says: value (NaN with a hard flag) and quality bits, the column's own included.

    `raw` MISSING is the column's default, and incomplete without one. `sign`, `factor` and `unit` are looked
    at where the column asks for them. null is a fault here; to drop it where `null_is_silence` is the
    caller's.
    """
    kind = type(raw)
    if (kind is float or kind is int) and column.is_bare:  # most readings: a number that is what it says
        read = _bare(column, raw)  # type: ignore[arg-type]
        if read is not None:
            return read
    value, quality = _flag(column, raw) if column.is_flag else _number(column, raw, sign, factor, unit)
    return value, quality | column.quality


def _bare(column: Column, raw: float) -> Read | None:
    """A finite number within its bounds, of a column that only scales it; None where a closer look is
    needed."""
    if not -LARGEST_BITS < raw < LARGEST_BITS or raw < column.broken_below:
        return None
    divisor = column.divisor
    value = (raw / divisor if divisor else raw * column.scale) + column.offset
    return (value, column.quality) if column.low <= value <= column.high and value - value == 0.0 else None


def number_of(raw: object) -> float | None:
    """A number, or text that is one, as float; infinite beyond float64, None for anything else."""
    if type(raw) is float:
        return raw
    if isinstance(raw, str):
        text = raw.strip()
        return float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        return float(raw)
    except OverflowError:
        return math.inf


def _flag(column: Column, raw: object) -> Read:
    if column.const is not None:
        return (column.const, 0) if raw is not None else _FAULT
    if raw is MISSING:
        if column.default is None:
            return _INCOMPLETE
        raw = column.default
    if raw is None:
        return _FAULT
    word = _word(raw)
    if word is None:
        return _MISMATCH
    if word in column.sentinels:
        return _SENTINEL
    value = column.words.get(word)
    if value is None:
        number = number_of(word)
        value = None if number is None or math.isnan(number) else _of_number(column, number)
    if value is None:
        return _failed(column, raw)
    return (1.0 - value if column.invert else value), 0


def _of_number(column: Column, number: float) -> float | None:
    """What a number that is no word says of a flag; None for nothing."""
    if column.bit is not None:
        whole = abs(number) < LARGEST_BITS and number.is_integer()
        return float(int(number) >> column.bit & 1) if whole else None
    return float(number != 0) if column.nonzero else column.words.get(number)


def _word(raw: object) -> Word | None:
    """A value as words are compared; None for what is no value."""
    return word_of(raw) if isinstance(raw, (str, bool, int, float)) else None


def _failed(column: Column, raw: object) -> Read:
    """What is no value of its column: a word of failure, or the wrong type."""
    if isinstance(raw, str) and ((word := raw.strip().lower()) in _NOTHING or word in column.faults):
        return _FAULT
    return _FAULT if isinstance(raw, float) and math.isnan(raw) else _MISMATCH


def _number(column: Column, raw: object, sign: object, factor: object, unit: object) -> Read:
    if column.const is not None:
        return (column.const, 0) if raw is not None else _FAULT
    if raw is MISSING:
        if column.default is None:
            return _INCOMPLETE
        raw = column.default
    if raw is None:
        return _FAULT
    number, glued = None, ""
    if column.words or column.sentinels:
        word = _word(raw)
        if word is not None:
            number = column.words.get(word)
            if (word if number is None else number) in column.sentinels:
                return _SENTINEL
    if number is None:
        number = number_of(raw)
        if number is None and type(raw) is str and (column.glued or column.unit_way is not None):
            number, glued = _unglued(raw)
        if number is None or math.isnan(number):
            return _failed(column, raw)
        if glued:
            if column.unit_way is None and not _is_said(column, glued):
                return _MISMATCH
            unit = glued if unit is MISSING or unit is None or unit == raw else unit
            if column.unit_way is not None and not _agree(column.units, unit, glued):
                return _MISMATCH
        elif column.unit_way is not None and unit == raw:
            unit = MISSING  # where the unit should stand behind the number there is none
        if number in column.sentinels:
            return _SENTINEL
    if not math.isfinite(number):
        return _MISMATCH
    if number < column.broken_below:
        return _FAULT
    return _scaled(column, number, sign, factor, unit)


def glued_unit(raw: object) -> str:
    """The unit behind the number in a text such as `87 %`; empty where there is none."""
    return _unglued(raw)[1] if type(raw) is str and number_of(raw) is None else ""


def _unglued(text: str) -> tuple[float | None, str]:
    """Number and unit of a text such as `21.5 °C`; None and nothing where it is none such."""
    found = _GLUED.fullmatch(text)
    return (number_of(found["number"]), found["unit"]) if found else (None, "")


def _is_said(column: Column, unit: str) -> bool:
    return unit in column.glued or unit.lower() in column.glued


def _agree(units: Mapping[str, tuple[float, float]], said: object, glued: str) -> bool:
    """Whether the unit that stands elsewhere is the one behind the number."""
    conversion = conversion_in_band(units, glued)
    return conversion is not None and conversion == conversion_in_band(units, said)


def _scaled(column: Column, number: float, sign: object, factor: object, unit: object) -> Read:
    divisor = column.divisor
    value = (number / divisor if divisor else number * column.scale) + column.offset
    if column.sign is not None:
        known = sign_of(column.sign.signs, sign)
        if known is None:
            return _INCOMPLETE
        value = abs(value) * known if known else value
    if column.factor is not None:
        times = number_of(factor)
        if times is None or not math.isfinite(times):
            return _INCOMPLETE
        value *= times
    if column.unit_way is not None:
        if unit is MISSING or unit is None or unit == "":
            return _INCOMPLETE
        conversion = conversion_in_band(column.units, unit)
        if conversion is None:
            return _MISMATCH
        value = scaled(value, conversion[0]) + conversion[1]
    if not math.isfinite(value):
        return _MISMATCH
    return value, 0 if column.low <= value <= column.high else int(Quality.OUT_OF_RANGE)


def sign_of(signs: Mapping[Word, float], sign: object) -> float | None:
    """The sign that a word means; None for no such word."""
    word = None if sign is MISSING else _word(sign)
    return None if word is None else signs.get(word)


def conversion_in_band(units: Mapping[str, tuple[float, float]], unit: object) -> tuple[float, float] | None:
    """Scale and offset of a unit as a payload says it: exactly, else in lower case; None where it is none."""
    if not isinstance(unit, str):
        return None
    text = unit.strip()
    return units.get(text) or units.get(text.lower())


def scaled(number: float, scale: float) -> float:
    """`number * scale`; a scale such as 0.1 divides by 10: 237 tenths are 23.7, not 23.700000000000003."""
    divisor = divisor_of(scale)
    return number / divisor if divisor else number * scale
