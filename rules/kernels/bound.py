"""The bound: values that never raise an alarm. It is no alarm and has no state: the catalogue refuses rules
that would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import UnsetType

from devices.model import METRIC_BY_NAME, Metric
from rules.kernels.count import CountRule
from rules.kernels.mean import MeanRule
from rules.kernels.suspect import SuspectRule
from rules.kernels.threshold import ThresholdRule
from rules.quantity import Level, units_of
from rules.rule import BaseRule, HeldRule


class BoundRule(BaseRule, frozen=True, kw_only=True, tag="bound"):
    """No rule may be raised by values of `metric` at or below `quiet`."""

    numbers: ClassVar[tuple[str, ...]] = ("quiet",)

    metric_name: str
    quiet: Level

    def __post_init__(self) -> None:
        super().__post_init__()
        levels = [name for name, metric in METRIC_BY_NAME.items() if not metric.is_flag]
        if self.metric_name not in levels:
            known = "is a flag" if self.metric_name in METRIC_BY_NAME else "is unknown"
            raise ValueError(f"key `metric`: `{self.metric_name}` {known}; allowed: {', '.join(levels)}")
        if self.quiet.relative:
            raise ValueError("key `quiet`: a level of its own, not a multiple of a rating, is allowed")
        try:
            self.quiet.value_in(units_of(self.bounded), self.metric_name)
        except ValueError as error:
            raise ValueError(f"key `quiet`: {error}") from None

    @property
    def bounded(self) -> Metric:
        """The metric whose values are bounded."""
        return METRIC_BY_NAME[self.metric_name]

    def breaches(self, rule: BaseRule) -> Iterator[tuple[str, str]]:
        """Keys of `rule` by which such a value would raise it, each with what is allowed.

        A rule on suspect values says that a device is wrong, and may. Kinds that compare anything but the
        value itself could be raised by any value, and may not.
        """
        if (
            not isinstance(rule, HeldRule)
            or self.bounded not in rule.metrics
            or isinstance(rule, SuspectRule)
        ):
            return
        allowed = f"values of {self.metric_name} up to {self.quiet} never raise an alarm ({self.name})"
        if isinstance(rule, CountRule):
            if not isinstance(rule.from_value, UnsetType) and self._is_quiet(rule.from_value):
                yield "from", f"{allowed}; a level above that is allowed"
        elif not isinstance(rule, ThresholdRule | MeanRule):
            yield "metric", f"{allowed}; the kinds threshold, mean and count are allowed for it"
        elif rule.below:
            yield "below", f"{allowed}; leave it out"
        elif self._is_quiet(rule.raise_at):
            yield "raise", f"{allowed}; a level above that is allowed"
        elif any(self._is_quiet(limits.raise_at) for limits in rule.insulation.values()):
            yield "insulation", f"{allowed}; levels above that are allowed"

    def _is_quiet(self, level: Level) -> bool:
        """A multiple of a rating may be anything, so that it is as well."""
        units = units_of(self.bounded)
        if level.relative:
            return True
        return level.value_in(units, self.metric_name) <= self.quiet.value_in(units, self.metric_name)
