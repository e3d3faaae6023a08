"""What a gap between two readings makes up of a hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.gaps import BY_THE_HOUR_US, ENDS, LONGEST_US, MINUTE_US, UNSAID_US, made_up

QUARTER_US = 15 * MINUTE_US
HOUR_US = 60 * MINUTE_US
SILENCES = st.one_of(st.just(math.nan), st.integers(1, 400_000).map(float))


def of(
    gap: int,
    max_gap: int = QUARTER_US,
    silence_s: float = math.nan,
    hold: int = 10 * MINUTE_US,
    both: bool = True,
) -> int:
    one = made_up(
        np.array([gap], np.int64),
        np.array([max_gap], np.int64),
        np.array([silence_s], np.float32),
        np.array([hold], np.int64),
        np.array([both]),
    )
    return int(one[0])


@pytest.mark.parametrize(
    ("silence_s", "whole_us", "longest_us"),
    [
        (math.nan, UNSAID_US, LONGEST_US),
        (60.0, QUARTER_US, QUARTER_US),
        (1800.0, 30 * MINUTE_US, 30 * MINUTE_US),
        (9000.0, BY_THE_HOUR_US, BY_THE_HOUR_US),
        (9001.0, UNSAID_US, 9_001_000_000),
        (100_800.0, UNSAID_US, 28 * HOUR_US),
    ],
)
def test_how_far_a_gap_counts_in_full_and_how_far_as_half_of_the_hold(
    silence_s: float, whole_us: int, longest_us: int
) -> None:
    assert of(whole_us, silence_s=silence_s) == whole_us
    assert of(longest_us + 1, silence_s=silence_s) == ENDS
    if longest_us > whole_us:
        assert of(whole_us + 1, silence_s=silence_s) == of(longest_us, silence_s=silence_s) == 5 * MINUTE_US


def test_the_rules_own_gap_counts_in_full_where_it_is_longer() -> None:
    assert of(50 * HOUR_US, max_gap=50 * HOUR_US) == 50 * HOUR_US
    assert of(50 * HOUR_US + 1, max_gap=50 * HOUR_US) == ENDS


def test_a_gap_makes_up_no_more_than_it_is_however_long_the_hold() -> None:
    assert of(12 * HOUR_US, hold=7 * 24 * HOUR_US) == 12 * HOUR_US


def test_of_a_longer_gap_nothing_counts_unless_the_readings_at_both_its_ends_do() -> None:
    assert of(UNSAID_US + 1, both=False) == of(LONGEST_US, both=False) == 0
    assert of(UNSAID_US, both=False) == UNSAID_US
    assert of(LONGEST_US + 1, both=False) == ENDS


def test_without_a_hold_only_close_readings_belong_together() -> None:
    assert of(UNSAID_US, hold=0) == UNSAID_US
    assert of(UNSAID_US + 1, hold=0) == ENDS


def test_a_step_back_in_time_ends_it() -> None:
    assert of(-1) == ENDS


@given(st.integers(0, 400 * HOUR_US), st.integers(0, 60 * HOUR_US), SILENCES, st.integers(1, 200 * HOUR_US))
def test_two_gaps_that_count_are_a_hold_unless_they_are_shorter(
    gap: int, max_gap: int, silence_s: float, hold: int
) -> None:
    part = of(gap, max_gap, silence_s, hold)
    assert part == ENDS or (part <= gap and 2 * part >= min(hold, 2 * gap))
    if gap > max(max_gap, BY_THE_HOUR_US):
        assert part < hold or hold <= 1
