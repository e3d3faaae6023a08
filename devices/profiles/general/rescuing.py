"""True life flags of a message that cannot be read, by the columns of the kinds it could have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from devices.profiles.compiling.compiled import Column, CompiledObject, Items, Kind
from devices.profiles.formats.csv_text import salvaged_csv
from devices.profiles.general.findings import Found, Raw, TooMuch
from devices.profiles.general.identity import nowhere
from devices.profiles.general.naming import channel_of
from devices.profiles.general.reaching import Bound, holds
from devices.profiles.general.walk import walk
from devices.profiles.rescue import Scalars, scalars_of
from devices.profiles.values.reading import read_value

_TEXT_MAX = 256
"""Octets of a whole payload that may be one word."""


class Flag(NamedTuple):
    """A true life flag; `uid` "" is the message's device."""

    column: Column
    channel: str
    uid: str


class TrueFlags:
    """The life flags of one message kind, known by the last key of their path or by the name of their item,
    also by one
    with `*` where it stands in quotes.

    Separated fields are read as far as they can be, whatever is wrong with others. What a codec would read is
    not looked for: octets that are cut or changed mean anything, and codecs tell themselves what stands
    before a fault.
    """

    def __init__(self, kind: Kind, objects: Sequence[CompiledObject]) -> None:
        self._kind = kind
        self._by_key: dict[str, list[Column]] = {}
        self._whole: list[Column] = []
        carried = objects if kind.object is not None else ()
        groups = [*kind.items, *(items for one in carried for items in one.items)]
        for key, column in (found for items in groups for found in _life(items)):
            columns = self._by_key.setdefault(key, []) if key else self._whole
            columns.append(column)
        self._scalars = Scalars(self._by_key)
        self._globbed = [
            items for items in groups if any(one.is_life for _, columns in items.patterns for one in columns)
        ]
        if kind.said.format != "text":
            self._whole.clear()

    def true_flags(self, payload: bytes, captures: Bound) -> list[Flag]:
        """What some place of the payload makes true, one of each metric and channel. Never raises."""
        found: dict[tuple[int, str, str], Flag] = {}
        for column, channel, uid in self._true(payload, captures):
            found.setdefault((column.code, channel, uid), Flag(column, channel, uid))
        return list(found.values())

    def _true(self, payload: bytes, captures: Bound) -> Iterator[Flag]:
        if self._kind.said.format == "csv":
            yield from self._in_fields(payload, captures)
            return
        for column, raw in self._told(payload):
            if _is_true(column, raw):
                yield Flag(column, channel_of(column.channel, captures, nowhere), "")

    def _told(self, payload: bytes) -> Iterator[tuple[Column, Raw]]:
        """Columns and what some place says of each."""
        for key, raw in self._scalars.found(payload):
            yield from ((column, raw) for column in self._by_key[key])
        if self._globbed:
            for key, raw in scalars_of(payload, lambda key: bool(self._by_name(key))):
                yield from ((column, raw) for column in self._by_name(key))
        if self._whole and len(payload) <= _TEXT_MAX:
            word = "".join(sign for sign in payload.decode("ascii", errors="ignore") if sign.isprintable())
            yield from ((column, word.strip()) for column in self._whole)

    def _by_name(self, name: str) -> list[Column]:
        """The life flags of the first pattern that a name fits, unless it is a name of its own."""
        found = []
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
