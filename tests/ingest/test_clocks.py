"""Clocks that are behind: what teaches that, what does not, and when it is over."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.profile import Note
from ingest.clocks import FRESH_US, LEAST_TIMES, MAX_LEARNING, Clocks
from ingest.notes import CLOCKS, HOLDS, OURS

MINUTE = 60_000_000
DAY = 86_400_000_000
NOW = 1_790_000_000_000_000
SLOW = 40 * MINUTE


def say(
    clocks: Clocks, behind: int, now: int, *, device: int = 7, live: bool = True
) -> tuple[int, list[Note]]:
    """One reading that is `behind` by so much; what is added to its time, and what was learnt."""
    devices, times = np.array([device], np.int32), np.array([now - behind])
    add, notes = clocks.take(devices, times, np.array([live]), now)
    return int(add[0]), notes


def learnt(behind: int = SLOW, device: int = 7) -> Clocks:
    clocks = Clocks()
    for n in range(LEAST_TIMES):
        say(clocks, behind, NOW + n * MINUTE, device=device)
    return clocks


def test_a_clock_that_is_always_behind_by_the_same_is_known_for_it_and_noted() -> None:
    clocks = Clocks()
    told = [say(clocks, SLOW + n, NOW + n * MINUTE) for n in range(LEAST_TIMES)]
    assert [add for add, _ in told] == [0] * LEAST_TIMES
    assert told[-1][1] == [Note(OURS, CLOCKS, "7", str(SLOW))], "the least: no time is put into the future"
    assert say(clocks, SLOW, NOW + 9 * MINUTE) == (SLOW, [])
    assert len(clocks) == 1


def test_a_message_that_is_quicker_than_those_it_was_learnt_from_is_of_now() -> None:
    """A daily report takes minutes on its way, the alarm none."""
    clocks, hours = Clocks(), 8 * 3600 * 1_000_000
    for day, late_s in enumerate([400, 160, 590, 220, 30, 310]):
        say(clocks, hours + late_s * 1_000_000, NOW + day * DAY)
    assert len(clocks) == 1
    now = NOW + 9 * DAY
    assert say(clocks, hours + 3_000_000, now)[0] == hours + 3_000_000
    assert say(clocks, hours + 2_000_000, now + MINUTE)[0] == hours + 2_000_000
    assert say(clocks, hours + 500_000_000, now + 2 * MINUTE)[0] == hours + 30_000_000, "the least there was"


def test_a_restart_does_not_begin_the_learning_anew() -> None:
    clocks = Clocks()
    for n in range(LEAST_TIMES):
        after = Clocks()
        after.resume(clocks.snapshot())
        clocks = after
        say(clocks, SLOW, NOW + n * DAY)
    assert len(clocks) == 1
    Clocks().resume({})


def test_no_time_is_put_into_the_future_whatever_its_quality() -> None:
    clocks = learnt()
    assert say(clocks, 10 * MINUTE, NOW + 9 * MINUTE, live=False) == (10 * MINUTE, [])
    assert say(clocks, -MINUTE, NOW + 9 * MINUTE, live=False) == (0, [])


def test_those_that_were_not_heard_for_long_make_room() -> None:
    clocks = Clocks()
    clocks.resume({"runs": np.array([(n, 1, 1, 1, 1, 1) for n in range(1, MAX_LEARNING + 1)])})
    for n in range(LEAST_TIMES):
        say(clocks, SLOW, NOW + n * MINUTE, device=MAX_LEARNING + 7)
    assert len(clocks) == 1


def test_times_that_come_at_once_teach_nothing() -> None:
    clocks = Clocks()
    for n in range(20):
        assert say(clocks, SLOW, NOW + n * 1_000_000) == (0, [])


def test_a_device_that_catches_up_with_what_it_kept_is_not_behind() -> None:
    """A reading of each minute, sent every ten seconds."""
    clocks = Clocks()
    for n in range(30):
        assert say(clocks, 60 * MINUTE - n * MINUTE + n * 10_000_000, NOW + n * 10_000_000) == (0, [])


def test_what_the_broker_kept_for_us_teaches_nothing() -> None:
    clocks = Clocks()
    for n in range(9):
        assert say(clocks, SLOW, NOW + n * MINUTE, live=False) == (0, [])
    assert clocks.idle


def test_up_to_five_minutes_are_no_slow_clock() -> None:
    clocks = Clocks()
    for n in range(9):
        assert say(clocks, FRESH_US, NOW + n * MINUTE) == (0, [])
    assert clocks.idle


def test_a_clock_that_was_put_right_is_believed_from_that_message_on() -> None:
    clocks = learnt()
    assert say(clocks, 0, NOW + 9 * MINUTE) == (0, [Note(OURS, CLOCKS, "7", "")])
    assert len(clocks) == 0
    assert clocks.idle


def test_what_is_older_than_the_clock_is_behind_keeps_its_age() -> None:
    clocks = learnt()
    assert say(clocks, SLOW + 20 * MINUTE, NOW + 9 * MINUTE) == (SLOW, [])


def test_a_clock_that_falls_further_behind_is_known_after_three_times_again() -> None:
    clocks = learnt()
    told = [say(clocks, 2 * SLOW, NOW + n * MINUTE)[1] for n in range(9, 9 + LEAST_TIMES)]
    assert told == [[], [], [Note(OURS, CLOCKS, "7", str(2 * SLOW))]]


def test_one_usual_time_between_begins_the_learning_anew() -> None:
    clocks = Clocks()
    say(clocks, SLOW, NOW)
    say(clocks, SLOW, NOW + MINUTE)
    say(clocks, 0, NOW + 2 * MINUTE)
    assert say(clocks, SLOW, NOW + 3 * MINUTE) == (0, [])


def test_the_newest_time_of_a_tick_counts() -> None:
    """A device with a right clock that sends the last hour and now in one message is not behind."""
    clocks = Clocks()
    for n in range(9):
        now = NOW + n * MINUTE
        times = np.array([now - SLOW, now, now - 20 * MINUTE])
        add, notes = clocks.take(np.array([7, 7, 7], np.int32), times, np.ones(3, np.bool_), now)
        assert (add.tolist(), notes) == ([0, 0, 0], [])


def test_nobodys_clock_is_not_known() -> None:
    clocks = Clocks()
    for n in range(9):
        assert say(clocks, SLOW, NOW + n * MINUTE, device=0) == (0, [])


def test_notes_bring_back_what_was_learnt() -> None:
    clocks = Clocks()
    clocks.restore(
        [Note(OURS, CLOCKS, "7", str(SLOW)), Note(OURS, HOLDS, "9", "5"), Note("p", CLOCKS, "9", "5")]
    )
    clocks.restore([Note(OURS, CLOCKS, "x", "5"), Note(OURS, CLOCKS, "9", "-5")])
    assert clocks.behind_us(np.array([7, 9, 1_000], np.int32)).tolist() == [SLOW, 0, 0]
    assert len(clocks) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90), st.integers(1, 200)), max_size=60))
def test_a_time_is_never_put_into_the_future_and_notes_say_what_is_known(
    said: list[tuple[int, int, int]],
) -> None:
    clocks, now = Clocks(), NOW
    noted: dict[str, str] = {}
    for device, behind_min, later_s in said:
        now += later_s * 1_000_000
        add, notes = say(clocks, behind_min * MINUTE, now, device=device)
        noted |= {one.key: one.value for one in notes}
        assert now - behind_min * MINUTE + add <= now
        again = Clocks()
        again.restore(Note(OURS, CLOCKS, key, value) for key, value in noted.items())
        ids = np.arange(5, dtype=np.int32)
        assert again.behind_us(ids).tolist() == clocks.behind_us(ids).tolist()
        assert len(again) == len(clocks)
