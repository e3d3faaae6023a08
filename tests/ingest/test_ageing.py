"""By which clock points become too old: one that is ahead for a moment drops nothing."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.store.ageing import AHEAD_US, HELD_S, Age, aged, begun

START_US = 1_790_000_000_000_000
DAY_S = 86_400
STEPS = st.lists(st.tuples(st.integers(1, 4000), st.integers(-90 * DAY_S, 90 * DAY_S)), max_size=20)
"""Seconds that pass, and how far off the clock is then."""


def lived(steps: Sequence[tuple[int, int]], age: Age | None = None) -> tuple[Age, int]:
    """By what points are too old after these, and how many seconds have passed."""
    age, passed = age or Age(START_US, 0.0), round(age.at_s) if age else 0
    for seconds, off in steps:
        passed += seconds
        age = aged(age, START_US + (passed + off) * 1_000_000, float(passed))
    return age, passed


def test_a_clock_that_goes_as_time_does_is_gone_by() -> None:
    age, passed = lived([(5, 0), (600, 1), (5, -3)])
    assert age == Age(START_US + (passed - 3) * 1_000_000, 610.0)


def test_a_clock_that_is_ahead_for_a_moment_is_not_and_time_goes_on() -> None:
    age, passed = lived([(5, 0), (5, 60 * DAY_S)])
    assert (age.now_us, age.doubt is not None) == (START_US + 10_000_000, True)
    age, passed = lived([(5, 0)], age)
    assert age == Age(START_US + passed * 1_000_000, 15.0)


def test_a_clock_that_is_ahead_for_an_hour_is_believed() -> None:
    held = [(600, 60 * DAY_S)] * 7
    assert lived(held[:6])[0].now_us == START_US + 3600 * 1_000_000
    assert lived(held)[0].now_us == START_US + (4200 + 60 * DAY_S) * 1_000_000


def test_one_that_jumps_on_meanwhile_must_hold_anew() -> None:
    steps = [(600, 60 * DAY_S)] * 5 + [(600, 600 * DAY_S)] * 2
    assert lived(steps)[0].now_us == START_US + 4200 * 1_000_000


def test_one_that_went_back_is_believed_and_its_return_waits() -> None:
    age, _ = lived([(5, -60 * DAY_S)])
    assert age.now_us == START_US + (5 - 60 * DAY_S) * 1_000_000
    assert lived([(5, 0)], age)[0].now_us == START_US + (10 - 60 * DAY_S) * 1_000_000


@given(STEPS, st.integers(1, 50))
def test_whatever_the_clock_did_without_holding_an_hour_nothing_is_older_than_an_hour_more(
    steps: list[tuple[int, int]], every: int
) -> None:
    """The most that is believed at once is an hour beyond the time that passed, at each step."""
    age, passed = Age(START_US, 0.0), 0
    for seconds, off in steps:
        passed += seconds % every + 1
        before = age
        age = aged(before, START_US + (passed + off) * 1_000_000, float(passed))
        went_us = age.now_us - before.now_us - round((age.at_s - before.at_s) * 1e6)
        assert went_us <= AHEAD_US or (before.doubt and passed - before.doubt.since_s >= HELD_S)


@given(STEPS, st.integers(-90 * DAY_S, 90 * DAY_S))
def test_whatever_happened_a_clock_that_goes_on_is_believed_in_the_end(
    steps: list[tuple[int, int]], off: int
) -> None:
    age, passed = lived(steps)
    age, passed = lived([(60, off)] * 62, age)
    assert age == Age(START_US + (passed + off) * 1_000_000, float(passed))


@given(st.integers(-90 * DAY_S, 90 * DAY_S))
def test_after_a_start_the_last_prune_says_what_can_be(off: int) -> None:
    clock_us = START_US + off * 1_000_000
    age = begun(START_US, clock_us, 7.0, witnessed=False)
    assert age.now_us == (clock_us if off <= 3600 else START_US)
    assert begun(START_US, clock_us, 7.0, witnessed=True) == Age(clock_us, 7.0)
    assert begun(None, clock_us, 7.0, witnessed=False) == Age(clock_us, 7.0)
