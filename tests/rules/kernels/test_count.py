"""S4, O5 and A3: what happens again and again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, Metric, Quality, ReadingBatch, Severity
from rules.catalogue import Catalogue, CatalogueError
from rules.kernels.count import Counts
from rules.transition import To, Transition
from tests.rules.kernels.one_series import (
    ONE,
    UNSEEN,
    alone,
    assert_cutting_does_not_matter,
    changed,
    every,
    refused,
    series,
    told,
)
from tests.rules.story import Story, shipped, us

TRIP, ARC, SMOKE = series(Metric.BREAKER_TRIP), series(Metric.ARC_HALF_CYCLES), series(Metric.SMOKE_ALARM)
HOUR, DAY = 3600, 86_400
SOURCE_OF_FROM = 'from = "GB 31252-2014 4.3: up to 9 arc half cycles in 1 s must not alarm"'


def breaker() -> Story:
    return Story(alone("O5"), TRIP)


def tripped_twice() -> Story:
    story = breaker()
    assert len(told(story, [(0, 1), (60, 0), (HOUR, 1), (HOUR + 60, 0)])) == 1
    return story


def unfounded(story: Story, at_s: float, rule: str = "S1", slot: int = ONE) -> list[Transition]:
    """A person closes the incident of an alarm that was false."""
    given_ = EngineInput(1, us(at_s), InputKind.UNFOUNDED, rule, slot, 0)
    return story.engine.evaluate(ReadingBatch.empty(us(at_s)), [given_], us(at_s))


def test_a_second_trip_within_a_day_raises_and_says_the_numbers() -> None:
    story = breaker()
    assert told(story, [(0, 0), (60, 1), (120, 0)]) == []
    (raised,) = story.read(ONE, DAY, 1)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("O5", To.RAISED, Severity.P1, ONE)
    assert raised.why.en == "breaker flag set 2 times within 24 h (≥ 2)"
    assert raised.why.zh_cn == "24 小时内断路器脱扣信号触发 2 次（≥ 2 次）"


def test_a_second_trip_a_day_after_the_first_does_not() -> None:
    assert told(breaker(), [(0, 1), (60, 0), (DAY, 1)]) == []
    assert len(told(breaker(), [(0, 1), (60, 0), (math.nextafter(DAY, 0) - 1e-5, 1)])) == 1


def test_a_flag_that_stays_1_has_risen_once() -> None:
    assert told(breaker(), every(0, DAY, 600, 1)) == []


def test_a_day_without_a_trip_clears() -> None:
    story = tripped_twice()
    assert told(story, every(2 * HOUR, HOUR + DAY - 1, HOUR, 0)) == []
    (cleared,) = story.read(ONE, HOUR + DAY, 0)
    assert (cleared.to, cleared.severity) == (To.CLEARED, Severity.P1)
    assert cleared.why.en == "breaker flag set 0 times within 24 h (< 1)"
    assert cleared.why.zh_cn == "24 小时内断路器脱扣信号触发 0 次（< 1 次）"


def test_a_third_trip_keeps_it_raised() -> None:
    story = tripped_twice()
    assert told(story, [(DAY, 1), (DAY + 60, 0), (HOUR + DAY, 0), (2 * DAY - 1, 0)]) == []
    assert len(story.read(ONE, 2 * DAY, 0)) == 1


def test_a_queued_reading_tells_of_a_trip_and_nothing_is_raised_at_it() -> None:
    story = breaker()
    assert told(story, [(0, 1), (60, 0)]) + story.read(ONE, HOUR, 1, Quality.QUEUED) == []
    assert len(story.read(ONE, HOUR + 10, 1)) == 1


def test_our_own_stop_does_not_make_a_circuit_clean() -> None:
    story = tripped_twice()
    assert story.read(ONE, 2 * HOUR, 0, Quality.QUEUED) + story.read(ONE, 3 * HOUR, 0) == []


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_tell_of_no_trip_and_hide_none(flag: Quality) -> None:
    story = breaker()
    assert told(story, [(0, 1)]) == []
    assert story.read(ONE, 10, 0, flag) + story.read(ONE, 20, 1) + story.read(ONE, 30, 1, flag) == []
    assert story.read(ONE, 40, 0) + story.read(ONE, 50, 1, flag) == []
    assert len(story.read(ONE, 60, 1)) == 1


def test_nan_is_neither_0_nor_1() -> None:
    assert told(breaker(), [(0, 1), (10, math.nan), (20, 1), (30, math.nan)]) == []


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_clears_it_and_old_trips_are_forgotten(act: str) -> None:
    story = tripped_twice()
    acts = {"reset": story.reset, "close": story.close}
    (cleared,) = acts[act]("O5", HOUR + 100, ONE)
    assert cleared.to is To.CLEARED
    assert told(story, [(2 * HOUR, 0), (3 * HOUR, 1), (3 * HOUR + 60, 0)]) == []
    assert len(story.read(ONE, 4 * HOUR, 1)) == 1


def test_after_a_reset_a_flag_that_is_still_1_has_not_risen() -> None:
    story = breaker()
    told(story, [(0, 1), (60, 0), (HOUR, 1)])
    story.reset("O5", HOUR + 1, ONE)
    assert told(story, [(HOUR + 10, 1), (HOUR + 20, 0), (HOUR + 30, 1)]) == []


def test_three_bursts_within_an_hour_raise_and_say_the_band() -> None:
    story = Story(alone("A3"), ARC)
    assert told(story, [(0, 10), (600, 0), (1200, 11.5), (1800, 9), (2400, 14)]) == []
    (raised,) = story.read(ONE, HOUR - 1, 13)
    assert (raised.rule, raised.severity) == ("A3", Severity.P2)
    assert raised.why.en == "arc half cycles from 10 to 13 in 3 readings within 60 min (≥ 3)"
    assert raised.why.zh_cn == "60 分钟内故障电弧半波数有 3 次为 10 至 13（≥ 3 次）"


@pytest.mark.parametrize("value", [math.nextafter(10, 0), math.nextafter(13, 14), 0.0, 20.0, math.inf])
def test_values_outside_the_band_are_not_counted(value: float) -> None:
    assert told(Story(alone("A3"), ARC), every(0, HOUR, 60, value)) == []


def test_six_clean_hours_clear_and_less_do_not() -> None:
    story = Story(alone("A3"), ARC)
    assert len(told(story, [(0, 10), (60, 10), (120, 10)])) == 1
    assert told(story, every(720, 120 + 6 * HOUR - 1, 600, 5)) == []
    (cleared,) = story.read(ONE, 720 + 6 * HOUR, 5)
    assert cleared.why.en.endswith("in 0 readings within 60 min (< 1) for 5 h 10 min")


def test_daily_reports_are_enough_to_clear() -> None:
    story = Story(alone("A3"), ARC)
    told(story, [(0, 10), (60, 10), (120, 10)])
    assert told(story, [(DAY, 0)]) == []
    assert len(told(story, [(2 * DAY, 0)])) == 1


def test_a_third_false_alarm_in_a_day_is_seen_at_the_next_reading() -> None:
    story = Story(nuisance(), SMOKE)
    for at in (HOUR, 2 * HOUR, 3 * HOUR):
        assert story.read(ONE, at - 60, 0) + unfounded(story, at) == []
    (raised,) = story.read(ONE, 4 * HOUR, 0)
    assert (raised.rule, raised.severity, raised.slot) == ("S4", Severity.P3, ONE)
    assert raised.why.en == "smoke alarm found false 3 times within 24 h (≥ 3)"
    assert raised.why.zh_cn == "24 小时内烟雾报警被判定为误报 3 次（≥ 3 次）"


def test_a_heat_detector_is_counted_by_its_own_rule() -> None:
    story = Story(nuisance(), series(Metric.HEAT_ALARM))
    for at in (1, 2, 3):
        unfounded(story, at, "H1")
    (raised,) = story.read(ONE, 4, 0)
    assert raised.why.en.startswith("heat alarm found false 3 times")


@pytest.mark.parametrize(
    ("rule", "slot"), [("O5", ONE), ("X9", ONE), ("S1", 2), ("S1", 0), ("S1", 10**9), ("S1", -1)]
)
def test_false_alarms_of_other_rules_and_series_are_not_counted(rule: str, slot: int) -> None:
    story = Story(nuisance(), series(Metric.SMOKE_ALARM, number=2))
    for at in (1, 2, 3, 4):
        assert unfounded(story, at, rule, slot) == []
    assert story.read(ONE, 5, 0) == []


def test_that_an_alarm_was_false_does_not_clear_it() -> None:
    story = Story(shipped(), SMOKE)
    assert [one.rule for one in story.read(ONE, 0, 1)] == ["S1"]
    assert unfounded(story, 10) == []
    assert list(story.engine.holds(SMOKE.device)) == [False, True]


def test_two_false_alarms_and_three_in_more_than_a_day_are_no_nuisance() -> None:
    story = Story(nuisance(), SMOKE)
    for at in (0, 12 * HOUR, DAY + 1):
        assert unfounded(story, at) + story.read(ONE, at + 2, 0) == []


def test_smoke_itself_is_not_counted() -> None:
    story = Story(nuisance(), SMOKE)
    assert told(story, every(0, 100, 1, lambda at: at % 2)) == []


def test_a_week_without_a_false_alarm_clears_over_daily_reports() -> None:
    story = Story(nuisance(), SMOKE)
    for at in (1, 2, 3):
        unfounded(story, at)
    assert len(story.read(ONE, 4, 0)) == 1
    told_ = told(story, [(4 + DAY * day, 0) for day in range(1, 10)])
    assert [(one.to, one.at_us) for one in told_] == [(To.CLEARED, us(4 + 7 * DAY))]
    assert told_[0].why.en == "smoke alarm found false 0 times within 24 h (< 1) for 6 d"


def test_a_false_alarm_in_the_week_starts_it_again() -> None:
    story = Story(nuisance(), SMOKE)
    for at in (1, 2, 3):
        unfounded(story, at)
    told(story, [(4 + DAY * day, 0) for day in range(6)])
    unfounded(story, 5 + 5 * DAY)
    assert told(story, [(4 + DAY * day, 0) for day in range(6, 13)]) == []
    assert len(story.read(ONE, 4 + 13 * DAY, 0)) == 1


def test_the_last_eight_are_remembered() -> None:
    own = changed("O5", ('raise = "2"', 'raise = "8"'), ('within = "24 h"', 'within = "30 d"'))
    story = Story(own, TRIP)
    assert told(story, every(0, 13, 1, lambda at: at % 2)) == []
    assert len(told(story, every(14, 15, 1, lambda at: at % 2))) == 1
    story.reset("O5", 16, ONE)
    assert told(story, every(16, 31, 1, lambda at: at % 2)) != []


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("O5", 'raise = "2"', 'raise = "9"', "key `raise`: a number from 1 to 8 is allowed"),
        ("O5", 'raise = "2"', 'raise = "2 A"', "unit `A` does not fit metric `breaker.trip`"),
        ("O5", '"rises"', '"falls"', "key `counts`: `falls` is unknown; allowed: rises, band, unfounded"),
        ("O5", '"breaker.trip"', '"current"', "key `metric`: only flags can rise"),
        ("O5", 'within = "24 h"', 'within = "0 s"', "key `within`: a time above 0 s is allowed"),
        ("O5", 'counts = "rises"', 'counts = "rises"\nof = ["S1"]', "key `of`: the names of rules where"),
        ("O5", 'hold = "0 s"', 'hold = "0 s"\nbelow = true', "key `below`: "),
        ("A3", '"arc.half_cycles"', '"arc.alarm"', "key `metric`: a flag has no band"),
        ("A3", 'to = "13"', 'to = "9"', "key `to`: is below `from`"),
        ("A3", 'to = "13"', 'to = "13 A"', "unit `A` does not fit metric `arc.half_cycles`"),
        ("A3", 'from = "GB', 'form = "GB', "key `form`: unknown under `source`"),
        ("S4", 'of = ["S1", "H1"]\n', "", "key `of`: the names of rules where `counts` is unfounded"),
        ("S4", 'of = ["S1", "H1"]', 'of = ["S1", "Z1"]', "key `of`: no rule Z1; allowed: S1, H1"),
    ],
)
def test_a_wrong_rule_is_refused(name: str, right: str, wrong: str, said: str) -> None:
    assert said in refused(name, right, wrong)


def test_a_band_has_two_ends_and_nothing_else_has_one() -> None:
    with pytest.raises(CatalogueError, match="key `from`: a level where `counts` is band, else none"):
        changed("A3", ('from = "10"\n', ""), (f"{SOURCE_OF_FROM}\n", ""))
    with pytest.raises(CatalogueError, match="key `to`: a level where `counts` is band, else none"):
        changed(
            "O5", ('counts = "rises"', 'counts = "rises"\nto = "1"'), ('raise = "ch', 'to = "s"\nraise = "ch')
        )


def test_only_rules_of_flags_can_be_found_false() -> None:
    with pytest.raises(CatalogueError, match="key `of`: no rule S4; allowed: S1, H1"):
        changed("S4", ('of = ["S1", "H1"]', 'of = ["S4"]'))


def test_the_shipped_rules_count_what_they_say() -> None:
    counts = {rule.name: getattr(rule, "counts", None) for rule in shipped().rule}
    assert (counts["O5"], counts["A3"], counts["S4"]) == tuple(Counts)


def nuisance() -> Catalogue:
    return alone("S4")


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([0, 1, HOUR, 6 * HOUR, 12 * HOUR, DAY - 1, DAY, -HOUR]),
        st.sampled_from([0.0, 0.0, 1.0, 1.0, math.nan]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 1000))
def test_it_is_the_same_however_the_readings_come(steps: list[tuple[int, float, float]], seed: int) -> None:
    at, points = 0.0, []
    for slot, step, value in steps:
        at += step
        points.append((slot, at, value))
    assert_cutting_does_not_matter(alone("O5"), series(Metric.BREAKER_TRIP, number=2), points, seed)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2000), st.sampled_from([5, 9, 10, 13, 14])), max_size=60))
def test_it_is_what_a_list_of_the_last_hour_says(steps: list[tuple[int, int]]) -> None:
    story, at, bursts = Story(alone("A3"), ARC), 0, []
    for step, value in steps:
        at += step
        bursts += [at] * (10 <= value <= 13)
        within = [burst for burst in bursts[-8:] if burst > at - HOUR]
        raised = story.read(ONE, at, value)
        assert bool(raised) is (len(within) >= 3)
        if raised:
            assert f" {len(within)} readings within" in raised[0].why.en
            story.reset("A3", at, ONE)
            bursts = []
