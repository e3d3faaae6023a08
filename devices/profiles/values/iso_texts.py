"""ISO 8601 texts of one form, many at once: `2026-01-31T12:00:00.123456789+08:00` as columns of digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int64

_FORM: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?P<fraction>\.[0-9]{1,9})?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_SEPARATORS: Final = ((4, b"-"), (7, b"-"), (13, b":"), (16, b":"))
_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_DAYS_TO_1970: Final = 719_468
"""From 0000-03-01, on which days are counted so that leap days come last."""
_Rows = NDArray[np.uint8]
"""A text in each row, its octets in the columns."""


def instants(texts: Sequence[str]) -> tuple[Int64, bool]:
    """µs since 1970 of each text, and whether that is local time because the texts name no zone.

    0 where a text is not of the first one's form or no time; all 0 where that form is not the usual one.
    Digits of fractions beyond µs are cut off, as `datetime.fromisoformat` does.
    """
    form, length = _FORM.fullmatch(texts[0]), len(texts[0])
    joined = "".join(texts)
    if form is None or not joined.isascii() or any(len(text) != length for text in texts):
        return np.zeros(len(texts), np.int64), False
    rows = np.frombuffer(joined.encode(), np.uint8).reshape(-1, length)
    fraction, zone = form["fraction"] or "", form["zone"] or ""
    digits = [n for n, sign in enumerate(texts[0]) if sign.isdigit()]
    good = (rows[:, digits] - 48 <= 9).all(axis=1)
    for at, sign in _SEPARATORS:
        good &= rows[:, at] == sign[0]
    good &= (rows[:, 10] == ord("T")) | (rows[:, 10] == ord(" "))
    if fraction:
        good &= rows[:, 19] == ord(".")
    us, sane = _local_us(rows, fraction)
    good &= sane
    if zone:
        ahead_us, sane = _ahead_us(rows, zone)
        us -= ahead_us
        good &= sane
    return np.where(good, us, 0), not zone


def _local_us(rows: _Rows, fraction: str) -> tuple[Int64, NDArray[np.bool_]]:
    year, month, day = (_number(rows, at, at + width) for at, width in ((0, 4), (5, 2), (8, 2)))
    hour, minute, second = (_number(rows, at, at + 2) for at in (11, 14, 17))
    leap = (month == 2) & (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    sane = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    sane &= (hour <= 23) & (minute <= 59) & (second <= 59)
    sane &= day <= _DAYS[np.clip(month, 0, 12)] + leap
    us = (((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000
    if fraction:
        width = min(6, len(fraction) - 1)
        us += _number(rows, 20, 20 + width) * 10 ** (6 - width)
    return us, sane


def _ahead_us(rows: _Rows, zone: str) -> tuple[Int64, NDArray[np.bool_]]:
    """How far each text's zone is ahead of UTC."""
    if zone == "Z":
        return np.zeros(len(rows), np.int64), rows[:, -1] == ord("Z")
    sign = rows[:, -6]
    hours, minutes = _number(rows, -5, -3), _number(rows, -2, rows.shape[1])
    sane = ((sign == ord("+")) | (sign == ord("-"))) & (rows[:, -3] == ord(":"))
    sane &= (hours <= 23) & (minutes <= 59)
    return np.where(sign == ord("-"), -1, 1) * (hours * 60 + minutes) * 60_000_000, sane


def _number(rows: _Rows, start: int, end: int) -> Int64:
    digits = rows[:, start:end].astype(np.int64) - 48
    found: Int64 = digits @ (10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))
    return found


def _days(year: Int64, month: Int64, day: Int64) -> Int64:
    """Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March."""
    year = year - (month <= 2)
    era, of_era = np.divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days: Int64 = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _DAYS_TO_1970
    return days
