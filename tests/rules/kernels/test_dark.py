"""C3: a building of which many devices fell silent is one alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.model import InputKind, Severity
from rules.catalogue import Catalogue, CatalogueError, parse_catalogue
from rules.transition import Subject
from tests.rules.kernels.block import Block, Device, Said, offline_rules, us

TEN = range(1, 11)
HOUSE = 5


def house(devices: int = 10, **others: Device) -> Block:
    """A building with so many devices, each with a heartbeat of a minute, all heard at 0."""
    block = Block({n: Device(building=HOUSE) for n in range(1, devices + 1)})
    block.hear(0, *range(1, devices + 1))
    return block


def lasting(block: Block, start_s: int, end_s: int, *slots: int) -> list[Said]:
    """These are heard twice a minute, and everybody is looked at every second."""
    found = []
    for at in range(start_s, end_s + 1):
        found += block.hear(at, *slots) if at % 30 == 0 else block.look(at)
    return found


def test_a_dark_building_is_one_alarm() -> None:
    block = house()
    assert block.watch(1, 7200) == [("C3", "raised", HOUSE, 480)]
    (dark,) = block.told
    assert (dark.severity, dark.subject, dark.place) == (Severity.P1, Subject.BUILDING, HOUSE)
    assert (dark.slot, dark.device, dark.dwelling, dark.received_us) == (1, 1, 0, us(480))
    assert dark.why.en == "10 of 10 devices (100 % ≥ 30 %) fell silent within 10 min, for 5 min"
    assert dark.why.zh_cn == "10 台设备中有 10 台（100 % ≥ 30 %）在 10 分钟内失联，持续 5 分钟"


@pytest.mark.parametrize(("silent", "dark"), [(2, False), (3, True)])
def test_it_takes_three_of_ten(silent: int, dark: bool) -> None:
    block = house()
    told = lasting(block, 1, 3000, *range(silent + 1, 11))
    assert (("C3", "raised", HOUSE, 480) in told) is dark
    assert len([one for one in told if one[0] == "C1"]) == (0 if dark else silent)


def test_single_ones_are_told_after_fifteen_minutes_where_it_is_too_few_for_the_building() -> None:
    block = house()
    told = lasting(block, 1, 2000, *range(3, 11))
    assert told == [("C1", "raised", 1, 180), ("C1", "raised", 2, 180)]
    assert [one.received_us for one in block.told] == [us(180 + 900)] * 2


def test_one_of_twenty_is_told_after_five_minutes() -> None:
    block = house(20)
    assert lasting(block, 1, 2000, *range(2, 21)) == [("C1", "raised", 1, 180)]
    assert block.told[0].received_us == us(180 + 300)


def test_the_wait_ends_when_the_others_are_heard_again() -> None:
    block = house(20)
    lasting(block, 1, 600, *range(3, 21))
    block.hear(601, 2)
    assert block.look(602) == []
    assert [(one.rule, one.device, one.received_us) for one in block.told] == [("C1", 1, us(601))]


def test_in_a_building_of_four_each_is_told_at_once() -> None:
    block = house(4)
    assert block.watch(1, 180) == [("C1", "raised", n, 180) for n in (1, 2, 3, 4)]
    assert block.watch(181, 2000) == []


def test_a_house_of_one_family_is_told_device_by_device_and_never_as_a_building() -> None:
    block = Block({n: Device(building=HOUSE, dwelling=71) for n in range(1, 7)})
    block.hear(0, *range(1, 7))
    assert block.watch(1, 4000) == [
        *(("C1", "raised", n, 180) for n in range(1, 7)),
        *(("C1L", "raised", n, 3600) for n in range(1, 7)),
    ]
    assert {one.received_us for one in block.told} == {us(180 + 900), us(3600)}
    assert {one.severity for one in block.told} == {Severity.P3, Severity.P2}


def test_devices_that_fell_silent_one_by_one_do_not_make_it_dark() -> None:
    block = house()
    told = []
    for n in TEN[:6]:
        told += lasting(block, 1 + 310 * (n - 1), 310 * n, *range(n + 1, 11))
    assert [one[0] for one in told] == ["C1"] * len(told) and told


def test_a_share_that_does_not_last_is_none() -> None:
    block = house()
    lasting(block, 1, 470, *range(4, 11))
    block.hear(471, 1)
    assert [one[0] for one in lasting(block, 472, 1500, 1, *range(4, 11))] == ["C1", "C1"]


def test_the_share_is_reached_with_the_device_that_makes_it() -> None:
    block = house()
    lasting(block, 1, 59, *range(3, 11))
    block.hear(60, *range(3, 11))
    told = lasting(block, 61, 1000, *range(4, 11))
    assert ("C3", "raised", HOUSE, 60 + 180 + 300) in told


def test_it_clears_when_fewer_than_a_tenth_are_silent_and_the_rest_is_told() -> None:
    block = house(20)
    block.watch(1, 7200)
    assert block.hear(7201, *range(3, 21)) == []
    assert block.hear(7202, 2) == [
        ("C3", "cleared", HOUSE, 7202),
        ("C1", "raised", 1, 180),
        ("C1L", "raised", 1, 3600),
    ]
    assert block.told[1].why.en == "1 of 20 devices silent, less than 10 %"


def test_at_a_tenth_it_stays() -> None:
    block = house()
    block.watch(1, 600)
    assert lasting(block, 601, 4000, *range(2, 11)) == []


def test_a_person_ends_it_and_it_does_not_come_back_by_itself() -> None:
    block = house()
    block.watch(1, 500)
    told = block.give(501, InputKind.CLOSE, "C3", place=HOUSE)
    assert told[:1] == [("C3", "cleared", HOUSE, 501)]
    assert block.told[1].subject is Subject.BUILDING
    assert block.give(502, InputKind.CLOSE, "C3", place=HOUSE) == []
    assert [one[0] for one in block.watch(503, 2000)] == ["C1"] * 10


def test_it_comes_again_after_it_cleared() -> None:
    block = house()
    block.watch(1, 500)
    block.hear(501, *TEN)
    assert block.watch(502, 3000) == [("C3", "raised", HOUSE, 501 + 180 + 300)]


def test_a_restart_of_ours_neither_raises_nor_clears_it() -> None:
    block = house()
    block.watch(1, 500)
    block.give(900, InputKind.RETURNED)
    assert block.watch(901, 3000) == []
    assert block.hear(3001, *TEN) == [("C3", "cleared", HOUSE, 3001)]


def test_what_had_not_become_dark_before_our_restart_begins_anew() -> None:
    block = house()
    block.watch(1, 300)
    block.give(500, InputKind.RETURNED)
    assert block.watch(501, 3000) == [("C3", "raised", HOUSE, 560 + 180 + 300)]


def flats(*numbers: int) -> Block:
    """A building with a device in each of these flats, 0 for none."""
    block = Block({n: Device(building=HOUSE, dwelling=flat) for n, flat in enumerate(numbers, start=1)})
    block.hear(0, *range(1, len(numbers) + 1))
    return block


def test_a_flat_that_switches_off_its_router_at_night_is_no_dark_building() -> None:
    block = flats(71, 71, 71, 71, 71, 72, 72, 73, 73, 74, 0, 0)
    told = lasting(block, 1, 3000, *range(6, 13))
    assert told == [("C1", "raised", n, 180) for n in range(1, 6)]


@pytest.mark.parametrize("other", [72, 0])
def test_a_second_flat_or_a_device_in_none_makes_it_the_building(other: int) -> None:
    block = flats(71, 71, 71, 71, 71, other, 72, 73, 73, 74, 0, 0)
    assert lasting(block, 1, 600, *range(7, 13)) == [("C3", "raised", HOUSE, 480)]


def test_devices_in_no_flat_are_each_one_of_their_own() -> None:
    block = flats(71, 71, 72, 72, 0, 0, 0)
    assert lasting(block, 1, 600, 1, 2, 3, 4) == [("C3", "raised", HOUSE, 480)]


def test_it_is_reached_with_the_device_that_brings_the_second_flat() -> None:
    block = flats(71, 71, 71, 71, 71, 72, 72, 73, 73, 74, 0, 0)
    lasting(block, 1, 90, *range(6, 13))
    told = lasting(block, 91, 900, *range(7, 13))
    assert told == [("C3", "raised", HOUSE, 90 + 180 + 300)]


def test_two_buildings_are_two() -> None:
    devices = {n: Device(building=5 if n <= 5 else 6) for n in TEN}
    block = Block(devices)
    block.hear(0, *TEN)
    assert block.watch(1, 3000) == [("C3", "raised", 5, 480), ("C3", "raised", 6, 480)]


def test_daily_reporters_and_devices_never_heard_are_no_members() -> None:
    devices = {n: Device(limit_s=60 if n <= 4 else 90_000, building=HOUSE) for n in TEN}
    block = Block({**devices, 11: Device(building=HOUSE)})
    block.hear(0, *TEN)
    assert len(block.look(180)) == 4


def test_a_device_that_moves_in_is_covered_and_one_that_moves_out_is_told() -> None:
    block = house()
    block.watch(1, 500)
    building = block.table.building.copy()
    building[3] = 0
    block.engine.adopt(replace(block.table, building=building), np.array([3], np.int32))
    assert block.look(501) == [("C1", "raised", 3, 180)]


def test_it_holds_the_series_that_stands_for_it() -> None:
    block = house()
    block.watch(1, 480)
    assert block.engine.holds(np.array([1, 2], np.int32)).tolist() == [True, False]


def test_a_building_without_devices_clears() -> None:
    block = house()
    block.watch(1, 500)
    slots = np.array(TEN, np.int32)
    block.engine.forget(slots)
    table = replace(block.table, device=block.table.device * 0)
    block.engine.adopt(table, slots)
    assert block.look(501) == [("C3", "cleared", HOUSE, 501)]


def test_the_rule_that_is_gone_clears_its_alarm() -> None:
    block = house()
    block.watch(1, 500)
    _, cleared = block.engine.turned_to(parse_catalogue("version = 1\nrule = []\n", "none"), us(501))
    assert [(one.rule, one.place) for one in cleared] == [("C3", HOUSE)]


TEXT = """
version = 1
[[rule]]
name = "C3"
kernel = "dark"
severity = "P1"
raise = "30 %"
within = "10 min"
hold = "5 min"
clear = "10 %"
least = 5
households = 2
settle = "5 min"
patience = "15 min"
cover = "60 min"
title = { en = "Dark", zh-CN = "黑" }
[rule.source]
raise = "chosen"
within = "chosen"
hold = "chosen"
clear = "chosen"
least = "chosen"
households = "chosen"
settle = "chosen"
patience = "chosen"
cover = "chosen"
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('raise = "30 %"', 'raise = "30 A"', "key `raise`: `30 A` is no share"),
        ('raise = "30 %"', 'raise = "130 %"', "key `raise`: `130 %` is no share"),
        ('clear = "10 %"', 'clear = "0 %"', "key `clear`: `0 %` is no share"),
        ('raise = "30 %"', 'raise = "3 %"', "key `raise`: is below `clear`"),
        ('within = "10 min"', 'within = "5 min"', "key `within`: must be longer than `hold`"),
        ('patience = "15 min"', 'patience = "4 min"', "key `patience`: must not be shorter"),
        ("least = 5", "least = 0", "key `least`"),
        ("households = 2", "households = 0", "key `households`"),
        ('households = "chosen"', "", "nothing said about households"),
        ('least = "chosen"', "", "nothing said about least"),
        ("version = 1", "version = 1" + TEXT.replace("version = 1", "").replace('"C3"', '"C9"'),
         "key `kernel`: C9 is the one rule of this kind already"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused(right: str, wrong: str, said: str) -> None:
    assert right in TEXT
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(right, wrong, 1), "own.toml")
    assert str(refused.value).startswith("own.toml, line ")
    assert said in str(refused.value)


def test_without_the_rule_everybody_is_told_at_once() -> None:
    alone = Catalogue(version=1, rule=tuple(rule for rule in offline_rules().rule if rule.name == "C1"))
    block = Block({n: Device(building=HOUSE) for n in TEN}, catalogue=alone)
    block.hear(0, *TEN)
    assert len(block.look(180)) == 10
