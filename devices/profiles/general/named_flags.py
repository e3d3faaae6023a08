"""Life flags of named items in octets that cannot be read: what stands behind the names a group knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from devices.profiles.compiling.compiled import Blank, Column, Items, Pattern
from devices.profiles.general.findings import Raw
from devices.profiles.general.identity import nowhere
from devices.profiles.general.reaching import Bound
from devices.profiles.language.templates import fill
from devices.profiles.rescue import Scalars, scalars_of

_NAMES_MAX: Final = 1_024
"""Names of one message that are looked into (chosen)."""
_INSIDE_MAX: Final = 512
"""Octets of an item in which its life flag is looked for (chosen)."""
_OPENS: Final = re.compile(rb"""["']([^"'\\]{1,128})["'][\s\x00]{0,16}:[\s\x00]{0,16}\{""")


def has_life(items: Items) -> bool:
    """Whether one of the names of a group is a life flag's."""
    groups = (*items.exact.values(), *(some for _, some in items.patterns))
    return items.name is not None and any(column.is_life for columns in groups for column in columns)


def told_of(items: Items, payload: bytes, captures: Bound, word: str = "") -> Iterator[tuple[Column, Raw]]:
    """Life flags of a group with names, and what some place says of each. Never raises.

    `word`: what the whole payload says where it is one word, for flags that are all of their message.

    Where the topic says the name, it says it here too: what means an alarm by its name alone means it
    whatever the octets are.
    """
    assert items.name is not None
    said = fill(items.name, captures, nowhere)
    if said is None:
        yield from _by_last_part(items, payload)
        yield from _inside(items, payload)
        yield from _put_together(items, payload, captures)
        return
    for column in columns_of(items, said):
        if column.const is not None:
            yield column, column.const
        elif key := _key(column):
            yield from ((column, raw) for _, raw in islice(Scalars([key]).found(payload), _NAMES_MAX))
        elif word:
            yield column, word


def columns_of(items: Items, name: str) -> list[Column]:
    """The life flags of a name, as the walk finds its columns."""
    columns = items.exact.get(name)
    if columns is None:
        columns = next((some for pattern, some in items.patterns if pattern.fullmatch(name)), ())
    return [column for column in columns if column.is_life]


def _by_last_part(items: Items, payload: bytes) -> Iterator[tuple[Column, Raw]]:
    """What stands behind the last part of a name, whatever its first parts are, and in whatever case where
    the name is taken in lower case."""
    assert items.name is not None
    first, lower = _first_part(items.name), _is_lower(items.name)
    if not first and not lower:
        return  # whole names are looked for as they are
    known: dict[str, list[Column]] = {}

    def is_asked(key: str) -> bool:
        if key not in known:
            if len(known) >= _NAMES_MAX:
                return False
            found = columns_of(items, first + (key.lower() if lower else key))
            known[key] = [column for column in found if column.const is None]
        return bool(known[key])

    for key, raw in islice(scalars_of(payload, is_asked), _NAMES_MAX):
        yield from ((column, raw) for column in known[key])


def _inside(items: Items, payload: bytes) -> Iterator[tuple[Column, Raw]]:
    """What stands inside the item that a name stands before: `"smoke:0": {"id": 0, "alarm": true`."""
    assert items.name is not None
    lower = _is_lower(items.name)
    for opened in islice(_OPENS.finditer(payload), _NAMES_MAX):
        name = opened[1].decode(errors="replace")
        for column in columns_of(items, name.lower() if lower else name):
            key = _key(column)
            if column.const is not None:
                yield column, column.const
            elif key:
                item = payload[opened.end() : opened.end() + _INSIDE_MAX].partition(b"}")[0]
                yield from ((column, raw) for _, raw in Scalars([key]).found(item))


def _put_together(items: Items, payload: bytes, captures: Bound) -> Iterator[tuple[Column, Raw]]:
    """Flags that a name of several texts of the item means by itself: `smoke:0` and `alarm`."""
    assert items.name is not None
    ways = [part.way for part in items.name.parts if isinstance(part, Blank) and part.way is not None]
    keys = [str(way.steps[-1]) for way in ways if way.steps]
    if len(keys) < 2 or len(keys) < len(ways):
        return
    texts = [[raw for _, raw in islice(Scalars([key]).found(payload), _NAMES_MAX)] for key in keys]
    for said in zip(*texts, strict=False):
        name = fill(items.name, captures, dict(zip(ways, said, strict=True)).get)
        if name is not None:
            yield from ((one, one.const) for one in columns_of(items, name) if one.const is not None)


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
