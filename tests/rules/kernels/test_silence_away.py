"""We, or a broker, were away: whose clock goes on where it stood, and whose begins anew."""

from __future__ import annotations

import math

import pytest

from devices.model import InputKind
from rules.engine import Engine
from tests.rules.kernels.block import Block, Device, offline_rules, us

MINUTE, HOUR, DAY = 60, 3600, 86_400


def one(limit_s: float = 60, **facts: int) -> Block:
    """A block with one device, heard at 0."""
    block = Block({1: Device(limit_s, **facts)}, online=[1])
    assert block.hear(0, 1) == []
    return block


def test_our_restart_is_not_their_outage() -> None:
    block = one(60)
    assert block.give(5000, InputKind.RETURNED) == []
    assert block.look(5239) == []
    assert block.look(5240) == [("C1", "raised", 1, 5240)]


def test_a_restart_starts_the_second_deadline_again_too() -> None:
    block = one(60)
    block.look(200)
    block.give(3500, InputKind.RETURNED)
    assert block.look(3560 + 3599) == []
    assert block.look(3560 + 3600) == [("C1L", "raised", 1, 3560 + 3600)]


def test_while_a_broker_is_away_its_devices_are_not_missed() -> None:
    block = Block({1: Device(), 2: Device()})
    block.hear(0, 1)
    block.hear(0, 2, source="b")
    block.give(10, InputKind.AWAY, "b")
    assert block.engine.away == {"b"}
    assert block.watch(11, 9000) == [("C1", "raised", 1, 180), ("C1L", "raised", 1, 3600)]
    block.give(9000, InputKind.BACK, "b")
    assert block.engine.away == set()
    assert block.look(9239) == []
    assert block.look(9240) == [("C1", "raised", 2, 9240)]


def test_a_device_heard_by_another_broker_meanwhile_is_missed() -> None:
    block = Block({1: Device()})
    block.hear(0, 1)
    block.give(10, InputKind.AWAY)
    block.hear(100, 1, source="b")
    assert block.look(280) == [("C1", "raised", 1, 280)]


def test_one_that_another_broker_finds_again_is_missed_when_it_falls_silent_there() -> None:
    block = Block({1: Device()})
    block.hear(0, 1)
    block.give(10, InputKind.AWAY)
    block.watch(11, 400)
    block.hear(500, 1, source="b")
    assert block.look(679) == []
    assert block.look(680) == [("C1", "raised", 1, 680)]


def test_returning_does_not_mean_that_a_broker_is_back() -> None:
    block = one()
    block.give(10, InputKind.AWAY)
    block.give(20, InputKind.RETURNED)
    assert block.look(10_000) == []


# --- a long clock goes on where it stood


def test_a_daily_one_goes_on_where_it_stood_when_we_went() -> None:
    block = one(math.nan)
    block.give(10 * HOUR, InputKind.RETURNED, from_s=4 * HOUR)
    due_s = 10 * HOUR + MINUTE + 21 * HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C2", "raised", 1, due_s)]


def test_a_restart_every_day_hides_no_dead_device() -> None:
    block = one(math.nan)
    told = []
    for day in range(1, 5):
        told += block.watch(day * DAY - 3, day * DAY - 1)
        told += block.give(day * DAY, InputKind.RETURNED, from_s=day * DAY - 10)
        told += block.look(day * DAY + 3 * HOUR)
    assert [(rule, to) for rule, to, *_ in told] == [("C2", "raised"), ("C2L", "raised")]
    assert told[0][3] < 2 * DAY < told[1][3] < 3 * DAY


def test_at_least_an_hour_is_left_after_an_absence() -> None:
    block = one(math.nan)
    block.give(24 * HOUR + 1000, InputKind.RETURNED, from_s=24 * HOUR + 990)
    due_s = 24 * HOUR + 1000 + MINUTE + HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C2", "raised", 1, due_s)]


