"""A profile ready for use: what `compiling` makes of a profile file, and what `walk` and `reading` go by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from devices.profiles.compiling.compiled_items import Clock, Column, Elsewhere, Items
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
    word_of,
)
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
