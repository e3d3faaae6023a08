"""A story for each rule about circuits: leakage, load, warmth, arcs, the supply."""

from __future__ import annotations

from typing import Final

from devices.model import Earthing, Metric
from tests.rules.homes import Facts
from tests.rules.tale import Held, Say, Step, Tale, clock, held, read, reset

RATED_A: Final = 25.0
HOME: Final = 71
HOUR: Final = 3600
DAY: Final = 86_400


def load(channel: str = "") -> Facts:
    return Facts(Metric.CURRENT, 1, channel, reference_a=RATED_A, breaker_a=RATED_A)


def leak(dwelling: int = 0) -> Facts:
    return Facts(Metric.CURRENT_RESIDUAL, 1, dwelling=dwelling, earthing=Earthing.TN_S)


def warmth(channel: str = "") -> Facts:
    return Facts(Metric.TEMPERATURE, 1, channel, breaker_a=RATED_A)


AMBIENT: Final = Facts(Metric.TEMPERATURE_AMBIENT, 1)
PHASES: Final = [warmth("l1"), warmth("l2"), load("l1"), load("l2")]


def air(at_s: float) -> list[Say]:
    """20 °C."""
    return [Say(2, at_s, 20.0)]


def next_phase(at_s: float) -> list[Say]:
    """30 °C, and the same load on both."""
    return [Say(2, at_s, 30.0), Say(3, at_s, 20.0), Say(4, at_s, 20.0)]


def warming() -> Tale:
    """Ten minutes of 20 °C, then 10 K more than two minutes before, twice."""
    cold = read(1, range(0, 601, 30), 20.0)
    return Tale(
        "T7", [warmth()], [*cold, Say(1, 630, 30.0)], Say(1, 660, 30.0), [*cold, *read(1, (630, 660), 29.99)],
        read(1, range(690, 1051, 30), 30.0),
    )  # fmt: skip


def ageing() -> Tale:
    """Ten days of 8 K at 20 A, then three of half as much again; and three as before."""

    def day(n: int, kelvins: float) -> list[Step]:
        times = [clock(n, 1) + 60 * minute for minute in range(20)]
        return [
            step for at in times for step in (Say(2, at, 25.0), Say(3, at, 20.0), Say(1, at, 25.0 + kelvins))
        ]

    def days(first: int, last: int, kelvins: float) -> list[Step]:
        return [step for n in range(first, last + 1) for step in day(n, kelvins)]

    used = days(0, 9, 8.0)
    before = [*used, *days(10, 12, 12.0), *day(13, 12.0)[:2]]
    calm = [*day(13, 8.0)[3:], *days(14, 15, 8.0), *day(16, 8.0)[:3]]
    raising = Say(1, clock(13, 1), 37.0)
    return Tale("T6", [warmth("l1"), AMBIENT, load("l1")], before, raising,
                [*used, *days(10, 14, 11.99)], calm)  # fmt: skip


def mean_load() -> Tale:
    """Twenty minutes are two thirds of the window."""
    times = range(0, 1201, 60)
    return Tale(
        "O1", [load()], read(1, times[:-1], 22.5), Say(1, 1200, 22.5), read(1, range(0, 3601, 60), 22.49),
        read(1, range(1260, 2221, 60), 10.0),
    )  # fmt: skip


def no_trip() -> Tale:
    """Twice the rating for the 349 s of the curve."""
    return Tale(
        "O4", [load()], read(1, range(0, 341, 10), 50.0), Say(1, 350, 50.0),
        read(1, range(0, 7200, 60), 36.24), reset("O4", 360, 1), sooner_s=5,
    )  # fmt: skip


def trips() -> Tale:
    """Off, on and off again."""
    once: list[Step] = [Say(1, 0, 0), Say(1, 10, 1), Say(1, 20, 0)]
    return Tale(
        "O5", [Facts(Metric.BREAKER_TRIP, 1)], once, Say(1, 30, 1), [*once, Say(1, 30, 0)],
        [Say(1, 40, 0), Say(1, 30 + DAY - 1, 0), Say(1, 30 + DAY, 0)],
    )  # fmt: skip


def bursts() -> Tale:
    """Three seconds with some arcs in an hour."""
    two = read(1, (0, 600), 10)
    return Tale(
        "A3", [Facts(Metric.ARC_HALF_CYCLES, 1)], two, Say(1, 1200, 13),
        [*read(1, (0, 600, 1200), 9), *two, Say(1, 1800, 9)],
        read(1, (1200 + HOUR - 1, 1200 + HOUR, 1200 + 6 * HOUR - 1, 1200 + 6 * HOUR), 0),
    )  # fmt: skip


def night_load() -> Tale:
    """Eight nights of 150 W, and an hour of 1000 W more."""
    nights = [clock(day, half / 2) for day in range(8) for half in range(48)]

    def night(watts: float) -> list[Step]:
        hours = {0.0: 150.0, 0.5: 150.0, 1.0: watts, 1.5: watts}
        return [*read(1, nights, 150.0), *(Say(1, clock(8, hour), power) for hour, power in hours.items())]

    return Tale(
        "N1", [Facts(Metric.POWER_ACTIVE, 1)], night(1150.0), Say(1, clock(8, 2), 150.0),
        [*night(1149.0), Say(1, clock(8, 2), 150.0)], read(1, (clock(8, 2.5), clock(8, 3)), 150.0),
    )  # fmt: skip


