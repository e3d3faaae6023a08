"""What a device measured goes on as an alarm where it is registered now, and is evidence there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from devices.model import (
    DeviceKind,
    Earthing,
    EngineInput,
    InputKind,
    Metric,
    ReadingBatch,
    SeriesTable,
)
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.overrides import Override, Overrides, Scope
from rules.quantity import Level
from rules.transition import Mark, To, Transition, transition_key
from tests.rules.story import HOME, UPSTAIRS, Story, shipped, us
from tests.rules.test_standing import nothing, without

ALL = shipped()
LOADS = Catalogue(version=1, rule=tuple(rule for rule in ALL.rule if rule.name in ("O3", "O4")))
SMOKE_HOME, SMOKE_UP, LEAK, HEAT, LOAD, ARC, DENSE, L1, L2, L3 = range(1, 11)
_METRICS = (
    Metric.SMOKE_ALARM, Metric.SMOKE_ALARM, Metric.CURRENT_RESIDUAL, Metric.TEMPERATURE, Metric.CURRENT,
    Metric.ARC_HALF_CYCLES, Metric.SMOKE_DENSITY_PCT, Metric.VOLTAGE, Metric.VOLTAGE, Metric.VOLTAGE,
)  # fmt: skip
METER = 3


def block(meter: int = HOME, breaker_a: float = 25.0) -> SeriesTable:
    """A detector in either flat, and a meter with all its series, which says `meter` is its flat."""
    n = len(_METRICS) + 1
    device = np.array([0, 1, 2, *[METER] * (n - 3)], np.int32)
    dwelling = np.array([0, HOME, UPSTAIRS, *[meter] * (n - 3)], np.int32)
    table = SeriesTable.plain(1, np.array([0, *_METRICS], np.int16), device, dwelling, np.full(n, breaker_a))
    phase = np.zeros(n, np.uint8)
    phase[[L1, L2, L3]] = 1, 2, 3
    return dataclasses.replace(
        table,
        phase=phase,
        earthing=np.full(n, Earthing.TN_S, np.uint8),
        kind=np.full(n, DeviceKind.ELECTRICAL, np.uint8),
        breaker_a=np.full(n, breaker_a, np.float32),
    )


METERED = np.arange(LEAK, L3 + 1, dtype=np.int32)


def leaking() -> Story:
    """L3 since 10 s, L2 since 10 s, in the wrong flat."""
    story = Story(without("L5", "L6", "Q1", "L4", "L4W", "L1"), block())
    for at in (0, 5, 10):
        found = story.read(LEAK, at, 0.9)
    assert {one.rule for one in found} == {"L2"}
    return story


def corrected(story: Story, table: SeriesTable | None = None) -> None:
    story.engine.adopt(table or block(UPSTAIRS), METERED)


def told(found: list[Transition]) -> list[tuple[str, str, int]]:
    return [(one.rule, str(one.to), one.dwelling) for one in found]


MOVED = [
    (rule, to, dwelling)
    for rule in ("L2", "L3")
    for to, dwelling in (("cleared", HOME), ("raised", UPSTAIRS))
]


def test_an_alarm_of_a_device_in_the_wrong_flat_is_told_in_the_right_one_without_another_reading() -> None:
    story = leaking()
    corrected(story)
    assert story.engine.due_us == 0
    found = nothing(story.engine, 60)
    assert told(found) == MOVED
    cleared, raised = found[2:]
    assert (raised.severity, raised.device, raised.slot, raised.marks) == ("P1", METER, LEAK, (Mark.ISOLATE,))
    assert (raised.at_us, raised.received_us, raised.age_s) == (us(5), us(60), 55.0)
    assert raised.why.en == ("residual current 900 mA ≥ 500 mA for 5 s; its device is registered here now")
    assert raised.why.zh_cn.endswith("；设备现登记在此处")
    assert cleared.why.en == "its device is registered elsewhere now: the alarm goes on there"
    assert (cleared.at_us, cleared.device, cleared.marks) == (us(60), METER, (Mark.ELSEWHERE,))
    assert nothing(story.engine, 61) == story.read(LEAK, 65, 0.9) == []
    story.engine.advance(us(66))
    assert story.engine.due_us > us(66)
    assert {one.rule for one in story.engine.standing()} == {"L2", "L3"}


def test_time_alone_tells_it_too() -> None:
    story = leaking()
    corrected(story)
    assert told(story.engine.advance(us(60))) == MOVED


@pytest.mark.parametrize(("smoke_s", "isolate"), [(605, True), (611, False)])
def test_smoke_in_the_right_flat_meets_it_by_its_own_time(smoke_s: int, isolate: bool) -> None:
    story = leaking()
    corrected(story)
    nothing(story.engine, 60)
    rules = [one.rule for one in story.read(SMOKE_UP, smoke_s, 1)]
    assert rules == (["S1", "X1"] if isolate else ["S1"])


def test_smoke_that_was_there_before_makes_it_one_at_once() -> None:
    story = leaking()
    story.read(SMOKE_UP, 30, 1)
    corrected(story)
    found = nothing(story.engine, 60)
    (met,) = [one for one in found if one.rule == "X1"]
    assert (met.severity, met.place, met.dwelling) == ("P0+", UPSTAIRS, UPSTAIRS)


def test_it_is_another_alarm_each_time_and_speaks_of_its_registration_once() -> None:
    story, keys = leaking(), set()
    for at_s, flat in ((60, UPSTAIRS), (70, HOME), (80, UPSTAIRS)):
        corrected(story, block(flat))
        found = nothing(story.engine, at_s)
        assert len(found) == 4
        assert all(one.why.en.count("registered") == 1 for one in found)
        keys |= {transition_key(one.rule, "d/", one.to, one.at_us, one.nudge_ns) for one in found}
    assert len(keys) == 12


def test_other_kinds_go_on_too() -> None:
    story = Story(ALL, block())
    for at in range(0, 40, 5):
        for slot, value in ((HEAT, 95), (ARC, 20), (L1, 259), (L2, 181), (L3, 220)):
            story.read(slot, at, value)
    for at in range(0, 3600, 10):
        story.read(LOAD, at, 60)
    story.engine.evaluate(ReadingBatch.empty(us(3600)), [], us(3600))
    up = {one.rule for one in story.engine.standing() if one.slot >= LEAK}
    assert up >= {"T3", "A1C", "V1", "O4", "O3"}
    corrected(story)
    found = nothing(story.engine, 4000)
    assert {one.rule for one in found if one.to is To.RAISED and one.slot >= LEAK} == up
    assert {one.dwelling for one in found if one.to is To.RAISED} == {UPSTAIRS}


def test_smoke_that_builds_up_goes_on_with_its_metric_named() -> None:
    story = Story(ALL, block())
    assert story.series(DENSE, 0, 7200, 2, 0.2) == []
    assert [one.rule for one in story.series(DENSE, 7202, 7208, 2, 20)] == ["S8"]
    corrected(story)
    found = [one for one in nothing(story.engine, 7300) if one.rule == "S8"]
    assert told(found) == [("S8", "cleared", HOME), ("S8", "raised", UPSTAIRS)]
    assert {one.metric for one in found} == {"smoke.density_pct"}


def test_behind_another_breaker_it_is_judged_anew() -> None:
    story = Story(LOADS, block())
    for at in range(0, 3600, 10):
        story.read(LOAD, at, 60)
    assert {"O3", "O4"} <= {one.rule for one in story.engine.standing()}
    corrected(story, block(UPSTAIRS, 32.0))
    found = nothing(story.engine, 3600)
    assert [one for one in found if one.to is To.RAISED] == []
    assert {"O3", "O4"} <= {one.rule for one in found}
    assert found[0].why.en == (
        "its device is registered elsewhere now, where other levels hold: it is judged anew there"
    )
    assert {one.marks for one in found} == {()}
    assert not [one for one in story.engine.standing() if one.slot == LOAD]
    again = [one for at in range(3600, 9000, 10) for one in story.read(LOAD, at, 60)]
    assert {"O3", "O4"} <= {one.rule for one in again if one.dwelling == UPSTAIRS}


def test_where_an_override_says_otherwise_it_is_judged_anew_and_meets_nothing() -> None:
    story = leaking()
    lax = Override(1, "L3", Scope.DWELLING, frozenset({UPSTAIRS}), us(0), "a", "b", raise_at=Level(2.0, "A"))
    story.engine.override(Overrides((lax,)), us(20))
    corrected(story)
    found = [one for one in nothing(story.engine, 60) if one.rule == "L3"]
    assert told(found) == [("L3", "cleared", HOME)]
    assert [one.rule for one in story.engine.standing()] == ["L2"]


def test_a_device_without_a_place_keeps_its_alarm_and_is_told_when_it_has_one() -> None:
    story = leaking()
    corrected(story, block(0))
    assert nothing(story.engine, 60) == []
    corrected(story, block(UPSTAIRS))
    assert told(nothing(story.engine, 70)) == MOVED


def test_what_is_over_or_ended_is_told_nowhere() -> None:
    story = leaking()
    story.reset("L3", 20, LEAK)
    story.series(LEAK, 30, 120, 10, 0.01)
    assert list(story.engine.standing()) == []
    corrected(story)
    assert nothing(story.engine, 130) == []


def test_a_device_that_becomes_another_is_no_alarm_that_goes_on() -> None:
    story = leaking()
    table = block(UPSTAIRS)
    device = table.device.copy()
    device[METERED] = 77
    corrected(story, dataclasses.replace(table, device=device))
    found = nothing(story.engine, 60)
    assert {one.to for one in found} == {To.CLEARED}
    assert "otherwise" in found[0].why.en


def test_a_snapshot_between_the_registry_and_the_telling_tells_the_same() -> None:
    story = leaking()
    corrected(story)
    engine = Engine(without("L5", "L6", "Q1", "L4", "L4W", "L1"), block(UPSTAIRS))
    engine.restore(story.engine.snapshot())
    assert engine.due_us == 0
    assert nothing(engine, 60) == nothing(story.engine, 60) != []


def test_a_snapshot_of_before_over_the_registry_of_now_tells_the_same() -> None:
    story = leaking()
    engine = Engine(without("L5", "L6", "Q1", "L4", "L4W", "L1"), block(UPSTAIRS))
    engine.restore(story.engine.snapshot())
    corrected(story)
    assert nothing(engine, 60) == nothing(story.engine, 60) != []
    first, second = engine.snapshot(), story.engine.snapshot()
    for name in [name for name in first if name.startswith("whereabouts.")]:
        np.testing.assert_array_equal(first[name], second[name])


def test_of_a_snapshot_of_an_earlier_release_it_goes_on_as_active() -> None:
    story = leaking()
    state = {
        name: one for name, one in story.engine.snapshot().items() if not name.startswith("whereabouts.")
    }
    engine = Engine(without("L5", "L6", "Q1", "L4", "L4W", "L1"), block())
    engine.restore(state)
    assert nothing(engine, 30) == []
    engine.adopt(block(UPSTAIRS), METERED)
    found = nothing(engine, 60)
    assert told(found) == MOVED
    assert found[3].why.en == "critical leakage is active; its device is registered here now"


def test_other_rules_between_the_registry_and_the_telling_do_not_lose_it() -> None:
    story = leaking()
    corrected(story)
    turned, cleared = story.engine.turned_to(without("L5", "L6", "Q1", "L4", "L4W", "L1", "G1"), us(50))
    assert cleared == []
    assert told(nothing(turned, 60)) == MOVED


def test_a_forgotten_series_takes_its_alarm_with_it() -> None:
    story = leaking()
    story.engine.forget(np.array([LEAK], np.int32))
    corrected(story)
    assert [one for one in nothing(story.engine, 60) if one.to is To.RAISED] == []


def acted(story: Story, kind: InputKind, made_s: float, now_s: float) -> list[tuple[str, str, int]]:
    """A person's act on the leak that was made at one time and comes at another."""
    given = EngineInput(1, us(made_s), kind, "L3", LEAK, 0)
    return told(story.engine.evaluate(ReadingBatch.empty(us(now_s)), [given], us(now_s)))


