"""All places of a payload that a message kind looks at, as one tree of steps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final, NamedTuple

from devices.profiles.compiling.compiled import (
    AnyAt,
    AnyKey,
    Blank,
    Choice,
    Column,
    CompiledObject,
    Items,
    Kind,
    Pattern,
    Start,
    Step,
    Way,
)


class Uses(IntFlag):
    """What is done with the value at a place."""

    VALUE = 1
    """It is read as a reading."""
    OPERAND = 2
    """Its number or word changes another reading: a sign, a factor."""
    TIME = 4
    SEQ = 8
    STRUCTURE = 16
    """What it says decides what the rest means: a name, a unit, a `where`, part of a device's uid."""
    VISITED = 32
    """Whether it is there, or what it consists of, matters."""
    NAMING = 64
    """It is part of the message's device's uid, or of what is said about that device."""


NO_USES: Final = Uses(0)


class _Spot(NamedTuple):
    """Where paths start: at the item that `each` leads to, at the payload, or at what the item stands in."""

    item: Interest
    root: Interest
    each: tuple[Step, ...] = ()

    def start(self, way: Way) -> Interest:
        """The place where a way starts; above the payload there is nothing."""
        if way.start == Start.ABOVE:
            return self.root.at(self.each[: -way.up]) if way.up <= len(self.each) else Interest()
        return self.item if way.start == Start.ITEM else self.root


@dataclass(slots=True)
class Interest:
    """A place, and the places below it that matter."""

    keys: dict[str, Interest] = field(default_factory=dict)
    any_key: Interest | None = None
    positions: dict[int, Interest] = field(default_factory=dict)
    any_position: Interest | None = None
    uses: Uses = NO_USES

    def below(self, step: Step) -> Interest:
        """The place one step down, made where it is new."""
        if isinstance(step, str):
            return self.keys.setdefault(step, Interest())
        if isinstance(step, int):
            return self.positions.setdefault(step, Interest())
        if isinstance(step, AnyKey):
            self.any_key = self.any_key or Interest()
            return self.any_key
        assert isinstance(step, AnyAt)
        self.any_position = self.any_position or Interest()
        return self.any_position

    def at(self, steps: Iterable[Step]) -> Interest:
        """The place that steps lead to."""
        place = self
        for step in steps:
            place = place.below(step)
        return place


def interest_of(kind: Kind, objects: Sequence[CompiledObject] = ()) -> Interest:
    """Every place that the walk over a message of this kind may look at, for whatever purpose.

    `objects` are the vendors' objects that may stand at `kind.object`.
    """
    root = Interest()
    whole = _Spot(root, root)
    _note(whole, _ways_of(kind))
    for clock in kind.clocks:
        _mark(whole, clock.way, Uses.TIME)
    for items in kind.items:
        _note_items(root, items)
    if kind.learns is not None:
        spot = _Spot(root.at(kind.learns.each.steps), root)
        spot.item.uses |= Uses.VISITED
        patterns = [kind.learns.alias, kind.learns.device, *(text for _, text in kind.learns.about)]
        _note(spot, [(way, Uses.STRUCTURE) for way in _in_patterns(patterns)])
    if kind.object is not None:
        place = root.at(kind.object.steps)
        for one in objects:
            _note_object(place, one)
    return root


def _ways_of(kind: Kind) -> Iterator[tuple[Way, Uses]]:
    """What a kind looks at once a message."""
    for choice in (*kind.where, *kind.backfill, *kind.replayed):
        yield _chosen(choice)
    for way in _in_patterns([*kind.device, kind.alias, kind.parent, *(text for _, text in kind.about)]):
        yield way, Uses.NAMING
    for way in _in_patterns(kind.reply or ()):
        yield way, Uses.STRUCTURE
    if kind.object is not None:
        yield kind.object, Uses.VISITED
    for octets in (kind.codec_way, kind.codec_port):
        if octets is not None:
            yield octets, Uses.STRUCTURE
    if kind.presence is not None:
        yield kind.presence.way or Way(Start.PAYLOAD, ()), Uses.STRUCTURE
    if kind.seq is not None:
        yield kind.seq, Uses.SEQ


def _note_object(place: Interest, one: CompiledObject) -> None:
    place.uses |= Uses.VISITED
    spot = _Spot(place, place)
    _note(spot, map(_chosen, one.where))
    about = [text for _, text in one.about]
    _note(spot, [(way, Uses.NAMING) for way in _in_patterns(about)])
    for items in one.items:
        _note_items(place, items)


def _note_items(root: Interest, items: Items) -> None:
    spot = _Spot(root.at(items.each.steps), root, items.each.steps)
    spot.item.uses |= Uses.VISITED
    templates = _in_patterns([items.name, items.label, *items.device])
    structure = [items.unit, items.backfill, items.stale, *templates]
    _note(spot, [(way, Uses.STRUCTURE) for way in structure if way is not None])
    _note(spot, [(way, Uses.VISITED) for way in (*items.has, *items.any, *items.lacks)])
    for clock in items.clocks:
        _mark(spot, clock.way, Uses.TIME)
    named = [*items.exact.values(), *(columns for _, columns in items.patterns), *items.units.values()]
    for column in (*items.values, *(column for columns in named for column in columns)):
        _note_column(spot, column)


def _note_column(spot: _Spot, column: Column) -> None:
    _mark(spot, column.way, Uses.VALUE)
    if column.list_channel is not None:
        place = spot.start(column.way).at(column.way.steps)
        place.below(AnyAt("n")).uses |= Uses.VALUE
    for operand in (column.sign, column.factor):
        if operand is not None:
            _mark(spot, operand.way, Uses.OPERAND)
    if column.unit_way is not None:
        _mark(spot, column.unit_way, Uses.STRUCTURE)
    channels = _in_patterns([column.channel, column.list_channel])
    _note(spot, [(way, Uses.STRUCTURE) for way in channels])
    asked = (*column.needs, *column.has, *column.any, *column.lacks)
    _note(spot, [(way, Uses.VISITED) for way in asked])
    for clock in column.clocks:
        _mark(spot, clock.way, Uses.TIME)


def _chosen(choice: Choice) -> tuple[Way, Uses]:
    return choice.way, Uses.VISITED if choice.there is not None else Uses.STRUCTURE


def _in_patterns(patterns: Iterable[Pattern | None]) -> Iterator[Way]:
    for pattern in patterns:
        for part in pattern.parts if pattern else ():
            if isinstance(part, Blank) and part.way is not None:
                yield part.way


def _note(spot: _Spot, ways: Iterable[tuple[Way, Uses]]) -> None:
    for way, uses in ways:
        _mark(spot, way, uses)


def _mark(spot: _Spot, way: Way, uses: Uses) -> None:
    spot.start(way).at(way.steps).uses |= uses
