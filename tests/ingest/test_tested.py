"""Tests of detectors: one test for each time that somebody pressed, whatever devices make of it."""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric, Quality, ReadingBatch
from devices.profiles.profile import Note
from ingest.device_tests import noted
from ingest.notes import HOLDS, OURS, TESTED, TESTS
from ingest.tested import (
    AGAIN_US,
    ENDED_KEPT,
    HOUR_US,
    LOST_US,
    MOST_AN_HOUR,
    RunningTests,
    Word,
    concerns_tests,
    words_at,
)

S = 1_000_000
DAY = 86_400 * S
UID = "own:d7"


def at(seconds: float, runs: bool, slot: int = 7) -> Word:
    return Word(slot, f"own:d{slot}", int(seconds * S), runs)


def row(began_s: float, received_us: int, ended_s: float | None = None, uid: str = UID) -> Note:
    ended_us = None if ended_s is None else int(ended_s * S)
    return Note(OURS, TESTED, *noted(uid, int(began_s * S), received_us, ended_us))


def rows(notes: list[Note]) -> list[Note]:
    return [one for one in notes if one.table == TESTED]


def running(notes: list[Note]) -> list[tuple[str, str]]:
    return [(one.key, one.value) for one in notes if one.table == TESTS]


def test_a_press_is_one_test_with_its_end() -> None:
    tested = RunningTests()
    begun = tested.say([at(100, True)], 101)
    assert (rows(begun), running(begun)) == ([row(100, 101)], [("7", f"{100 * S} 101")])
    assert tested.say([at(105, True), at(110, True)], 111) == []
    assert (len(tested), tested.slots.tolist()) == (1, [7])
    ended = tested.say([at(112, False)], 113)
    assert (rows(ended), running(ended)) == ([row(100, 101, 112)], [("7", "")])
    assert tested.say([at(120, False)], 121) == []
    assert (len(tested), tested.slots.tolist()) == (0, [])


def test_begun_and_ended_within_one_tick_it_is_one_row_with_both() -> None:
    notes = rows(RunningTests().say([at(100, True), at(103, False)], 104))
    assert notes[-1] == row(100, 104, 103)
    assert len({note[:3] for note in notes}) == 1


def test_a_flag_that_flaps_is_one_test_until_it_was_false_for_a_minute() -> None:
    tested = RunningTests()
    tested.say([at(0, True), at(5, False)], 1)
    again = tested.say([at(5 + AGAIN_US / S, True)], 2)
    assert rows(again) == [row(0, 1)]
    assert running(again) == [("7", "0 1")]
    assert rows(tested.say([at(70, False)], 3)) == [row(0, 1, 70)]
    assert rows(tested.say([at(70 + AGAIN_US / S + 1, True)], 4)) == [row(131, 4)]


def test_a_true_of_a_test_that_is_over_is_not_another() -> None:
    tested = RunningTests()
    tested.say([at(100, True), at(120, False)], 1)
    assert tested.say([at(110, True), at(100, True)], 2) == []
    assert len(tested) == 0


def test_a_test_that_comes_late_is_a_test() -> None:
    tested = RunningTests()
    tested.say([at(5_000, True), at(5_010, False)], 1)
    assert rows(tested.say([at(100, True), at(110, False)], 2))[-1] == row(100, 2, 110)


def test_a_false_from_before_the_beginning_ends_nothing() -> None:
    tested = RunningTests()
    tested.say([at(100, True)], 1)
    assert tested.say([at(99, False)], 2) == []
    assert rows(tested.say([at(101, False)], 3)) == [row(100, 1, 101)]


def test_a_flag_that_is_stuck_is_one_test_and_after_days_without_a_word_it_is_another() -> None:
    tested = RunningTests()
    tested.say([at(0, True)], 1)
    for day in range(1, 100):
        assert tested.say([at(day * DAY / S, True)], 2) == []
    silent_s = 99 * DAY / S + LOST_US / S
    assert tested.say([at(silent_s, True)], 3) == []
    another_s = silent_s + LOST_US / S + 1
    assert rows(tested.say([at(another_s, True)], 4)) == [row(another_s, 4)]
    assert rows(tested.say([at(another_s + 9, False)], 5)) == [row(another_s, 4, another_s + 9)]


