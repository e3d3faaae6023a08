"""Numbers with units as rule files write them: `60 s`, `10 min`, `1.45 I_ref`, `300 mA`.

Errors: every parser raises ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from devices.model import Metric

REFERENCE_UNIT: Final = "I_ref"
"""Times the circuit's reference current, `SeriesTable.reference_a`."""
BREAKER_UNIT: Final = "I_n"
"""Times the rating of the circuit's breaker, `SeriesTable.breaker_a`."""


class Relative(IntEnum):
    """What a level is a multiple of."""

    NOTHING = 0
    REFERENCE = 1
    BREAKER = 2


_RELATIVE: Final = {REFERENCE_UNIT: Relative.REFERENCE, BREAKER_UNIT: Relative.BREAKER}

_SPANS: Final = {"ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST_US: Final = 3650 * _SPANS["d"]
"""Ten years (chosen): no rule waits longer, and sums of a few such times fit 64 bits."""
_SCALES: Final[dict[str, dict[str, float]]] = {
    "A": {"A": 1.0, "mA": 1e-3},
    "V": {"V": 1.0, "mV": 1e-3},
    "W": {"W": 1.0, "kW": 1e3},
    "Wh": {"Wh": 1.0, "kWh": 1e3},
    "mA": {"mA": 1.0, "A": 1e3},
    "raw": {"raw": 1.0, "": 1.0},
    "degC": {"degC": 1.0},
}
MOST_SAMPLES: Final = 8
"""Readings that `samples` can look back on: a bit each in one byte."""
_SAMPLES: Final = re.compile(r"([1-8]) of ([1-8])$")
_QUANTITY: Final = re.compile(r"([-+]?[0-9]+(?:\.[0-9]+)?)(?: +(\S+))?$")


class Span(int):
    """A length of time in microseconds, never negative."""


class Samples:
    """`2 of 3`: so many of the last so many readings, at most 8."""

    __slots__ = ("need", "of")

    def __init__(self, need: int, of: int) -> None:
        self.need = need
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Samples) and (self.need, self.of) == (other.need, other.of)

    def __hash__(self) -> int:
        return hash((self.need, self.of))

    def __repr__(self) -> str:
        return f"Samples({self.need}, {self.of})"

    def __str__(self) -> str:
        return f"{self.need} of {self.of}"


class Level:
    """A limit as written: a number and its unit. `value_in(units)` is what readings are compared with."""

    __slots__ = ("unit", "value")

    def __init__(self, value: float, unit: str) -> None:
        self.value = value
        self.unit = unit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Level) and (self.value, self.unit) == (other.value, other.unit)

    def __hash__(self) -> int:
        return hash((self.value, self.unit))

    def __repr__(self) -> str:
        return f"Level({self.value!r}, {self.unit!r})"

    def __str__(self) -> str:
        return f"{self.value:.12g} {self.unit}".rstrip()

    @property
    def relative(self) -> Relative:
        """Which rating of the circuit the limit is a multiple of, if any."""
        return _RELATIVE.get(self.unit, Relative.NOTHING)

    def value_in(self, units: Mapping[str, float], of: str) -> float:
        """The limit in the unit whose factor is 1, or the bare factor of a relative one; `of` is what it
        limits, for the error.

        Raises ValueError naming the units allowed when its own is none of them.
        """
        if self.unit not in units:
            names = ", ".join(f"`{unit}`" if unit else "no unit" for unit in units)
            raise ValueError(f"unit `{self.unit}` does not fit metric `{of}`; allowed: {names}")
        return self.value * units[self.unit]


def units_of(metric: Metric) -> dict[str, float]:
    """The units a limit on `metric` may have, each with its factor to the canonical one."""
    units = dict(_SCALES.get(metric.unit, {metric.unit: 1.0}))
    if metric is Metric.CURRENT:
        units |= {REFERENCE_UNIT: 1.0, BREAKER_UNIT: 1.0}
    return units


def parse_span(text: object) -> Span:
    """`60 s` to a Span of microseconds."""
    number, unit = _split(text)
    if unit not in _SPANS:
        raise ValueError(f"`{text}` is not a time; a number and one of {', '.join(_SPANS)} is allowed")
    if number < 0:
        raise ValueError(f"`{text}` is negative; a time of 0 s or more is allowed")
    span = number * _SPANS[unit]
    if span > LONGEST_US:
        raise ValueError(f"`{text}` is too long; a time of up to 3650 d is allowed")
    return Span(round(span))


def parse_samples(text: object) -> Samples:
    """`2 of 3` to Samples."""
    found = _SAMPLES.match(text) if isinstance(text, str) else None
    if found is None or not 1 <= int(found[1]) <= int(found[2]) <= MOST_SAMPLES:
        raise ValueError(f"`{text}` is not a number of readings; 'N of M' with 1 ≤ N ≤ M ≤ 8 is allowed")
    return Samples(int(found[1]), int(found[2]))


def parse_level(text: object) -> Level:
    """`1.45 I_ref` to a Level; whether the unit fits is the rule's to say."""
    return Level(*_split(text))


def _split(text: object) -> tuple[float, str]:
    found = _QUANTITY.match(text) if isinstance(text, str) else None
    if found is None or not math.isfinite(float(found[1])):
        raise ValueError(f"`{text}` is not a quantity; a text of number and unit such as '60 s' is allowed")
    return float(found[1]), found[2] or ""
