"""A2: up to nine arc half cycles in a second never raise an alarm, whatever a rule file says."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from devices.model import Metric, SeriesTable
from rules.catalogue import CatalogueError, RuleFile, parse_catalogue, parse_files
from tests.rules.story import Story, shipped

ARCS = 1
SHIPPED = resources.files("rules").joinpath("shipped", "arc.toml").read_text(encoding="utf-8")
BOUND = """
version = 1
[[rule]]
name = "A2"
kernel = "bound"
metric = "arc.half_cycles"
severity = "P3"
quiet = "9"
title = { en = "Ordinary arcs", zh-CN = "正常电弧" }
source = { quiet = "GB 31252-2014 4.3.4" }
"""
OWN = """
version = 1
[[rule]]
name = "A9"
kernel = "threshold"
metric = "arc.half_cycles"
severity = "P2"
raise = "10"
hold = "0 s"
clear = "10"
clear_hold = "0 s"
max_gap = "1 h"
title = { en = "Own", zh-CN = "自定义" }
[rule.source]
raise = "own"
hold = "own"
clear = "own"
clear_hold = "own"
max_gap = "own"
"""


def with_own(own: str) -> str:
    """What is said to a site's own rules."""
    with pytest.raises(CatalogueError) as refused:
        parse_files([RuleFile("arc.toml", BOUND)], RuleFile("own.toml", own))
    return str(refused.value)


def test_nine_half_cycles_raise_nothing_and_fourteen_do() -> None:
    ids = np.array([0, 1], np.int32)
    metric = np.array([0, Metric.ARC_HALF_CYCLES], np.int16)
    story = Story(shipped(), SeriesTable.plain(1, metric, ids, ids, np.full(2, np.nan)))
    assert story.series(ARCS, 0, 7200, 1, 9) == []
    assert [one.rule for one in story.read(ARCS, 7201, 14)] == ["A1C"]


def test_a_rule_above_the_bound_is_taken() -> None:
    taken = parse_files([RuleFile("arc.toml", BOUND)], RuleFile("own.toml", OWN))
    assert [rule.name for rule in taken.rule] == ["A2", "A9"]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ('raise = "10"\nhold = "0 s"\nclear = "10"', 'raise = "9"\nhold = "0 s"\nclear = "9"', 8,
         "key `raise`: values of arc.half_cycles up to 9 never raise an alarm (A2)"),
        ('clear = "10"', 'below = true\nclear = "10"', 10, "key `below`: values of arc.half_cycles"),
        ('"threshold"', '"usual"\nleast = 4', 7, "key `metric`: values of arc.half_cycles"),
        ('max_gap = "1 h"', 'max_gap = "1 h"\ninsulation = { xlpe = { raise = "3", clear = "3" } }', 13,
         "key `insulation`: values of arc.half_cycles"),
    ],
)  # fmt: skip
def test_a_rule_that_would_raise_on_quiet_values_is_refused(
    right: str, wrong: str, line: int, said: str
) -> None:
    own = OWN.replace(right, wrong, 1)
    if "insulation" in wrong:
        own += 'insulation = "own"\n'
    if "least" in wrong:
        own += 'least = "own"\n'
    refused = with_own(own)
    assert refused.startswith(f"own.toml, line {line}: ")
    assert said in refused


def test_bursts_that_are_counted_are_bounded_too() -> None:
    with pytest.raises(CatalogueError) as refused:
        parse_files([RuleFile("arc.toml", SHIPPED.replace('from = "10"', 'from = "9"', 1))])
    assert "key `from`: values of arc.half_cycles up to 9 never raise an alarm (A2)" in str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('"arc.half_cycles"', '"arc.alarm"', "`arc.alarm` is a flag"),
        ('"arc.half_cycles"', '"arcs"', "`arcs` is unknown"),
        ('quiet = "9"', 'quiet = "9 A"', "key `quiet`: unit `A` does not fit metric `arc.half_cycles`"),
        ('{ quiet = "GB 31252-2014 4.3.4" }', "{}", "nothing said about quiet"),
    ],
)
def test_a_wrong_bound_is_refused(right: str, wrong: str, said: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(BOUND.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)


def test_a_bound_on_currents_takes_no_multiples_of_a_rating() -> None:
    text = BOUND.replace('"arc.half_cycles"', '"current"').replace('quiet = "9"', 'quiet = "0.1 I_ref"', 1)
    with pytest.raises(CatalogueError, match="key `quiet`: a level of its own"):
        parse_catalogue(text, "own.toml")
