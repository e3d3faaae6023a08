"""Stories of one series under one rule of the shipped catalogue, or of a rule file with a line changed."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from importlib import resources
from operator import itemgetter

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Metric, Quality, ReadingBatch, SeriesTable
from rules.catalogue import Catalogue, CatalogueError, parse_catalogue
from rules.engine import Engine
from rules.transition import Transition
from tests.rules.story import Story, shipped, us

ONE = 1
UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
Point = tuple[float, float]
"""When in seconds, and the value."""


def series(metric: Metric, amperes: float = math.nan, number: int = 1) -> SeriesTable:
    """Slots 1 to `number`, each of a device of its own; `amperes` are its breaker's and its cable's."""
    slots = number + 1
    table = SeriesTable.plain(
        1,
        np.array([0, *[metric] * number], np.int16),
        np.arange(slots, dtype=np.int32),
        np.zeros(slots, np.int32),
        np.full(slots, amperes),
    )
    return dataclasses.replace(table, breaker_a=np.full(slots, amperes, np.float32))


def alone(name: str) -> Catalogue:
    """One rule of those that are shipped."""
    return Catalogue(version=1, rule=tuple(rule for rule in shipped().rule if rule.name == name))


def told(story: Story, points: Sequence[Point]) -> list[Transition]:
    """What these readings change, one after another."""
    return [one for at, value in points for one in story.read(ONE, at, value)]


def every(start_s: int, end_s: int, step_s: int, value: float | Callable[[int], float]) -> list[Point]:
    """Points from `start_s` to `end_s`, both included."""
    times = range(start_s, end_s + 1, step_s)
    return [(at, value(at) if callable(value) else value) for at in times]


def refused(name: str, right: str, wrong: str) -> str:
    """What is said of the shipped rule of this name, with one thing changed."""
    text = _text_of(name)
    assert right in text
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(text.replace(right, wrong, 1), "own.toml")
    return str(error.value)


def changed(name: str, *changes: tuple[str, str]) -> Catalogue:
    """The shipped rule with some things changed."""
    text = _text_of(name)
    for right, wrong in changes:
        assert right in text
        text = text.replace(right, wrong, 1)
    return parse_catalogue(text, "own.toml")


def assert_cutting_does_not_matter(
    catalogue: Catalogue, table: SeriesTable, points: Sequence[tuple[int, float, float]], seed: int
) -> list[Transition]:
    """Readings (slot, at_s, value) change one at a time what they change in batches and over restarts."""
    rng = random.Random(seed)
    whole = Story(catalogue, table)
    expected = [one for point in points for one in whole.read(*point)]
    engine, actual, rest = Engine(catalogue, table), [], list(points)
    while rest:
        size = rng.randint(1, 8)
        actual += engine.evaluate(_batch(rest[:size]), [], us(rest[0][1]))
        rest = rest[size:]
        if rng.random() < 0.2:
            restored = Engine(catalogue, table)
            restored.restore(engine.snapshot())
            engine = restored
    assert [(one.slot, one.to, one.at_us, one.why) for one in actual] == [
        (one.slot, one.to, one.at_us, one.why) for one in expected
    ]
    return expected


def _batch(points: Sequence[tuple[int, float, float]]) -> ReadingBatch:
    slots, times, values = zip(*points, strict=True)
    n = len(points)
    return ReadingBatch(
        us(times[-1]),
        np.array(slots, np.int32),
        np.array([us(at) for at in times], np.int64),
        np.zeros(n, np.uint16),
        np.array(values, np.float64),
        np.zeros(n, np.uint32),
    )


def _text_of(name: str) -> str:
    """The text of one shipped rule, as a file of its own with the rules it names."""
    folder = resources.files("rules").joinpath("shipped")
    parts = {f'name = "{rule.name}"': rule.name for rule in shipped().rule}
    wanted = {name, *_named(name)}
    found = []
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        for part in file.read_text(encoding="utf-8").split("[[rule]]")[1:]:
            said = next((known for line, known in parts.items() if line in part), "")
            if said in wanted:
                found.append((said != name, part))
    return "version = 1\n" + "".join(f"[[rule]]{part}" for _, part in sorted(found, key=itemgetter(0)))


def _named(name: str) -> tuple[str, ...]:
    rule = next(rule for rule in shipped().rule if rule.name == name)
    return tuple(getattr(rule, "of", ()))
