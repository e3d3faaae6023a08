"""Catalogue entries, one struct a kernel. A struct that exists has been checked; times are microseconds.

Errors: a constructor refuses nonsense with ValueError whose text begins with the key: "key `clear`: ...".
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct

from devices.model import METRIC_BY_NAME, Metric, Severity
from rules.quantity import Level, Span
from rules.transition import Mark

Name = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{0,7}$")]
Text = Annotated[str, Meta(min_length=1)]
KEYS: Final = {"metric_name": "metric", "raise_at": "raise", "clear_below": "clear", "zh_cn": "zh-CN"}
"""Fields whose key in the file cannot be, or should not be, a Python name."""


class Title(Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS):
    """What the alarm is called, in the product's two languages."""

    en: Text
    zh_cn: Text


class FlagRule(Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS, tag_field="kernel", tag="flag"):
    """A latched alarm on a true flag.

    Older than `late_after` is marked late; older than `visit_after` is a visit of `visit_severity` instead.
    `second_fire_after` is how long the flag must have been 0 before a 1 raises an active alarm again;
    `clear_hold` how long it must be 0 to clear a closed alarm. `source` says where each number comes from.
    """

    numbers: ClassVar[tuple[str, ...]] = ("late_after", "visit_after", "second_fire_after", "clear_hold")

    name: Name
    metric_name: str
    severity: Severity
    visit_severity: Severity
    title: Title
    late_after: Span
    visit_after: Span
    second_fire_after: Span
    clear_hold: Span
    source: dict[str, Text]

    def __post_init__(self) -> None:
        if not _metric(self.metric_name).is_flag:
            raise ValueError(
                f"key `metric`: `{self.metric_name}` is not a flag; allowed: {_names(flags=True)}"
            )
        if self.visit_severity.rank <= self.severity.rank:
            raise ValueError("key `visit_severity`: a visit must be less severe than `severity`")
        if self.visit_after < self.late_after:
            raise ValueError("key `visit_after`: must not be shorter than `late_after`")
        _check_sources(self.source, self.numbers)

    @property
    def metric(self) -> Metric:
        """The metric the rule reads."""
        return METRIC_BY_NAME[self.metric_name]


class ThresholdRule(
    Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS, tag_field="kernel", tag="threshold"
):
    """An alarm on a value at or above `raise_at` for `hold`, cleared below `clear_below` for `clear_hold`.

    A gap between two readings longer than `max_gap` starts either hold again.
    """

    numbers: ClassVar[tuple[str, ...]] = ("raise", "hold", "clear", "clear_hold", "max_gap")

    name: Name
    metric_name: str
    severity: Severity
    title: Title
    raise_at: Level
    hold: Span
    clear_below: Level
    clear_hold: Span
    max_gap: Span
    source: dict[str, Text]

    def __post_init__(self) -> None:
        if _metric(self.metric_name).is_flag:
            raise ValueError(f"key `metric`: `{self.metric_name}` is a flag; allowed: {_names(flags=False)}")
        raise_at, clear_below = self._level("raise", self.raise_at), self._level("clear", self.clear_below)
        if self.raise_at.is_relative != self.clear_below.is_relative:
            raise ValueError("key `clear`: `raise` and `clear` must both be relative (I_ref) or neither")
        if raise_at < clear_below:
            raise ValueError("key `raise`: is below `clear`; a level at or above `clear` is allowed")
        _check_sources(self.source, self.numbers)

    def _level(self, key: str, level: Level) -> float:
        try:
            return level.value_for(self.metric)
        except ValueError as error:
            raise ValueError(f"key `{key}`: {error}") from None

    @property
    def metric(self) -> Metric:
        """The metric the rule reads."""
        return METRIC_BY_NAME[self.metric_name]


class PlaceRule(
    Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS, tag_field="kernel", tag="place"
):
    """An alarm on a dwelling where an alarm of `anchor` and one of `partner` meet `within` a time.

    `mark` is what the transition tells people besides.
    """

    numbers: ClassVar[tuple[str, ...]] = ("within",)

    name: Name
    severity: Severity
    title: Title
    anchor: Annotated[tuple[Name, ...], Meta(min_length=1)]
    partner: Annotated[tuple[Name, ...], Meta(min_length=1)]
    within: Span
    mark: Mark
    source: dict[str, Text]

    def __post_init__(self) -> None:
        both = set(self.anchor) & set(self.partner)
        if both:
            raise ValueError(f"key `partner`: {', '.join(sorted(both))} cannot be on both sides")
        _check_sources(self.source, self.numbers)


Rule = FlagRule | ThresholdRule | PlaceRule


def _metric(name: str) -> Metric:
    if name not in METRIC_BY_NAME:
        raise ValueError(f"key `metric`: `{name}` is unknown; allowed: {', '.join(METRIC_BY_NAME)}")
    return METRIC_BY_NAME[name]


def _names(*, flags: bool) -> str:
    return ", ".join(name for name, metric in METRIC_BY_NAME.items() if metric.is_flag is flags)


def _check_sources(source: dict[str, str], numbers: tuple[str, ...]) -> None:
    unknown = [key for key in source if key not in numbers]
    if unknown:
        raise ValueError(f"key `{unknown[0]}`: unknown under `source`; allowed here: {', '.join(numbers)}")
    missing = [key for key in numbers if key not in source]
    if missing:
        raise ValueError(
            f"key `source`: nothing said about {', '.join(missing)}; every number has its source"
        )
