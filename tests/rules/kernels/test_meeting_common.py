"""X1C, T3XC: alarms that meet in what of a building is in no dwelling, and which of all that meet call the
fire brigade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.model import Metric, SeriesTable, Severity
from rules.catalogue import Catalogue
from rules.kernels.place_rule import PlaceRule
from rules.transition import Mark, Subject
from tests.rules.kernels.test_meeting import ARC, HOME, ONE, house, rules_of
from tests.rules.story import Story, shipped


def cupboard() -> Story:
    """A detector and a meter with a hot cable in the cellar, an arc detector in a flat and one in another
    building; the detector's own thermometer is in the air."""
    metric = [
        0, Metric.SMOKE_ALARM, Metric.TEMPERATURE, Metric.ARC_ALARM, Metric.ARC_ALARM, Metric.ARC_ALARM,
        Metric.TEMPERATURE,
    ]  # fmt: skip
    device = np.array([0, 1, 2, 3, 4, 5, 1], np.int32)
    dwelling = np.array([0, 0, 0, 0, HOME, 0, 0], np.int32)
    plain = SeriesTable.plain(1, np.array(metric, np.int16), device, dwelling, np.full(7, np.nan))
    building = np.array([0, 9, 9, 9, 9, 8, 9], np.int32)
    room = np.array([False] * 6 + [True])
    kept = [rule for rule in shipped().rule if rule.name in ("S1", "A1", "T2", "T3", "X1", "X1C", "T3XC")]
    return Story(Catalogue(version=1, rule=tuple(kept)), replace(plain, building=building, room=room))


CELLAR_SMOKE, CELLAR_HOT, CELLAR_ARC, FLAT_ARC, NEXT_ARC, CELLAR_AIR = range(1, 7)


def test_smoke_and_a_hot_cable_in_no_dwelling_meet_in_the_building() -> None:
    told = cupboard()
    assert rules_of(told.read(CELLAR_SMOKE, 0, 1)) == ["S1"]
    found = told.series(CELLAR_HOT, 10, 70, 10, 75)
    assert rules_of(found) == ["T2", "X1C"]
    both = found[1]
    assert (both.severity, both.subject, both.place, both.dwelling) == (
        Severity.P0_PLUS, Subject.BUILDING, 9, 0,
    )  # fmt: skip
    assert both.marks == (Mark.ELECTRICAL_FIRST,)
    assert both.why.en.startswith("smoke and cable hot in the common parts of one building within 10 min: ")
    assert both.why.zh_cn.startswith("同一楼栋公共部位 10 分钟内先后出现烟雾报警和线缆温度超限：")
    (cleared,) = told.close("X1C", 80, place=9)
    assert (cleared.subject, cleared.place, cleared.dwelling) == (Subject.BUILDING, 9, 0)


def test_a_hot_cable_and_an_arc_in_no_dwelling_meet_too() -> None:
    told = cupboard()
    told.read(CELLAR_ARC, 0, 1)
    found = told.series(CELLAR_HOT, 10, 20, 10, 90)
    assert [(one.rule, one.severity, one.place) for one in found] == [
        ("T3", Severity.P1, 0), ("T3XC", Severity.P0, 9),
    ]  # fmt: skip


@pytest.mark.parametrize(("after_s", "expected"), [(600, ["S1", "X1C"]), (601, ["S1"]), (7_776_000, ["S1"])])
def test_arcs_that_nobody_has_reset_confirm_no_smoke_of_later(after_s: int, expected: list[str]) -> None:
    told = cupboard()
    assert rules_of(told.read(CELLAR_ARC, 0, 1)) == ["A1"]
    assert rules_of(told.read(CELLAR_SMOKE, after_s, 1)) == expected


@pytest.mark.parametrize(("after_s", "expected"), [(600, ["A1", "X1"]), (601, ["A1"]), (7_776_000, ["A1"])])
def test_smoke_that_nobody_has_reset_is_no_fire_of_an_arc_of_later(after_s: int, expected: list[str]) -> None:
    told = Story(shipped(), house())
    assert rules_of(told.read(ONE, 0, 1)) == ["S1"]
    assert [rule for rule in rules_of(told.read(ARC, after_s, 1)) if rule in ("A1", "X1")] == expected


def test_what_calls_the_fire_brigade_counts_no_alarm_for_standing() -> None:
    rules = [rule for rule in shipped().of(PlaceRule) if rule.severity is Severity.P0_PLUS]
    assert [(rule.name, rule.standing) for rule in rules] == [
        ("S2", False), ("S2S", False), ("X1", False), ("X1C", False),
    ]  # fmt: skip


@pytest.mark.parametrize("elsewhere", [FLAT_ARC, NEXT_ARC])
def test_a_flat_and_another_building_are_no_common_part(elsewhere: int) -> None:
    told = cupboard()
    told.read(CELLAR_SMOKE, 0, 1)
    assert rules_of(told.read(elsewhere, 1, 1)) == ["A1"]


def test_the_thermometer_of_a_detector_does_not_confirm_its_own_smoke() -> None:
    told = cupboard()
    told.read(CELLAR_SMOKE, 0, 1)
    assert told.series(CELLAR_AIR, 10, 600, 10, 95) == []
