"""What the alarm of a dark building covers, and how long."""

from __future__ import annotations

from devices.model import InputKind
from rules.engine import Engine
from tests.rules.kernels.block import Block, Device, Said, offline_rules

HOUSE, HOUR = 5, 3600
TEN = range(1, 11)


def dark(devices: int = 10) -> Block:
    """A building with so many devices, all heard at 0 and never again, and looked at until it was told."""
    block = Block({n: Device(building=HOUSE) for n in range(1, devices + 1)})
    block.hear(0, *range(1, devices + 1))
    assert block.watch(1, 480) == [("C3", "raised", HOUSE, 480)]
    return block


def lasting(block: Block, start_s: int, end_s: int, *slots: int) -> list[Said]:
    """These are heard once a minute, and everybody is looked at every second."""
    found = []
    for at in range(start_s, end_s + 1):
        found += block.hear(at, *slots) if at % 60 == 0 else block.look(at)
    return found


def alone(n: int) -> list[Said]:
    """What is told of a device that nothing covers any more."""
    return [("C1", "raised", n, 180), ("C1L", "raised", n, HOUR)]


def test_with_as_many_silent_as_raised_it_it_covers_for_ever() -> None:
    block = dark()
    assert lasting(block, 481, 5 * HOUR, *TEN[3:]) == []


def test_with_fewer_it_covers_for_an_hour_and_stays() -> None:
    block = dark()
    assert lasting(block, 600, 600 + HOUR - 1, *TEN[2:]) == []
    assert lasting(block, 600 + HOUR, 600 + HOUR, *TEN[2:]) == [*alone(1), *alone(2)]
    assert lasting(block, 601 + HOUR, 3 * HOUR, *TEN[2:]) == []
    assert block.hear(3 * HOUR + 60, 1, 2)[0] == ("C3", "cleared", HOUSE, 3 * HOUR + 60)


def test_the_hour_begins_anew_when_it_had_been_as_many_again() -> None:
    block = dark()
    lasting(block, 600, 3000, *TEN[2:])
    assert lasting(block, 3001, 3600, *TEN[3:]) == []  # the third is silent from 3180 on
    assert lasting(block, 3601, 3660, *TEN[2:]) == []
    assert lasting(block, 3661, 3660 + HOUR - 1, *TEN[2:]) == []
    assert lasting(block, 3660 + HOUR, 3660 + HOUR, *TEN[2:]) == [*alone(1), *alone(2)]


def test_when_it_is_as_many_again_later_it_covers_again() -> None:
    block = dark()
    lasting(block, 600, 2 * HOUR, *TEN[2:])
    assert lasting(block, 2 * HOUR + 1, 4 * HOUR, *TEN[3:]) == []


def test_one_that_falls_silent_when_it_covers_no_more_waits_as_in_a_building_without_alarm() -> None:
    block = dark(20)
    lasting(block, 600, 2 * HOUR, *range(4, 21))
    told = lasting(block, 2 * HOUR + 1, 3 * HOUR - 1, *range(5, 21))
    assert told == [("C1", "raised", 4, 2 * HOUR + 180)]
    assert block.told[-1].received_us == block.told[-1].at_us + 900_000_000


def test_a_restart_changes_nothing_of_it() -> None:
    block = dark()
    lasting(block, 600, 3000, *TEN[2:])
    state = block.engine.snapshot()
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    assert lasting(block, 3001, 600 + HOUR - 1, *TEN[2:]) == []
    assert lasting(block, 600 + HOUR, 600 + HOUR, *TEN[2:]) == [*alone(1), *alone(2)]


def test_it_is_said_when_the_cover_ends() -> None:
    block = dark()
    block.hear(600, *TEN[2:])
    for _ in range(3):
        block.hear(601 + _, *TEN[2:])
    block.look(604)
    assert block.engine.due_us <= block.told[0].received_us + (120 + HOUR) * 1_000_000


def test_after_our_return_those_are_told_whom_nothing_covers() -> None:
    block = dark()
    lasting(block, 600, 600 + HOUR - 10, *TEN[2:])
    block.give(600 + HOUR - 5, InputKind.RETURNED, from_s=600 + HOUR - 10)
    begin_s = 600 + HOUR - 5 + 60
    told = lasting(block, 600 + HOUR - 4, 2 * HOUR, *TEN[2:])
    assert told == [("C1", "raised", 1, 180), ("C1", "raised", 2, 180)]
    assert block.told[-1].received_us - block.told[0].received_us == (begin_s + 180 - 480) * 1_000_000


def test_a_clock_put_right_lets_the_cover_end() -> None:
    block = dark()
    ahead_s = 30 * 24 * HOUR
    lasting(block, ahead_s, ahead_s + 60, *TEN[2:])
    assert lasting(block, 600, 600 + HOUR - 1, *TEN[2:]) == []
    told = lasting(block, 600 + HOUR, 2 * HOUR, *TEN[2:])
    assert [(rule, device) for rule, _, device, _ in told] == [("C1", 1), ("C1L", 1), ("C1", 2), ("C1L", 2)]


def test_a_share_reached_by_a_clock_ahead_lasts_from_when_it_was_put_right() -> None:
    block = Block({n: Device(building=HOUSE) for n in TEN})
    block.hear(30 * 24 * HOUR, *TEN)
    block.watch(30 * 24 * HOUR + 1, 30 * 24 * HOUR + 200)
    assert block.watch(1000, 1299) == []
    assert block.look(1300) == [("C3", "raised", HOUSE, 1300)]
