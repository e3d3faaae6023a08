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
