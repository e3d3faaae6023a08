"""No alarm stays up that nothing watches any more: other rules over an old state, devices that are gone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, ReadingBatch, SeriesTable, Severity
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.kernels.mean import MeanRule
from rules.quantity import Level, Span
from rules.transition import Subject, To, Transition
from tests.rules.story import CURRENT, HOME, SMOKE, UNRATED, Story, block, reading, shipped, us

ALL = shipped()


def without(*names: str) -> Catalogue:
    """The shipped rules but for some, as a release might have them; what names a gone rule goes as well."""
    gone = set(names)
    kept = [one for one in ALL.rule if one.name not in gone]
    return Catalogue(version=1, rule=tuple(one for one in kept if not gone & _named(one)))


def _named(rule: object) -> set[str]:
    return {name for key in ("anchor", "partner", "gates", "of") for name in getattr(rule, key, ())}


def nothing(engine: Engine, at_s: float) -> list[Transition]:
    """A record without readings."""
    return engine.evaluate(ReadingBatch.empty(us(at_s)), [], us(at_s))


def told(found: list[Transition]) -> list[tuple[str, str, int, int]]:
    return [(one.rule, one.to, one.slot, one.place) for one in found]


def restored(state: dict, catalogue: Catalogue, table: SeriesTable | None = None) -> Engine:  # type: ignore[type-arg]
    engine = Engine(catalogue, table or block())
    engine.restore(state)
    return engine


def overloaded() -> Story:
    """An overload and smoke in one home: O3, S1 and X1 are active."""
    story = Story(ALL)
    story.series(CURRENT, 0, 120, 10, 40)
    story.read(SMOKE, 121, 1)
    return story


def test_an_alarm_whose_rule_the_new_release_has_not_is_cleared_by_the_next_record_and_once() -> None:
    engine = restored(overloaded().engine.snapshot(), without("O3"))
    assert engine.due_us == 0
    assert engine.holds(np.array([CURRENT], np.int32)).tolist() == [True], "its series is not freed before"
    [gone] = [one for one in nothing(engine, 200) if one.rule == "O3"]
    assert (gone.to, gone.slot, gone.device, gone.dwelling) == (To.CLEARED, CURRENT, 3, HOME)
    assert (gone.at_us, gone.received_us, gone.why.en) == (us(200), us(200), "rule O3 was removed")
    assert (gone.severity, gone.subject, gone.metric) == ("P1", Subject.SERIES, "")
    assert nothing(engine, 201) == engine.advance(us(201)) == []
    assert engine.due_us > us(201)


def test_smoke_stays_active_over_an_upgrade_and_the_alarm_of_its_place_ends_with_its_rule() -> None:
    engine = restored(overloaded().engine.snapshot(), without("X1"))
    [gone] = nothing(engine, 200)
    assert (gone.rule, gone.subject, gone.place, gone.dwelling) == ("X1", Subject.DWELLING, HOME, HOME)
    assert engine.evaluate(reading(SMOKE, 201, 1), [], us(201)) == []


def test_the_same_clearings_come_again_when_the_process_dies_before_they_are_committed() -> None:
    state = overloaded().engine.snapshot()
    first = nothing(restored(state, without("O3", "S1")), 200)
    again = nothing(restored(state, without("O3", "S1")), 200)
    assert first == again
    assert {one.rule for one in first} >= {"O3", "S1"}


def test_a_snapshot_taken_before_they_are_told_still_knows_them() -> None:
    engine = restored(overloaded().engine.snapshot(), without("O3"))
    second = restored(engine.snapshot(), without("O3"))
    assert nothing(second, 200) == nothing(engine, 200) != []


def test_they_are_not_lost_when_the_rules_change_before_they_are_told() -> None:
    engine = restored(overloaded().engine.snapshot(), without("O3"))
    turned, cleared = engine.turned_to(without("O3", "Q1"), us(150))
    assert cleared == []
    assert ("O3", To.CLEARED, CURRENT, 0) in told(nothing(turned, 200))


def test_time_alone_tells_them_too() -> None:
    engine = restored(overloaded().engine.snapshot(), without("O3"))
    assert ("O3", To.CLEARED, CURRENT, 0) in told(engine.advance(us(200)))


def test_the_clearing_of_a_rule_of_several_metrics_says_which() -> None:
    rule = next(one for one in ALL.rule if len(one.metrics) > 1 and one.name == "Q1")
    table = block()
    metric = table.metric.copy()
    metric[7] = rule.metrics[0]
    table = dataclasses.replace(table, metric=metric)
    story = Story(ALL, table)
    raised = story.series(7, 0, 7200, 60, float("nan"))
    assert [one.rule for one in raised] == ["Q1"]
    [gone] = nothing(restored(story.engine.snapshot(), without("Q1"), table), 7300)
    assert (gone.rule, gone.metric) == ("Q1", raised[0].metric) != ("Q1", "")


def test_the_alarm_of_a_silent_device_ends_with_its_rule() -> None:
    engine = Engine(ALL, block())
    engine.evaluate(reading(CURRENT, 0, 1.0), [], us(0))
    raised = [one for at in range(0, 40 * 86_400, 3600) for one in engine.advance(us(at))]
    assert raised
    [gone, *_] = nothing(restored(engine.snapshot(), without(raised[0].rule)), 41 * 86_400)
    assert (gone.rule, gone.subject, gone.device, gone.slot) == (raised[0].rule, Subject.DEVICE, 3, CURRENT)


def test_what_a_rule_gathered_that_measures_otherwise_in_the_new_release_is_let_go() -> None:
    table = dataclasses.replace(block(), metric=np.full(9, Metric.TEMPERATURE, np.int16))
    mean = MeanRule(
        name="K1", severity=Severity.P2, title=ALL.rule[0].title, metric_name="temperature",
        raise_at=Level(60.0, "degC"), clear_below=Level(50.0, "degC"),
        hold=Span(0), clear_hold=Span(0), max_gap=Span(900_000_000), window=Span(1_200_000_000),
        source=dict.fromkeys(("raise", "hold", "clear", "clear_hold", "max_gap", "window"), "chosen"),
    )  # fmt: skip
    longer = Catalogue(version=1, rule=(_replaced(mean, window=Span(1_800_000_000)),))
    engine = Engine(Catalogue(version=1, rule=(mean,)), table)
    for at in range(0, 900, 60):
        engine.evaluate(reading(CURRENT, at, 1.0), [], us(at))
    state, fresh = engine.snapshot(), Engine(longer, table).snapshot()
    other, same = restored(state, longer, table).snapshot(), restored(state, engine._parts.catalogue, table)
    own = [name for name in fresh if name.startswith("mean.") and not name.endswith(("last_us", "since_us"))]
    assert any(not np.array_equal(same.snapshot()[name], fresh[name]) for name in own)
    assert [name for name in own if not np.array_equal(other[name], fresh[name])] == []


def _replaced(rule: MeanRule, **changes: object) -> MeanRule:
    facts = {name: getattr(rule, name) for name in rule.__struct_fields__}
    return MeanRule(**(facts | changes))


def test_an_alarm_on_a_device_that_is_registered_as_another_is_cleared() -> None:
    story = overloaded()
    device = story.table.device.copy()
    device[CURRENT] = 0
    story.engine.adopt(dataclasses.replace(story.table, device=device), np.array([CURRENT], np.int32))
    [gone] = nothing(story.engine, 200)
    assert told([gone]) == [("O3", To.CLEARED, CURRENT, 0)]
    assert "registered otherwise" in gone.why.en


def test_an_alarm_whose_device_moved_stays_active_and_is_told_where_it_is() -> None:
    story = overloaded()
    dwelling = story.table.dwelling.copy()
    dwelling[CURRENT] = 72
    story.engine.adopt(dataclasses.replace(story.table, dwelling=dwelling), np.array([CURRENT], np.int32))
    found = nothing(story.engine, 200)
    assert [(one.rule, one.to, one.dwelling) for one in found] == [
        ("O3", To.CLEARED, HOME),
        ("O3", To.RAISED, 72),
    ]
    assert ("O3", CURRENT) in [(one.rule, one.slot) for one in story.engine.standing()]
    assert nothing(story.engine, 210) == []


def test_the_silence_of_a_device_that_is_gone_is_no_alarm_any_more() -> None:
    engine, table = Engine(ALL, block()), block()
    engine.evaluate(reading(CURRENT, 0, 1.0), [], us(0))
    raised = [one for at in range(0, 40 * 86_400, 3600) for one in engine.advance(us(at))]
    device = table.device.copy()
    device[CURRENT] = 0
    engine.adopt(dataclasses.replace(table, device=device), np.array([CURRENT], np.int32))
    gone = nothing(engine, 41 * 86_400)
    assert sorted(one.rule for one in gone) == sorted(one.rule for one in raised)
    assert {(one.to, one.device, one.subject) for one in gone} == {(To.CLEARED, 3, Subject.DEVICE)}


def test_the_silence_of_a_device_that_lost_one_of_its_series_goes_on() -> None:
    table = block()
    device = table.device.copy()
    device[UNRATED] = device[CURRENT]
    table = dataclasses.replace(table, device=device)
    engine = Engine(ALL, table)
    engine.evaluate(reading(CURRENT, 0, 1.0), [], us(0))
    assert [one for at in range(0, 40 * 86_400, 3600) for one in engine.advance(us(at))]
    moved = device.copy()
    moved[CURRENT] = 0
    engine.adopt(dataclasses.replace(table, device=moved), np.array([CURRENT], np.int32))
    assert nothing(engine, 41 * 86_400) == []


NAMES = ("S1", "O3", "X1", "Q1", "S2")


@given(
    flags=st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0.0, 1.0, 40.0, 90.0])), max_size=40),
    gone=st.sets(st.sampled_from(NAMES)),
)
@settings(max_examples=40, deadline=None)
def test_after_an_upgrade_what_is_active_and_what_is_cleared_are_what_was_active(
    flags: list[tuple[int, float]], gone: set[str]
) -> None:
    story = Story(ALL)
    for n, (slot, value) in enumerate(flags):
        story.read(slot, n * 20, value)
    before = {one.key for one in story.engine.standing()}
    engine = restored(story.engine.snapshot(), without(*gone))
    after = {one.key for one in engine.standing()}
    lost = nothing(engine, 5000)
    assert after <= before
    assert len(lost) == len(before - after)
    assert {one.rule for one in lost} == {name for name, *_ in before - after}
    assert all(one.to is To.CLEARED for one in lost)


@pytest.mark.parametrize("part", ["standing.", "facts."])
def test_a_snapshot_that_does_not_say_what_was_active_is_taken_all_the_same(part: str) -> None:
    state = {
        name: column for name, column in overloaded().engine.snapshot().items() if not name.startswith(part)
    }
    engine = restored(state, without("O3"))
    found = engine.evaluate(reading(SMOKE, 201, 1), [], us(201))
    assert [one for one in found if one.to is To.RAISED] == []
