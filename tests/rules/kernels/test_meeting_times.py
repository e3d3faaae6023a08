"""By which of two times alarms of two devices meet: when they were observed, or when they were received."""

from __future__ import annotations

import pytest

from devices.model import Quality
from tests.rules.kernels.test_meeting import ARC, HALL, ONE, TWO, UPSTAIRS, house, rules_of, story
from tests.rules.story import Story, shipped

YEAR = 365 * 86_400


def test_a_device_with_a_slow_clock_confirms_a_fire_by_when_it_was_received() -> None:
    told = story()
    told.read(ONE, 1000, 1)
    assert rules_of(told.read(TWO, 690, 1, late_s=311)) == ["S1", "S2"]


@pytest.mark.parametrize(("received_s", "expected"), [(1300, ["S1", "S2"]), (1301, ["S1"])])
def test_what_was_received_five_minutes_apart_is_the_last_that_meets(
    received_s: int, expected: list[str]
) -> None:
    told = story()
    told.read(ONE, 1000, 1)
    assert rules_of(told.read(TWO, 600, 1, late_s=received_s - 600)) == expected


def test_both_alarms_may_be_late() -> None:
    told = story()
    told.read(ONE, 0, 1, late_s=1000)
    assert rules_of(told.read(TWO, 600, 1, late_s=500)) == ["S1", "S2"]


def test_an_alarm_of_unknown_age_meets_by_what_it_says_itself_alone() -> None:
    told = story()
    told.read(ONE, 1000, 1)
    assert rules_of(told.read(TWO, 600, 1, Quality.RETAINED, late_s=401)) == ["S1"]
    told = story()
    told.read(TWO, 600, 1, Quality.RETAINED, late_s=399)
    assert rules_of(told.read(ONE, 1000, 1)) == ["S1"]


@pytest.mark.parametrize(("apart_s", "expected"), [(300, ["S1", "S2"]), (301, ["S1"])])
def test_what_waited_for_us_meets_by_when_it_was_observed_alone(apart_s: int, expected: list[str]) -> None:
    told = story()
    assert rules_of(told.read(ONE, 0, 1, Quality.QUEUED, late_s=1700)) == ["S1"]
    assert rules_of(told.read(TWO, apart_s, 1, Quality.QUEUED, late_s=1700 - apart_s)) == expected
    told = story()
    told.read(ONE, 0, 1, Quality.QUEUED, late_s=1700)
    assert rules_of(told.read(TWO, 1701, 1)) == ["S1"]


def test_when_alarms_were_received_outlives_a_restart() -> None:
    told = story()
    told.read(ONE, 0, 1, late_s=1000)
    told.engine.restore(told.engine.snapshot())
    assert rules_of(told.read(TWO, 1100, 1)) == ["S1", "S2"]


def test_a_snapshot_of_an_earlier_release_knows_no_times_of_receiving() -> None:
    told = story()
    told.read(ONE, 700, 1, late_s=300)
    state = told.engine.snapshot()
    kept = {name: column for name, column in state.items() if not name.endswith("r_received_us")}
    assert len(state) - len(kept) == 2, "of anchor and partner"
    told.engine.restore(kept)
    assert rules_of(told.read(TWO, 1001, 1)) == ["S1"]


@pytest.mark.parametrize("quality", [Quality(0), Quality.QUEUED])
@pytest.mark.parametrize(
    ("early", "late", "rule", "place"),
    [(ARC, ONE, "A1", "X1"), (ONE, ARC, "S1", "X1"), (TWO, ONE, "S1", "S2"), (UPSTAIRS, ONE, "S1", "S2S")],
)
def test_what_alarmed_before_our_clock_was_put_back_confirms_a_fire_after_it(
    quality: Quality, early: int, late: int, rule: str, place: str
) -> None:
    told = Story(shipped(), house())
    told.read(early, YEAR, 1)
    told.read(early, YEAR + 20, 0)
    told.close(rule, YEAR + 30, early)
    told.engine.restore(told.engine.snapshot())
    told.read(early, 1000, 1, quality)
    assert place in rules_of(told.read(late, 1005, 1))


def test_a_third_device_of_before_our_clock_was_put_back_hides_no_second() -> None:
    told = story()
    told.read(HALL, YEAR, 1)
    told.read(HALL, YEAR + 20, 0)
    assert rules_of(told.read(ONE, 1000, 1)) == ["S1"]
    assert rules_of(told.read(UPSTAIRS, 1005, 1)) == ["S1", "S2S"]
