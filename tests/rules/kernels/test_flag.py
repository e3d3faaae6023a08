"""S1: what a smoke flag raises, when it raises again, and what ends it."""

from __future__ import annotations

import math

import pytest

from devices.model import HARD_QUALITY, EngineInput, InputKind, Quality, ReadingBatch, Severity
from rules.transition import Mark, To, Transition
from tests.rules.story import HALL_SMOKE, HOME, KITCHEN_SMOKE, SMOKE, Story, us

SOFT = [flag for flag in Quality if not flag & (HARD_QUALITY | Quality.DUPLICATE)]


def burning(at_s: float = 0) -> Story:
    story = Story()
    (raised,) = story.read(SMOKE, at_s, 1)
    assert raised.to is To.RAISED
    return story


def only(transitions: list[Transition]) -> Transition:
    (transition,) = transitions
    return transition


def test_a_true_flag_raises_p0_at_once_and_says_why() -> None:
    raised = only(Story().read(SMOKE, 5, 1, late_s=2))
    assert (raised.rule, raised.to, raised.severity) == ("S1", To.RAISED, Severity.P0)
    assert (raised.slot, raised.device, raised.dwelling, raised.place) == (SMOKE, 1, HOME, 0)
    assert (raised.at_us, raised.received_us, raised.age_s) == (us(5), us(7), 2.0)
    assert (raised.why.en, raised.marks) == ("smoke flag set", ())


def test_a_true_flag_of_a_device_nobody_registered_raises_too() -> None:
    assert only(Story().read(HALL_SMOKE, 0, 1)).dwelling == 0


@pytest.mark.parametrize("flag", SOFT)
def test_a_true_flag_raises_whatever_else_is_wrong_with_the_reading(flag: Quality) -> None:
    assert only(Story().read(SMOKE, 0, 1, flag)).severity is Severity.P0


@pytest.mark.parametrize("flag", [*HARD_QUALITY, Quality.DUPLICATE])
def test_hard_quality_and_duplicates_raise_nothing(flag: Quality) -> None:
    story = Story()
    assert story.read(SMOKE, 0, 1, flag) == []
    assert len(story.read(SMOKE, 1, 1)) == 1


def test_nan_neither_raises_nor_clears() -> None:
    story = Story()
    assert story.read(SMOKE, 0, math.nan) == []
    story.read(SMOKE, 1, 1)
    story.read(SMOKE, 2, 0)
    story.close("S1", 3, SMOKE)
    assert story.read(SMOKE, 900, math.nan) == []
    assert only(story.read(SMOKE, 901, 0)).to is To.CLEARED


def test_a_flag_that_stays_true_raises_once() -> None:
    assert burning().series(SMOKE, 10, 3600, 10, 1) == []


def test_a_flag_that_goes_to_zero_by_itself_clears_nothing() -> None:
    assert burning().series(SMOKE, 10, 7200, 60, 0) == []


def test_each_detector_has_an_alarm_of_its_own() -> None:
    assert len(burning().read(KITCHEN_SMOKE, 1, 1)) == 1


def test_smoke_more_than_a_minute_old_raises_with_its_age() -> None:
    assert only(Story().read(SMOKE, 0, 1, late_s=60)).marks == ()
    raised = only(Story().read(SMOKE, 0, 1, late_s=250))
    assert (raised.marks, raised.age_s, raised.severity) == ((Mark.LATE,), 250.0, Severity.P0)
    assert raised.why.en == "smoke flag set, reported 4 min 10 s late"


def test_smoke_half_an_hour_old_is_still_p0_and_older_is_a_visit() -> None:
    assert only(Story().read(SMOKE, 0, 1, late_s=1800)).severity is Severity.P0
    visit = only(Story().read(SMOKE, 0, 1, late_s=1801))
    assert (visit.severity, visit.to, visit.marks) == (Severity.P2, To.RAISED, (Mark.LATE,))


def test_a_visit_is_asked_for_once_and_leaves_the_alarm_inactive() -> None:
    story = Story()
    story.read(SMOKE, 0, 1, late_s=3600)
    assert story.read(SMOKE, 60, 1, late_s=3600) == []
    assert only(story.read(SMOKE, 3700, 1)).severity is Severity.P0