@pytest.mark.parametrize("kind", [InputKind.RESET, InputKind.CLOSE])
def test_an_act_that_was_made_before_the_device_moved_ends_nothing_where_it_is(kind: InputKind) -> None:
    story = leaking()
    corrected(story)
    nothing(story.engine, 60)
    story.engine.restore(story.engine.snapshot())
    assert acted(story, kind, 59, 70) == []
    assert "L3" in {one.rule for one in story.engine.standing()}
    assert acted(story, kind, 61, 71) == [("L3", "cleared", UPSTAIRS)]


def test_nor_does_it_end_the_alarm_of_the_device_that_came_after_it() -> None:
    story = leaking()
    table = block()
    device = table.device.copy()
    device[METERED] = 77
    corrected(story, dataclasses.replace(table, device=device))
    nothing(story.engine, 60)
    assert "L3" in {one.rule for one in story.series(LEAK, 70, 80, 5, 0.9)}
    assert acted(story, InputKind.RESET, 50, 90) == []
    assert acted(story, InputKind.RESET, 85, 91) == [("L3", "cleared", HOME)]


def test_an_act_by_a_clock_that_was_put_back_since_is_about_what_stands() -> None:
    for taken_s in (-3600, -3599.7):  # at once, and as it is: a tick later
        story = leaking()
        assert acted(story, InputKind.RESET, -3600, taken_s) == [("L3", "cleared", HOME)]
