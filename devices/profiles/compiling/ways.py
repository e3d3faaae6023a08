"""The smallest parts of a profile ready for use: paths, templates, conditions, words."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from enum import Enum, IntEnum
from functools import cache
from typing import Final, NamedTuple

Word = str | float
"""A value as words are compared; see `word_of`."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_BEGINNINGS: Final = frozenset("-0123456789")


class Missing(Enum):
    """What stands where a payload has nothing; null is something."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class Start(IntEnum):
    """Where a path starts."""

    ITEM = 0
    PAYLOAD = 1
    ABOVE = 2
    """What the item stands in, `Way.up` levels above it."""


class AnyKey(NamedTuple):
    """A step of `each` that takes every key of an object and binds it; `name` may be empty."""

    name: str


class AnyAt(NamedTuple):
    """A step of `each` that takes every position of a list and binds it, counted from 1."""

    name: str


Step = str | int | AnyKey | AnyAt


class Way(NamedTuple):
    """A path: no steps lead to where it starts."""

    start: Start
    steps: tuple[Step, ...]
    up: int = 0


class Blank(NamedTuple):
    """What stands in a template's braces: a bound name, or a path (`way`), and what is done to it."""

    name: str
    way: Way | None
    filters: tuple[str, ...] = ()
    """`lower` and `hex`."""
    plus: int = 0


class Pattern(NamedTuple):
    """A template: texts and blanks in turn."""

    parts: tuple[str | Blank, ...]

    @property
    def fixed(self) -> str | None:
        """The text of a template without blanks."""
        return "".join(map(str, self.parts)) if all(type(part) is str for part in self.parts) else None


class There(NamedTuple):
    """Keys of an item that must be there (all of `has`, one of `any` unless it is empty), and that must not
    (`lacks`)."""

    has: frozenset[str]
    any: frozenset[str]
    lacks: frozenset[str]


class Choice(NamedTuple):
    """A condition on the value at a way: one of `words` (as `word_of` writes them), or there / not there."""

    way: Way
    words: frozenset[Word]
    there: bool | None
    """True: any value; False: none; None: one of `words`."""


def needed_keys(patterns: Sequence[Pattern]) -> frozenset[str] | None:
    """Keys of which one must be there for any pattern to have a value; None where one may have it without."""
    keys = set()
    for pattern in patterns:
        ways = [part.way for part in pattern.parts if isinstance(part, Blank) and part.way is not None]
        first = [way.steps[0] for way in ways if way.start != Start.ABOVE and way.steps]
        key = next((step for step in first if isinstance(step, str)), None)
        if key is None:
            return None
        keys.add(key)
    return frozenset(keys)


def there_of(has: Sequence[Way], any_: Sequence[Way], lacks: Sequence[Way]) -> There | None:
    """Circumstances as keys; None where one is no plain key of the item."""
    ways = (*has, *any_, *lacks)
    if any(way.start != Start.ITEM or len(way.steps) != 1 or type(way.steps[0]) is not str for way in ways):
        return None
    return There(*(frozenset(str(way.steps[0]) for way in some) for some in (has, any_, lacks)))


@cache
def divisor_of(scale: float) -> float:
    """The whole number whose inverse `scale` is; 0 where there is none."""
    inverse = round(1 / scale) if 1e-12 < abs(scale) < 1 else 0
    return float(inverse) if inverse and 1 / inverse == scale else 0.0


def word_of(value: str | float | bool) -> Word:
    """How values are compared with words: true and false as the texts `true` and `false`, other text
    without outer
    blanks and in lower case, and as a number where it is one; numbers as float."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.strip().lower()
        return float(text) if text[:1] in _BEGINNINGS and _NUMBER.fullmatch(text) else text
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf
