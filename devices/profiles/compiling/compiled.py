"""A profile ready for use: what `compiling` makes of a profile file, and what `walk` and `reading` go by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.compiling.ways import (
    MISSING,
    AnyAt,
    AnyKey,
    Blank,
    Choice,
    Missing,
    Pattern,
    Start,
    Step,
    There,
    Way,
    Word,
    divisor_of,
    needed_keys,
    there_of,
    word_of,
)
from devices.profiles.general.channels import channel_text
from devices.profiles.general.places import Places
from devices.profiles.language.file import Message

__all__ = [
    "MISSING",
    "AnyAt",
    "AnyKey",
    "Blank",
    "Choice",
    "Clock",
    "Column",
    "Compiled",
    "CompiledObject",
    "Elsewhere",
    "Goodbye",
    "Items",
    "Kind",
    "Learns",
    "Missing",
    "Pattern",
    "Start",
    "Step",
    "There",
    "TopicPattern",
    "Way",
    "Word",
    "divisor_of",
    "word_of",
]


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
        object.__setattr__(self, "met", {})


@dataclass(frozen=True, slots=True)
class Goodbye:
    """A compiled `Presence`. `way` None with `always` empty: the whole payload."""

    way: Way | None
    online: frozenset[Word]
    offline: frozenset[Word]
    sleepy: bool
    children: bool
    always: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A compiled `Message`: `topics` are its topic patterns in order, `said` the message as the file says
    it."""

    number: int
    name: str
    where: tuple[Choice, ...]
    said: Message
    device: tuple[Pattern, ...] = ()
    alias: Pattern | None = None
    parent: Pattern | None = None
    object: Way | None = None
    codec_way: Way | None = None
    codec_port: Way | None = None
    clocks: tuple[Clock, ...] = ()
    seq: Way | None = None
    backfill: tuple[Choice, ...] = ()
    replayed: tuple[Choice, ...] = ()
    items: tuple[Items, ...] = ()
    presence: Goodbye | None = None
    learns: Learns | None = None
    about: tuple[tuple[str, Pattern], ...] = ()
    reply: tuple[Pattern, Pattern] | None = None
    max_silence_s: float = 0.0
    is_json: bool = field(init=False, repr=False, compare=False)
    is_word: bool = field(init=False, repr=False, compare=False)
    """Whether the whole payload is a presence word, as text or as JSON."""
    carries: bool = field(init=False, repr=False, compare=False)
    """Whether an object or octets may stand in it that are for somebody else to read."""
    says_more: bool = field(init=False, repr=False, compare=False)
    """Whether it may say something to others than the rules, beside texts."""
    expects: bool = field(init=False, repr=False, compare=False)
    """Whether a message that says nothing known is to be refused."""
    about_keys: frozenset[str] | None = field(init=False, repr=False, compare=False)
    """Keys of the payload of which one must be there for `about` to say anything; None where that cannot be
    said."""
    silence: str = field(init=False, repr=False, compare=False)
    """`max_silence_s` as text; empty for none, and where a message need not be its device's own word."""

    def __post_init__(self) -> None:
        put, form, goodbye = object.__setattr__, self.said.format, self.presence
        word = goodbye is not None and goodbye.way is None and not goodbye.always
        put(self, "is_json", form == "json")
        put(self, "is_word", form == "json" and word)
        put(self, "carries", self.object is not None or self.codec_way is not None)
        more = (goodbye, self.learns, self.reply)
        put(self, "says_more", form == "home_assistant" or any(one is not None for one in more))
        means = bool(self.items or self.carries or self.about)
        put(self, "expects", means and form not in {"none", "octets", "home_assistant", "sparkplug"})
        put(self, "about_keys", needed_keys([pattern for _, pattern in self.about]))
        put(self, "silence", f"{self.max_silence_s:g}" if self.max_silence_s and form != "none" else "")


@dataclass(frozen=True, slots=True)
class Learns:
    """A compiled `Names`."""

    each: Way
    alias: Pattern
    device: Pattern
    about: tuple[tuple[str, Pattern], ...]
    renames: bool = False


@dataclass(frozen=True, slots=True)
class CompiledObject:
    """A compiled `[[object]]`: ways start at the object."""

    profile: str
    name: str
    where: tuple[Choice, ...]
    items: tuple[Items, ...]
    columns: tuple[Column, ...]
    about: tuple[tuple[str, Pattern], ...]
    max_silence_s: float
    fallback: bool = False


class TopicPattern(NamedTuple):
    """A topic as a profile writes it: the MQTT filter that covers it, and what tells and cuts it exactly."""

    text: str
    filter: str
    pattern: re.Pattern[str]
    """Matches the whole topic; its groups are the captures."""
    kind: int
    """The number of the message kind."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole profile. `columns` by number; `kinds` by number; `topics` in the file's order."""

    name: str
    version: int
    vendor: str
    models: tuple[str, ...]
    max_silence_s: float
    columns: tuple[Column, ...]
    kinds: tuple[Kind, ...]
    topics: tuple[TopicPattern, ...]
    anywhere: tuple[int, ...]
    """Kinds that may be tried on any topic when the profile is named."""
    objects: tuple[CompiledObject, ...]
    family: str = ""
    """Under which name it keeps what it learns; empty: its own."""

    @property
    def memory_name(self) -> str:
        """The name of its memory and of its notes, one for a profile and those that take its place."""
        return self.family or self.name


def _decisive(column: Column) -> list[Way]:
    """Ways in the item of which one must lead somewhere for the column to apply; none where that cannot be
    said."""
    ways = [column.way]
    if column.default is not None:
        ways = list(column.has[:1])
    elif column.remembers:
        ways += [one.way for one in (column.sign, column.factor) if one is not None and one.remember]
    return ways if all(way.start == Start.ITEM for way in ways) else []
