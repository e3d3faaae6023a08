"""Life flags of named items in octets that cannot be read: what stands behind the names a group knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from devices.profiles.compiling.compiled import Blank, Column, Items, Pattern
from devices.profiles.general.findings import Raw
from devices.profiles.general.identity import nowhere
from devices.profiles.general.reaching import Bound
from devices.profiles.language.templates import fill
from devices.profiles.rescue import scalars_for, scalars_of
from devices.profiles.searching import Places

_NAMES_MAX: Final = 1_024
"""Names of one message that are looked into (chosen)."""
_KNOWN_MAX: Final = 4_096
"""Names whose columns are remembered by each group; then all are looked up anew (chosen)."""
_OPENED_MAX: Final = 8_192
"""Names before an object of one message that are told apart (chosen)."""
_INSIDE_MAX: Final = 512
"""Octets of an item in which its life flag is looked for (chosen)."""
_INSIDE_COSTS: Final = 4
"""As many places as looking into an item costs (measured)."""
_OPENS: Final = re.compile(rb"""["']([^"'\\]{1,128})["'][\s\x00]{0,16}:[\s\x00]{0,16}\{""")
_NOTHING: Final[tuple[Column, ...]] = ()
Told = Iterator[tuple[Column, Raw]]


def has_life(items: Items) -> bool:
    """Whether one of the names of a group is a life flag's."""
    groups = (*items.exact.values(), *(some for _, some in items.patterns))
    return items.name is not None and any(column.is_life for columns in groups for column in columns)


class NamedFlags:
    """The life flags of a group with names (`has_life`)."""

    def __init__(self, items: Items) -> None:
        assert items.name is not None
        self._items, self._name = items, items.name
        self._first, self._lower = _first_part(items.name), _is_lower(items.name)
        life = [name for name, columns in items.exact.items() if any(one.is_life for one in columns)]
        self._exact = {name.lower() for name in life}
        globs = {
            pattern.pattern for pattern, columns in items.patterns if any(one.is_life for one in columns)
        }
        self._globs = re.compile("|".join(sorted(globs)), re.IGNORECASE) if globs else None
        self._known: dict[str, tuple[Column, ...]] = {}

    def told(self, payload: bytes, captures: Bound, places: Places, word: str = "") -> Told:
        """Life flags, and what some place says of each. Never raises.

        `word`: what the whole payload says where it is one word, for flags that are all of their message.

        Where the topic says the name, it says it here too: what means an alarm by its name alone means it
        whatever the octets are.
        """
        said = fill(self._name, captures, nowhere)
        if said is None:
            yield from self._by_last_part(payload, places)
            yield from self._inside(payload, places)
            yield from self._put_together(payload, captures)
            return
        for column in self.columns(said):
            if column.const is not None:
                yield column, column.const
            elif key := _key(column):
                found = islice(scalars_for(key).found(payload), _NAMES_MAX)
                yield from ((column, raw) for _, raw in places.each(found))
            elif word:
                yield column, word

    def columns(self, name: str) -> tuple[Column, ...]:
        """The life flags of a name, as the walk finds its columns; of a name that it does not know those of
        the name in lower case. A name of no life flag is told by one look."""
        low = name.lower()
        if low not in self._exact and (self._globs is None or not self._globs.fullmatch(low)):
            return _NOTHING
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            known = self._known[name] = self._columns(name) or self._columns(low)
        return known

    def _columns(self, name: str) -> tuple[Column, ...]:
        columns = self._items.exact.get(name)
        if columns is None:
            patterns = self._items.patterns
            columns = next((some for pattern, some in patterns if pattern.fullmatch(name)), ())
        return tuple(column for column in columns if column.is_life)

    def _by_last_part(self, payload: bytes, places: Places) -> Told:
        """What stands behind the last part of a name, whatever its first parts are, and in whatever case
        where the name is taken in lower case."""
        if not self._first and not self._lower:
            return  # whole names are looked for as they are
        known: dict[str, list[Column]] = {}

        def is_asked(key: str) -> bool:
            if key not in known:
                if len(known) >= _NAMES_MAX:
                    return False
                columns = self.columns(self._first + (key.lower() if self._lower else key))
                if not columns:
                    return False
                known[key] = [column for column in columns if column.const is None]
            return bool(known[key])

        for key, raw in places.each(islice(scalars_of(payload, is_asked), _NAMES_MAX)):
            yield from ((column, raw) for column in known[key])

    def _inside(self, payload: bytes, places: Places) -> Told:
        """What stands inside the item that a name stands before: `"smoke:0": {"id": 0, "alarm": true`."""
        for name, ends in _opened(payload):
            if places.left <= 0:
                return
            for column in self.columns(name):
                key = _key(column)
                if column.const is not None:
                    yield from ((column, column.const) for _ in places.each(ends[:1]))
                elif key:
                    for end in places.each(ends, cost=_INSIDE_COSTS):
                        item = payload[end : end + _INSIDE_MAX].partition(b"}")[0]
                        yield from ((column, raw) for _, raw in scalars_for(key).found(item))

    def _put_together(self, payload: bytes, captures: Bound) -> Told:
        """Flags that a name of several texts of the item means by itself: `smoke:0` and `alarm`."""
        ways = [part.way for part in self._name.parts if isinstance(part, Blank) and part.way is not None]
        keys = [str(way.steps[-1]) for way in ways if way.steps]
        if len(keys) < 2 or len(keys) < len(ways):
            return
        texts = [[raw for _, raw in islice(scalars_for(key).found(payload), _NAMES_MAX)] for key in keys]
        for said in zip(*texts, strict=False):
            name = fill(self._name, captures, dict(zip(ways, said, strict=True)).get)
            if name is not None:
                yield from ((one, one.const) for one in self.columns(name) if one.const is not None)


@lru_cache(maxsize=1)
def _opened(payload: bytes) -> list[tuple[str, list[int]]]:
    """The names before objects, and where each of these begins; of the payload at hand, for every group."""
    found: dict[bytes, list[int]] = {}
    for opened in islice(_OPENS.finditer(payload), _OPENED_MAX):
        found.setdefault(opened[1], []).append(opened.end())
    return [(name.decode(errors="replace"), ends) for name, ends in found.items()]


def _key(column: Column) -> str:
    keys = [step for step in column.way.steps if isinstance(step, str)]
    return keys[-1] if keys else ""


def _first_part(pattern: Pattern) -> str:
    """A text that stands for all of a name before its last blank; "" where that is the whole name."""
    if len(pattern.parts) < 2 or not isinstance(pattern.parts[-1], Blank):
        return ""
    return "".join(part if isinstance(part, str) else "?" for part in pattern.parts[:-1])


def _is_lower(pattern: Pattern) -> bool:
    last = pattern.parts[-1]
    return isinstance(last, Blank) and "lower" in last.filters
