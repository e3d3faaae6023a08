"""C3 where devices speak through a gateway that died: the building is dark, and nobody is told twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from devices.model import InputKind
from rules.engine import Engine
from tests.rules.kernels.block import Block, Device, offline_rules

HOUSE, HOUR = 5, 3600
GATEWAY, REPEATER = 50, 60
TEN = range(1, 11)


def behind(gateway: Device | None = None, limit_s: float = 60, **more: Device) -> Block:
    """A building whose ten devices speak through one gateway, which is in no building; all heard at 0."""
    devices = {n: Device(limit_s, building=HOUSE, parent=GATEWAY) for n in TEN}
    block = Block({GATEWAY: gateway or Device(), **devices}, online=[GATEWAY])
    block.hear(0, GATEWAY, *TEN)
    return block


def test_a_block_behind_one_gateway_that_died_is_dark_and_no_device_is_missed() -> None:
    block = behind()
    assert block.watch(1, 2 * HOUR) == [
        ("C1", "raised", GATEWAY, 180),
        ("C3", "raised", HOUSE, 480),
        ("C1L", "raised", GATEWAY, HOUR),
    ]


def test_a_gateway_of_the_building_is_covered_as_its_devices_are() -> None:
    block = behind(Device(building=HOUSE))
    assert block.watch(1, 2 * HOUR) == [("C3", "raised", HOUSE, 480)]
    assert block.told[0].why.en.startswith("11 of 11 devices (100 % ≥ 30 %) fell silent within 10 min")


def test_they_count_from_their_own_deadline_where_that_is_later() -> None:
    block = behind(limit_s=600)
    told = block.watch(1, HOUR - 1)
    assert told == [("C1", "raised", GATEWAY, 180), ("C3", "raised", HOUSE, 600 + 300)]


def test_they_count_from_when_the_gateway_fell_silent_where_that_is_later() -> None:
    block = behind()
    block.until(30, 150, GATEWAY)
    told = block.watch(151, HOUR)
    assert told == [("C1", "raised", GATEWAY, 330), ("C3", "raised", HOUSE, 330 + 300)]


def test_while_the_gateway_is_not_silent_itself_nothing_is_counted() -> None:
    block = behind()
    block.until(30, 150, GATEWAY)
    assert block.watch(151, 329) == []
    assert block.engine.snapshot()["presence.building"].tolist() == []


def test_when_the_gateway_returns_they_are_silent_no_more_and_have_their_time_again() -> None:
    block = behind()
    block.watch(1, 1000)
    assert block.hear(1001, GATEWAY) == [("C3", "cleared", HOUSE, 1001)]
    assert block.told[-1].why.en == "0 of 10 devices silent, less than 10 %"
    told = block.until(1031, 1481, GATEWAY)
    assert told == [("C1", "cleared", GATEWAY, 1061), ("C3", "raised", HOUSE, 1181 + 300)]


def test_a_block_behind_a_gateway_behind_one_that_died_is_dark_too() -> None:
    devices = {n: Device(building=HOUSE, parent=GATEWAY) for n in TEN}
    block = Block({REPEATER: Device(), GATEWAY: Device(parent=REPEATER), **devices})
    block.hear(0, REPEATER, GATEWAY, *TEN)
    assert block.watch(1, 3000) == [("C1", "raised", REPEATER, 180), ("C3", "raised", HOUSE, 480)]


def test_a_device_that_is_heard_is_silent_no_more() -> None:
    block = behind()
    block.watch(1, 400)
    block.hear(401, *TEN)
    assert block.watch(402, 580) == []


def test_a_broker_that_is_away_makes_nobody_s_gateway_silent() -> None:
    block = behind()
    block.give(100, InputKind.AWAY)
    assert block.watch(101, 3000) == []


def test_those_whose_own_broker_is_away_are_not_lost_when_their_gateway_falls_silent_at_another() -> None:
    devices = {n: Device(building=HOUSE, parent=GATEWAY) for n in TEN}
    block = Block({GATEWAY: Device(), **devices})
    block.hear(0, *TEN, source="a")
    block.hear(150, GATEWAY, source="b")
    block.look(190)
    block.give(200, InputKind.AWAY, "a")
    assert block.watch(201, 3000) == [("C1", "raised", GATEWAY, 330)]


def test_our_return_lets_those_begin_anew_that_waited_for_a_silent_gateway() -> None:
    block = behind()
    block.watch(1, 300)
    block.give(400, InputKind.RETURNED, from_s=300)
    assert block.watch(401, 3000) == [("C3", "raised", HOUSE, 460 + 180 + 300)]


def test_a_covered_building_stays_dark_over_our_return() -> None:
    block = behind()
    block.watch(1, 500)
    block.give(600, InputKind.RETURNED, from_s=500)
    assert block.watch(601, 3000) == []
    assert block.hear(3001, GATEWAY) == [("C3", "cleared", HOUSE, 3001)]


def test_one_whose_gateway_is_gone_is_silent_itself() -> None:
    block = behind()
    block.watch(1, 500)
    gone = np.array([GATEWAY, 100 + GATEWAY], np.int32)
    block.engine.forget(gone)
    table = replace(block.table, device=block.table.device.copy())
    table.device[gone] = 0
    block.engine.adopt(table, gone)
    block.look(501)
    assert block.give(600, InputKind.CLOSE, "C3", place=HOUSE)[0] == ("C3", "cleared", HOUSE, 600)
    told = block.watch(601, 180 + 901)
    assert told == [("C1", "raised", n, 180) for n in TEN]


def test_it_is_known_after_a_restart() -> None:
    block = behind()
    block.watch(1, 400)
    state = block.engine.snapshot()
    block.engine = Engine(offline_rules(), block.table)
    block.engine.restore(state)
    assert block.watch(401, 3000) == [("C3", "raised", HOUSE, 480)]
