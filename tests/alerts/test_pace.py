from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.pace import FEWEST, MOST, TURN_US, Pace


def test_a_turn_takes_what_fits_into_its_time() -> None:
    assert Pace().at_once == MOST
    quick = Pace().after(100, 50_000)
    assert quick.at_once == MOST
    slow = Pace().after(100, 400_000)
    assert slow.at_once == 25
    assert slow.after(25, 100_000).at_once == 25


def test_after_a_hitch_the_pace_is_found_again() -> None:
    pace = Pace().after(100, 100_000).after(100, 60_000_000)
    assert pace.at_once == FEWEST
    for _ in range(20):
        pace = pace.after(pace.at_once, pace.at_once * 1_000)
    assert pace.at_once > MOST * 0.9


def test_few_alarms_and_a_clock_that_was_set_back_tell_nothing() -> None:
    pace = Pace().after(100, 200_000)
    assert pace.after(FEWEST - 1, 10_000_000) == pace
    assert pace.after(MOST, -5_000_000) == pace
    assert pace.after(MOST, 0) == pace


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(-(10**9), 10**9)), max_size=30))
def test_whatever_turns_take_each_takes_some_and_not_too_many(turns: list[tuple[int, int]]) -> None:
    pace = Pace()
    for alarms, took_us in turns:
        pace = pace.after(alarms, took_us)
        assert FEWEST <= pace.at_once <= MOST
        assert pace.at_once == FEWEST or pace.at_once * pace.us_each <= TURN_US