@pytest.mark.parametrize("end", ["zero", "reset", "close"])
def test_a_visit_is_asked_for_again_after_a_zero_a_reset_or_a_close(end: str) -> None:
    story = Story()
    story.read(SMOKE, 0, 1, late_s=3600)
    ends = {
        "zero": lambda: story.read(SMOKE, 10, 0, late_s=3600),
        "reset": lambda: story.reset("S1", 3700, SMOKE),
        "close": lambda: story.close("S1", 3700, SMOKE),
    }
    assert ends[end]() == []
    assert only(story.read(SMOKE, 60, 1, late_s=3800)).severity is Severity.P2


@pytest.mark.parametrize("flag", [Quality.RETAINED, Quality.REPLAYED])
def test_retained_smoke_we_do_not_know_is_late_smoke_of_unknown_age(flag: Quality) -> None:
    raised = only(Story().read(SMOKE, 0, 1, flag))
    assert raised.severity is Severity.P0
    assert raised.marks == (Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN)
    assert math.isnan(raised.age_s)


def test_retained_smoke_we_know_of_is_nothing_even_when_the_alarm_was_ended() -> None:
    story = burning()
    assert story.read(SMOKE, 1, 1, Quality.RETAINED) == []
    story.reset("S1", 2, SMOKE)
    assert story.read(SMOKE, 3, 1, Quality.RETAINED) == []


def test_retained_smoke_after_a_known_zero_raises() -> None:
    story = Story()
    story.read(SMOKE, 0, 0)
    assert len(story.read(SMOKE, 1, 1, Quality.RETAINED)) == 1


def test_retained_readings_on_an_active_alarm_hide_no_second_fire() -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    assert story.read(SMOKE, 90, 1, Quality.RETAINED) == []
    assert only(story.read(SMOKE, 100, 1)).marks == (Mark.SECOND_FIRE,)


def test_backfilled_smoke_is_judged_by_its_age() -> None:
    assert only(Story().read(SMOKE, 0, 1, Quality.BACKFILL, late_s=600)).severity is Severity.P0
    assert only(Story().read(SMOKE, 0, 1, Quality.BACKFILL, late_s=6000)).severity is Severity.P2


def test_queued_smoke_raises_and_says_so() -> None:
    assert only(Story().read(SMOKE, 0, 1, Quality.QUEUED, late_s=90)).marks == (Mark.LATE, Mark.QUEUED)


def test_a_second_fire_after_a_minute_of_zero_raises_again() -> None:
    story = burning()
    story.series(SMOKE, 10, 60, 10, 0)
    raised = only(story.read(SMOKE, 70, 1))
    assert (raised.to, raised.severity, raised.marks) == (To.RAISED, Severity.P0, (Mark.SECOND_FIRE,))
    assert raised.why.en == "smoke flag set again after 60 s of 0"


@pytest.mark.parametrize("kind", [InputKind.RESET, InputKind.CLOSE])
def test_a_reset_or_close_made_before_a_second_fire_does_not_end_it(kind: InputKind) -> None:
    """An operator pressed the button a second before the smoke came back, and it was read after that."""
    story = burning()
    story.series(SMOKE, 10, 700, 10, 0)
    assert only(story.read(SMOKE, 711, 1)).marks == (Mark.SECOND_FIRE,)
    given = EngineInput(1, us(710), kind, "S1", SMOKE, 0)
    assert story.engine.evaluate(ReadingBatch.empty(us(712)), [given], us(712)) == []
    story.series(SMOKE, 720, 2000, 10, 0)
    assert only(story.close("S1", 2001, SMOKE)).to is To.CLEARED, "it was neither ended nor closed before"


def test_a_flap_shorter_than_a_minute_is_the_same_fire() -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    assert story.read(SMOKE, 69, 1) == []
    story.read(SMOKE, 70, 0)
    assert story.read(SMOKE, 129, 1) == []


