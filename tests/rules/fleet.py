"""Random stories of a small fleet: a few series at a time, each in a mood that lasts for some readings.

Purely random readings hold nothing long enough. So values, waits and moods are those that the rules of a
family turn on: at a level, just below it, for just the hold, a gap just too long.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from devices.model import EngineInput, InputKind, Metric, Quality, SeriesTable
from tests.rules.homes import Facts, table_of
from tests.rules.reference import Entry, One
from tests.rules.story import START_US
from tests.rules.streams import MIXED, USUAL, Script


@dataclass(frozen=True)
class Way:
    """What series of one metric say: values from low to high, seconds between readings, and steps a minute
    of values that go up or down. `times_rating`: values are multiples of the circuit's rating."""

    values: Sequence[float]
    waits: Sequence[float]
    steps: Sequence[float] = ()
    times_rating: bool = False


@dataclass
class Fleet:
    """Series, of which the stories are about one of the `groups` at a time. `entries` are the rules that
    people act on."""

    series: list[Facts]
    ways: Mapping[Metric, Way]
    entries: list[Entry]
    groups: list[list[int]] = field(default_factory=list)
    qualities: Sequence[Sequence[Quality]] = (USUAL, USUAL, MIXED)
    """What readings are marked with, for a while each."""
    ages: Sequence[Sequence[float]] = ([0.0], [0.0], [0.0, 0.0, 0.0, 90.0])
    """How old readings are on receipt, in seconds."""
    acting: float = 0.02
    """How likely a person ends an alarm of one rule in a tick."""
    stepping: float = 0.0
    """How likely our clock is put back in a tick."""
    most: int = 30
    """Readings of a series in a story."""

    def __post_init__(self) -> None:
        self.table: SeriesTable = table_of(self.series)
        if not self.groups:
            slots = range(1, len(self.series) + 1)
            metrics = dict.fromkeys(facts.metric for facts in self.series)
            self.groups = [[n for n in slots if self.series[n - 1].metric is metric] for metric in metrics]

    def script(self, seed: int, stories: int) -> Script:
        script = Script(random.Random(seed), START_US)
        for _ in range(stories):
            Tale(self, script).tell()
        return script


class Tale:
    """One story: the same few series for a while."""

    def __init__(self, fleet: Fleet, script: Script) -> None:
        self.fleet, self.script, self.rng = fleet, script, script.rng
        group = self.rng.choice(fleet.groups)
        alike = len({fleet.series[slot - 1].metric for slot in group}) == 1
        self.slots = self.rng.sample(group, min(len(group), self.rng.randint(1, 3))) if alike else group
        waits = [wait for slot in self.slots for wait in self._way(slot).waits]
        self.waits = self.rng.choice([[self.rng.choice(waits)], waits])
        self.ages = self.rng.choice(fleet.ages)
        self.qualities = self.rng.choice(fleet.qualities)
        self.moods = {slot: self._mood() for slot in self.slots}
        self.values = {slot: self._drawn(slot, "any") for slot in self.slots}
        self.steps = {slot: self._step(slot) for slot in self.slots}

    def tell(self) -> None:
        rng, script = self.rng, self.script
        for _ in range(rng.randint(self.fleet.most // 5, self.fleet.most)):
            wait = rng.choice(self.waits)
            script.wait(wait)
            if rng.random() < self.fleet.stepping:
                script.put_back(rng.choice((5, 120, 900, 86_400)))
            if rng.random() < 0.06:
                self.qualities = rng.choice(self.fleet.qualities)
            for slot in self.slots:
                self._go_on(slot, wait)
            some = [rng.choice(self.slots) for _ in range(rng.randint(1, 3))]
            heard = some if rng.random() < 0.2 else self.slots
            readings = [self._reading(slot) for slot in heard]
            script.tick(readings, self._acts())

    def _go_on(self, slot: int, wait: float) -> None:
        if self.rng.random() < 0.06:
            self.moods[slot], self.steps[slot] = self._mood(), self._step(slot)
        if self.moods[slot] == "step":
            self.values[slot] += self.steps[slot] * wait / 60
        elif self.moods[slot] != "still":
            self.values[slot] = self._drawn(slot, self.moods[slot])

    def _reading(self, slot: int) -> One:
        quality: Quality = self.rng.choice(self.qualities)
        return self.script.reading(slot, self.values[slot], quality, self.rng.choice(self.ages))

    def _acts(self) -> list[EngineInput]:
        acts = []
        for entry in self.fleet.entries:
            slots = [slot for slot in self.slots if self.fleet.series[slot - 1].metric in entry.metrics]
            kind = self.rng.choice([InputKind.RESET, InputKind.CLOSE])
            if slots and self.rng.random() < self.fleet.acting:
                acts.append(self.script.act(kind, entry.name, self.rng.choice(slots)))
            if entry.kernel == "place" and self.rng.random() < self.fleet.acting:
                facts = self.fleet.series[self.rng.choice(self.slots) - 1]
                common = 0 if facts.dwelling else facts.building
                place = {"stair": facts.stair, "common": common}.get(
                    entry.keys.get("scope", ""), facts.dwelling
                )
                part = self.rng.choice([0, 0, self.rng.choice(self.slots)])
                acts.append(self.script.act(kind, entry.name, part, place))
            if slots and entry.keys.get("counts") == "unfounded" and self.rng.random() < 0.2:
                name = self.rng.choice([*entry.keys["of"], entry.name])
                acts.append(self.script.act(InputKind.UNFOUNDED, name, self.rng.choice(slots)))
        return acts

    def _mood(self) -> str:
        return self.rng.choice(["low", "high", "high", "any", "step", "still"])

    def _step(self, slot: int) -> float:
        way = self._way(slot)
        return self.rng.choice(way.steps) * self._unit(slot) if way.steps else 0.0

    def _drawn(self, slot: int, mood: str) -> float:
        values = self._way(slot).values
        end = max(1, len(values) // 4)
        pool = {"low": values[:end], "high": values[-end:]}.get(mood, values)
        return self.rng.choice(pool) * self._unit(slot)

    def _unit(self, slot: int) -> float:
        rating = self.fleet.series[slot - 1].breaker_a
        known = 25.0 if math.isnan(rating) else rating
        return known if self._way(slot).times_rating else 1.0

    def _way(self, slot: int) -> Way:
        return self.fleet.ways[self.fleet.series[slot - 1].metric]
