"""The site's calendar against the zone database it is made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu.local_time import calendar_of
from rules.calendar import Calendar
from rules.engine import CHINA

ZONES = ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
FIRST, LAST = EPOCH.replace(year=2000), EPOCH.replace(year=2099, month=12)


def wall_us(at: datetime, timezone: str) -> int:
    """Local wall time in µs since 1970-01-01 00:00 of the same clock, by the zone database."""
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return (local - EPOCH) // timedelta(microseconds=1)


def told(calendar: Calendar, at: datetime) -> int:
    return int(calendar.local_us(np.array([(at - EPOCH) // timedelta(microseconds=1)], np.int64))[0])


@pytest.mark.parametrize("timezone", ZONES)
@given(at=st.datetimes(FIRST, LAST))
def test_local_time_is_that_of_the_zone(timezone: str, at: datetime) -> None:
    assert told(calendar_of(timezone), at) == wall_us(at, timezone)


@pytest.mark.parametrize("timezone", ZONES[1:])
def test_it_changes_at_the_very_second(timezone: str) -> None:
    calendar = calendar_of(timezone)
    assert len(calendar.from_us) == 201, "a hundred years of two changes, and what held before"
    for moment in calendar.from_us[1:].tolist():
        for shift in (-1, 0):
            at = EPOCH + timedelta(microseconds=moment + shift)
            assert told(calendar, at) == wall_us(at, timezone)


@pytest.mark.parametrize("timezone", ["Asia/Shanghai", "UTC", "Asia/Urumqi", "Etc/GMT-8"])
def test_a_zone_without_summer_time_is_one_entry(timezone: str) -> None:
    assert len(calendar_of(timezone).from_us) == 1


def test_the_default_of_the_rules_is_the_default_of_the_configuration() -> None:
    assert calendar_of("Asia/Shanghai").offset_us.tolist() == CHINA.offset_us.tolist()


def test_half_an_hour_of_summer_time_is_told_as_such() -> None:
    steps = np.unique(np.abs(np.diff(calendar_of("Australia/Lord_Howe").offset_us)))
    assert steps.tolist() == [1_800_000_000]
