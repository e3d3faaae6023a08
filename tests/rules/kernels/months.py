"""Stories that last for weeks: one leakage meter and one power meter, in days and hours of local time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache

import numpy as np

from devices.model import Earthing, Metric, Quality, ReadingBatch, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.engine import CHINA, Engine
from rules.kin import Kin
from rules.latest import Latest
from rules.look import Ground, Look
from rules.transition import Transition
from tests.rules.story import GOOD, Story, reading, shipped

LEAK, POWER = 1, 2
MIDNIGHT_S = 8 * 3600
"""Story time of the first local midnight (START_US is 16:00 in Shanghai)."""


def meters() -> SeriesTable:
    """Both meters in one dwelling whose circuit has an earth conductor."""
    table = SeriesTable.plain(
        generation=1,
        metric=np.array([0, Metric.CURRENT_RESIDUAL, Metric.POWER_ACTIVE], np.int16),
        device=np.array([0, 1, 2], np.int32),
        dwelling=np.array([0, 7, 7], np.int32),
        reference_a=np.full(3, np.nan),
    )
    return dataclasses.replace(table, earthing=np.full(3, Earthing.TN_S, np.uint8))


@cache
def only(name: str) -> Catalogue:
    """One rule of those that ship."""
    return Catalogue(version=1, rule=tuple(rule for rule in shipped().rule if rule.name == name))


class Months(Story):
    """One rule of those that ship, over both meters."""

    def __init__(self, name: str, slot: int, calendar: Calendar = CHINA) -> None:
        super().__init__(only(name), meters())
        self.engine = Engine(only(name), self.table, calendar)
        self.slot = slot

    def say(self, day: float, hour: float, value: float, quality: Quality = GOOD) -> list[Transition]:
        """One reading."""
        return self.read(self.slot, at(day, hour), value, quality)

    def day(
        self, day: int, value: Callable[[float], float], step_h: float = 0.5, quality: Quality = GOOD
    ) -> list[Transition]:
        """A whole local day of readings, of the value at each hour."""
        hours = np.arange(0, 24, step_h).tolist()
        return [one for hour in hours for one in self.say(day, hour, value(hour), quality)]


def at(day: float, hour: float) -> float:
    """Story time of a local hour."""
    return MIDNIGHT_S + day * 86_400 + hour * 3600


def ground(table: SeriesTable, calendar: Calendar = CHINA) -> Ground:
    """What a kernel stands on."""
    return Ground(calendar, Kin(table, ()), Latest(table, ()))


def look(batch: ReadingBatch, table: SeriesTable, calendar: Calendar = CHINA) -> Look:
    """A batch as a kernel sees it."""
    return Look(batch, table, ground(table, calendar))


def one_look(slot: int, at_s: float, value: float, table: SeriesTable, calendar: Calendar = CHINA) -> Look:
    """One reading as a kernel sees it."""
    return look(reading(slot, at_s, value), table, calendar)
