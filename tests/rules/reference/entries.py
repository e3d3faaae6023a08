"""Rule files read anew: tables of texts, and quantities with their units as numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from devices.model import METRIC_BY_NAME, Metric, Severity
from rules.transition import Mark
from tests.rules.reference.reading import DAY, HOUR, MINUTE, SECOND

TIMES: Final = {"ms": 1000, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
FACTORS: Final = {"mA": 1e-3, "kW": 1e3, "kWh": 1e3, "mV": 1e-3}
"""Of the units that are not those the values come in; the part before a slash counts."""


@lru_cache
def us_of(text: str) -> int:
    """`10 min` in microseconds."""
    number, unit = text.split()
    return round(float(number) * TIMES[unit])


@dataclass(frozen=True)
class Entry:
    """One rule. `keys` is the table as it stands in the file; `order` its place among all rules."""

    order: int
    keys: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.keys["name"])

    @property
    def kernel(self) -> str:
        return str(self.keys["kernel"])

    @property
    def severity(self) -> Severity:
        return Severity(self.keys["severity"])

    @property
    def metrics(self) -> list[Metric]:
        stated = self.keys.get("metric", [])
        return [METRIC_BY_NAME[name] for name in ([stated] if isinstance(stated, str) else stated)]

    @property
    def latched(self) -> bool:
        return bool(self.keys.get("latched", False))

    @property
    def marks(self) -> list[Mark]:
        return [Mark.ISOLATE] if self.keys.get("isolate") else []

    def us(self, key: str) -> int:
        return us_of(self.keys[key])

    def share(self, key: str) -> float:
        """`20 %` as 0.2."""
        return float(self.keys[key].removesuffix(" %")) / 100

    def number(self, key: str) -> float:
        """A number with or without a unit, in the unit that the values come in; relative ones as factors."""
        return quantity(self.keys[key])[0]


@lru_cache
def quantity(text: str | float) -> tuple[float, str]:
    """`300 mA` as 0.3 and no rating; `1.45 I_ref` as 1.45 and that."""
    if not isinstance(text, str):
        return float(text), ""
    number, _, unit = text.partition(" ")
    if unit in ("I_ref", "I_n"):
        return float(number), unit
    factor = FACTORS.get(unit.split("/")[0])
    return (float(number) * factor if factor else float(number)), ""


def entries_of(texts: Iterable[str]) -> list[Entry]:
    """The rules of several files, in their order."""
    tables = [table for text in texts for table in tomllib.loads(text)["rule"]]
    return [Entry(order, keys) for order, keys in enumerate(tables)]
