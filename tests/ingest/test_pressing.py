"""Tests of detectors through whole ticks: journalled with the tick, once in the database, whoever dies."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.tested import MOST_AN_HOUR
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.pressing import HOLD_US, PressingHouse, pressed, running
from tests.ingest.redelivering import NOW_US

S = 1_000_000
DAY = 86_400 * S
STEPS = [
    "poll", "inputs", "journal.before", "journal.torn", "journal.after", "evaluate",
    "ledger.before", "ledger.after", "ack.before", "ack.after",
]  # fmt: skip


def say(house: House, uid: str, runs: int, at_us: int = 0, **more: int) -> None:
    told = ", ".join(f'"{name}": {value}' for name, value in more.items())
    at = f', "at": {at_us}' if at_us else ""
    house.broker.publish(f"t/{uid}", f'{{"test": {runs}{at}{", " + told if told else ""}}}'.encode())


def test_a_press_is_on_record_with_beginning_receipt_and_end(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    say(house, "d1", 1, NOW_US - 5 * S)
    house.run(tick)
    [begun] = pressed(house)
    assert (begun[:2], begun[3]) == (("d1", NOW_US - 5 * S), None)
    assert NOW_US < begun[2] <= house.line.now_us
    say(house, "d1", 0, NOW_US - 1 * S)
    house.run(tick)
    assert pressed(house) == [(*begun[:3], NOW_US - 1 * S)]
    assert running(house) == []
    house.stop()


def test_without_a_time_of_its_own_it_began_when_it_was_received(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    say(house, "d1", 0)
    say(house, "d1", 1)
    house.run(tick)
    [(_, began_us, received_us, _)] = pressed(house)
    assert began_us == received_us > NOW_US
    house.stop()


def test_a_device_that_says_tests_without_end_does_not_fill_the_record(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    for n in range(200):  # at two times a day apart, so that no press is of the test before
        began_us = NOW_US - 6 * DAY + n % 2 * DAY + n * S
        say(house, "d1", 1, began_us)
        say(house, "d1", 0, began_us + 1)
    say(house, "d2", 1, NOW_US - 5 * S)
    house.run(tick)
    kept = [uid for uid, *_ in pressed(house)]
    assert (kept.count("d1"), kept.count("d2")) == (MOST_AN_HOUR, 1)
    house.stop()


def test_a_press_raises_nothing_and_a_fire_in_the_same_tick_is_raised(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    say(house, "d1", 1)
    house.run(tick)
    assert house.alarms() == []
    say(house, "d2", 1, smoke=1)
    house.run(tick)
    assert len(house.alarms()) == 1
    assert len(pressed(house)) == 2
    house.stop()


def test_a_report_that_is_repeated_is_one_test_and_no_tick_is_committed_for_it(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    for n in range(5):
        say(house, "d1", 1, NOW_US + n * S)
    house.run(tick)
    assert len(pressed(house)) == 1
    house.ledger.refuse = 1_000  # whoever commits now waits
    for n in range(5, 10):
        say(house, "d1", 1, NOW_US + n * S)
    house.run(tick)
    assert house.ledger.refuse == 1_000
    assert len(pressed(house)) == 1
    house.stop()


def test_whom_nobody_registered_makes_no_record(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    house.broker.publish("t/nobody", b'{"test": 1}')
    house.run(tick)
    assert pressed(house) == []
    house.stop()


def test_what_the_broker_kept_does_not_say_when_somebody_pressed(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"test": 1}', retain=True)
    house.run(tick)
    assert (pressed(house), running(house)) == ([], [])
    house.stop()


def test_a_press_that_is_never_taken_back_is_over_when_its_hold_is_and_the_next_is_another(
    tmp_path: Path,
) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    say(house, "d1", 1, once=1)
    house.run(tick)
    [first] = pressed(house)
    assert len(running(house)) == 1
    house.line.now_us += HOLD_US
    tick.run_once(0.0)
    assert tick.at_rest
    assert pressed(house) == [first] and first[3] is None
    assert running(house) == []
    say(house, "d1", 1, once=1)
    house.run(tick)
    assert [one[3] for one in pressed(house)] == [None, None]
    house.stop()


def test_a_test_goes_on_over_our_restart_and_ends_once(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start()
    say(house, "d1", 1, NOW_US)
    house.run(tick)
    tick.save_snapshot()
    house.stop()
    tick = house.start()
    say(house, "d1", 1, NOW_US + 60 * S)
    house.run(tick)
    house.line.now_us += 86_400 * S
    say(house, "d1", 0, NOW_US + 86_400 * S)
    house.run(tick)
    [only] = pressed(house)
    assert (only[1], only[3]) == (NOW_US, NOW_US + 86_400 * S)
    house.stop()


def test_a_stuck_flag_is_no_new_test_after_a_restart_and_a_press_after_a_lost_end_is(tmp_path: Path) -> None:
    """The newest word of the series says which it is, and that is kept with the series."""
    house = PressingHouse(tmp_path)
    tick = house.start()
    day = 86_400 * S
    for days in range(5):
        house.line.now_us = NOW_US + days * day
        say(house, "d1", 1)
        say(house, "d2", 1) if not days else None
        house.run(tick)
    tick.save_snapshot()
    house.stop()
    tick = house.start()
    house.line.now_us = NOW_US + 5 * day
    say(house, "d1", 1)
    say(house, "d2", 1)
    house.run(tick)
    assert [one[0] for one in pressed(house)] == ["d1", "d2", "d2"]
    house.stop()


def test_begun_and_ended_in_one_tick_it_has_both(tmp_path: Path) -> None:
    house = PressingHouse(tmp_path)
    tick = house.start(batch=2)
    say(house, "d1", 1, NOW_US - 5 * S)
    say(house, "d1", 0, NOW_US - 2 * S)
    house.run(tick)
    assert [(one[1], one[3]) for one in pressed(house)] == [(NOW_US - 5 * S, NOW_US - 2 * S)]
    house.stop()


Test = tuple[str, int, int | None]


def a_morning(house: House) -> list[Test]:
    """Thirteen presses two minutes apart, the last not over; what must be on record of them."""
    expected: list[Test] = []
    for n in range(13):
        uid, at_us, last = f"d{n % 3 + 1}", NOW_US - 3_600 * S + n * 120 * S, n == 12
        say(house, uid, 1, at_us)
        say(house, uid, 1, at_us + 2 * S)
        if not last:
            say(house, uid, 0, at_us + 5 * S)
        expected.append((uid, at_us, None if last else at_us + 5 * S))
    return expected


def on_record(house: House) -> list[Test]:
    return [(uid, began_us, ended_us) for uid, began_us, _, ended_us in pressed(house)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [1, 4])
def test_whoever_dies_at_any_step_each_test_is_there_once(tmp_path: Path, step: str, after: int) -> None:
    house = PressingHouse(tmp_path)
    expected = a_morning(house)
    with suppress(Killed):
        house.run(house.start(Fuse(step, after), batch=3, snapshot_s=3.0))
    house.stop()
    house.run(house.start(batch=3, snapshot_s=3.0))
    assert (on_record(house), len(running(house))) == (expected, 1)
    house.stop()
    house.start()
    assert (on_record(house), len(running(house))) == (expected, 1)
    house.stop()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 6)), max_size=4),
    st.integers(1, 5),
)
def test_any_chain_of_deaths_leaves_each_test_once(deaths: list[tuple[str, int]], batch: int) -> None:
    with TemporaryDirectory() as folder:
        house = PressingHouse(Path(folder))
        expected = a_morning(house)
        for death in deaths:
            with suppress(Killed):
                house.run(house.start(Fuse(*death), batch, snapshot_s=3.0))
            house.stop()
        house.run(house.start(batch=batch, snapshot_s=3.0))
        house.stop()
        assert (on_record(house), len(running(house))) == (expected, 1)
        house.engine.dispose()