def test_late_smoke_raises_when_nothing_is_active() -> None:
    story = Story()
    story.read(SMOKE, 100, 0)
    assert len(story.read(SMOKE, 50, 1, Quality.LATE, late_s=60)) == 1


def put_right() -> Story:
    """The first 0 of a fire was received at 20 s, by a clock that was four minutes fast and is right now: all
    it says is late until those are over."""
    story = burning(240)
    story.read(SMOKE, 260, 0, late_s=-240)
    story.read(SMOKE, 290, 0, late_s=-240)
    return story


def test_late_smoke_is_a_second_fire_by_when_it_was_received() -> None:
    again = only(put_right().read(SMOKE, 80, 1, Quality.LATE))
    assert (again.severity, again.marks) == (Severity.P0, (Mark.SECOND_FIRE,))
    assert again.why.en == "smoke flag set again after 60 s of 0"


def test_late_smoke_within_a_minute_is_the_same_fire_and_one_after_late_zeros_is_told_once() -> None:
    story = put_right()
    assert story.read(SMOKE, 79, 1, Quality.LATE) + story.read(SMOKE, 90, 1, Quality.LATE) == []
    assert story.read(SMOKE, 100, 0, Quality.LATE) == []
    assert only(story.read(SMOKE, 160, 1, Quality.LATE)).marks == (Mark.SECOND_FIRE,)
    assert story.series(SMOKE, 300, 700, 10, 1) == [], "also when the clock has caught up"


def test_a_second_fire_is_told_when_the_clock_is_set_right_between() -> None:
    story, fast = burning(240), -240.0
    story.read(SMOKE, 260, 0, late_s=fast)
    assert only(story.read(SMOKE, 100, 1, Quality.LATE)).marks == (Mark.SECOND_FIRE,)
    assert story.read(SMOKE, 130, 1, Quality.LATE) + story.read(SMOKE, 200, 1, Quality.LATE) == []


@pytest.mark.parametrize("waited", [Quality.BACKFILL, Quality.QUEUED])
def test_late_smoke_that_waited_is_no_second_fire(waited: Quality) -> None:
    story = burning()
    story.read(SMOKE, 100, 0)
    assert story.read(SMOKE, 90, 1, Quality.LATE | waited, late_s=100) == []
    assert only(story.read(SMOKE, 95, 1, Quality.LATE, late_s=100)).marks == (Mark.LATE, Mark.SECOND_FIRE)


def test_late_smoke_after_no_zero_is_the_same_fire() -> None:
    story = burning(100)
    assert story.read(SMOKE, 90, 1, Quality.LATE, late_s=200) == []


def test_late_readings_neither_clear_nor_move_the_zero_stretch() -> None:
    story = burning()
    story.read(SMOKE, 100, 0)
    assert story.read(SMOKE, 90, 1, Quality.LATE) == []
    story.close("S1", 110, SMOKE)
    assert story.read(SMOKE, 800, 0, Quality.LATE) == []
    assert only(story.read(SMOKE, 801, 0)).why.en == "closed by a person and smoke flag 0 for 11 min 41 s"


def test_a_reset_clears_at_once() -> None:
    cleared = only(burning().reset("S1", 60, SMOKE))
    assert (cleared.rule, cleared.to, cleared.severity) == ("S1", To.CLEARED, Severity.P0)
    assert (cleared.slot, cleared.dwelling, cleared.at_us) == (SMOKE, HOME, us(60))
    assert cleared.why.en == "reset by a person"


def test_smoke_after_a_reset_raises_at_once_even_when_the_flag_never_fell() -> None:
    story = burning()
    story.reset("S1", 60, SMOKE)
    assert only(story.read(SMOKE, 61, 1)).marks == ()


def test_a_reset_or_close_of_what_is_not_active_is_nothing() -> None:
    story = Story()
    assert story.reset("S1", 0, SMOKE) == []
    assert story.close("S1", 0, SMOKE) == []
    assert story.reset("S1", 0, 4096) == []
    assert story.reset("S1", 0, 3) == []
    assert story.reset("GONE", 0, SMOKE) == []