def test_a_clock_that_was_put_back_by_days_does_not_hide_the_next_press() -> None:
    tested = RunningTests()
    tested.say([at(LOST_US / S + 1_000, True)], 1)
    assert rows(tested.say([at(10, True)], 2)) == [row(10, 2)]


def test_where_a_hold_is_over_or_the_series_is_gone_nobody_said_the_end() -> None:
    tested = RunningTests()
    tested.say([at(0, True), at(0, True, 8)], 1)
    assert tested.lapse([7, 9]) == [Note(OURS, TESTS, "7", "")]
    tested.forget([8])
    assert tested.take_notes() == [Note(OURS, TESTS, "8", "")]
    assert tested.take_notes() == []
    assert rows(tested.say([at(30, True)], 2)) == [row(30, 2)]


def test_beyond_the_bound_the_first_that_began_is_over_and_none_is_refused() -> None:
    tested = RunningTests(most=2)
    notes = tested.say([at(n, True, n) for n in (1, 2, 3)], 9)
    assert [note.key for note in rows(notes)] == [f"{n * S} own:d{n}" for n in (1, 2, 3)]
    assert Note(OURS, TESTS, "1", "") in notes
    assert sorted(tested.slots.tolist()) == [2, 3]


def leaps(presses: int) -> list[Word]:
    """Presses, each with its end, that alternate between two days and so are never the same test."""
    times = [DAY / S * (2 + n % 2) - n * 200 for n in range(presses)]
    return [at(time_s + after_s, runs) for time_s in times for after_s, runs in ((0, True), (1, False))]


def test_of_one_device_so_many_begin_in_an_hour_and_the_others_are_counted() -> None:
    tested = RunningTests()
    begun = {note[:3] for word in leaps(100) for note in rows(tested.say([word], HOUR_US))}
    assert (len(begun), tested.left_out) == (MOST_AN_HOUR, 100 - MOST_AN_HOUR)
    assert rows(tested.say([at(5, True, 8)], HOUR_US)) == [row(5, HOUR_US, uid="own:d8")]
    assert rows(tested.say([at(9 * DAY / S, True)], 2 * HOUR_US)) == [row(9 * DAY / S, 2 * HOUR_US)]


def test_a_test_that_runs_is_ended_and_goes_on_whatever_was_left_out() -> None:
    tested = RunningTests()
    tested.say([*leaps(MOST_AN_HOUR - 1), at(9 * DAY / S, True), at(0, True)], 7)
    assert tested.left_out == 1
    end_s = 9 * DAY / S + 5
    assert rows(tested.say([at(end_s, False)], 8)) == [row(9 * DAY / S, 7, end_s)]
    assert rows(tested.say([at(end_s + 9, True)], 9)) == [row(9 * DAY / S, 7)]


def test_only_so_many_ends_are_remembered() -> None:
    tested = RunningTests()
    for slot in range(ENDED_KEPT + 10):
        tested.say([at(1, True, slot), at(2, False, slot)], 3)
    assert len(tested._ended) == ENDED_KEPT


def test_after_a_restart_a_test_goes_on_and_nonsense_is_passed_over() -> None:
    nonsense = [
        Note("p", TESTS, "1", "5 6"), Note(OURS, HOLDS, "1", "5"), Note(OURS, TESTS, "x", "5 6"),
        Note(OURS, TESTS, "1", "5"), Note(OURS, TESTS, "2", "5 -6"), Note(OURS, TESTS, "3", ""),
    ]  # fmt: skip
    tested = RunningTests()
    tested.restore([*nonsense, Note(OURS, TESTS, "7", f"{100 * S} 101")], lambda _: 200 * S)
    assert tested.slots.tolist() == [7]
    assert tested.say([at(200 + LOST_US / S, True)], 5) == []
    end_s = 201 + LOST_US / S
    assert rows(tested.say([at(end_s, False)], 6)) == [row(100, 101, end_s)]


