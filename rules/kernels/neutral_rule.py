"""The rule on the voltages of a device's phases that tell of a lost neutral."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

from msgspec import UNSET, UnsetType

from devices.model import Metric
from rules.comparing import check_metric
from rules.quantity import Level, Span, units_of
from rules.rule import HeldRule


class Volts(NamedTuple):
    """The levels of a rule, or of each of some pairs, in volts."""

    low: Any
    normal_low: Any
    normal_high: Any
    high: Any
    extreme: Any
    least: Any
    most: Any


class NeutralRule(HeldRule, frozen=True, kw_only=True, tag="neutral"):
    """An alarm on the voltages of a device's phases: one above `high` and another below `low`, or two above
    `extreme` and no third above `high`. It clears when all are from `normal_low` to `normal_high`. A phase
    below `least` does not count unless another is above `extreme`, one above `most` never does, and voltages
    are compared where they were observed within `together` of the reading."""

    numbers: ClassVar[tuple[str, ...]] = (
        "hold", "clear_hold", "max_gap", "samples", "high", "low", "normal_low", "normal_high",
        "extreme", "least", "most", "together",
    )  # fmt: skip

    high: Level
    low: Level
    normal_low: Level
    normal_high: Level
    extreme: Level
    least: Level
    together: Span
    most: Level | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_metric(self, Metric.VOLTAGE)
        super().__post_init__()
        keys = ("least", "low", "normal_low", "normal_high", "high", "extreme", "most")
        volts = {key: self._volts(key) for key in keys}
        for lower, upper in zip(list(volts)[:-1], list(volts)[1:], strict=True):
            if volts[lower] > volts[upper]:
                raise ValueError(f"key `{lower}`: is above `{upper}`; a voltage at or below it is allowed")

    def volts(self) -> Volts:
        """Its levels in volts."""
        return Volts(*(self._volts(key) for key in Volts._fields))

    def _volts(self, key: str) -> float:
        level: Level | UnsetType = getattr(self, key)
        if isinstance(level, UnsetType):
            return math.inf
        try:
            return level.value_in(units_of(Metric.VOLTAGE), Metric.VOLTAGE.name_on_wire)
        except ValueError as error:
            raise ValueError(f"key `{key}`: {error}") from None