@pytest.mark.parametrize(("limit_s", "credit_s"), [(60, 0), (HOUR, 0), (HOUR + 60, 60), (2 * HOUR, 1800)])
def test_a_delay_up_to_an_hour_begins_anew(limit_s: float, credit_s: float) -> None:
    block = one(limit_s)
    block.give(5000, InputKind.RETURNED, from_s=1800 if limit_s > 1800 else 100)
    due_s = 5000 + MINUTE + max(limit_s, 180) - credit_s
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C1", "raised", 1, due_s)]


def restarts(block: Block, every_s: int, until_s: int) -> None:
    """We restart again and again, and are away for 5 s each time."""
    for at in range(every_s, until_s, every_s):
        block.look(at - 5)
        block.give(at, InputKind.RETURNED, from_s=at - 5)
        for look_s in range(at + 1, at + every_s - 5, 30):
            block.look(look_s)


@pytest.mark.parametrize("every_s", [50 * MINUTE, 70 * MINUTE])
def test_however_often_we_restart_a_dead_device_is_told(every_s: int) -> None:
    block = one(math.nan)
    restarts(block, every_s, 3 * DAY)
    assert [one.rule for one in block.told] == ["C2", "C2L"]
    assert us(25 * HOUR) < block.told[0].at_us < us(28 * HOUR)


def test_restarts_every_few_minutes_do_not_hide_one_with_a_short_limit_either() -> None:
    block = one(300)
    restarts(block, 150, 3600)
    # 145 s to the first restart, which are given back; then 150 s less 65 s of absence and grace each
    due_s = 150 + MINUTE + 300 + 3 * (5 + MINUTE)
    assert [(one.rule, one.at_us) for one in block.told] == [("C1", us(due_s))]


def test_more_than_was_left_is_left_once_in_a_silence_and_again_in_the_next() -> None:
    block = one(HOUR)
    block.give(3000, InputKind.RETURNED, from_s=2990)
    block.give(6000, InputKind.RETURNED, from_s=5990)
    left_s = HOUR - (5990 - 3000 - MINUTE)
    assert block.look(6000 + MINUTE + left_s - 1) == []
    block.hear(6700, 1)
    block.give(9000, InputKind.RETURNED, from_s=8990)
    due_s = 9000 + MINUTE + HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C1", "raised", 1, due_s)]


def test_one_whose_time_was_over_has_the_grace_of_each_return() -> None:
    block = one(60)
    block.give(200, InputKind.RETURNED, from_s=190)
    block.give(900, InputKind.RETURNED, from_s=890)
    assert block.look(900 + MINUTE - 1) == []
    assert block.look(900 + MINUTE) == [("C1", "raised", 1, 900 + MINUTE)]


def test_what_an_absence_has_given_is_known_after_a_restart() -> None:
    block = one(HOUR)
    block.give(3000, InputKind.RETURNED, from_s=2990)
    state = block.engine.snapshot()
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    block.give(6000, InputKind.RETURNED, from_s=5990)
    due_s = 6000 + MINUTE + HOUR - (5990 - 3000 - MINUTE)
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C1", "raised", 1, due_s)]


def test_the_clock_of_the_second_alarm_goes_on_too() -> None:
    block = one(math.nan)
    block.look(25 * HOUR)
    block.give(48 * HOUR, InputKind.RETURNED, from_s=47 * HOUR)
    due_s = 48 * HOUR + MINUTE + 2 * HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C2L", "raised", 1, due_s)]


def test_where_nobody_knows_since_when_we_were_away_the_newest_look_counts() -> None:
    block = one(math.nan)
    block.look(4 * HOUR)
    block.give(10 * HOUR, InputKind.RETURNED)
    assert block.look(10 * HOUR + MINUTE + 21 * HOUR - 1) == []
    assert len(block.look(10 * HOUR + MINUTE + 21 * HOUR)) == 1


