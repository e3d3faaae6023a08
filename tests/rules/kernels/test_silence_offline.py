"""Devices that are said to be offline: when they are missed, and what is no sign of life."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from devices.model import Quality
from rules.engine import Engine
from tests.rules.kernels.block import Block, Device, batch_of, offline_rules, us

HOUR = 3600


def one(limit_s: float = 60, **facts: int) -> Block:
    """A block with one device, heard at 0."""
    block = Block({1: Device(limit_s, **facts)}, online=[1])
    assert block.hear(0, 1) == []
    return block


def test_said_to_be_offline_it_is_missed_after_three_minutes() -> None:
    block = one(math.nan)
    block.hear(100, 101, value=0)
    assert block.look(279) == []
    assert block.look(280) == [("C2", "raised", 1, 280)]
    assert block.told[-1].why.en == "said to be offline, and not heard for 3 min since"
    assert block.look(280 + 24 * HOUR) == [("C2L", "raised", 1, 280 + 24 * HOUR)]


def test_saying_it_again_does_not_put_it_off() -> None:
    block = one(3600)
    block.until(100, 270, 101, every_s=1e9)
    for at in (200, 250, 300):
        block.hear(at, 101, value=0)
    assert block.look(380) == [("C1", "raised", 1, 380)]


def test_it_never_comes_later_for_having_been_said() -> None:
    block = one(60)
    block.hear(170, 101, value=0)
    assert block.look(180) == [("C1", "raised", 1, 180)]


def test_said_before_it_was_heard_last_it_counts_from_then() -> None:
    block = one(3600)
    block.hear(1000, 1)
    block.hear(1001, 101, value=0, age_s=500)
    assert block.look(1179) == []
    assert block.look(1180) == [("C1", "raised", 1, 1180)]


def test_being_heard_ends_it() -> None:
    block = one(3600)
    block.hear(100, 101, value=0)
    block.hear(200, 101, value=1)
    assert block.look(3799) == []


def test_what_comes_with_the_saying_is_no_sign_of_life() -> None:
    for slots in ((101, 1), (1, 101)):
        block = one(3600)
        batch = batch_of(100, slots)
        batch.value[:] = [0 if slot == 101 else 20 for slot in slots]
        block.engine.evaluate(batch, [], us(100))
        assert block.look(280) == [("C1", "raised", 1, 280)]


@pytest.mark.parametrize(
    ("value", "quality"), [(math.nan, Quality.SENTINEL), (0, Quality.LATE), (0, Quality.RETAINED)]
)
def test_a_saying_that_cannot_be_used_is_neither(value: float, quality: Quality) -> None:
    block = one(3600)
    block.hear(100, 101, value=value, quality=quality)
    assert block.look(300) == []
    assert block.look(3600) == [("C1", "raised", 1, 3600)]


def test_saying_so_again_and_again_does_not_clear_it() -> None:
    block = one(60)
    block.look(180)
    batch = batch_of(0, (101, 1))
    batch.value[:] = [0, 20]
    for at in (200, 230, 260, 290):
        assert block.engine.evaluate(replace(batch, received_us=us(at)), [], us(at)) == []


def test_saying_so_begins_the_count_of_its_return_anew() -> None:
    block = one(60)
    block.look(180)
    block.until(200, 230, 1)
    block.hear(240, 101, value=0)
    assert block.until(250, 280, 1) == []
    assert block.hear(310, 1) == [("C1", "cleared", 1, 310)]


def test_a_stranger_that_is_said_to_be_offline_is_nobody() -> None:
    block = one()
    table = replace(block.table, device=block.table.device * 0)
    engine = Engine(offline_rules(), table)
    batch = batch_of(0, (101,), value=0)
    assert engine.evaluate(batch, [], us(0)) == []
    assert engine.advance(us(1e6)) == []
    assert engine.snapshot()["presence.device"].tolist() == []


def test_what_comes_with_the_saying_is_no_sign_of_life_of_the_gateway_either() -> None:
    block = Block({1: Device(), 2: Device(parent=1)}, online=[2])
    block.hear(0, 1, 2)
    block.hear(100, 102, value=0)
    block.hear(100, 2)
    assert block.look(180) == [("C1", "raised", 1, 180)]
