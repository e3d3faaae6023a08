"""Q1: readings that nobody should judge by, and what the others make of them, which is nothing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, DeviceKind, Metric, Quality, ReadingBatch, SeriesTable, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.engine import Engine
from rules.transition import To
from tests.rules.kernels.test_smoulder import alone, part, restored
from tests.rules.story import Story, us

WARMTH, AMPS, VOLTS, SMOKE, DAMP = range(1, 6)
HOUR, DAY = 3600, 86_400
BAD = [*HARD_QUALITY, Quality.OUT_OF_RANGE, Quality.CLOCK_INVALID, Quality.CLOCK_SKEW]
UNTOLD = [
    Quality.LATE,
    Quality.RETAINED,
    Quality.REPLAYED,
    Quality.BACKFILL,
    Quality.DUPLICATE,
    Quality.STALE,
]
TEXT = """version = 1
[[rule]]
name = "Q1"
kernel = "suspect"
metric = ["temperature", "current"]
severity = "P3"
hold = "15 min"
clear_hold = "1 h"
max_gap = "26 h"
stuck = ["temperature"]
stuck_for = "24 h"
stuck_least = 12
title = { en = "Bad", zh-CN = "坏" }
[rule.source]
hold = "s"
clear_hold = "s"
max_gap = "s"
stuck_for = "s"
stuck_least = "s"
"""


def table() -> SeriesTable:
    metric = [0, Metric.TEMPERATURE, Metric.CURRENT, Metric.VOLTAGE, Metric.SMOKE_ALARM, Metric.HUMIDITY]
    n = len(metric)
    return SeriesTable.plain(
        1, np.array(metric, np.int16), np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.full(n, np.nan)
    )


def story() -> Story:
    return Story(alone("Q1"), table())


def broken(flag: Quality = Quality.SENTINEL) -> Story:
    told = story()
    assert [one for at in range(0, 901, 300) for one in told.read(WARMTH, at, math.nan, flag)] != []
    return told


@pytest.mark.parametrize("flag", BAD)
def test_a_quarter_of_an_hour_of_bad_readings_raises(flag: Quality) -> None:
    told = story()
    value = math.nan if flag in HARD_QUALITY else 20.0
    for at in (0, 300, 899):
        assert told.read(WARMTH, at, value, flag) == []
    (raised,) = told.read(WARMTH, 900, value, flag)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("Q1", To.RAISED, Severity.P3, WARMTH)
    assert raised.why.en.startswith("temperature cannot be trusted: ")
    assert raised.why.en.endswith(", for 15 min") and raised.why.zh_cn.endswith("，持续 15 分钟")


def test_it_says_all_that_is_wrong_with_the_last_reading() -> None:
    told = story()
    told.read(AMPS, 0, math.nan, Quality.SENTINEL)
    (raised,) = told.read(AMPS, 900, math.nan, Quality.SENTINEL | Quality.CLOCK_SKEW)
    said = (
        "current cannot be trusted: the value that stands for a broken sensor, its clock is wrong, for 15 min"
    )
    assert raised.why.en == said
    assert raised.why.zh_cn == "电流数据不可信：传感器故障代码值、设备时钟偏差过大，持续 15 分钟"


def test_a_detector_that_says_nothing_of_smoke_is_told() -> None:
    told = story()
    told.read(SMOKE, 0, math.nan, Quality.FAULT)
    assert [one.rule for one in told.read(SMOKE, DAY, math.nan, Quality.FAULT)] == ["Q1"]


def test_one_good_reading_starts_the_hold_again() -> None:
    told = story()
    told.read(WARMTH, 0, -90, Quality.OUT_OF_RANGE)
    told.read(WARMTH, 600, 20)
    assert told.read(WARMTH, 900, -90, Quality.OUT_OF_RANGE) == []
    assert len(told.read(WARMTH, 1800, -90, Quality.OUT_OF_RANGE)) == 1


@pytest.mark.parametrize("flag", UNTOLD)
def test_readings_that_say_nothing_of_now_are_not_seen(flag: Quality) -> None:
    told = story()
    told.read(WARMTH, 0, math.nan, Quality.FAULT)
    assert told.read(WARMTH, 300, 20, flag) == []
    assert told.read(WARMTH, 5000, math.nan, flag | Quality.FAULT) == []
    assert len(told.read(WARMTH, 5001, math.nan, Quality.FAULT)) == 1


def test_nan_without_a_flag_is_bad_too() -> None:
    told = story()
    told.read(WARMTH, 0, math.nan)
    assert len(told.read(WARMTH, 900, math.nan)) == 1


def test_an_hour_of_good_readings_clears_and_a_bad_one_starts_it_again() -> None:
    told = broken()
    assert [one for n in range(6) for one in told.read(WARMTH, 1200 + 600 * n, 20 + n)] == []
    told.read(WARMTH, 4800, math.nan, Quality.FAULT)
    assert told.read(WARMTH, 4900, 20) == []
    (cleared,) = told.read(WARMTH, 4900 + HOUR, 21)
    assert (cleared.to, cleared.why.en) == (To.CLEARED, "temperature good for 60 min")


def test_a_queued_reading_starts_the_hold_again() -> None:
    told = story()
    told.read(WARMTH, 0, math.nan, Quality.FAULT)
    assert told.read(WARMTH, 900, math.nan, Quality.FAULT | Quality.QUEUED) == []
    assert told.read(WARMTH, 1000, math.nan, Quality.FAULT) == []
    assert len(told.read(WARMTH, 1900, math.nan, Quality.FAULT)) == 1


@pytest.mark.parametrize(("slot", "value"), [(WARMTH, 21.5), (VOLTS, 220.0)])
def test_a_value_that_never_moves_for_a_day_raises(slot: int, value: float) -> None:
    told = story()
    assert told.series(slot, 0, DAY + 600, 300, value) == []
    (raised,) = told.read(slot, DAY + 900, value)
    assert raised.rule == "Q1"
    assert f"the same {value:.{0 if value >= 100 else 1}f} " in raised.why.en
    assert "for 24 h 15 min, for 15 min" in raised.why.en
    assert "24 小时 15 分钟内始终为" in raised.why.zh_cn


@pytest.mark.parametrize(("slot", "value"), [(AMPS, 0.0), (DAMP, 50.0), (SMOKE, 0.0)])
def test_what_may_be_still_never_does(slot: int, value: float) -> None:
    assert story().series(slot, 0, 10 * DAY, 600, value) == []


def test_the_air_of_a_room_may_be_still_and_is_told_where_it_is_broken() -> None:
    other = np.full(len(table()), DeviceKind.OTHER, np.uint8)
    told = Story(alone("Q1"), dataclasses.replace(table(), kind=other))
    assert told.series(WARMTH, 0, 3 * DAY, 600, 21.5) == []
    told.read(WARMTH, 4 * DAY, math.nan, Quality.FAULT)
    assert len(told.read(WARMTH, 4 * DAY + 900, math.nan, Quality.FAULT)) == 1


def test_a_value_that_moves_once_a_day_does_not() -> None:
    told = story()
    for day in range(5):
        assert told.series(WARMTH, day * DAY, day * DAY + DAY - 300, 300, 20.0 + day) == []


def test_a_daily_report_that_is_the_same_twice_does_not() -> None:
    told = story()
    assert [one for day in range(11) for one in told.read(WARMTH, day * DAY, 21.0)] == []
    told.read(WARMTH, 11 * DAY, 21.0)
    assert len(told.read(WARMTH, 12 * DAY, 21.0)) == 1


def test_bad_readings_neither_break_nor_make_a_row_of_equal_ones() -> None:
    told = story()
    for at in range(0, DAY + 601, 300):
        assert told.read(WARMTH, at, 21.5) == []
        if at < DAY:
            assert told.read(WARMTH, at + 1, -90.0, Quality.OUT_OF_RANGE) == []
    assert len(told.read(WARMTH, DAY + 900, 21.5)) == 1


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_who_ends_it_gives_the_value_another_day(act: str) -> None:
    told = story()
    assert len(told.series(VOLTS, 0, DAY + 900, 300, 220.0)) == 1
    acts = {"reset": told.reset, "close": told.close}
    assert [one.to for one in acts[act]("Q1", DAY + 901, VOLTS)] == [To.CLEARED]
    assert told.series(VOLTS, DAY + 1200, 2 * DAY + 1800, 300, 220.0) == []
    assert len(told.series(VOLTS, 2 * DAY + 2100, 2 * DAY + 2400, 300, 220.0)) == 1


@settings(max_examples=40, deadline=None)
@given(
    readings=st.lists(
        st.tuples(
            st.sampled_from([WARMTH, VOLTS, AMPS]),
            st.sampled_from([20.0, 21.0]),
            st.sampled_from([0, 0, int(Quality.OUT_OF_RANGE), int(Quality.LATE), int(Quality.QUEUED)]),
            st.sampled_from([1, 600, HOUR, 13 * HOUR]),
        ),
        max_size=60,
    ),
    stop=st.integers(0, 60),
)
def test_how_the_stream_is_cut_and_where_it_is_restored_changes_nothing(
    readings: list[tuple[int, float, int, int]], stop: int
) -> None:
    after = np.cumsum([0, *(gap for *_, gap in readings)])[1:] * 1_000_000
    batch = ReadingBatch(
        us(DAY * 60),
        np.array([one[0] for one in readings], np.int32),
        us(0) + after.astype(np.int64),
        np.zeros(len(readings), np.uint16),
        np.array([one[1] for one in readings], np.float64),
        np.array([one[2] for one in readings], np.uint32),
    )
    whole = Engine(alone("Q1"), table()).evaluate(batch, [], batch.received_us)
    engine, stop = Engine(alone("Q1"), table()), min(stop, len(batch))
    parts = engine.evaluate(part(batch, 0, stop), [], batch.received_us)
    parts += restored(engine, Engine(alone("Q1"), table())).evaluate(
        part(batch, stop, len(batch)), [], batch.received_us
    )
    assert parts == whole


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('stuck = ["temperature"]', 'stuck = ["voltage"]', "key `stuck`: `voltage` is no metric of the rule"),
        ("stuck_least = 12", "stuck_least = 1", "key `stuck_least`"),
        ("stuck_least = 12", "stuck_least = 256", "key `stuck_least`"),
        ('stuck_for = "24 h"', 'stuck_for = "-24 h"', "is negative"),
        ('stuck_for = "s"\n', "", "nothing said about stuck_for"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_its_key(was: str, now: str, said: str) -> None:
    parse_catalogue(TEXT, "q1.toml")
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(was, now), "q1.toml")
    assert said in str(refused.value)


def test_a_kind_that_is_changed_in_the_registry_counts_from_then_on() -> None:
    told = story()
    told.series(WARMTH, 0, DAY + 600, 300, 21.5)
    kind = np.full(len(told.table), DeviceKind.SMOKE, np.uint8)
    changed = dataclasses.replace(told.table, generation=2, kind=kind)
    told.engine.adopt(changed, np.array([WARMTH], np.int32))
    assert told.series(WARMTH, DAY + 900, 2 * DAY, 300, 21.5) == []
    told.engine.adopt(told.table, np.array([WARMTH], np.int32))
    assert len(told.series(WARMTH, 2 * DAY + 300, 2 * DAY + 1200, 300, 21.5)) == 1
