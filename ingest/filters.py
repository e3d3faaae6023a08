"""MQTT topic filters: which of them to subscribe to, and what they match (MQTT 5, 4.7). Pure.

A broker sends a message once for each subscription of ours that matches it, so a filter that another one
covers must not be asked for as well: everything on it would come twice. Filters that only overlap (`a/+` and
`+/b`) cannot be helped that way: what comes on both comes twice (`overlapping` finds them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations


def union(filters: Iterable[str]) -> tuple[str, ...]:
    """The fewest of these filters that match all they match together, in their order."""
    unique = list(dict.fromkeys(filters))
    return tuple(one for one in unique if not any(other != one and covers(other, one) for other in unique))


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic that `narrow` matches is matched by `wide` too."""
    wider, narrower = wide.split("/"), narrow.split("/")
    if wider[0] in ("+", "#") and narrower[0][:1] == "$":
        return False  # a wildcard at the first level does not match topics that begin with $
    for place, level in enumerate(wider):
        if level == "#":
            return True
        if place >= len(narrower):
            return False
        if narrower[place] == "#" or (level != "+" and level != narrower[place]):
            return False
    return len(wider) == len(narrower)


def meet(one: str, other: str) -> bool:
    """Whether there is a topic that both match."""
    first, second = one.split("/"), other.split("/")
    for wild, fixed in ((first, second), (second, first)):
        if wild[0] in ("+", "#") and fixed[0][:1] == "$":
            return False
    for place in range(max(len(first), len(second))):
        a, b = _level(first, place), _level(second, place)
        if "#" in (a, b):
            return True
        if a is None or b is None:
            return False
        if a != b and "+" not in (a, b):
            return False
    return True


def overlapping(filters: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs that match a topic both, none covering the other."""
    return [(one, other) for one, other in combinations(filters, 2) if meet(one, other)]


def pattern_of(text: str) -> re.Pattern[str]:
    """What a filter matches, as a pattern for whole topics. `#` at the end also matches the level above
    it."""
    levels = text.split("/")
    parts = ["[^/]*" if level == "+" else re.escape(level) for level in levels]
    if levels[-1] != "#":
        return re.compile("/".join(parts))
    before = "/".join(parts[:-1])
    return re.compile(rf"{before}(/.*)?" if len(levels) > 1 else ".*", re.DOTALL)


def _level(levels: Sequence[str], place: int) -> str | None:
    """The level at a place; a filter that has ended matches nothing there, but for one that ends in `#`."""
    if place < len(levels):
        return levels[place]
    return "#" if levels[-1] == "#" else None
