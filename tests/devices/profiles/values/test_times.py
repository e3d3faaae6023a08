from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.compiling.compiled import Clock
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.language.file import Message, ProfileFile
from devices.profiles.language.meaning import Time
from devices.profiles.values.times import NONSENSE_US, read_time, read_times

NOON_US = 1_767_268_800_000_000
"""2026-01-01T12:00:00Z."""


def clock(*times: Time, tz: str = "", site: str = "Asia/Shanghai") -> Clock:
    message = Message("m", topics=["t"], time=list(times), values={"v": "current"})
    return compile_profile(ProfileFile("p", tz=tz, message=[message]), site_tz=site).kinds[0].clocks[0]


def time(format: str, **more: Any) -> Clock:
    return clock(Time("at", format, **more))


@pytest.mark.parametrize(
    ("format", "raw", "us"),
    [
        ("s", 1767268800, 0),
        ("s", 1767268800.25, 250_000),
        ("s", "1767268800.25", 250_000),
        ("ms", 1767268800123, 123_000),
        ("ms", "1767268800123", 123_000),
        ("us", 1767268800000001, 1),
        ("iso", "2026-01-01T12:00:00Z", 0),
        ("iso", "2026-01-01T12:00:00.123456789Z", 123_456),
        ("iso", "2026-01-01T20:00:00.1+08:00", 100_000),
        ("iso", "2026-01-01 20:00:00+0800", 0),
        ("iso", "20260101T120000Z", 0),
        ("%Y/%m/%d %H:%M:%S %z", "2026/01/01 20:00:00 +0800", 0),
    ],
)
def test_a_time_with_its_zone_is_an_instant(format: str, raw: Any, us: int) -> None:
    assert read_time(time(format), raw) == (NOON_US + us, 0)


@pytest.mark.parametrize("raw", ["2026-01-01T20:00:00", "20260101T200000", " 2026-01-01 20:00:00 "])
def test_a_local_time_is_in_the_sites_zone_and_says_so(raw: str) -> None:
    assert read_time(time("iso"), raw) == (NOON_US, Quality.TZ_ASSUMED)
    assert read_time(clock(Time("at", "iso"), tz="Asia/Shanghai", site="UTC"), raw) == (NOON_US, 0)
    assert read_time(clock(Time("at", "iso", tz="Asia/Shanghai"), tz="UTC"), raw) == (NOON_US, 0)


def test_a_pattern_without_zone_is_local() -> None:
    assert read_time(time("%Y%m%d%H%M%S", tz="Asia/Shanghai"), "20260101200000") == (NOON_US, 0)


@pytest.mark.parametrize("format", ["s", "ms", "us", "iso", "%Y-%m-%d"])
@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        [],
        {},
        "",
        "soon",
        float("nan"),
        float("inf"),
        -1,
        0,
        4.32,
        10**400,
        "9" * 5000,
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_is_no_time_is_nonsense(format: str, raw: Any) -> None:
    assert read_time(time(format), raw) == (NONSENSE_US, 0)


def test_seconds_since_boot_are_nonsense() -> None:
    assert read_time(time("s"), 4.32)[0] == NONSENSE_US
    assert read_time(time("s", earliest="2026-02-01"), 1767268800)[0] == NONSENSE_US


def test_a_second_clock_at_the_same_path_reads_what_the_first_cannot() -> None:
    either = clock(Time("at", "iso"), Time("at", "ms"))
    assert read_time(either, "2026-01-01T12:00:00Z") == (NOON_US, 0)
    assert read_time(either, 1767268800000) == (NOON_US, 0)
    assert read_time(either, "soon") == (NONSENSE_US, 0)


def test_an_hour_that_comes_twice_is_the_first() -> None:
    berlin = clock(Time("at", "iso", tz="Europe/Berlin"))
    assert read_time(berlin, "2025-10-26T02:30:00")[0] == read_time(berlin, "2025-10-26T00:30:00Z")[0]


instants = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01"))
zones = st.sampled_from([None, UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])


def written(instant: datetime, zone: Any, width: int, separator: str, tail: str) -> str:
    text = instant.replace(tzinfo=zone).isoformat(separator, "seconds")
    text, ahead = text[:19], text[19:].replace("+00:00", "Z")
    fraction = f"{instant.microsecond:06}{tail}"[:width]
    return f"{text}.{fraction}{ahead}" if width else text + ahead


texts = st.builds(
    written, instants, zones, st.integers(0, 9), st.sampled_from("T "), st.sampled_from(["000", "999"])
)
alike = st.tuples(zones, st.integers(0, 9), st.lists(instants, min_size=1, max_size=6)).map(
    lambda form: [written(each, form[0], form[1], "T", "123") for each in form[2]]
)


@given(
    st.lists(
        texts
        | st.text(max_size=30)
        | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", fullmatch=True),
        max_size=6,
    )
    | alike
)
@example(["2026-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-00-10T00:00:00Z"])
@example(["2025-10-26T02:30:00", "2025-03-30T02:30:00", "2025-07-01T00:00:00"])
@example(["2026-01-01T12:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T12:00:60Z", "2026_01-01T12:00:00Z"])
def test_texts_together_are_read_as_each_is(raw: list[str]) -> None:
    for one in (time("iso"), time("iso", tz="Europe/Berlin"), clock(Time("at", "iso"), Time("at", "ms"))):
        us, quality = read_times(one, raw)
        assert list(zip(us.tolist(), quality.tolist(), strict=True)) == [read_time(one, each) for each in raw]


@given(
    st.sampled_from(["s", "ms", "us", "iso"]),
    st.lists(st.floats() | st.integers(-(2**53), 2**53).map(float) | st.floats(1e9, 2e9), max_size=5),
)
def test_numbers_together_are_read_as_each_is(format: str, raw: list[float]) -> None:
    for one in (time(format), clock(Time("at", format), Time("at", "ms"))):
        us, quality = read_times(one, np.array(raw, np.float64))
        assert list(zip(us.tolist(), quality.tolist(), strict=True)) == [read_time(one, each) for each in raw]


@given(st.sampled_from(["s", "ms", "us"]), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5))
def test_whole_numbers_together_are_read_as_each_is(format: str, raw: list[int]) -> None:
    us, quality = read_times(time(format), np.array(raw, np.int64))
    assert list(zip(us.tolist(), quality.tolist(), strict=True)) == [
        read_time(time(format), each) for each in raw
    ]


@given(
    st.sampled_from(["s", "iso", "%Y%m%d%H%M%S"]),
    st.lists(st.text() | st.floats() | st.none() | st.booleans()),
)
def test_anything_together_is_read_as_each_is(format: str, raw: list[Any]) -> None:
    us, quality = read_times(time(format), raw)
    assert list(zip(us.tolist(), quality.tolist(), strict=True)) == [
        read_time(time(format), each) for each in raw
    ]
