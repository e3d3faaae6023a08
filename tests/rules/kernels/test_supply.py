"""V2: the voltage of a phase far too high, whichever way its meter tells it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from devices.model import Metric
from rules.catalogue import Catalogue, CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.homes import Facts, table_of
from tests.rules.story import Story, shipped

PHASES = ("l1", "l2", "l3")
HALF_HOUR, DAY = 1800, 86_400


def v2() -> Catalogue:
    return Catalogue(version=1, rule=tuple(rule for rule in shipped().rule if rule.name == "V2"))


def meter(*channels: str) -> Story:
    """One device with a voltage of each of these channels; their slots are from 1 on."""
    return Story(v2(), table_of([Facts(Metric.VOLTAGE, 1, channel) for channel in channels]))


def say(told: Story, at_s: float, volts: Sequence[float]) -> list[Transition]:
    """One message with the voltages of all channels."""
    return [one for slot, value in enumerate(volts, 1) for one in told.read(slot, at_s, value)]


def raised(channels: Sequence[str], volts: Sequence[float], every_s: int = 30, times: int = 12) -> list[str]:
    """On which channels a meter raises that says these voltages again and again."""
    told = meter(*channels)
    found = [one for n in range(times) for one in say(told, n * every_s, volts)]
    return [channels[one.slot - 1] for one in found if one.to is To.RAISED]


@pytest.mark.parametrize("channel", ["", "l1", "ch1", "left"])
@pytest.mark.parametrize("volts", [253.0, 340.0, 381.0, 400.0, 437.0, 500.0, 600.0])
def test_one_voltage_raises_however_high(channel: str, volts: float) -> None:
    assert raised([channel], [volts]) == [channel]


@pytest.mark.parametrize("volts", [(381, 381, 0), (381, 381, 20), (360, 340, 60), (340, 340, 181)])
def test_a_lost_neutral_raises_on_both_phases_that_it_lifts(volts: tuple[float, ...]) -> None:
    assert raised(PHASES, volts) == ["l1", "l2"]


def test_two_voltages_alike_raise() -> None:
    assert raised(("l1", "l2"), (400, 400)) == ["l1", "l2"]


@pytest.mark.parametrize("volts", [(380, 380, 380), (415, 400, 410), (340, 380, 345), (438, 437, 398)])
@pytest.mark.parametrize("every_s", [1, 30, 60, 900, HALF_HOUR, 3600, DAY])
def test_three_alike_as_high_as_between_phases_raise_nothing(volts: tuple[float, ...], every_s: int) -> None:
    assert raised(PHASES, volts, every_s) == []


@pytest.mark.parametrize("volts", [(439, 420, 420), (339, 345, 345), (438, 438, 397)])
def test_three_that_are_not_so_or_not_alike_raise(volts: tuple[float, ...]) -> None:
    assert raised(PHASES, volts) == list(PHASES)


def test_phases_that_are_told_one_by_one_are_compared_too() -> None:
    told = meter(*PHASES)
    turns = [(n % 3 + 1, 20 * n) for n in range(60)]
    assert [one for slot, at in turns for one in told.read(slot, at, 400)] == []


def test_what_is_told_of_the_meter_as_a_whole_is_compared_with_its_phases_and_other_channels_are_not() -> (
    None
):
    assert raised(("", *PHASES), (402, 400, 401, 403)) == []
    assert raised(("ch1", *PHASES), (402, 400, 401, 403)) == ["ch1"]


def test_another_meter_says_nothing_of_this_one() -> None:
    told = Story(v2(), table_of([Facts(Metric.VOLTAGE, n, one) for n, one in enumerate(PHASES, 1)]))
    found = [one for at in range(0, 120, 30) for one in say(told, at, (400, 400, 400))]
    assert len(found) == 3


def test_what_was_said_of_the_other_phases_days_ago_says_nothing_of_now() -> None:
    told = meter(*PHASES)
    say(told, 0, (400, 400, 400))
    assert told.series(1, 50 * 3600 - 90, 50 * 3600, 30, 400) == []
    assert [one.slot for one in told.series(1, 51 * 3600, 51 * 3600 + 90, 30, 400)] == [1]


@pytest.mark.parametrize("value", [65535.0, 6553.5, 655.35, 600.1])
def test_what_no_meter_can_measure_is_no_reading(value: float) -> None:
    told = meter("")
    assert told.series(1, 0, 600, 30, value) == []
    assert told.series(1, 630, 660, 30, 253) == []
    assert told.read(1, 670, value) == []
    assert [one.to for one in told.read(1, 690, 253)] == [To.RAISED], "it broke no hold"
    assert told.series(1, 700, 1300, 30, value) == [], "and clears nothing"


@pytest.mark.parametrize(("volts", "clears"), [(244.9, True), (238.0, True), (245.0, False), (252.9, False)])
def test_it_ends_at_a_level_that_a_usual_supply_is_below(volts: float, clears: bool) -> None:
    told = meter("")
    assert len(told.series(1, 0, 60, 30, 253)) == 1
    assert [one.to for one in told.series(1, 90, 390, 30, volts)] == [To.CLEARED] * clears


def test_an_alarm_ends_when_the_other_phases_tell_that_it_is_between_phases() -> None:
    told = meter(*PHASES)
    assert [one.slot for one in told.series(1, 0, 60, 30, 400)] == [1]
    found = [one for at in range(90, 450, 30) for one in say(told, at, (400, 401, 402))]
    [over] = [one for one in found if one.to is To.CLEARED]
    assert over.why.en == ("voltages between phases (400 V), to the neutral: voltage 231 V < 245 V for 5 min")
    assert over.why.zh_cn == "所报为线电压（400 V），折合相电压：电压 231 V < 245 V，持续 5 分钟"
    assert found == [over]


def test_three_inputs_on_one_phase_without_its_neutral_raise_each_and_stand() -> None:
    told = meter(*PHASES)
    for at in range(0, 600, 60):
        say(told, at, (230, 230.2, 229.9))
    found = [one for at in range(600, 3600, 60) for one in say(told, at, (381, 381.3, 380.8))]
    told.engine.restore(told.engine.snapshot())
    found += [one for at in range(3600, 3 * DAY, 600) for one in say(told, at, (381, 381.3, 380.8))]
    assert [(one.slot, one.to) for one in found] == [(slot, To.RAISED) for slot in (1, 2, 3)]


@pytest.mark.parametrize("usual", [196.3, 220.0, 252.8])
@pytest.mark.parametrize(("later_s", "expected"), [(50 * 3600, [1]), (50 * 3600 + 1, [])])
def test_a_usual_voltage_lately_says_that_it_is_one_to_the_neutral(
    usual: float, later_s: int, expected: list[int]
) -> None:
    told = meter(*PHASES)
    told.read(1, 0, usual)
    for slot in (2, 3):
        told.read(slot, later_s - 120, 400)
    found = [one for at in range(later_s - 60, later_s + 1, 60) for one in say(told, at, (400, 400, 400))]
    assert [one.slot for one in found] == expected


@pytest.mark.parametrize("other", [0.0, 150.0, 196.2])
def test_no_other_voltage_says_so(other: float) -> None:
    told = meter(*PHASES)
    say(told, 0, (other, other, other))
    assert [one for at in range(900, 1800, 60) for one in say(told, at, (400, 400, 400))] == []


def test_a_phase_that_said_345_v_once_and_no_more_hides_no_lost_neutral() -> None:
    told = meter(*PHASES)
    say(told, 0, (230, 231, 229))
    told.read(3, 30, 345)
    found = [one for at in range(60, 600, 30) for one in say(told, at, (381, 372))]
    assert [(one.slot, one.to) for one in found] == [(1, To.RAISED), (2, To.RAISED)]


def test_a_phase_that_is_told_no_more_ends_no_alarm() -> None:
    told = meter(*PHASES)
    assert len([one for at in range(0, 600, 30) for one in say(told, at, (381, 381, 5))]) == 2
    assert [one for at in range(600, 7200, 30) for slot in (1, 3) for one in told.read(slot, at, 381)] == []


def test_it_says_what_was_measured() -> None:
    [alarm] = meter("").series(1, 0, 60, 30, 381)
    assert alarm.why.en == "voltage 381 V ≥ 253 V for 60 s"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("between_from", "439 V", "key `between_from`: is above `between_to`"),
        ("between_to", "601 V", "key `between_to`: is above `most`"),
        ("alike", "-1 V", "key `alike`: is negative"),
        ("most", "1000 A", "key `most`: unit `A` does not fit metric `voltage`"),
        ("metric", "current", "key `metric`: only `voltage` is allowed"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(key: str, value: str, problem: str) -> None:
    keys = {
        "metric": "voltage", "raise": "253 V", "hold": "60 s", "clear": "245 V", "clear_hold": "5 min",
        "max_gap": "15 min", "between_from": "340 V", "between_to": "438 V", "alike": "40 V",
        "most": "600 V", "together": "50 h",
    }  # fmt: skip
    lines = [f'{one} = "{said}"' for one, said in (keys | {key: value}).items()]
    sources = [f'{one} = "chosen"' for one in keys if one != "metric"]
    head = 'version = 1\n[[rule]]\nname = "V2"\nkernel = "supply"\nseverity = "P2"'
    title = 'title = { en = "a", zh-CN = "b" }'
    text = "\n".join([head, title, *lines, "[rule.source]", *sources])
    with pytest.raises(CatalogueError, match=problem):
        parse_catalogue(text, "own.toml")
