"""A story for each rule about fire and detectors: life flags, alarms that meet, batteries, bad values."""

from __future__ import annotations

import math
from typing import Final

from devices.model import InputKind, Metric, Quality
from tests.rules.homes import Facts
from tests.rules.tale import BROKEN, OLD, Act, Held, Say, Step, Tale, clock, held, read, reset

HOUR: Final = 3600
DAY: Final = 86_400
HOME, ABOVE, STAIR, BLOCK = 71, 72, 7, 9


def life(rule: str, metric: Metric) -> Tale:
    """A life flag: 1 raises at once, and a person ends it."""
    return Tale(
        rule, [Facts(metric, 1)], read(1, [0], 0), Say(1, 10, 1), read(1, [0, 10, 3600], 0),
        reset(rule, 20, 1), unseen=BROKEN,
    )  # fmt: skip


def says(rule: str, metric: Metric, hold_s: int = 0, step_s: int = HOUR, need: int = 1) -> Tale:
    """A flag that lasts."""
    return held(rule, [Facts(metric, 1)], Held(1, 0, 0, hold_s, step_s=step_s, need=need))


def toggles(rule: str, metric: Metric) -> Tale:
    """A flag that raises at once, and must be 0 for five minutes."""
    return held(rule, [Facts(metric, 1)], Held(1, 0, 0, 0, clear_s=300, step_s=60))


def meets(
    rule: str,
    place: int,
    one: Facts,
    other: Facts,
    within_s: int,
    beside: tuple[str, ...],
    first: tuple[Step, ...],
) -> Tale:
    """Two alarms just near enough: those of `first` on slot 1, and the flag of slot 2."""
    start_s = first[-1].at_s
    if isinstance(first[-1], Act):
        start_s = first[-2].at_s  # ended at once: only when it was raised counts
    at_s = start_s + within_s
    return Tale(
        rule, [one, other], [*first, Say(2, at_s - 1, 0)], Say(2, at_s, 1), [*first, Say(2, at_s, 0)],
        reset(rule, at_s + 1, place=place), beyond_s=1, unseen=BROKEN, beside=beside,
    )  # fmt: skip


def smoke(dwelling: int, device: int = 1, stair: int = 0, building: int = 0) -> Facts:
    return Facts(Metric.SMOKE_ALARM, device, dwelling=dwelling, stair=stair, building=building)


def arc(dwelling: int, building: int = 0) -> Facts:
    return Facts(Metric.ARC_ALARM, 2, dwelling=dwelling, building=building)


def cable(dwelling: int, building: int = 0) -> Facts:
    return Facts(Metric.TEMPERATURE, 3, dwelling=dwelling, building=building)


SMOKE_ENDED: Final = (Say(1, 0, 1), *reset("S1", 1, 1))
HOT_ENDED: Final = (Say(1, 0, 90), Say(1, 10, 90), *reset("T3", 11, 1))
CONFIRMING: Final = ("S1", "H1", "M1")


def doubtful(quality: Quality, value: float) -> list[Step]:
    return [Say(1, at, value, quality) for at in (0, 300, 600)]


def warm_night() -> Tale:
    """Eight nights of 150 W, then a heater and, while that is told, a warm cable."""
    nights = [(day, half / 2) for day in range(8) for half in range(48)]
    power: list[Step] = [Say(1, clock(day, hour), 150.0) for day, hour in nights]
    power += [Say(1, clock(8, hour), 1200.0 if 1 <= hour < 2 else 150.0) for hour in (0, 0.5, 1, 1.5, 2)]
    minutes = [clock(8, 2) + 60 * n for n in range(1, 7)]
    return Tale(
        "N1T",
        [Facts(Metric.POWER_ACTIVE, 1, dwelling=HOME), cable(HOME)],
        [*power, *read(2, minutes[:-1], 60.0)],
        Say(2, minutes[-1], 60.0),
        [*power, *read(2, minutes, 59.9)],
        reset("N1T", minutes[-1] + 1, place=HOME),
        sooner_s=1,
        beside=("N1", "T1"),
    )


TALES: Final = [
    life("S1", Metric.SMOKE_ALARM),
    life("H1", Metric.HEAT_ALARM),
    life("G1", Metric.GAS_ALARM),
    life("M1", Metric.MANUAL_ALARM),
    life("A1", Metric.ARC_ALARM),
    meets("S2", HOME, smoke(HOME), smoke(HOME, 2), 300, CONFIRMING, (Say(1, 0, 1),)),
    meets("S2S", STAIR, smoke(HOME, stair=STAIR), smoke(ABOVE, 2, stair=STAIR), 300, CONFIRMING,
          (Say(1, 0, 1),)),
    meets("X1", HOME, smoke(HOME), arc(HOME), 600, ("S1", "A1"), SMOKE_ENDED),
    meets("X1C", BLOCK, smoke(0, building=BLOCK), arc(0, BLOCK), 600, ("S1", "A1"), SMOKE_ENDED),
    meets("T3X", HOME, cable(HOME), arc(HOME), 600, ("T3", "A1"), HOT_ENDED),
    meets("T3XC", BLOCK, cable(0, BLOCK), arc(0, BLOCK), 600, ("T3", "A1"), HOT_ENDED),
    warm_night(),
    says("S5", Metric.BATTERY_LOW, need=2),
    says("S5L", Metric.BATTERY_LOW, hold_s=7 * DAY, step_s=DAY),
    toggles("S6", Metric.DEVICE_TAMPER),
    toggles("S7", Metric.SMOKE_MUTED),
    says("S7L", Metric.SMOKE_MUTED, hold_s=8 * HOUR),
    toggles("F1", Metric.DEVICE_FAULT),
    Tale(
        "S8", [Facts(Metric.SMOKE_DENSITY, 1)], [*read(1, range(0, 61, 2), 200.0), Say(1, 62, 212.0)],
        Say(1, 64, 212.0), [*read(1, range(0, 61, 2), 200.0), *read(1, range(62, 70, 2), 211.99)],
        read(1, range(66, 367, 2), 200.0),
    ),
    Tale(
        "S4", [smoke(HOME)],
        [Act(InputKind.UNFOUNDED, "S1", at, 1) for at in (0, HOUR, 2 * HOUR)], Say(1, 2 * HOUR + 60, 0),
        [*[Act(InputKind.UNFOUNDED, "S1", at, 1) for at in (0, HOUR)], Say(1, 2 * HOUR + 60, 0)],
        read(1, [2 * HOUR + DAY - 1, *range(2 * HOUR + DAY, 2 * HOUR + 7 * DAY + 1, DAY)], 0),
        beside=("S1", "H1"),
    ),
    Tale(
        "Q1", [Facts(Metric.TEMPERATURE, 1)], doubtful(Quality.FAULT, math.nan),
        Say(1, 900, math.nan, Quality.FAULT), [*doubtful(Quality.SUSPECT, 20.0), Say(1, 900, 20.0)],
        [Say(1, at, 20.0 + at / 600) for at in range(1200, 4801, 600)],
        sooner_s=1, unseen=(*OLD, Quality.DUPLICATE),
    ),
]  # fmt: skip
