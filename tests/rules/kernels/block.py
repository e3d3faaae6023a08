"""A block of devices to tell stories of silence about: what is heard second by second, and who is missed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from devices.model import EngineInput, InputKind, Metric, Quality, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue, parse_catalogue
from rules.engine import Engine
from rules.transition import Transition

START_US = 1_800_000_000_000_000
GOOD = Quality(0)


@dataclass(frozen=True)
class Device:
    """One device: its slots are those with its number."""

    limit_s: float = 60
    building: int = 0
    parent: int = 0
    dwelling: int = 0


def offline_rules() -> Catalogue:
    """C1 to C3 as they ship."""
    text = resources.files("rules").joinpath("shipped", "offline.toml").read_text(encoding="utf-8")
    return parse_catalogue(text, "offline.toml")


def table_of(devices: Mapping[int, Device], online: Iterable[int] = ()) -> SeriesTable:
    """Slot n is a series of device n; slot 100 + n says whether device n is online."""
    length = 201
    metric, device = np.zeros(length, np.int16), np.zeros(length, np.int32)
    dwelling, building = np.zeros(length, np.int32), np.zeros(length, np.int32)
    parent, limit = np.zeros(length, np.int32), np.full(length, np.nan, np.float32)
    for number, one in devices.items():
        slots = [number, 100 + number] if number in set(online) else [number]
        metric[slots] = [Metric.TEMPERATURE, Metric.DEVICE_ONLINE][: len(slots)]
        device[slots], dwelling[slots], building[slots] = number, one.dwelling, one.building
        parent[slots], limit[slots] = one.parent, one.limit_s
    plain = SeriesTable.plain(1, metric, device, dwelling, np.full(length, np.nan))
    return replace(plain, building=building, parent=parent, silence_s=limit)


def us(at_s: float) -> int:
    """Seconds of story time to microseconds since 1970."""
    return START_US + round(at_s * 1e6)


def batch_of(
    at_s: float, slots: Iterable[int], value: float = 1.0, quality: Quality = GOOD, age_s: float = 0
) -> ReadingBatch:
    """One reading of each slot, received at `at_s`."""
    slot = np.array(list(slots), np.int32)
    n = len(slot)
    return ReadingBatch(
        us(at_s),
        slot,
        np.full(n, us(at_s - age_s)),
        np.zeros(n, np.uint16),
        np.full(n, value),
        np.full(n, int(quality), np.uint32),
    )


Said = tuple[str, str, int, float]
"""Rule, raised or cleared, the device's or building's id, and `at` in seconds of the story."""


def said(transitions: Iterable[Transition]) -> list[Said]:
    """What was told, short."""
    return [
        (one.rule, str(one.to), one.place or one.device, (one.at_us - START_US) / 1e6) for one in transitions
    ]


class Block:
    """An engine that watches, and the sentences of a story; each returns what it told."""

    def __init__(
        self,
        devices: Mapping[int, Device],
        online: Iterable[int] = (),
        catalogue: Catalogue | None = None,
    ) -> None:
        self.table = table_of(devices, online)
        self.engine = Engine(catalogue or offline_rules(), self.table)
        self.told: list[Transition] = []

    def hear(
        self,
        at_s: float,
        *slots: int,
        value: float = 1.0,
        quality: Quality = GOOD,
        age_s: float = 0,
        source: str = "",
    ) -> list[Said]:
        """Readings that arrive at `at_s`, and the look that follows."""
        batch = batch_of(at_s, slots, value, quality, age_s)
        return self._tell(self.engine.evaluate(batch, [], us(at_s), source) + self.engine.advance(us(at_s)))

    def until(self, start_s: float, end_s: float, *slots: int, every_s: float = 30) -> list[Said]:
        """The same slots again and again, from `start_s` to `end_s`, both included."""
        times = np.arange(start_s, end_s + 0.001, every_s)
        return [one for at in times for one in self.hear(float(at), *slots)]

    def look(self, at_s: float) -> list[Said]:
        """Nothing comes."""
        return self._tell(self.engine.advance(us(at_s)))

    def watch(self, start_s: float, end_s: float) -> list[Said]:
        """Nothing comes, second by second."""
        return [one for at in range(int(start_s), int(end_s) + 1) for one in self.look(at)]

    def give(
        self,
        at_s: float,
        kind: InputKind,
        rule: str = "",
        slot: int = 0,
        place: int = 0,
        from_s: float | None = None,
    ) -> list[Said]:
        """An input of the engine, and the look that follows."""
        from_us = 0 if from_s is None else us(from_s)
        given = EngineInput(1, us(at_s), kind, rule, slot, place, from_us)
        empty = ReadingBatch.empty(us(at_s))
        return self._tell(self.engine.evaluate(empty, [given], us(at_s)) + self.engine.advance(us(at_s)))

    def _tell(self, transitions: list[Transition]) -> list[Said]:
        self.told += transitions
        return said(transitions)
