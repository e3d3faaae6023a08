"""What things are called by templates: devices, channels. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from devices.profiles.compiling.compiled import Pattern, Way
from devices.profiles.general.channels import channel_text, too_long
from devices.profiles.general.findings import Tree
from devices.profiles.general.reaching import Above, Bound, finder
from devices.profiles.language.templates import fill

UID_MAX: Final = 200
"""Characters of a uid: the width of its column, for profiles, registration and all that keeps uids."""
NAME_LENGTH_MAX: Final = 256
"""Characters of an item's name; a longer one is nobody's (chosen: the longest uid and some)."""


WILDCARDS: Final = frozenset("+#")
"""Of MQTT: no device has one in its name, for it becomes part of topics and of who may publish there."""


def is_uid(text: str) -> bool:
    """Whether a text is fit for a uid."""
    return len(text) <= UID_MAX and text.isprintable() and WILDCARDS.isdisjoint(text)


def uid_of(patterns: Sequence[Pattern], bound: Bound, item: Tree, payload: Tree, above: Above = ()) -> str:
    """The first template that has a value fit for a uid, "" where none has."""
    find = finder(item, payload, above)
    for pattern in patterns:
        uid = fill(pattern, bound, find)
        if uid and is_uid(uid):
            return uid
    return ""


def unfit_uid(patterns: Sequence[Pattern], bound: Bound, item: Tree, payload: Tree, above: Above = ()) -> str:
    """Why the templates name nobody though one has a value, for people: it holds a wildcard. Else empty."""
    find = finder(item, payload, above)
    for pattern in patterns:
        uid = fill(pattern, bound, find)
        if uid and is_uid(uid):
            return ""
        if uid and not WILDCARDS.isdisjoint(uid):
            return f"no device is called {uid[:80]!r}: `+` and `#` are wildcards of MQTT"
    return ""


def channel_of(pattern: Pattern, bound: Bound, find: Callable[[Way], Any]) -> str:
    """The channel that a template says, "" where it has no value; as the series table takes it."""
    return channel_text(fill(pattern, bound, find) or "")


def channel_amiss(pattern: Pattern, bound: Bound, find: Callable[[Way], Any]) -> str:
    """Why a channel is not called what its template says, for people; empty where it is."""
    return too_long(fill(pattern, bound, find) or "")


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