def test_a_closed_alarm_clears_after_ten_minutes_of_zero() -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    assert story.close("S1", 60, SMOKE) == []
    assert story.read(SMOKE, 609, 0) == []
    assert only(story.read(SMOKE, 610, 0)).to is To.CLEARED


def test_a_close_after_ten_minutes_of_zero_clears_at_the_close() -> None:
    story = burning()
    story.series(SMOKE, 10, 610, 60, 0)
    cleared = only(story.close("S1", 700, SMOKE))
    assert (cleared.to, cleared.at_us) == (To.CLEARED, us(700))
    assert len(story.read(SMOKE, 701, 1)) == 1


def test_zeros_from_before_a_late_smoke_do_not_end_it() -> None:
    story = Story()
    story.series(SMOKE, 0, 1200, 60, 0)
    story.read(SMOKE, 1190, 1, Quality.LATE, late_s=30)
    assert story.close("S1", 1300, SMOKE) == []
    assert only(story.read(SMOKE, 1301, 0)).to is To.CLEARED


def test_zeros_from_before_a_reset_do_not_end_what_came_after_it() -> None:
    story = burning()
    story.series(SMOKE, 10, 1200, 10, 0)
    story.reset("S1", 1210, SMOKE)
    story.read(SMOKE, 1190, 1, Quality.LATE, late_s=30)
    assert story.close("S1", 1230, SMOKE) == []


def test_smoke_too_old_for_an_alarm_is_a_visit_even_after_the_close() -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    story.close("S1", 60, SMOKE)
    assert only(story.read(SMOKE, 70, 1, late_s=3600)).severity is Severity.P2
    assert only(story.read(SMOKE, 3700, 1)).severity is Severity.P0


def test_smoke_on_a_closed_alarm_raises_a_new_p0_at_once() -> None:
    story = burning()
    story.close("S1", 60, SMOKE)
    assert only(story.read(SMOKE, 61, 1)).severity is Severity.P0
    assert story.read(SMOKE, 62, 1) == []


@pytest.mark.parametrize("flag", [Quality.RETAINED, Quality.REPLAYED])
def test_retained_smoke_on_a_closed_alarm_raises_nothing(flag: Quality) -> None:
    story = burning()
    story.close("S1", 60, SMOKE)
    assert story.read(SMOKE, 61, 1, flag) == []


@pytest.mark.parametrize("flag", [Quality.STALE, Quality.BACKFILL, Quality.RETAINED, Quality.LATE])
def test_zeros_that_do_not_speak_for_now_clear_nothing(flag: Quality) -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    story.close("S1", 60, SMOKE)
    assert story.read(SMOKE, 1000, 0, flag) == []
    assert only(story.read(SMOKE, 1001, 0)).to is To.CLEARED


def test_an_aged_edge_on_an_active_alarm_waits_for_the_live_one() -> None:
    story = burning()
    story.read(SMOKE, 10, 0)
    assert story.read(SMOKE, 100, 1, Quality.BACKFILL, late_s=3600) == []
    assert only(story.read(SMOKE, 3800, 1)).marks == (Mark.SECOND_FIRE,)


def test_when_our_clock_was_put_back_a_second_fire_is_told_and_a_reset_counts() -> None:
    """Our clock ran eight hours ahead while the first fire began and stopped."""
    ahead = 8 * 3600
    story = burning(ahead)
    story.read(SMOKE, ahead + 10, 0)
    raised = only(story.read(SMOKE, 100, 1))
    assert raised.marks == (Mark.SECOND_FIRE,)
    assert raised.why.en == "smoke flag set"
    story = burning(ahead)
    assert only(story.reset("S1", 100, SMOKE)).to is To.CLEARED


def test_when_our_clock_was_put_back_a_closed_alarm_clears_after_ten_minutes_of_zero() -> None:
    ahead = 8 * 3600
    story = burning(ahead)
    story.read(SMOKE, ahead + 10, 0)
    story.close("S1", 50, SMOKE)
    assert story.series(SMOKE, 100, 690, 10, 0) == []
    assert only(story.read(SMOKE, 700, 0)).to is To.CLEARED
