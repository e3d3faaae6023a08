import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.value_words import (
    DOUBTS,
    FLAGS,
    channel_words,
    doubt_words,
    figure,
    is_bad,
    noun_in,
    unit_of,
    value_words,
)
from devices.model import Metric, Quality

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_quality_flag_has_words_in_both_languages() -> None:
    assert set(DOUBTS) == set(Quality)
    for flag in Quality:
        (chinese,), (english,) = doubt_words(flag, "zh-CN"), doubt_words(flag, "en")
        assert CHINESE.search(chinese), flag
        assert english and not CHINESE.search(english), flag
    assert len({doubt_words(flag, "zh-CN")[0] for flag in Quality}) == len(Quality)


def test_a_quality_of_a_later_release_is_shown_by_its_number() -> None:
    assert doubt_words((1 << 20) | Quality.LATE, "en") == ["late", "#100000"]
    assert doubt_words(0, "en") == []


def test_every_flag_has_states_in_both_languages_and_nothing_else_has() -> None:
    assert set(FLAGS) == {metric for metric in Metric if metric.is_flag}
    for metric in FLAGS:
        for state in (0.0, 1.0):
            assert CHINESE.search(value_words(metric, state, "zh-CN"))
            assert not CHINESE.search(value_words(metric, state, "en"))
        assert value_words(metric, 0.0, "en") != value_words(metric, 1.0, "en")


@pytest.mark.parametrize("metric", list(Metric), ids=lambda metric: metric.name)
def test_no_usable_value_is_never_a_number_or_a_state(metric: Metric) -> None:
    for value in (math.nan, math.inf):
        assert value_words(metric, value, "zh-CN") == "无有效值"
        assert value_words(metric, value, "en") == "no usable value"
        assert not is_bad(metric, value)


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        (Metric.CURRENT_RESIDUAL, 0.0312, "31.2 mA"),
        (Metric.TEMPERATURE, 64.96, "65 °C"),
        (Metric.TEMPERATURE, -0.001, "0 °C"),
        (Metric.ENERGY_IMPORT, 12_345_678.0, "12345.7 kWh"),
        (Metric.VOLTAGE, 231.42, "231.4 V"),
        (Metric.CURRENT, 0.0, "0 A"),
        (Metric.SMOKE_DENSITY, 12.0, "12"),
        (Metric.SMOKE_ALARM, 0.5, "0.5"),
    ],
)
def test_a_value_has_the_unit_that_people_read(metric: Metric, value: float, words: str) -> None:
    assert value_words(metric, value, "en") == value_words(metric, value, "zh-CN") == words


@given(st.floats(-1e9, 1e9))
def test_a_figure_is_the_number_to_the_digits_it_shows(value: float) -> None:
    assert abs(float(figure(value, "A").split()[0]) - value) <= 0.05000001


def test_every_metric_is_named_in_both_languages_and_alone() -> None:
    for language in ("zh-CN", "en"):
        named = [noun_in(metric, language) for metric in Metric]
        assert all(named)
    assert noun_in(Metric.BATTERY_PCT, "en") == "battery"
    assert unit_of(Metric.CURRENT).name == "A"


def test_online_is_good_and_offline_asks_for_a_look() -> None:
    assert is_bad(Metric.DEVICE_ONLINE, 0.0) and not is_bad(Metric.DEVICE_ONLINE, 1.0)
    assert is_bad(Metric.SMOKE_ALARM, 1.0) and not is_bad(Metric.SMOKE_ALARM, 0.0)
    assert not is_bad(Metric.SWITCH, 1.0) and not is_bad(Metric.CURRENT, 1.0)


def test_a_phase_is_called_a_phase_and_other_channels_by_their_name() -> None:
    assert channel_words("l2", "zh-CN") == "L2 相"
    assert channel_words("n", "en") == "neutral N"
    assert channel_words("ch7", "en") == "ch7"
    assert channel_words("", "en") == ""
