"""Numbers with units as rule files write them: `60 s`, `10 min`, `1.45 I_ref`, `300 mA`.

Errors: every parser raises ValueError with a sentence that says what is allowed.
"""

from __future__ import annotations

import math
import re
from typing import Final

from devices.model import Metric

REFERENCE_UNIT: Final = "I_ref"
"""Times the circuit's reference current, `SeriesTable.reference_a`."""

_SPANS: Final = {"ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_SCALES: Final[dict[str, dict[str, float]]] = {
    "A": {"A": 1.0, "mA": 1e-3},
    "V": {"V": 1.0, "mV": 1e-3},
    "W": {"W": 1.0, "kW": 1e3},
    "Wh": {"Wh": 1.0, "kWh": 1e3},
    "mA": {"mA": 1.0, "A": 1e3},
    "raw": {"raw": 1.0, "": 1.0},
}
_QUANTITY: Final = re.compile(r"([-+]?[0-9]+(?:\.[0-9]+)?)(?: +(\S+))?$")


class Span(int):
    """A length of time in microseconds, never negative."""


class Level:
    """A limit as written: a number and its unit. `value_for(metric)` is what readings are compared with."""

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

    @property
    def is_relative(self) -> bool:
        """True where the limit is a multiple of the circuit's reference current."""
        return self.unit == REFERENCE_UNIT

    def value_for(self, metric: Metric) -> float:
        """The limit in the metric's canonical unit, or the bare factor of a relative one.

        Raises ValueError naming the units allowed when the unit does not fit the metric.
        """
        allowed = units_of(metric)
        if self.unit not in allowed:
            names = ", ".join(f"`{unit}`" if unit else "no unit" for unit in allowed)
            raise ValueError(
                f"unit `{self.unit}` does not fit metric `{metric.name_on_wire}`; allowed: {names}"
            )
        return self.value * allowed[self.unit]


def units_of(metric: Metric) -> dict[str, float]:
    """The units a limit on `metric` may have, each with its factor to the canonical one."""
    units = dict(_SCALES.get(metric.unit, {metric.unit: 1.0}))
    if metric is Metric.CURRENT:
        units[REFERENCE_UNIT] = 1.0
    return units


def parse_span(text: object) -> Span:
    """`60 s` to a Span of microseconds."""
    number, unit = _split(text)
    if unit not in _SPANS:
        raise ValueError(f"`{text}` is not a time; a number and one of {', '.join(_SPANS)} is allowed")
    if number < 0:
        raise ValueError(f"`{text}` is negative; a time of 0 s or more is allowed")
    return Span(round(number * _SPANS[unit]))


def parse_level(text: object) -> Level:
    """`1.45 I_ref` to a Level; whether the unit fits is the rule's to say."""
    return Level(*_split(text))


def _split(text: object) -> tuple[float, str]:
    found = _QUANTITY.match(text) if isinstance(text, str) else None
    if found is None or not math.isfinite(float(found[1])):
        raise ValueError(f"`{text}` is not a quantity; a text of number and unit such as '60 s' is allowed")
    return float(found[1]), found[2] or ""