def test_the_newest_look_counts_where_it_is_later_than_what_we_know_of_ourselves() -> None:
    block = one(math.nan)
    block.look(4 * HOUR)
    block.give(10 * HOUR, InputKind.RETURNED, from_s=HOUR)
    assert len(block.look(10 * HOUR + MINUTE + 21 * HOUR)) == 1


def test_of_a_broker_it_counts_when_its_absence_was_first_told() -> None:
    block = one(math.nan)
    block.give(4 * HOUR, InputKind.AWAY)
    block.give(6 * HOUR, InputKind.AWAY)
    state = block.engine.snapshot()
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    block.give(10 * HOUR, InputKind.BACK)
    due_s = 10 * HOUR + MINUTE + 21 * HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C2", "raised", 1, due_s)]


def test_our_return_does_not_move_those_whose_broker_is_away() -> None:
    block = one(math.nan)
    block.give(4 * HOUR, InputKind.AWAY)
    block.give(8 * HOUR, InputKind.RETURNED, from_s=7 * HOUR)
    block.give(10 * HOUR, InputKind.BACK)
    assert block.look(10 * HOUR + MINUTE + 21 * HOUR - 1) == []
    assert len(block.look(10 * HOUR + MINUTE + 21 * HOUR)) == 1


def test_a_broker_that_was_not_away_and_is_back_changes_nothing() -> None:
    block = one()
    block.give(100, InputKind.BACK)
    assert block.look(180) == [("C1", "raised", 1, 180)]


def test_an_absence_that_is_said_to_begin_after_its_end_is_none() -> None:
    block = one(math.nan)
    block.give(10 * HOUR, InputKind.RETURNED, from_s=20 * HOUR)
    assert block.look(10 * HOUR + MINUTE + 15 * HOUR - 1) == []
    assert len(block.look(10 * HOUR + MINUTE + 15 * HOUR)) == 1


# --- a clock that was ahead


def test_a_clock_that_was_ahead_and_was_put_right_hides_nobody() -> None:
    block = one()
    block.hear(10 * DAY, 1)
    assert block.look(100) == []
    assert block.look(279) == []
    assert block.look(280) == [("C1", "raised", 1, 280)]


def test_one_that_is_heard_as_the_clock_is_put_right_is_missed_in_time() -> None:
    block = one()
    block.hear(10 * DAY, 1)
    block.hear(100, 1)
    assert block.look(279) == []
    assert block.look(280) == [("C1", "raised", 1, 280)]


def test_the_return_counts_from_the_clock_that_was_put_right() -> None:
    block = one()
    block.look(180)
    block.give(10 * DAY, InputKind.RETURNED)
    block.look(1000)
    assert block.look(1000 + HOUR - 1) == []
    assert block.look(1000 + HOUR) == [("C1L", "raised", 1, 1000 + HOUR)]


def test_an_absence_that_began_by_a_clock_ahead_began_when_it_was_put_right() -> None:
    block = one(math.nan)
    block.give(10 * DAY, InputKind.AWAY)
    block.look(4 * HOUR)
    block.give(10 * HOUR, InputKind.BACK)
    due_s = 10 * HOUR + MINUTE + 21 * HOUR
    assert block.look(due_s - 1) == []
    assert block.look(due_s) == [("C2", "raised", 1, due_s)]


def test_one_that_is_heard_by_a_clock_put_right_is_heard() -> None:
    block = one()
    block.look(180)
    block.hear(10 * DAY, 1)
    assert block.until(300, 360, 1) == [("C1", "cleared", 1, 330)]


def test_a_state_without_what_is_kept_of_absences_is_taken() -> None:
    block = one()
    block.look(100)
    kept = ("looked_us", "away_us", "called", "returned_", "building_covers", "building_below_us")
    dropped = tuple(f"presence.{name}" for name in kept)
    state = {name: one for name, one in block.engine.snapshot().items() if not name.startswith(dropped)}
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    assert block.look(180) == [("C1", "raised", 1, 180)]
