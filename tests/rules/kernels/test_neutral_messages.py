"""V1 and wrong messages: one between others is a moment and none of a lost neutral, whatever the order of its
phases; and rule files that are wrong."""

from __future__ import annotations

import math
from itertools import permutations

import pytest

from rules.catalogue import CatalogueError, parse_catalogue
from tests.rules.kernels.cabinet import V1, V2, V3
from tests.rules.kernels.test_neutral import SOUND, TORN, say, v1
from tests.rules.story import us

RULE = """
version = 1
[[rule]]
name = "V1"
kernel = "neutral"
metric = "voltage"
severity = "P1"
high = "253 V"
low = "187 V"
normal_low = "200 V"
normal_high = "235 V"
extreme = "264 V"
least = "50 V"
together = "60 s"
hold = "2 s"
clear_hold = "60 s"
max_gap = "15 min"
title = { en = "Neutral", zh-CN = "零" }

[rule.source]
high = "s"
low = "s"
normal_low = "s"
normal_high = "s"
extreme = "s"
least = "s"
together = "s"
hold = "s"
clear_hold = "s"
max_gap = "s"
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('metric = "voltage"', 'metric = "current"', "line 6: key `metric`: only `voltage`"),
        ('high = "253 V"', 'high = "253 A"', "line 8: key `high`: unit `A` does not fit"),
        ('low = "187 V"', 'low = "201 V"', "line 9: key `low`: is above `normal_low`"),
        ('normal_low = "200 V"', 'normal_low = "236 V"', "key `normal_low`: is above `normal_high`"),
        ('least = "50 V"', 'least = "188 V"', "line 13: key `least`: is above `low`"),
        ('together = "60 s"', 'together = "-60 s"', "line 14: key `together`: "),
        ('normal_high = "235 V"', 'normal_high = "254 V"', "key `normal_high`: is above `high`"),
        ('normal_low = "200 V"', 'normal_low = "200 V"\nraise = "1"', "unknown key `raise`"),
        ('extreme = "264 V"', 'extreme = "252 V"', "key `high`: is above `extreme`"),
        ('extreme = "264 V"\n', "", "`extreme`"),
        ('high = "s"\n', "", "nothing said about high"),
    ],
)
def test_a_file_that_is_wrong_says_where(was: str, now: str, said: str) -> None:
    assert len(parse_catalogue(RULE, "own.toml").rule) == 1
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(RULE.replace(was, now, 1), "own.toml")
    assert said in str(error.value)
    assert "own.toml, line" in str(error.value)


@pytest.mark.parametrize("bad", [(259.0, 181.0, 222.0), (375.0, 0.0, 370.0)])
@pytest.mark.parametrize("usual", [(225.0, 221.0, 225.0), (254.0, 221.0, 225.0)])
def test_one_wrong_message_between_others_is_none_whatever_the_order_of_its_phases(
    bad: tuple[float, ...], usual: tuple[float, ...]
) -> None:
    forth, back = (0, 1, 2), (2, 1, 0)
    for volts in permutations(bad):
        for order, after in ((one, other) for one in (forth, back) for other in permutations(forth)):
            story = v1()
            found = []
            for at in range(0, 70, 10):
                for n in order if at == 20 else after:
                    value = (volts if at == 20 else usual)[n]
                    found += [] if math.isnan(value) else story.read((V1, V2, V3)[n], at, value)
            assert found == [], (volts, order, after)


def test_one_wrong_message_of_two_phases_is_none_by_what_the_third_says_after_it() -> None:
    story = v1()
    for at in range(0, 100, 10):
        low_high = (259.0, 181.0) if at == 20 else (225.0, 221.0)
        assert say(story, at, low_high) + story.read(V3, at + 5, 222.0) == []


@pytest.mark.parametrize("order", [*permutations((0, 1, 2))])
@pytest.mark.parametrize("volts", [TORN, (375.0, 0.0, 370.0), (222.0, 181.0, 259.0)])
def test_a_second_wrong_message_raises_whatever_the_order_of_its_phases(
    order: tuple[int, ...], volts: tuple[float, ...]
) -> None:
    story = v1()
    say(story, 0, SOUND)
    found = [story.read((V1, V2, V3)[n], at, volts[n]) for at in (10, 20) for n in order]
    assert [one.at_us for some in found for one in some] == [us(20)]


def test_phases_that_report_each_for_itself_raise_too() -> None:
    story = v1()
    found = [one for n in range(12) for one in story.read((V1, V2, V3)[n % 3], 5 * n, TORN[n % 3])]
    assert [one.at_us for one in found] == [us(15)]


def test_a_phase_that_reports_often_waits_for_the_second_report_of_the_other() -> None:
    story = v1()
    story.read(V2, 0, 181.0)
    assert story.series(V1, 1, 29, 1, 259.0) == []
    assert len(story.read(V2, 30, 181.0)) == 1
