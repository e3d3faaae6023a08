"""C1, C1L, C2, C2L: devices that are not heard, and who is not to blame for it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from devices.model import InputKind, Quality
from rules.catalogue import CatalogueError, parse_catalogue
from rules.engine import Engine
from rules.kernels.silence import SilenceRule
from rules.transition import Subject, To
from tests.rules.kernels.block import Block, Device, batch_of, offline_rules, us

MINUTE, HOUR = 60, 3600
DAILY = Device(limit_s=math.nan)


def one(limit_s: float = 60, **facts: int) -> Block:
    """A block with one device, heard at 0."""
    block = Block({1: Device(limit_s, **facts)}, online=[1])
    assert block.hear(0, 1) == []
    return block


# --- when a device is missed


@pytest.mark.parametrize(
    ("limit_s", "after_s"), [(30, 180), (180, 180), (181, 181), (3600, 3600), (25 * HOUR - 1, 25 * HOUR - 1)]
)
def test_a_device_is_missed_after_its_limit_and_not_before_three_minutes(limit_s: int, after_s: int) -> None:
    block = one(limit_s)
    assert block.look(after_s - 1) == []
    assert block.look(after_s + 5) == [("C1", "raised", 1, after_s)]


@pytest.mark.parametrize(
    ("limit_s", "after_s"), [(30, 3600), (1800, 3600), (1900, 3800), (4 * HOUR, 8 * HOUR)]
)
def test_the_second_alarm_comes_after_an_hour_or_twice_the_limit(limit_s: int, after_s: int) -> None:
    block = one(limit_s)
    block.look(after_s - 1)
    assert block.look(after_s) == [("C1L", "raised", 1, after_s)]


@pytest.mark.parametrize("limit_s", [25 * HOUR, math.nan, 0, -1])
def test_a_device_that_reports_daily_is_missed_after_25_h_and_again_after_a_day(limit_s: float) -> None:
    block = one(limit_s)
    assert block.look(25 * HOUR - 1) == []
    assert block.look(25 * HOUR) == [("C2", "raised", 1, 25 * HOUR)]
    assert block.look(49 * HOUR - 1) == []
    assert block.look(49 * HOUR) == [("C2L", "raised", 1, 49 * HOUR)]


def test_a_longer_limit_counts_for_both_alarms() -> None:
    block = one(100 * HOUR)
    assert block.look(100 * HOUR - 1) == []
    assert block.look(200 * HOUR) == [("C2", "raised", 1, 100 * HOUR), ("C2L", "raised", 1, 124 * HOUR)]


def test_what_is_told_of_a_silent_device() -> None:
    block = Block({1: Device(60, dwelling=7)}, online=[1])
    block.hear(0, 101)
    block.look(4000)
    first, second = block.told
    assert (first.slot, first.device, first.dwelling, first.place) == (1, 1, 7, 0)
    assert (first.subject, first.nudge_ns, first.received_us, first.age_s) == (
        Subject.DEVICE,
        0,
        us(4000),
        0.0,
    )
    assert (first.why.en, first.why.zh_cn) == ("nothing heard for 3 min", "已 3 分钟未收到任何消息")
    assert second.why.en == "nothing heard for 60 min"


def test_a_device_never_heard_is_not_missed() -> None:
    block = Block({1: Device(), 2: Device()})
    block.hear(0, 1)
    assert block.look(180) == [("C1", "raised", 1, 180)]
    assert block.look(1e6) == [("C1L", "raised", 1, 3600)]


def test_a_stranger_is_not_missed() -> None:
    block = Block({})
    block.hear(0, 5)
    assert block.look(1e6) == []


@pytest.mark.parametrize(
    "quality", [Quality.SENTINEL, Quality.STALE, Quality.LATE, Quality.DUPLICATE, Quality.QUEUED]
)
def test_a_bad_reading_is_a_sign_of_life(quality: Quality) -> None:
    block = one()
    block.hear(100, 1, value=math.nan, quality=quality, age_s=5000)
    assert block.look(279) == []
    assert block.look(280) == [("C1", "raised", 1, 280)]


@pytest.mark.parametrize("quality", [Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL])
def test_what_a_broker_or_a_memory_kept_is_none(quality: Quality) -> None:
    block = one()
    block.hear(100, 1, quality=quality)
    assert block.look(180) == [("C1", "raised", 1, 180)]


def test_it_is_told_once() -> None:
    block = one()
    assert len(block.watch(1, 8000)) == 2


# --- when it is heard again


def test_three_moments_end_the_silence_of_one_that_reports_often() -> None:
    block = one()
    block.look(4000)
    assert block.hear(4100, 1) == []
    assert block.hear(4130, 1) == []
    assert block.hear(4160, 1) == [("C1", "cleared", 1, 4160), ("C1L", "cleared", 1, 4160)]
    assert block.told[-1].why.en == "heard again 3 times"
    assert block.look(4160 + 180) == [("C1", "raised", 1, 4340)]


def test_readings_of_one_moment_count_once() -> None:
    block = one()
    block.look(180)
    assert block.hear(200, 1, 1, 101, 1) == []
    assert block.hear(230, 1, 101) == []
    assert block.hear(260, 1) == [("C1", "cleared", 1, 260)]


def test_one_that_falls_silent_again_begins_to_count_anew_and_keeps_its_alarm() -> None:
    block = one()
    block.look(180)
    block.hear(200, 1)
    block.hear(230, 1)
    assert block.watch(231, 1000) == []
    assert block.until(1000, 1059, 1) == []
    assert block.hear(1060, 1) == [("C1", "cleared", 1, 1060)]


def test_the_second_alarm_comes_an_hour_after_it_was_heard_last() -> None:
    block = one()
    block.look(180)
    block.hear(1000, 1)
    assert block.watch(3600, 4599) == []
    assert block.look(4600) == [("C1L", "raised", 1, 4600)]


def test_one_report_ends_the_silence_of_a_daily_one() -> None:
    block = one(math.nan)
    block.look(50 * HOUR)
    assert block.hear(51 * HOUR, 1) == [("C2", "cleared", 1, 51 * HOUR), ("C2L", "cleared", 1, 51 * HOUR)]
    assert block.told[-1].why.zh_cn == "已重新收到消息"


@pytest.mark.parametrize("kind", [InputKind.RESET, InputKind.CLOSE])
def test_a_person_ends_an_alarm_until_the_next_silence(kind: InputKind) -> None:
    block = one()
    block.look(180)
    assert block.give(300, kind, "C1", slot=101) == [("C1", "cleared", 1, 300)]
    assert (block.told[-1].slot, block.told[-1].subject) == (1, Subject.DEVICE)
    assert block.give(301, kind, "C1", slot=1) == []
    assert block.look(3600) == [("C1L", "raised", 1, 3600)]
    assert block.give(3700, kind, "C1L", slot=1) == [("C1L", "cleared", 1, 3700)]
    assert block.look(1e5) == []
    block.hear(1e5, 1)
    assert block.look(1e5 + 180) == [("C1", "raised", 1, 1e5 + 180)]


def test_an_alarm_is_of_the_rules_it_was_raised_by_whatever_the_limit_becomes() -> None:
    block = one()
    block.look(180)
    limit = np.full(len(block.table), np.nan, np.float32)
    block.engine.adopt(replace(block.table, silence_s=limit), np.array([1, 101], np.int32))
    assert block.look(2 * 25 * HOUR) == [("C1L", "raised", 1, 49 * HOUR)]
    block.until(200 * HOUR, 200 * HOUR + 60, 1)
    assert [(one.rule, one.to) for one in block.told[-2:]] == [("C1", To.CLEARED), ("C1L", To.CLEARED)]


# --- the second of looking, registry, restarts, files


def test_a_second_is_looked_at_once() -> None:
    block = one()
    block.look(180.2)
    assert block.engine.advance(us(180.2)) == []
    other = one()
    assert other.look(179.9) == []
    assert other.engine.due_us == us(180)
    assert other.look(180.0) == [("C1", "raised", 1, 180)]


def test_it_is_said_when_looking_is_worth_while() -> None:
    block = Block({1: Device()})
    assert block.engine.due_us <= us(0)
    block.hear(0, 1)
    block.look(1)
    assert block.engine.due_us == us(180)
    block.hear(100, 1)
    assert block.look(180) == []
    assert block.engine.due_us == us(280)


def test_a_replaced_device_leaves_none_behind() -> None:
    block = one()
    block.look(180)
    table = replace(block.table, device=block.table.device.copy())
    table.device[[1, 101]] = 8
    block.engine.adopt(table, np.array([1, 101], np.int32))
    assert block.engine.holds(np.array([1], np.int32)).tolist() == [False]
    assert block.look(1e5) == [("C1", "cleared", 1, 1e5)]
    assert block.hear(1e5, 1) == []
    assert block.look(1e5 + 180) == [("C1", "raised", 8, 1e5 + 180)]
    assert block.engine.snapshot()["presence.device"].tolist() == [8]


def test_an_alarm_holds_all_series_of_its_device() -> None:
    block = one()
    slots = np.array([1, 2, 101], np.int32)
    assert block.engine.holds(slots).tolist() == [False, False, False]
    block.look(180)
    assert block.engine.holds(slots).tolist() == [True, False, True]


def test_the_lowest_slot_stands_for_the_device_when_the_one_before_is_gone() -> None:
    block = one()
    table = replace(block.table, device=block.table.device.copy())
    table.device[1] = 0
    block.engine.adopt(table, np.array([1], np.int32))
    block.look(180)
    assert block.told[0].slot == 101


def test_rules_that_are_gone_clear_what_they_raised() -> None:
    block = one()
    block.look(4000)
    text = "version = 1\nrule = []\n"
    _, cleared = block.engine.turned_to(parse_catalogue(text, "none.toml"), us(4001))
    assert [(one.rule, one.to, one.device) for one in cleared] == [
        ("C1", To.CLEARED, 1),
        ("C1L", To.CLEARED, 1),
    ]


def test_without_rules_nothing_is_due() -> None:
    engine = Engine(parse_catalogue("version = 1\nrule = []\n", "none.toml"), Block({1: Device()}).table)
    engine.evaluate(batch_of(0, [1]), [], us(0))
    assert engine.advance(us(1e6)) == []
    assert engine.due_us > us(1e9)


TEXT = """
version = 1
[[rule]]
name = "C1"
kernel = "silence"
severity = "P3"
watch = "often"
after = "180 s"
beats = 3
grace = "60 s"
title = { en = "Offline", zh-CN = "离线" }
[rule.source]
after = "chosen"
beats = "chosen"
grace = "chosen"
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"often"', '"always"', "`watch`: `always` is unknown; allowed: often, seldom"),
        ('beats = 3\ngrace = "60 s"', 'long = true\ngrace = "60 s"', "key `beats`: unknown under `source`"),
        ("beats = 3\n", "beats = 0\n", "key `beats`"),
        ('grace = "60 s"', 'grace = "60 s"\nlong = true', "key `beats`: that of the first alarm counts"),
        ('grace = "60 s"', "", "key `grace`: unknown under `source`"),
        ('grace = "chosen"', "", "nothing said about grace"),
        ('after = "180 s"', 'after = "-1 s"', "key `after`: `-1 s` is negative"),
        ("version = 1", "version = 1" + TEXT.replace("version = 1", "").replace('"C1"', '"C9"'),
         "key `watch`: C9 is for these devices already"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused(right: str, wrong: str, said: str) -> None:
    assert right in TEXT
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(right, wrong, 1), "own.toml")
    assert str(refused.value).startswith("own.toml, line ")
    assert said in str(refused.value)


def test_the_numbers_of_the_shipped_rules() -> None:
    rules = {rule.name: rule for rule in offline_rules().of(SilenceRule)}
    assert [rules[name].need for name in ("C1", "C2")] == [3, 1]
    assert [str(rules[name].severity) for name in ("C1", "C1L", "C2", "C2L")] == ["P3", "P2", "P3", "P2"]
