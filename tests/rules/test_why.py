"""How times and numbers are written for people, in both languages alike."""

from __future__ import annotations

import pytest

from devices.model import InputKind, Metric
from rules import why
from rules.kernels.threshold import ThresholdRule
from rules.nouns import noun, noun_zh
from rules.quantity import Level
from rules.rule import Title
from rules.transition import Why
from rules.why import duration, duration_zh, quantity
from tests.rules.story import shipped

MIN_US = 60_000_000
CURRENT = next(rule for rule in shipped().of(ThresholdRule) if rule.name == "O3")
BELOW = Level(1.13, "I_ref")


@pytest.mark.parametrize(
    ("seconds", "en", "zh_cn"),
    [
        (0.9, "0 s", "0 秒"),
        (64, "64 s", "64 秒"),
        (119.9, "119 s", "119 秒"),
        (120, "2 min", "2 分钟"),
        (250, "4 min 10 s", "4 分钟 10 秒"),
        (7199, "119 min 59 s", "119 分钟 59 秒"),
        (7500, "2 h 5 min", "2 小时 5 分钟"),
        (86_400, "24 h", "24 小时"),
        (180_000, "2 d 2 h", "2 天 2 小时"),
    ],
)
def test_durations_show_two_units_at_most(seconds: float, en: str, zh_cn: str) -> None:
    us = round(seconds * 1e6)
    assert (duration(us), duration_zh(us)) == (en, zh_cn)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (412.4, "A", "412 A"),
        (38.44, "A", "38.4 A"),
        (0.3, "A", "0.30 A"),
        (60, "degC", "60.0 °C"),
        (2, "", "2.00"),
    ],
)
def test_quantities_show_about_three_digits(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_metrics_are_called_as_people_call_them() -> None:
    assert noun(Metric.SMOKE_ALARM) == "smoke"
    assert noun(Metric.CURRENT) == "current"
    assert noun(Metric.CURRENT_RESIDUAL) == "residual current"
    assert noun_zh(Metric.CURRENT_RESIDUAL) == "剩余电流"


def test_every_metric_has_a_chinese_noun_of_its_own() -> None:
    nouns = [noun_zh(metric) for metric in Metric]
    assert len(set(nouns)) == len(Metric)
    assert all(not word.isascii() for word in nouns)


@pytest.mark.parametrize(
    ("said", "en", "zh_cn"),
    [
        (why.flag_set(Metric.SMOKE_ALARM, None, None), "smoke flag set", "烟雾报警信号触发"),
        (
            why.flag_set(Metric.SMOKE_ALARM, 4 * MIN_US, 2 * MIN_US),
            "smoke flag set again after 2 min of 0, reported 4 min late",
            "烟雾报警信号解除 2 分钟后再次触发，迟报 4 分钟",
        ),
        (
            why.flag_of_unknown_age(Metric.SMOKE_ALARM),
            "smoke flag set, retained or replayed, of unknown age",
            "烟雾报警信号触发，为留存或重放的消息，时间不明",
        ),
        (why.by_person(InputKind.RESET), "reset by a person", "由人员复位"),
        (why.by_person(InputKind.CLOSE), "closed by a person", "由人员结束"),
        (
            why.flag_cleared(Metric.SMOKE_ALARM, 10 * MIN_US),
            "closed by a person and smoke flag 0 for 10 min",
            "由人员结束，且烟雾报警信号已解除 10 分钟",
        ),
        (
            why.held_above(CURRENT, 38.4, CURRENT.raise_at, 25, MIN_US),
            "current 38.4 A ≥ 36.2 A (1.45 × 25 A) for 60 s",
            "电流 38.4 A ≥ 36.2 A (1.45 × 25 A)，持续 60 秒",
        ),
        (
            why.held_below(CURRENT, 20, BELOW, 25, 5 * MIN_US),
            "current 20.0 A < 28.2 A (1.13 × 25 A) for 5 min",
            "电流 20.0 A < 28.2 A (1.13 × 25 A)，持续 5 分钟",
        ),
    ],
)
def test_a_reason_says_the_same_in_both_languages(said: Why, en: str, zh_cn: str) -> None:
    assert said == Why(en=en, zh_cn=zh_cn)
    assert (said.said_in("en"), said.said_in("zh-CN"), said.said_in("fr")) == (en, zh_cn, en)


def test_what_to_do_stands_in_no_sentence_about_what_met() -> None:
    """The title says it ("Cable critical: isolate"), and the mark beside the sentence."""
    smoke, cable = (
        Title(en="Smoke", zh_cn="烟雾报警"),
        Title(en="Cable critical: isolate", zh_cn="线缆过热：请断电"),
    )
    assert why.met_in_place(smoke, cable, 10 * MIN_US, Why(en="cable 95 °C", zh_cn="线缆 95 °C")) == Why(
        en="smoke and cable critical in one dwelling within 10 min: cable 95 °C",
        zh_cn="同一户 10 分钟内先后出现烟雾报警和线缆过热：线缆 95 °C",
    )
    assert why.still_active(cable) == Why(en="cable critical is active", zh_cn="线缆过热尚未恢复")
