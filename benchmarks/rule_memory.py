"""How many bytes the rule engine's arrays take: counted, not estimated."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from benchmarks.rule_fleet import fleet_of
from devices.model import Metric, SeriesTable
from rules.catalogue import Catalogue
from rules.engine import Engine

_FEW: Final = 20_000
"""Series of an engine of one metric (chosen: what an engine has whatever its series is subtracted)."""


def bytes_of_state(engine: Engine) -> int:
    """Bytes of all arrays that the engine holds, each once, but for the registry's facts (the table)."""
    seen: dict[int, int] = {}
    for array in _arrays(engine, set()):
        whole = array
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        seen[id(whole)] = whole.nbytes
    return sum(seen.values())


def bytes_of_heaviest(catalogue: Catalogue) -> tuple[float, Metric]:
    """The metric of which a series takes most, and how many bytes that is; of a metric alone."""
    metrics = {metric for rule in catalogue.rule for metric in rule.metrics}
    weights = {metric: _bytes_of(catalogue, metric) for metric in sorted(metrics)}
    heaviest = max(weights, key=lambda metric: weights[metric])
    return weights[heaviest], heaviest


def _bytes_of(catalogue: Catalogue, metric: Metric) -> float:
    few, many = (
        bytes_of_state(Engine(catalogue, fleet_of([((metric, "l1"),)], series).table))
        for series in (_FEW, 2 * _FEW)
    )
    return (many - few) / _FEW


def _arrays(thing: object, seen: set[int]) -> Iterator[np.ndarray]:
    """Every array that can be reached from `thing`."""
    if id(thing) in seen or isinstance(thing, SeriesTable | str | bytes | int | float | type):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
        return
    for part in _parts(thing):
        yield from _arrays(part, seen)


def _parts(thing: object) -> Iterator[object]:
    if isinstance(thing, Mapping):
        yield from thing.values()
    elif isinstance(thing, list | tuple | set | frozenset):
        yield from thing
    elif dataclasses.is_dataclass(thing):
        yield from (getattr(thing, field.name) for field in dataclasses.fields(thing))
    elif hasattr(thing, "__dict__"):
        yield from vars(thing).values()
