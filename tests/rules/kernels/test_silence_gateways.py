"""Devices behind a gateway: who is to blame for their silence, and where their clock goes on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from devices.model import InputKind
from rules.engine import Engine
from tests.rules.kernels.block import Block, Device, offline_rules, us

HOUR = 3600


def behind(gateway_s: float = 60, child_s: float = 60) -> Block:
    """A gateway (1) with three devices, all heard at 0."""
    children = {n: Device(child_s, parent=1) for n in (2, 3, 4)}
    block = Block({1: Device(gateway_s), **children}, online=[1])
    block.hear(0, 1, 2, 3, 4)
    return block


def test_a_dead_gateway_is_one_alarm() -> None:
    block = behind()
    assert block.watch(1, 3000) == [("C1", "raised", 1, 180)]


def test_a_gateway_said_to_be_offline_is_one_alarm() -> None:
    block = behind(gateway_s=3600)
    block.hear(60, 2, 3, 4)
    block.hear(70, 101, value=0)
    assert block.watch(71, 3000) == [("C1", "raised", 1, 250)]


def test_a_child_is_missed_while_its_gateway_is_heard() -> None:
    block = behind()
    assert block.until(30, 180, 1, 3, 4) == [("C1", "raised", 2, 180)]


def test_a_child_is_missed_as_soon_as_its_gateway_is_heard_after_its_deadline() -> None:
    block = behind(gateway_s=300)
    assert block.hear(150, 1, 3, 4) == []
    assert block.watch(151, 200) == []
    assert block.hear(201, 1, 3, 4) == [("C1", "raised", 2, 180)]


def test_a_gateway_is_heard_through_its_children() -> None:
    block = behind(gateway_s=60, child_s=60)
    assert block.until(30, 3000, 2, 3, 4) == []


def test_when_a_gateway_returns_its_children_have_their_time_again() -> None:
    block = behind()
    block.watch(1, 1000)
    assert block.hear(1001, 1) == []
    assert block.until(1031, 1180, 1) == [("C1", "cleared", 1, 1061)]
    assert block.hear(1181, 1) == [("C1", "raised", n, 1181) for n in (2, 3, 4)]


def test_a_gateway_that_comes_and_goes_hides_no_dead_child_for_ever() -> None:
    block = Block({1: Device(180), 2: Device(25 * HOUR, parent=1)})
    block.hear(0, 1, 2)
    for start_s in range(0, 5 * 24 * HOUR, 360):
        block.until(start_s + 1, start_s + 91, 1)
        block.look(start_s + 280)
    (dead,) = [one for one in block.told if one.device == 2]
    assert dead.rule == "C2"
    assert us(4 * 24 * HOUR) < dead.at_us < us(5 * 24 * HOUR)


def through_a_sibling(gateway_s: float) -> Block:
    """A gateway (9) that sends nothing more, a child (1) with an hour and one (2) with a longer limit."""
    devices = {1: Device(HOUR, parent=9), 2: Device(9000, parent=9), 9: Device(gateway_s)}
    block = Block(devices, online=[9])
    block.hear(0, 1, 2, 9)
    return block


@pytest.mark.parametrize("gateway_s", [math.nan, 9000])
def test_a_gateway_heard_through_a_slower_sibling_is_asked_after_once_and_then_the_child_is_told(
    gateway_s: float,
) -> None:
    block = through_a_sibling(gateway_s)
    assert block.look(3600) == [("C1", "raised", 9, 3600)]
    block.hear(4200, 2)
    assert block.look(7799) == []
    assert block.look(7800) == [("C1", "raised", 1, 7800)]
    assert block.hear(8400, 2) == []
    assert block.hear(12600, 2) == [("C1", "cleared", 9, 12600), ("C1L", "raised", 1, 11400)]


def test_a_gateway_that_may_be_silent_no_longer_than_the_child_is_asked_after_each_time() -> None:
    block = through_a_sibling(HOUR)
    block.look(3600)
    block.hear(4200, 2)
    block.hear(5000, 2)
    block.watch(7790, 9000)
    assert {one.device for one in block.told} == {9}


def test_a_gateway_said_to_be_offline_is_to_blame_again() -> None:
    block = through_a_sibling(9000)
    block.look(3600)
    block.hear(4200, 2)
    block.hear(7700, 109, value=0)
    block.watch(7790, 9000)
    assert {one.device for one in block.told} == {9}


def test_a_gateway_that_is_silent_by_its_own_limit_is_to_blame_again() -> None:
    block = through_a_sibling(4000)
    block.look(3600)
    block.hear(4200, 2)
    block.give(7000, InputKind.AWAY)
    block.give(9000, InputKind.BACK)
    assert block.watch(9000, 13_000) == []
    assert {one.device for one in block.told} == {9}


def test_one_that_was_heard_waits_for_its_gateway_as_before() -> None:
    block = through_a_sibling(9000)
    block.look(3600)
    block.hear(4200, 1, 2)
    assert block.watch(7790, 9000) == []
    assert {one.device for one in block.told} == {9}


def test_that_a_child_has_waited_is_known_after_a_restart() -> None:
    block = through_a_sibling(9000)
    block.look(3600)
    block.hear(4200, 2)
    state = block.engine.snapshot()
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    assert block.look(7800) == [("C1", "raised", 1, 7800)]


def test_a_gateway_of_which_nothing_is_said_may_be_silent_no_longer_than_its_children() -> None:
    block = behind(gateway_s=math.nan, child_s=300)
    assert block.look(299) == []
    assert block.look(300) == [("C1", "raised", 1, 300)]
    assert block.look(3600) == [("C1L", "raised", 1, 3600)]


def test_a_gateway_nobody_ever_heard_explains_nothing() -> None:
    block = Block({2: Device(parent=9)})
    block.hear(0, 2)
    assert block.look(180) == [("C1", "raised", 2, 180)]


def test_children_do_not_wait_for_a_gateway_that_is_gone() -> None:
    block = behind()
    block.look(180)
    block.engine.forget(np.array([1, 101], np.int32))
    table = replace(block.table, device=block.table.device.copy())
    table.device[[1, 101]] = 0
    block.engine.adopt(table, np.array([1, 101], np.int32))
    assert block.look(181) == [("C1", "raised", n, 180) for n in (2, 3, 4)]


def test_the_clock_of_a_daily_one_goes_on_where_it_stood_when_its_gateway_went() -> None:
    block = behind(child_s=math.nan)
    block.until(30, 4 * HOUR, 1)
    assert block.watch(4 * HOUR + 1, 4 * HOUR + 200) == [("C1", "raised", 1, 4 * HOUR + 180)]
    back_s = 10 * HOUR
    block.until(back_s, back_s + 60, 1)
    due_s = back_s + 21 * HOUR
    assert block.until(back_s + 90, due_s - 30, 1) == []
    assert block.until(due_s, due_s, 1) == [("C2", "raised", n, due_s) for n in (2, 3, 4)]


def test_a_gateway_that_fails_every_day_hides_no_dead_device() -> None:
    block = behind(child_s=math.nan)
    told = []
    for day in range(2):
        told += block.until(day * 24 * HOUR + HOUR, (day + 1) * 24 * HOUR, 1)
        told += block.watch((day + 1) * 24 * HOUR + 1, (day + 1) * 24 * HOUR + 200)
    assert [one for one in told if one[0] == "C2"] == [("C2", "raised", n, 26 * HOUR) for n in (2, 3, 4)]


def test_one_that_is_heard_through_its_gateway_s_return_begins_there() -> None:
    block = behind()
    block.watch(1, 1000)
    block.hear(1001, 2)
    assert block.until(1031, 1180, 3, 4) == [("C1", "cleared", 1, 1061)]
    assert block.hear(1181, 3, 4) == [("C1", "raised", 2, 1181)]


def test_a_gateway_of_a_gateway_that_returns_gives_time_again_only_to_what_is_next_to_it() -> None:
    block = Block({1: Device(), 2: Device(parent=1), 3: Device(parent=2)})
    block.hear(0, 1, 2, 3)
    assert block.watch(1, 1000) == [("C1", "raised", 1, 180)]
    assert block.until(1001, 1181, 1) == [("C1", "cleared", 1, 1061), ("C1", "raised", 2, 1181)]
    assert block.until(1211, 1900, 1, 2) == [("C1", "cleared", 2, 1271), ("C1", "raised", 3, 1391)]