def test_only_readings_of_tests_that_can_change_something_cost_more_than_a_look() -> None:
    test, smoke = Metric.SMOKE_TEST, Metric.SMOKE_ALARM

    def concerns(metrics: list[int], values: list[float], runs: int = 0) -> bool:
        return concerns_tests(np.array(metrics, np.int16), np.array(values), runs)

    assert not concerns([], [])
    assert not concerns([smoke, smoke], [1, 1], runs=3)
    assert not concerns([smoke, test], [1, 0])
    assert concerns([smoke, test], [0, 1])
    assert concerns([test], [0], runs=1)


def test_what_says_when_a_test_was_is_a_word_and_nothing_else() -> None:
    test, smoke = Metric.SMOKE_TEST, Metric.SMOKE_ALARM
    bad = [Quality.RETAINED, Quality.REPLAYED, Quality.STALE, Quality.BACKFILL, Quality.FAULT]
    good = [Quality(0), Quality.LATE, Quality.QUEUED, Quality.SUSPECT]
    said = [(n, test, 1.0, quality) for n, quality in enumerate(good)]
    said += [(0, test, 0.0, Quality(0)), (7, test, 0.0, Quality(0))]
    unsaid = [(20 + n, test, 1.0, quality) for n, quality in enumerate(bad)]
    unsaid += [(20, test, 0.0, Quality(0)), (7, test, np.nan, Quality(0)), (7, smoke, 1.0, Quality(0))]
    slot, metric, value, quality = zip(*said, *unsaid, strict=True)
    n = len(slot)
    batch = ReadingBatch(
        0, np.array(slot, np.int32), np.zeros(n, np.int64), np.zeros(n, np.uint16), np.array(value),
        np.array(quality, np.uint32),
    )  # fmt: skip
    found = words_at(batch, np.array(metric, np.int16), np.array([7, 9], np.int32))
    assert found.tolist() == list(range(len(said)))


WORDS = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.integers(0, 10 * DAY).map(lambda us: us // 7), st.booleans()),
    max_size=30,
)
ACTS = st.lists(st.one_of(WORDS, st.sampled_from(["restart", "lapse"])), max_size=12)


def newest(heard: dict[int, int], slot: int) -> int:
    return heard.get(slot, 0)


@given(ACTS)
def test_whatever_is_said_rows_are_sound_and_what_runs_is_what_is_noted(
    acts: list[list[tuple[int, int, bool]] | str],
) -> None:
    tested, noted_runs, table = RunningTests(), dict[str, str](), dict[str, str]()
    heard: dict[int, int] = {}
    for received_us, act in enumerate(acts):
        notes: list[Note] = []
        if act == "restart":
            tested = RunningTests()
            stored = [Note(OURS, TESTS, key, value) for key, value in noted_runs.items() if value]
            tested.restore(stored, partial(newest, heard))
        elif act == "lapse":
            notes = tested.lapse([1])
        elif not isinstance(act, str):
            words = [Word(slot, f"own:d{slot}", us, runs) for slot, us, runs in act]
            heard |= {word.slot: word.observed_us for word in words}
            notes = tested.say(words, received_us)
        for note in notes:
            (table if note.table == TESTED else noted_runs)[note.key] = note.value
        assert sorted(tested.slots.tolist()) == sorted(int(key) for key, value in noted_runs.items() if value)
    pressed = {f"{us} own:d{slot}" for act in acts if not isinstance(act, str) for slot, us, on in act if on}
    assert table.keys() <= pressed
    assert bool(table) == bool(pressed)
    for key, value in table.items():
        ended = value.split()[1:]
        assert not ended or int(ended[0]) >= int(key.split()[0])
