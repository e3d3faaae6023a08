"""A small block to tell stories about: readings one at a time, in seconds, through the real engine."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

from devices.model import EngineInput, InputKind, Metric, Quality, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue, RuleFile, parse_catalogue, parse_files
from rules.engine import Engine
from rules.transition import Transition

THREE = Path(__file__).with_name("three.toml")
START_US = 1_800_000_000_000_000
SMOKE, KITCHEN_SMOKE, CURRENT, UNRATED, UPSTAIRS_SMOKE, UPSTAIRS_CURRENT, HALL_SMOKE, WARMTH = range(1, 9)
HOME, UPSTAIRS = 71, 72
REFERENCE_A = 25.0
GOOD = Quality(0)


@cache
def three_rules() -> Catalogue:
    """Smoke, overload and both in one home: what most stories are about."""
    return parse_catalogue(THREE.read_text(encoding="utf-8"), "three.toml")


@cache
def shipped() -> Catalogue:
    """The catalogue the product ships with."""
    folder = resources.files("rules").joinpath("shipped")
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml"))
    return parse_files([RuleFile(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in names])


def block() -> SeriesTable:
    """Eight series: two detectors and two circuits in one home, one of each upstairs, one in the hall."""
    smoke, current = Metric.SMOKE_ALARM, Metric.CURRENT
    metric = [0, smoke, smoke, current, current, smoke, current, smoke, Metric.TEMPERATURE]
    reference = np.full(9, np.nan)
    reference[[CURRENT, UPSTAIRS_CURRENT]] = REFERENCE_A
    return SeriesTable.plain(
        generation=1,
        metric=np.array(metric, np.int16),
        device=np.array([0, 1, 2, 3, 4, 5, 6, 0, 8], np.int32),
        dwelling=np.array([0, HOME, HOME, HOME, HOME, UPSTAIRS, UPSTAIRS, 0, HOME], np.int32),
        reference_a=reference,
    )


def us(seconds: float) -> int:
    """Seconds of story time to microseconds since 1970."""
    return START_US + round(seconds * 1e6)


def reading(slot: int, at_s: float, value: float, quality: Quality = GOOD, late_s: float = 0) -> ReadingBatch:
    """One reading observed at `at_s` and received `late_s` later."""
    return ReadingBatch(
        us(at_s + late_s),
        np.array([slot], np.int32),
        np.array([us(at_s)], np.int64),
        np.array([0], np.uint16),
        np.array([value], np.float64),
        np.array([int(quality)], np.uint32),
    )


class Story:
    """An engine and the sentences of a story; each returns what it changed."""

    def __init__(self, catalogue: Catalogue | None = None, table: SeriesTable | None = None) -> None:
        self.table = table or block()
        self.engine = Engine(catalogue or three_rules(), self.table)

    def read(
        self, slot: int, at_s: float, value: float, quality: Quality = GOOD, late_s: float = 0
    ) -> list[Transition]:
        """One reading."""
        batch = reading(slot, at_s, value, quality, late_s)
        return self.engine.evaluate(batch, [], batch.received_us)

    def series(self, slot: int, start_s: int, end_s: int, step_s: int, value: float) -> list[Transition]:
        """The same value from `start_s` to `end_s`, both included."""
        changes = (self.read(slot, at, value) for at in range(start_s, end_s + 1, step_s))
        return [transition for change in changes for transition in change]

    def reset(self, rule: str, at_s: float, slot: int = 0, place: int = 0) -> list[Transition]:
        """A person resets an alarm."""
        return self._act(InputKind.RESET, rule, at_s, slot, place)

    def close(self, rule: str, at_s: float, slot: int = 0, place: int = 0) -> list[Transition]:
        """A person closes the incident of an alarm."""
        return self._act(InputKind.CLOSE, rule, at_s, slot, place)

    def _act(self, kind: InputKind, rule: str, at_s: float, slot: int, place: int) -> list[Transition]:
        given = EngineInput(1, us(at_s), kind, rule, slot, place)
        return self.engine.evaluate(ReadingBatch.empty(us(at_s)), [given], us(at_s))
