"""L0: leakage rules hold only where there is an earth conductor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.model import Earthing, Metric, SeriesTable
from rules.catalogue import Catalogue, CatalogueError, RuleFile, parse_files
from tests.rules.story import Story, shipped

FEEDER, OTHER = 1, 2


def feeders(earthing: Earthing) -> SeriesTable:
    """A feeder's residual current and its temperature, outside dwellings."""
    metric = np.array([0, Metric.CURRENT_RESIDUAL, Metric.TEMPERATURE], np.int16)
    ids = np.array([0, 1, 1], np.int32)
    plain = SeriesTable.plain(1, metric, ids, ids * 0, np.full(3, np.nan))
    return replace(plain, earthing=np.full(3, earthing, np.uint8))


def leaking(earthing: Earthing) -> list[str]:
    story = Story(shipped(), feeders(earthing))
    return sorted({one.rule for one in story.series(FEEDER, 0, 120, 5, 0.9)})


@pytest.mark.parametrize("earthing", [Earthing.TN_S, Earthing.TT])
def test_with_an_earth_conductor_leakage_is_told(earthing: Earthing) -> None:
    assert leaking(earthing) == ["L1", "L2", "L3"]


@pytest.mark.parametrize("earthing", [Earthing.TN_C, Earthing.UNKNOWN])
def test_without_one_or_where_nobody_knows_it_is_not(earthing: Earthing) -> None:
    assert leaking(earthing) == []


def test_other_rules_hold_everywhere() -> None:
    story = Story(shipped(), feeders(Earthing.TN_C))
    assert "T3" in {one.rule for one in story.series(OTHER, 0, 120, 5, 95)}


def test_all_leakage_rules_are_gated_and_nothing_else() -> None:
    catalogue = shipped()
    named = {rule.name for rule in catalogue.rule if rule.name.startswith("L") and rule.name != "L0"}
    assert catalogue.gated() == named
    assert Catalogue(1, ()).gated() == frozenset()


def test_the_gate_itself_is_no_alarm() -> None:
    story = Story(shipped(), feeders(Earthing.TT))
    assert story.reset("L0", 10, slot=FEEDER) == []


@pytest.mark.parametrize(
    ("gates", "said"),
    [('["L9"]', "key `gates`: no rule L9; allowed: "), ('["S1"]', "no rule S1"), ("[]", "key `gates`")],
)
def test_a_gate_for_rules_that_are_not_there_is_refused(gates: str, said: str) -> None:
    text = f"""
version = 1
[[rule]]
name = "L0"
kernel = "gate"
severity = "P3"
gates = {gates}
title = {{ en = "Not measurable", zh-CN = "不可测" }}
source = {{}}
"""
    with pytest.raises(CatalogueError) as refused:
        parse_files([RuleFile("own.toml", text)])
    assert str(refused.value).startswith("own.toml, line 7: ")
    assert said in str(refused.value)
