"""True life flags of items that are devices of their own, in a message that is refused: whose each is.

What is found in octets alone belongs to the message's device; here the items are found first, as far as the
message can be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple

from devices.profiles.compiling.compiled import Blank, Column, Items, Kind
from devices.profiles.formats.damaged_json import Salvaged, salvaged_json
from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.senml import resolved_pack
from devices.profiles.general.findings import Found, TooMuch, Tree
from devices.profiles.general.reaching import Bound, holds
from devices.profiles.general.walk import walk
from devices.profiles.values.reading import read_value

_READ: Final = frozenset({"json", "senml"})


class Placed(NamedTuple):
    """A true life flag, and the device whose it is: "" where its item names none."""

    column: Column
    channel: str
    uid: str


class PlacedFlags:
    """The groups of one kind of message whose items are devices with life flags."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        groups = map(_life_only, kind.items if kind.said.format in _READ else ())
        self._groups = [one for one in groups if one.device and _columns(one)]

    def found(self, payload: bytes, captures: Bound, tree: Tree | None) -> tuple[list[Placed], bool]:
        """The flags, and whether all of the message was looked at. `tree` is what the format made of the
        payload, None where it could not read it. Never raises."""
        if not self._groups:
            return [], False
        salvaged = self._salvaged(payload) if tree is None else Salvaged(tree, whole=True)
        if salvaged is None or not holds(self._kind.where, salvaged.tree):
            return [], False
        found, whole = Found(), salvaged.whole
        try:
            walk(self._groups, salvaged.tree, captures, None, found)
        except TooMuch:
            whole = False
        return list(_true(found)), whole

    def told_of(self, payload: bytes) -> Tree | None:
        """The tree of a payload that nobody can read, where it says whose the message is; None without it."""
        patterns = [*self._kind.device, *([self._kind.alias] if self._kind.alias else [])]
        blanks = [part for one in patterns for part in one.parts if isinstance(part, Blank)]
        if self._kind.said.format not in _READ or all(one.way is None for one in blanks):
            return None
        salvaged = self._salvaged(payload)
        return None if salvaged is None else salvaged.tree

    def _salvaged(self, payload: bytes) -> Salvaged | None:
        salvaged = salvaged_json(payload)
        if salvaged is None or self._kind.said.format == "json":
            return salvaged
        with suppress(Unreadable):
            return salvaged._replace(tree=resolved_pack(salvaged.tree, 0))
        return None


def _true(found: Found) -> Iterator[Placed]:
    seen = set()
    for one in found.findings:
        place = one.column.code, one.channel, one.uid
        if place not in seen and read_value(one.column, one.raw)[0] == 1.0:
            seen.add(place)
            yield Placed(one.column, one.channel, one.uid)


def _life_only(items: Items) -> Items:
    return replace(
        items,
        values=_life(items.values),
        exact={name: _life(columns) for name, columns in items.exact.items()},
        patterns=tuple((pattern, _life(columns)) for pattern, columns in items.patterns),
        units={},
        label=None,
    )


def _life(columns: Sequence[Column]) -> tuple[Column, ...]:
    return tuple(one for one in columns if one.is_life)


def _columns(items: Items) -> list[Column]:
    named: Mapping[str, tuple[Column, ...]] = items.exact
    some = [*items.values, *(one for columns in named.values() for one in columns)]
    return [*some, *(one for _, columns in items.patterns for one in columns)]
