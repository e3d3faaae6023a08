"""True life flags of a message that cannot be read, by the columns of the kinds it could have been."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Final, NamedTuple

from devices.profiles.compiling.compiled import Column, CompiledObject, Items, Kind
from devices.profiles.formats.csv_text import salvaged_csv
from devices.profiles.general.findings import Found, Raw, TooMuch, Tree
from devices.profiles.general.identity import nowhere
from devices.profiles.general.named_flags import NamedFlags, has_life
from devices.profiles.general.naming import channel_of
from devices.profiles.general.placed_flags import PlacedFlags
from devices.profiles.general.reaching import Bound, holds
from devices.profiles.general.walk import walk
from devices.profiles.repeated import RepeatedKeys
from devices.profiles.rescue import Scalars, scalars_of
from devices.profiles.searching import Places, searchable
from devices.profiles.values.reading import read_value

_TEXT_MAX = 256
"""Octets of a whole payload that may be one word."""
LOOKED_AT_MAX: Final = 4_096
"""Places that are looked at where a life flag's key stands before a scalar; what stands behind them is not
searched (chosen: as many as a message that can be read may have values)."""
ASKED_MAX: Final = 4_096
"""Names in one message that are tried with patterns; behind them only names that were met before are known
(chosen: as above)."""


class Flag(NamedTuple):
    """A true life flag; `uid` "" is the message's device."""

    column: Column
    channel: str
    uid: str


class TrueFlags:
    """The life flags of one message kind, known by the last key of their path or by the name of their item,
    also by one with `*` where it stands in quotes.

    Of each column the first place that is true counts, and only so many places are looked at
    (`LOOKED_AT_MAX`, `ASKED_MAX`): a true flag behind them is not found. Separated fields are read as far as
    they can be, whatever is wrong with others. What a codec would read is not looked for: octets that are
    cut or changed mean anything, and codecs tell themselves what stands
    before a fault.
    """

    def __init__(self, kind: Kind, objects: Sequence[CompiledObject]) -> None:
        self._kind = kind
        self._placed = PlacedFlags(kind)
        self._by_key: dict[str, list[Column]] = {}
        self._whole: list[Column] = []
        carried = objects if kind.object is not None else ()
        groups = [*kind.items, *(items for one in carried for items in one.items)]
        for key, column in (found for items in groups for found in _life(items)):
            columns = self._by_key.setdefault(key, []) if key else self._whole
            columns.append(column)
        self._scalars = Scalars(self._by_key)
        self._repeated = RepeatedKeys(self._by_key if kind.said.format == "json" else ())
        self._named = [NamedFlags(items) for items in groups if has_life(items)]
        self._globbed = [
            items for items in groups if any(one.is_life for _, columns in items.patterns for one in columns)
        ]
        globs = {
            pattern.pattern
            for items in self._globbed
            for pattern, columns in items.patterns
            if any(one.is_life for one in columns)
        }
        self._any_glob = re.compile("|".join(sorted(globs)), re.IGNORECASE)
        """Takes what one of the life flags' patterns takes, at a fraction of what trying them all costs."""
        self._may_be_word = kind.said.format in ("text", "json")

    def true_flags(
        self, payload: bytes, captures: Bound, tree: Tree | None = None, places: Places | None = None
    ) -> list[Flag]:
        """What some place of the payload makes true, one of each metric, channel and device. Never raises.

        `tree`: what the format made of the payload, None where it could not read it. A flag of an item that
        is a device of its own is that device's where the item can be told; what the octets say besides is
        the message's. `places`: how many may still be looked at, where other kinds are asked as well.
        """
        payload, places = searchable(payload), places or Places()
        placed, whole = self._placed.found(payload, captures, tree)
        said = {one.column.number for one in placed} if whole else set()
        found = {(one.column.code, one.channel, one.uid): Flag(*one) for one in placed}
        for column, channel, uid in self._true(payload, captures, places):
            if uid or column.number not in said:
                found.setdefault((column.code, channel, uid), Flag(column, channel, uid))
        return list(found.values())

    def hidden(self, payload: bytes, tree: Tree) -> str:
        """The key of a life flag that stands more often in the octets than in `tree`, what was read of them:
        twice in one object, or in one that is hidden by another; "" for none. Never raises."""
        return self._repeated.hidden(payload, tree)

    def told_of(self, payload: bytes) -> Tree | None:
        """As much of a payload that nobody can read as says whose the message is; None where that is not
        asked of it, or nothing can be told."""
        return self._placed.told_of(searchable(payload))

    def _true(self, payload: bytes, captures: Bound, places: Places) -> Iterator[Flag]:
        if self._kind.said.format == "csv":
            yield from self._in_fields(payload, captures)
            return
        judged: set[tuple[int, type, Raw]] = set()
        raised: set[int] = set()
        word = _word(payload) if self._may_be_word else ""
        named = (one.told(payload, captures, places, word) for one in self._named)
        told = chain(self._told(payload, word, places), *named)
        for column, raw in told:
            said = id(column), type(raw), raw
            if id(column) in raised or said in judged:
                continue
            judged.add(said)
            if _is_true(column, raw):
                raised.add(id(column))
                yield Flag(column, channel_of(column.channel, captures, nowhere), "")

    def _told(self, payload: bytes, word: str, places: Places) -> Iterator[tuple[Column, Raw]]:
        """Columns and what some place says of each."""
        for key, raw in places.each(islice(self._scalars.found(payload), LOOKED_AT_MAX)):
            yield from ((column, raw) for column in self._by_key[key])
        if self._globbed:
            names = _Names(self._by_name)
            found = islice(scalars_of(payload, names.asked), LOOKED_AT_MAX)
            for key, raw in places.each(found):
                yield from ((column, raw) for column in names.known[key])
        if word:
            yield from ((column, word) for column in self._whole)

    def _by_name(self, name: str) -> list[Column]:
        """The life flags of the first pattern that a name fits, in its own case or in lower case, unless it
        is a name of its own."""
        if not self._any_glob.fullmatch(name.lower()):
            return []
        return self._by_case(name) or self._by_case(name.lower())

    def _by_case(self, name: str) -> list[Column]:
        found: list[Column] = []
        for items in self._globbed:
            if name not in items.exact:
                columns = next((some for pattern, some in items.patterns if pattern.fullmatch(name)), ())
                found += [column for column in columns if column.is_life]
        return found

    def _in_fields(self, payload: bytes, captures: Bound) -> Iterator[Flag]:
        kind, found = self._kind, Found()
        tree = salvaged_csv(payload, kind.said)
        if holds(kind.where, tree):
            with suppress(TooMuch):
                walk(kind.items, tree, captures, None, found)
        for one in found.findings:
            if one.column.is_life and _is_true(one.column, one.raw):
                yield Flag(one.column, one.channel, one.uid)


