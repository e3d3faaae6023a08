"""Devices behind a gateway: who is to blame for their silence, and where their clock goes on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tests.rules.kernels.block import Block, Device

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