def charge() -> Tale:
    """80 W, 120 W more for four hours, and half an hour as before."""

    def evening(watts: float) -> list[Say]:
        times = [(18 * 60 + minute) / 60 for minute in range(0, 331, 5)]
        return [Say(1, clock(0, hour), 80.0 + (watts if 19 <= hour < 23 else 0.0)) for hour in times]

    *before, raising = evening(120.0)
    return Tale(
        "N2", [Facts(Metric.POWER_ACTIVE, 1, dwelling=HOME)], before, raising, evening(59.9),
        read(1, (clock(0, 23 + 35 / 60), clock(0, 23 + 40 / 60)), 80.0),
    )  # fmt: skip


def unusual() -> Tale:
    """Three days of 38 mA, then 100 mA more at ten o'clock."""
    days = read(1, [clock(day, half / 2) for day in range(3) for half in range(48)], 0.038)
    times = [clock(3, 10) + 300 * n for n in range(7)]
    return Tale(
        "L5", [leak()], [*days, *read(1, times[:2], 0.1381)], Say(1, times[2], 0.1381),
        [*days, *read(1, times, 0.1379)], read(1, times[3:6], 0.0979), sooner_s=1,
    )  # fmt: skip


def ageing_leak() -> Tale:
    """100 mA and 6 mA a day more, until it stays; ten times that by day."""

    def nights(last: int, by: float, until: int = 99, start: float = 0.1) -> list[Say]:
        hours = [0, 1.9, *(2 + quarter / 4 for quarter in range(12)), 5, 12, 20]
        return [
            Say(1, clock(day, hour), (start + by * min(day, until)) * (1 if 2 <= hour < 5 else 10))
            for day in range(last + 1)
            for hour in hours
        ]

    story = nights(22, 0.006, until=12)
    raising = next(say for say in story if say.at_s == clock(9, 5))
    clearing = next(say for say in story if say.at_s == clock(22, 5))
    at, end = story.index(raising), story.index(clearing)
    return Tale("L6", [leak()], story[:at], raising, nights(22, 0.0045, start=0.11),
                story[at + 1 : end + 1])  # fmt: skip


def lost_neutral() -> Tale:
    """One phase just above, another just below; a dead phase beside one that is high is none."""
    series = [Facts(Metric.VOLTAGE, 1, "l1"), Facts(Metric.VOLTAGE, 1, "l2")]

    def say(at_s: float, high: float, low: float) -> list[Say]:
        return [Say(1, at_s, high), Say(2, at_s, low)]

    less = [step for at in range(0, 60, 2) for step in say(at, 253.0, 186.9)]
    less += [step for at in range(60, 120, 2) for step in say(at, 264.0, 20.0)]
    torn = [*say(0, 253.1, 186.9), Say(2, 0.5, 186.9)]  # the other phase reports again before this one does
    return Tale("V1", series, torn, Say(1, 2, 253.1), less,
                [*say(3, 220, 220), Say(1, 63, 220)], sooner_s=1)  # fmt: skip


TALES: Final = [
    held("L1", [leak()], Held(0.2, 0.1999, 0.159, 60, 60, need=2)),
    held("L2", [leak()], Held(0.3, 0.2999, 0.239, 10, 60, 5, need=2)),
    held("L3", [leak()], Held(0.5, 0.4999, 0.1, 3, step_s=3, latched=True)),
    held("L4W", [leak(HOME)], Held(0.015, 0.01499, 0.0119, 60, 60, need=2)),
    held("L4", [leak(HOME)], Held(0.03, 0.02999, 0.0239, 3, 60, 3, need=2)),
    unusual(),
    ageing_leak(),
    mean_load(),
    held("O2", [load()], Held(28.25, 28.24, 24.9, 600, 300, 60)),
    held("O3", [load()], Held(36.25, 36.24, 28.2, 60, 300)),
    no_trip(),
    trips(),
    night_load(),
    charge(),
    held("T1", [warmth()], Held(60.0, 59.9, 54.9, 300, 300, 60, need=2)),
    held("T2", [warmth()], Held(70.0, 69.9, 64.9, 60, 300, 20, need=2)),
    held("T3", [warmth()], Held(85.0, 84.9, 20.0, 10, latched=True)),
    held("T4W", [warmth(), AMBIENT], Held(41.0, 40.9, 37.9, 600, 600, 60, need=2), beside=air),
    held("T4", [warmth(), AMBIENT], Held(60.0, 59.9, 56.9, 60, 300, 20, need=2), beside=air),
    held("T5W", PHASES, Held(34.0, 33.9, 32.9, 1800, 1800, 300, need=2), beside=next_phase),
    held("T5", PHASES, Held(45.0, 44.9, 41.9, 600, 600, 60, need=2), beside=next_phase),
    ageing(),
    warming(),
    held("A1C", [Facts(Metric.ARC_HALF_CYCLES, 1)], Held(14, 13, 0, 0, latched=True)),
    bursts(),
    lost_neutral(),
    held("V2", [Facts(Metric.VOLTAGE, 1)], Held(253.0, 252.9, 244.9, 60, 300, need=2)),
]