class _Names:
    """The columns of the names of one payload, each looked for once."""

    def __init__(self, find: Callable[[str], list[Column]]) -> None:
        self._find = find
        self.known: dict[str, list[Column]] = {}

    def asked(self, name: str) -> bool:
        """Whether a name is that of a life flag."""
        columns = self.known.get(name)
        if columns is None:
            if len(self.known) >= ASKED_MAX:
                return False
            columns = self.known[name] = self._find(name)
        return bool(columns)


def _word(payload: bytes) -> str:
    """A short payload without the octets that are no text and the quotes around it; else ""."""
    if len(payload) > _TEXT_MAX:
        return ""
    text = payload.decode("ascii", errors="ignore")
    return "".join(sign for sign in text if sign.isprintable()).strip(" \"'")


def life_keys(kind: Kind, objects: Sequence[CompiledObject]) -> set[str]:
    """The last keys and the names of the life flags of a kind, without those that only a pattern knows."""
    carried = objects if kind.object is not None else ()
    groups = [*kind.items, *(items for one in carried for items in one.items)]
    return {key for items in groups for key, _ in _life(items) if key}


def _life(items: Items) -> Iterator[tuple[str, Column]]:
    for column in items.values:
        if column.is_life:
            yield _last_key(column), column
    for name, columns in items.exact.items():
        for column in columns:
            if column.is_life:
                yield name, column


def _last_key(column: Column) -> str:
    keys = [step for step in column.way.steps if isinstance(step, str)]
    return keys[-1] if keys else ""


def _is_true(column: Column, raw: Raw) -> bool:
    value, _ = read_value(column, raw)
    return value == 1.0
