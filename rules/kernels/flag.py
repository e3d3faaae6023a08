"""Latched life flags: the rule. `rules.kernels.flag_kernel` says what a true flag does, and what ends it."""

from __future__ import annotations

from typing import ClassVar

from devices.model import METRIC_BY_NAME, Metric, Severity
from rules.quantity import Span
from rules.rule import BaseRule
from rules.transition import Mark


class FlagRule(BaseRule, frozen=True, kw_only=True, tag="flag"):
    """A latched alarm on a true flag.

    Older than `late_after` is marked late; older than `visit_after` is a visit of `visit_severity` instead.
    `second_fire_after` is how long the flag must have been 0 before a 1 raises an active alarm again;
    `clear_hold` how long it must be 0 to clear a closed alarm.
    """

    numbers: ClassVar[tuple[str, ...]] = ("late_after", "visit_after", "second_fire_after", "clear_hold")

    metric_name: str
    visit_severity: Severity
    late_after: Span
    visit_after: Span
    second_fire_after: Span
    clear_hold: Span
    isolate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        flags = [name for name, metric in METRIC_BY_NAME.items() if metric.is_flag]
        if self.metric_name not in flags:
            known = "is not a flag" if self.metric_name in METRIC_BY_NAME else "is unknown"
            raise ValueError(f"key `metric`: `{self.metric_name}` {known}; allowed: {', '.join(flags)}")
        if self.visit_severity.rank <= self.severity.rank:
            raise ValueError("key `visit_severity`: a visit must be less severe than `severity`")
        if self.visit_after < self.late_after:
            raise ValueError("key `visit_after`: must not be shorter than `late_after`")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The flag it reads."""
        return (self.metric,)

    @property
    def metric(self) -> Metric:
        """The same, alone."""
        return METRIC_BY_NAME[self.metric_name]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """`isolate`, where it asks for that."""
        return (Mark.ISOLATE,) if self.isolate else ()
