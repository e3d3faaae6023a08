"""S2, S2S, T3X, N1T: alarms of two devices, or of two kinds, that meet in a dwelling or a stair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.model import Metric, Quality, SeriesTable, Severity
from rules.catalogue import Catalogue, CatalogueError, parse_catalogue
from rules.engine import Engine
from rules.kernels.flag import FlagRule
from rules.kernels.place_rule import PlaceRule
from rules.transition import Mark, Subject, To, Transition
from tests.rules.story import Story, reading, shipped, us

ONE, TWO, HEAT, BUTTON, UPSTAIRS, HALL, HALL_TWO, FAR, ARC, HOT, ONE_HEAT = range(1, 12)
HOME, ABOVE, OTHER = 71, 72, 73
STAIR, OTHER_STAIR = 7, 8
METRIC = [
    0, Metric.SMOKE_ALARM, Metric.SMOKE_ALARM, Metric.HEAT_ALARM, Metric.MANUAL_ALARM, Metric.SMOKE_ALARM,
    Metric.SMOKE_ALARM, Metric.SMOKE_ALARM, Metric.SMOKE_ALARM, Metric.ARC_ALARM, Metric.TEMPERATURE,
    Metric.HEAT_ALARM,
]  # fmt: skip


def house() -> SeriesTable:
    """Two smoke detectors, a heat detector and a button in one home; smoke above, twice in the hall, and in
    another stair. The first detector tells heat as well; an arc detector and a hot cable are in the home."""
    dwelling = [0, HOME, HOME, HOME, HOME, ABOVE, 0, 0, OTHER, HOME, HOME, HOME]
    plain = SeriesTable.plain(
        1,
        np.array(METRIC, np.int16),
        np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 1], np.int32),
        np.array(dwelling, np.int32),
        np.full(12, np.nan),
    )
    stair = np.array([0, *[STAIR] * 7, OTHER_STAIR, *[STAIR] * 3], np.int32)
    return replace(plain, stair=stair)


def story() -> Story:
    kept = [
        rule
        for rule in shipped().rule
        if isinstance(rule, FlagRule) or rule.name in ("S2", "S2S", "T3", "T3X")
    ]
    return Story(Catalogue(version=1, rule=tuple(kept)), house())


def rules_of(transitions: list[Transition]) -> list[str]:
    return [one.rule for one in transitions]


@pytest.mark.parametrize("second", [TWO, HEAT, BUTTON])
def test_a_second_device_of_a_dwelling_confirms_the_fire(second: int) -> None:
    told = story()
    assert rules_of(told.read(ONE, 0, 1)) == ["S1"]
    _, confirmed = told.read(second, 300, 1)
    assert (confirmed.rule, confirmed.to, confirmed.severity) == ("S2", To.RAISED, Severity.P0_PLUS)
    assert (confirmed.subject, confirmed.place, confirmed.dwelling) == (Subject.DWELLING, HOME, HOME)
    assert (confirmed.slot, confirmed.at_us, confirmed.marks) == (second, us(300), ())
    assert confirmed.why.en.startswith("smoke and ")
    assert " of two devices in one dwelling within 5 min: " in confirmed.why.en
    assert confirmed.why.zh_cn.startswith("同一户两个设备 5 分钟内先后出现烟雾报警和")


def test_heat_before_smoke_confirms_it_too() -> None:
    told = story()
    told.read(HEAT, 0, 1)
    assert rules_of(told.read(ONE, 200, 1)) == ["S1", "S2"]


def test_heat_and_a_button_are_not_smoke() -> None:
    told = story()
    told.read(HEAT, 0, 1)
    assert rules_of(told.read(BUTTON, 10, 1)) == ["M1"]


def test_one_device_alone_confirms_nothing() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(ONE_HEAT, 10, 1)) == ["H1"]
    told.read(ONE, 20, 0)
    assert rules_of(told.read(ONE, 100, 1)) == ["S1"]


def test_after_five_minutes_a_standing_alarm_is_no_confirmation() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(TWO, 301, 1)) == ["S1"]


def test_a_second_fire_of_the_first_device_counts_anew() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(ONE, 1000, 0)
    told.read(ONE, 1100, 1)
    assert rules_of(told.read(TWO, 1400, 1)) == ["S1", "S2"]


def test_of_three_the_newest_of_another_device_counts() -> None:
    told = story()
    told.read(TWO, 0, 1)
    told.read(ONE, 400, 1)
    told.read(ONE, 410, 0)
    assert rules_of(told.read(ONE, 480, 1)) == ["S1"]
    assert rules_of(told.read(HEAT, 700, 1)) == ["H1", "S2"]


def test_smoke_in_two_dwellings_of_a_stair_confirms_it_there() -> None:
    told = story()
    told.read(ONE, 0, 1)
    _, confirmed = told.read(UPSTAIRS, 100, 1)
    assert (confirmed.rule, confirmed.subject, confirmed.place) == ("S2S", Subject.STAIR, STAIR)
    assert confirmed.dwelling == ABOVE
    assert "two devices in one stair" in confirmed.why.en
    assert confirmed.why.zh_cn.startswith("同一单元两个设备")


def test_two_of_one_dwelling_are_not_two_of_the_stair() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(TWO, 10, 1)) == ["S1", "S2"]
    assert rules_of(told.read(UPSTAIRS, 20, 1)) == ["S1", "S2S"]


def test_a_hall_is_no_dwelling() -> None:
    told = story()
    told.read(HALL, 0, 1)
    assert rules_of(told.read(HALL_TWO, 10, 1)) == ["S1", "S2S"]


@pytest.mark.parametrize(("first", "then"), [(HALL, ONE), (ONE, HALL)])
def test_the_hall_and_a_dwelling_of_its_stair_meet(first: int, then: int) -> None:
    told = story()
    told.read(first, 0, 1)
    assert rules_of(told.read(then, 300, 1)) == ["S1", "S2S"]
    told = story()
    told.read(first, 0, 1)
    assert rules_of(told.read(then, 301, 1)) == ["S1"]
    told = story()
    told.read(HALL, 0, 1)
    assert rules_of(told.read(FAR, 10, 1)) == ["S1"], "of another stair"


def test_another_stair_does_not_meet() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(FAR, 10, 1)) == ["S1"]


def test_a_person_ends_it_and_only_new_alarms_confirm_again() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 100, 1)
    (cleared,) = told.close("S2S", 150, place=STAIR)
    assert (cleared.rule, cleared.subject, cleared.place, cleared.dwelling) == (
        "S2S",
        Subject.STAIR,
        STAIR,
        0,
    )
    assert rules_of(told.read(HALL, 160, 1)) == ["S1"]
    assert rules_of(told.read(HALL_TWO, 170, 1)) == ["S1", "S2S"]


def test_late_smoke_of_another_device_confirms_by_its_own_time() -> None:
    told = story()
    told.read(ONE, 1000, 1)
    _, confirmed = told.read(TWO, 800, 1, late_s=300)
    assert (confirmed.rule, confirmed.marks) == ("S2", (Mark.LATE,))


@pytest.mark.parametrize("quality", [Quality.SENTINEL, Quality.DUPLICATE])
def test_what_is_no_smoke_confirms_nothing(quality: Quality) -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert told.read(TWO, 10, 1, quality) == []


def test_a_snapshot_knows_what_may_be_confirmed() -> None:
    told = story()
    told.read(TWO, 0, 1)
    told.read(ONE, 10, 1)
    told.close("S2", 20, place=HOME)
    told.read(HALL, 30, 1)
    engine = Engine(Catalogue(1, tuple(story().engine._parts.place._all.values())), house())  # type: ignore[arg-type]
    engine.restore(told.engine.snapshot())
    other = engine.snapshot()
    assert all(np.array_equal(column, other[name]) for name, column in told.engine.snapshot().items()
               if name.startswith("place."))  # fmt: skip
    assert [one.rule for one in engine.evaluate(reading(UPSTAIRS, 40, 1), [], us(40))] == [
        "S1",
        "S2S",
    ], "the hall's had a part in it, this one had none"


def test_a_device_that_moved_is_met_in_its_new_stair() -> None:
    told = story()
    told.read(ARC, 0, 1)
    table = replace(house(), dwelling=house().dwelling.copy())
    table.dwelling[ARC] = table.dwelling[HOT] = ABOVE
    told.engine.adopt(table, np.array([ARC, HOT], np.int32))
    found = told.series(HOT, 10, 30, 10, 90)
    assert [(one.rule, one.place) for one in found if one.rule != "A1"] == [("T3", 0), ("T3X", ABOVE)]


@pytest.mark.parametrize(("after_s", "expected"), [(600, ["A1", "T3X"]), (601, ["A1"])])
def test_a_glowing_cable_with_an_arc_is_an_alarm_of_life(after_s: int, expected: list[str]) -> None:
    told = story()
    assert rules_of(told.series(HOT, 0, 10, 10, 90)) == ["T3"]
    told.reset("T3", 11, HOT)
    found = told.read(ARC, 10 + after_s, 1)
    assert rules_of(found) == expected
    if len(found) == 2:
        assert (found[1].severity, found[1].marks) == (Severity.P0, (Mark.ISOLATE,))


def test_its_mark_is_told_once() -> None:
    told = story()
    told.read(ARC, 0, 1)
    found = told.series(HOT, 10, 20, 10, 90)
    assert rules_of(found) == ["T3", "T3X"]
    assert found[1].marks == (Mark.ISOLATE,)


def test_the_shipped_meetings() -> None:
    rules = {rule.name: rule for rule in shipped().of(PlaceRule)}
    assert set(rules) == {"S2", "S2S", "X1", "X1C", "T3X", "T3XC", "N1T"}
    assert rules["X1"].partner == ("O3", "O4", "L2", "L3", "T2", "T3", "A1", "A1C", "V1")
    assert (rules["N1T"].anchor, rules["N1T"].partner, rules["N1T"].severity) == (("N1",), ("T1",), "P2")


TEXT = """
version = 1
[[rule]]
name = "S1"
kernel = "flag"
metric = "smoke.alarm"
severity = "P0"
visit_severity = "P2"
late_after = "60 s"
visit_after = "30 min"
second_fire_after = "60 s"
clear_hold = "10 min"
title = { en = "Smoke", zh-CN = "烟" }
source = { late_after = "own", visit_after = "own", second_fire_after = "own", clear_hold = "own" }
[[rule]]
name = "S2"
kernel = "place"
severity = "P0+"
scope = "stair"
anchor = ["S1"]
partner = ["S1"]
within = "300 s"
apart = true
title = { en = "Two", zh-CN = "二" }
source = { within = "own" }
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("apart = true\n", "", "key `partner`: S1 cannot be on both sides without `apart = true`"),
        ('"stair"', '"street"', "`scope`: `street` is unknown; allowed: dwelling, stair, common"),
        ('scope = "stair"', "across = true", "key `across`: devices of one dwelling are in one"),
    ],
)
def test_a_wrong_meeting_is_refused(right: str, wrong: str, said: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)
