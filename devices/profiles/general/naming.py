"""What things are called by templates: devices, channels. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from devices.profiles.compiling.compiled import Pattern, Way
from devices.profiles.general.channels import channel_text
from devices.profiles.general.findings import Tree
from devices.profiles.general.reaching import Above, Bound, finder
from devices.profiles.language.templates import fill

UID_LENGTH_MAX: Final = 190
"""So that the uid fits its column."""
NAME_LENGTH_MAX: Final = 256
"""Characters of an item's name; a longer one is nobody's (chosen: the longest uid and some)."""


def uid_of(patterns: Sequence[Pattern], bound: Bound, item: Tree, payload: Tree, above: Above = ()) -> str:
    """The first template that has a value fit for a uid, "" where none has."""
    find = finder(item, payload, above)
    for pattern in patterns:
        uid = fill(pattern, bound, find)
        if uid and len(uid) <= UID_LENGTH_MAX and uid.isprintable():
            return uid
    return ""


def channel_of(pattern: Pattern, bound: Bound, find: Callable[[Way], Any]) -> str:
    """The channel that a template says, "" where it has no value; cut to what the series table takes."""
    return channel_text(fill(pattern, bound, find) or "")


def name_of(pattern: Pattern, bound: Bound, find: Callable[[Way], Any]) -> str | None:
    """The name that a template says; None where it has no value or more than `NAME_LENGTH_MAX` characters,
    which is decided before it is put together."""
    length = 0
    for part in pattern.parts:
        if isinstance(part, str):
            length += len(part)
            continue
        value = bound.get(part.name) if part.way is None else find(part.way)
        length += len(value) if type(value) is str else 0
    if length > NAME_LENGTH_MAX:
        return None
    return fill(pattern, bound, find)
