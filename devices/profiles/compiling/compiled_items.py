"""What the items of a payload mean, ready for use: columns, and the groups that know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.compiling.ways import (
    AnyAt,
    AnyKey,
    Blank,
    Pattern,
    Start,
    There,
    Way,
    Word,
    divisor_of,
    there_of,
)
from devices.profiles.general.channels import channel_text
from devices.profiles.general.places import Places


@dataclass(frozen=True, slots=True)
class Clock:
    """A compiled `Time`. `format`: s, ms, us, iso or a strptime pattern. `zone` None: the text must say its
    own.

    `assumed`: the zone is the site's, so a text without one is flagged.
    """

    way: Way
    format: str
    zone: ZoneInfo | None
    assumed: bool
    earliest_us: int
    then: Clock | None = None
    """The next clock at the same way, for what is nonsense to this one: text here, a number there."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A compiled `Operand` or `Sign`; `signs` has ±1.0 by word, 0.0 where the number has its
    sign already; empty for operands."""

    way: Way
    remember: bool
    signs: Mapping[Word, float]


@dataclass(frozen=True, slots=True)
class Column:
    """A compiled `Value`: one of the profile's columns, known by its `number`.

    `scale` and `offset` turn the vendor's number into the metric's unit (unit included, but for one in band:
    `unit_way`, then `units` has scale and offset by its text). `words` has numbers by word (flags 0.0 and
    1.0).
    """

    number: int
    metric: Metric
    where: str
    """Its place in the file, for messages to people: `message[0].values.smoke`."""
    way: Way
    channel: Pattern
    list_channel: Pattern | None
    scale: float
    offset: float
    unit_way: Way | None
    units: Mapping[str, tuple[float, float]]
    words: Mapping[Word, float]
    sentinels: frozenset[Word]
    nonzero: bool
    invert: bool
    bit: int | None
    const: float | None
    default: float | None
    sign: Elsewhere | None
    factor: Elsewhere | None
    low: float
    high: float
    null_is_silence: bool
    needs: tuple[Way, ...]
    has: tuple[Way, ...]
    any: tuple[Way, ...]
    lacks: tuple[Way, ...]
    hold_us: int
    clocks: tuple[Clock, ...]
    quality: int
    faults: frozenset[Word] = frozenset()
    broken_below: float = float("-inf")
    glued: frozenset[str] = frozenset()
    """Names of the unit that may stand behind a number in a text: those of the unit that the file says."""
    fixed_channel: str | None = field(init=False, repr=False, compare=False)
    """The channel, where it is the same in all messages."""
    code: int = field(init=False, repr=False, compare=False)
    """The metric's number."""
    is_flag: bool = field(init=False, repr=False, compare=False)
    there: There | None = field(init=False, repr=False, compare=False)
    """`has`, `any` and `lacks` where all of them are keys of the item."""
    is_plain: bool = field(init=False, repr=False, compare=False)
    """Whether a reading needs its raw value and nothing else of the message but its time."""
    is_bare: bool = field(init=False, repr=False, compare=False)
    """Whether a number is only scaled: no words, sentinels or operands."""
    divisor: float = field(init=False, repr=False, compare=False)
    """The whole number whose inverse `scale` is; 0 where there is none."""
    remembers: bool = field(init=False, repr=False, compare=False)
    """Whether an operand may be the device's last one."""

    def __post_init__(self) -> None:
        operands = [one for one in (self.sign, self.factor) if one is not None]
        fixed = self.channel.fixed
        alone = not operands and self.unit_way is None
        circumstances = self.needs or self.has or self.any or self.lacks
        put = object.__setattr__  # the only time that anything is put into it
        put(self, "fixed_channel", None if fixed is None else channel_text(fixed))
        put(self, "there", there_of(self.has, self.any, self.lacks))
        put(self, "code", int(self.metric))
        put(self, "is_flag", self.metric.is_flag)
        plain = alone and not circumstances and fixed is not None and self.list_channel is None
        put(self, "is_plain", plain and not self.clocks)
        worded = self.words or self.sentinels or self.const is not None
        put(self, "is_bare", alone and not self.metric.is_flag and not worded)
        put(self, "divisor", divisor_of(self.scale))
        put(self, "remembers", any(one.remember for one in operands))

    @property
    def is_life(self) -> bool:
        """Whether a true value is a matter of life."""
        return self.metric in LIFE_FLAGS


@dataclass(frozen=True, slots=True)
class Items:
    """A compiled `Group`, or the values of a message as a whole (`each` without steps, `payload` its item).

    `values` are tried on each item; of `names` those of the item's name (`exact`, else the first pattern
    that fits),
    else those of `units` by the text at `unit`.
    """

    each: Way
    name: Pattern | None
    unit: Way | None
    values: tuple[Column, ...]
    exact: Mapping[str, tuple[Column, ...]]
    patterns: tuple[tuple[re.Pattern[str], tuple[Column, ...]], ...]
    units: Mapping[str, tuple[Column, ...]]
    has: tuple[Way, ...]
    any: tuple[Way, ...]
    lacks: tuple[Way, ...]
    clocks: tuple[Clock, ...]
    backfill: Way | None
    stale: Way | None
    device: tuple[Pattern, ...]
    label: Pattern | None
    there: There | None = field(init=False, repr=False, compare=False)
    """As in `Column`."""
    places: Places = field(init=False, repr=False, compare=False)
    """Where something must stand for one of `values` to apply, by its position among them."""
    always: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """Those of `values` that may apply whatever stands in the item."""
    named_above: bool = field(init=False, repr=False, compare=False)
    """Whether items that stand in one object or list are of one device."""
    met: dict[str, tuple[Column, ...] | None] = field(init=False, repr=False, compare=False)
    """What `patterns` said of names that came, None for nothing: the only thing here that changes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "there", there_of(self.has, self.any, self.lacks))
        places, always = Places(), []
        for n, column in enumerate(self.values):
            ways = _decisive(column)
            if not ways or not all(places.holds(way.steps) for way in ways):
                always.append(n)
                continue
            for way in ways:
                places.add(way.steps, n)
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "always", tuple(always))
        object.__setattr__(self, "named_above", _is_named_above(self.each, self.device))
        object.__setattr__(self, "met", {})


def _decisive(column: Column) -> list[Way]:
    """Ways in the item of which one must lead somewhere for the column to apply; none where that cannot be
    said."""
    ways = [column.way]
    if column.default is not None:
        ways = list(column.has[:1])
    elif column.remembers:
        ways += [one.way for one in (column.sign, column.factor) if one is not None and one.remember]
    return ways if all(way.start == Start.ITEM for way in ways) else []


def _is_named_above(each: Way, device: tuple[Pattern, ...]) -> bool:
    """Whether nothing that names an item's device stands in the item itself, nor is its own key."""
    last = each.steps[-1] if each.steps else ""
    if not isinstance(last, AnyKey | AnyAt):
        return False
    blanks = [part for one in device for part in one.parts if isinstance(part, Blank)]
    return all(
        one.name != last.name if one.way is None else one.way.start in (Start.ABOVE, Start.PAYLOAD)
        for one in blanks
    )
