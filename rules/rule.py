"""What every catalogue entry has in common. A struct that exists has been checked; times are microseconds.

`BaseRule` is a name, a severity and a title; `HeldRule` an alarm on series that must last; `JudgedRule` one
with levels. Each kernel's own entry is in its file (rules/kernels).

Errors: a constructor refuses nonsense with ValueError whose text begins with the key: "key `clear`: ...".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from devices.model import METRIC_BY_NAME, Metric, Severity
from rules.quantity import Level, Samples, Span, units_of
from rules.transition import Mark

Name = Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{0,7}$")]
Text = Annotated[str, Meta(min_length=1)]
KEYS: Final = {
    "metric_name": "metric",
    "raise_at": "raise",
    "clear_below": "clear",
    "zh_cn": "zh-CN",
    "from_value": "from",
    "to_value": "to",
}
"""Fields whose key in the file cannot be, or should not be, a Python name."""


class Where(StrEnum):
    """On which series a rule holds, by where their device, or what they measure, is."""

    ANY = "any"
    DWELLING = "dwelling"
    BUILDING = "building"
    """Feeders and risers: not in a dwelling, and in no known place as well."""
    CIRCUIT = "circuit"
    """Cables and joints: wherever they are, but not the air of a room (`SeriesTable.off_circuit`)."""


class RuleHazard(StrEnum):
    """What an alarm speaks of, and with which others it is one matter."""

    FIRE = "fire"
    ELECTRICAL = "electrical"
    FAULT = "fault"
    """The device is broken, or cannot be trusted: never mixed with a fire."""


class Title(Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS):
    """What the alarm is called, in the product's two languages."""

    en: Text
    zh_cn: Text


class BaseRule(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename=KEYS, tag_field="kernel"
):
    """`source` says of each number (`numbers`) where it comes from; of those that are not given, nothing.

    `hazard` is what its alarms speak of; where it is left out, the name says it (`alerts.hazards`).
    """

    numbers: ClassVar[tuple[str, ...]] = ()

    name: Name
    severity: Severity
    title: Title
    hazard: RuleHazard | UnsetType = UNSET
    source: dict[str, Text]

    def __post_init__(self) -> None:
        given = [key for key in self.numbers if self._given(key)]
        unknown = [key for key in self.source if key not in given]
        if unknown:
            raise ValueError(f"key `{unknown[0]}`: unknown under `source`; allowed here: {', '.join(given)}")
        missing = [key for key in given if key not in self.source]
        if missing:
            raise ValueError(
                f"key `source`: nothing said about {', '.join(missing)}; every number has its source"
            )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics whose series the rule is about; none for rules on places."""
        return ()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What a person must know of every alarm of this rule."""
        return ()

    def _given(self, key: str) -> bool:
        """Whether a number stands in the file: one that may be left out has UNSET or its usual value."""
        field = next((name for name, other in KEYS.items() if other == key), key)
        value = getattr(self, field)
        return value is not UNSET and value != _USUAL.get(field, _NEVER)


class HeldRule(BaseRule, frozen=True, kw_only=True):
    """An alarm on series that is raised when something lasts for `hold`, and cleared when it is over for
    `clear_hold`.

    A gap between two readings longer than `max_gap` starts either hold again. `samples` of `2 of 3` asks for
    two of the last three readings besides. A `latched` alarm is ended by a person alone. `where` says on
    which series it holds. `isolate`: tells people to ask for the power to be cut.
    """

    metric_name: str | tuple[str, ...]
    hold: Span
    clear_hold: Span | UnsetType = UNSET
    max_gap: Span
    samples: Samples = Samples(1, 1)
    latched: bool = False
    where: Where = Where.ANY
    isolate: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self._names:
            if name not in METRIC_BY_NAME:
                allowed = ", ".join(METRIC_BY_NAME)
                raise ValueError(f"key `metric`: `{name}` is unknown; allowed: {allowed}")
        if len(set(self._names)) != len(self._names) or not self._names:
            raise ValueError("key `metric`: one metric, or several different ones, are allowed")
        if self.latched and self.clear_hold is not UNSET:
            raise ValueError("key `clear_hold`: a latched alarm is cleared by a person; leave it out")
        if not self.latched and self.clear_hold is UNSET:
            raise ValueError("key `clear_hold`: is missing; a time, or `latched = true`, is allowed")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics whose readings it is judged on."""
        return tuple(METRIC_BY_NAME[name] for name in self._names)

    @property
    def metric(self) -> Metric:
        """The first of them."""
        return self.metrics[0]

    @property
    def marks(self) -> tuple[Mark, ...]:
        """`isolate`, where it asks for that."""
        return (Mark.ISOLATE,) if self.isolate else ()

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.metric_name,) if isinstance(self.metric_name, str) else self.metric_name


class Limits(Struct, frozen=True, forbid_unknown_fields=True, rename=KEYS, kw_only=True):
    """Levels that hold instead of a rule's own."""

    raise_at: Level
    clear_below: Level | UnsetType = UNSET


class JudgedRule(HeldRule, frozen=True, kw_only=True):
    """A held alarm with levels: raised at or above `raise_at`, cleared below `clear_below`.

    With `below` it is the other way round: raised at or below, cleared above. `insulation` holds other levels
    for cables of another insulation (`pvc`, `rubber`, `xlpe`).
    """

    numbers: ClassVar[tuple[str, ...]] = (
        "raise", "hold", "clear", "clear_hold", "max_gap", "samples", "insulation",
    )  # fmt: skip

    raise_at: Level
    clear_below: Level | UnsetType = UNSET
    below: bool = False
    insulation: Mapping[str, Limits] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_limits(self.raise_at, self.clear_below)
        for name, limits in self.insulation.items():
            if name not in INSULATIONS:
                raise ValueError(f"key `insulation`: `{name}` is unknown; allowed: {', '.join(INSULATIONS)}")
            self.check_limits(limits.raise_at, limits.clear_below)

    def units(self, metric: Metric) -> dict[str, float]:
        """The units a level may have, each with its factor to the one that the kernel compares in."""
        return units_of(metric)

    def check_limits(self, raise_at: Level, clear_below: Level | UnsetType) -> None:
        """Raises ValueError where these levels cannot be this rule's."""
        if self.latched is not (clear_below is UNSET):
            raise ValueError("key `clear`: a latched alarm has none, and any other needs one; see `latched`")
        levels = {"raise": raise_at} | ({} if isinstance(clear_below, UnsetType) else {"clear": clear_below})
        for metric in self.metrics:
            values = {key: self._value(key, level, metric) for key, level in levels.items()}
            if "clear" not in values:
                continue
            if levels["raise"].relative is not levels["clear"].relative:
                raise ValueError(
                    "key `clear`: `raise` and `clear` must be relative to the same rating or to none"
                )
            if self.below and values["raise"] > values["clear"]:
                raise ValueError("key `raise`: is above `clear`; a level at or below `clear` is allowed")
            if not self.below and values["raise"] < values["clear"]:
                raise ValueError("key `raise`: is below `clear`; a level at or above `clear` is allowed")

    def _value(self, key: str, level: Level, metric: Metric) -> float:
        try:
            return level.value_in(self.units(metric), metric.name_on_wire)
        except ValueError as error:
            raise ValueError(f"key `{key}`: {error}") from None


INSULATIONS: Final = ("pvc", "rubber", "xlpe")
_NEVER: Final = object()
_USUAL: Final[dict[str, Any]] = {"samples": Samples(1, 1), "insulation": {}}
