"""The site's local time as the numbers that rules count with: an IANA zone to a `rules.calendar.Calendar`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from rules.calendar import Calendar

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""What is looked through for changes of the offset (chosen: all that a reading or a recording can be of)."""
_DAY: Final = timedelta(days=1)
_LEAST: Final = timedelta(seconds=1)
_SECOND_US: Final = 1_000_000


@cache
def calendar_of(timezone: str) -> Calendar:
    """The calendar of an IANA zone, the same object for the same name.

    Exact from 2000 to 2100, as far as two changes are a day apart; before and after, the offset is the
    nearest one. Cost: some 50 ms the first time. Raises zoneinfo.ZoneInfoNotFoundError or ValueError for
    what is no zone.
    """
    zone = ZoneInfo(timezone)
    moments, day = [FIRST], FIRST
    while day < LAST:
        if _offset(day, zone) != _offset(day + _DAY, zone):
            moments.append(_change(day, day + _DAY, zone))
        day += _DAY
    us = [round(moment.timestamp()) * _SECOND_US for moment in moments]
    offsets = [round(_offset(moment, zone).total_seconds()) * _SECOND_US for moment in moments]
    return Calendar(np.array(us, np.int64), np.array(offsets, np.int64))


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the offset of `after`."""
    old = _offset(before, zone)
    while after - before > _LEAST:
        middle = before + timedelta(seconds=(after - before) // _LEAST // 2)
        if _offset(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
