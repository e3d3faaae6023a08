"""The skeleton of a message: which keys and types it has wherever its meaning is looked for. Pure.

Two messages with one skeleton are read alike: they differ in the leaves alone, in numbers, texts and flags
that decide nothing but their own reading. A skeleton is compiled into a msgspec type that takes exactly the
messages that have it. What nobody looks at is passed over, whatever it is; a key that somebody would look at
and that is not there makes the type refuse when it comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw

from devices.profiles.fast.interest import Uses
from devices.profiles.fast.looks import READ, Look

KEYS_MAX: Final = 64
"""Keys of one object, items of one list."""
NODES_MAX: Final = 32
"""Objects and lists that are opened."""
FIELDS_MAX: Final = 160
"""Keys and items in all. A message beyond one of the three is always read the general way (chosen:
compiling so much takes some 3 ms)."""
LITERAL_MAX: Final = 64
"""Characters of a text that decides structure; longer ones are no names (chosen)."""
LACKING_MAX: Final = 24
"""An object is compiled with the keys that it lacks and somebody would look at, all others being passed
over, when they are so few; else with all keys that it has and no others. A field that is not there
costs 3 ns, a key passed over 45 ns, one that is fetched for nobody 70 to 90 ns (measured)."""
_INT64: Final = 1 << 63
_STRUCTURE: Final = int(Uses.STRUCTURE)
_NAMING: Final = int(Uses.NAMING)
_WHOLE: Final = int(Uses.TIME | Uses.SEQ)


class Unfit(Exception):
    """A message that only the general way should read; the text says why.

    Exception
      └── Unfit
    """


class Sort(IntEnum):
    """What a leaf holds."""

    NUMBER = 0
    """Any number, read as float64."""
    WHOLE = 1
    """A whole number within int64: times and sequence numbers."""
    FLAG = 2
    """true or false."""
    TEXT = 3
    NAME = 4
    """Text that says which device it is, or is said about it: the same in all messages of a source."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that differs from message to message. `number` counts the leaves of a skeleton in order.

    `must`: a flag that decides structure, which therefore must be as it was.
    """

    sort: Sort
    number: int
    must: bool | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that decides structure and must be as it was; or null, which is no other value."""

    value: str | int | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """Only that it is neither null, an object nor a list matters."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Nobody looks at it. `simple`: it was no object or list, and is fetched cheaper as what it is."""

    simple: bool


@dataclass(frozen=True, slots=True)
class Thing:
    """An object. `lacks`: keys that must not be there; where it is `closed` no others than `keys` may."""

    keys: tuple[str, ...]
    parts: tuple[Node, ...]
    lacks: tuple[str, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A list; where it is `closed` it has no further items."""

    parts: tuple[Node, ...]
    closed: bool


Node = Leaf | Fixed | Scalar | Unread | Thing | Row


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The form of a message and its leaves by number."""

    root: Node
    leaves: tuple[Leaf, ...]


def skeleton_of(tree: Any, look: Look) -> Skeleton:  # noqa: ANN401
    """The skeleton of a message that the general way has read. Raises Unfit."""
    drawing = _Drawing()
    root = drawing.node(tree, look)
    return Skeleton(root, tuple(drawing.leaves))


class _Drawing:
    """Counts while a skeleton is drawn."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self._nodes = 0
        self._fields = 0

    def node(self, value: Any, look: Look | None) -> Node:  # noqa: ANN401
        kind = type(value)
        if look is None:
            return _SIMPLE if kind is not dict and kind is not list else _UNREAD
        if kind is dict:
            return self._thing(value, look)
        return self._row(value, look) if kind is list else self._scalar(value, look.uses)

    def _count(self, fields: int) -> None:
        self._nodes += 1
        self._fields += fields
        if fields > KEYS_MAX or self._nodes > NODES_MAX or self._fields > FIELDS_MAX:
            raise Unfit("too large")

    def _thing(self, value: dict[str, Any], look: Look) -> Thing:
        lacks = tuple(key for key in look.keys if key not in value)
        closed = look.any_key is not None or len(lacks) > LACKING_MAX or not all(map(_can_be_named, lacks))
        keys = tuple(value) if closed else tuple(key for key in value if key in look.keys)
        self._count(len(keys) + (0 if closed else len(lacks)))
        if not all(map(_can_be_named, keys)):
            raise Unfit("a key that cannot be a field's name")
        parts = tuple(self.node(value[key], look.keys.get(key, look.any_key)) for key in keys)
        return Thing(keys, parts, () if closed else lacks, closed)

    def _row(self, value: list[Any], look: Look) -> Row:
        last = max(look.positions, default=-1)
        closed = look.any_position is not None or last >= len(value)
        size = len(value) if closed else last + 1
        self._count(size)
        parts = (self.node(value[n], look.positions.get(n, look.any_position)) for n in range(size))
        return Row(tuple(parts), closed)

    def _scalar(self, value: Any, uses: int) -> Node:  # noqa: ANN401
        if value is None:
            return Fixed(None)
        if uses & _STRUCTURE:
            return self._deciding(value)
        if uses & _NAMING:
            plain = type(value) is str and not uses & READ
            return self._leaf(Sort.NAME) if plain else self._deciding(value)
        if not uses & READ:
            return _SCALAR
        if type(value) is bool:
            return self._leaf(Sort.FLAG)
        if type(value) is str:
            return self._leaf(Sort.TEXT)
        if type(value) is int and uses & _WHOLE:
            if not -_INT64 <= value < _INT64:
                raise Unfit("a whole number beyond int64")
            return self._leaf(Sort.WHOLE)
        return self._leaf(Sort.NUMBER)

    def _deciding(self, value: str | float) -> Node:
        if type(value) is bool:
            return self._leaf(Sort.FLAG, must=value)
        if type(value) is str and len(value) <= LITERAL_MAX:
            return Fixed(value)
        if type(value) is int and -_INT64 <= value < _INT64:
            return Fixed(value)
        raise Unfit("a value decides structure that no type can stand for")

    def _leaf(self, sort: Sort, *, must: bool | None = None) -> Leaf:
        leaf = Leaf(sort, len(self.leaves), must)
        self.leaves.append(leaf)
        return leaf


_SIMPLE: Final = Unread(simple=True)
_UNREAD: Final = Unread(simple=False)
_SCALAR: Final = Scalar()


def _can_be_named(key: str) -> bool:
    """Whether msgspec takes it as a field's name: not empty, no quote, backslash or control character."""
    return key != "" and key.isprintable() and '"' not in key and "\\" not in key


def passes_over(node: Node) -> bool:
    """Whether some of a message may be passed over unread, which the decoder does without looking closely."""
    if isinstance(node, Unread):
        return not node.simple
    return isinstance(node, Thing | Row) and (not node.closed or any(map(passes_over, node.parts)))


def has_unread(node: Node) -> bool:
    """Whether some of a message may say what nobody looks at: beside what it has, or in its place."""
    if isinstance(node, Thing | Row):
        return not node.closed or any(map(has_unread, node.parts))
    return isinstance(node, Unread)


Whole = Annotated[int, Meta(ge=-_INT64, le=_INT64 - 1)]
Never = Annotated[str, Meta(min_length=1, max_length=0)]
"""A type that takes nothing: of a key that must not be there."""
_TYPES: Final[dict[Sort, Any]] = {
    Sort.NUMBER: float,
    Sort.WHOLE: Whole,
    Sort.FLAG: bool,
    Sort.TEXT: str,
    Sort.NAME: str,
}


def compiled(node: Node) -> Any:  # noqa: ANN401
    """The type that takes what has this skeleton. The parts of objects and lists are its fields `f0`,
    `f1`, …"""
    if isinstance(node, Leaf):
        return _TYPES[node.sort]
    if isinstance(node, Fixed):
        return None if node.value is None else Literal[node.value]
    if isinstance(node, Scalar):
        return float | str | bool
    if isinstance(node, Unread):
        return Any if node.simple else Raw
    items: list[Any] = [(f"f{n}", compiled(part)) for n, part in enumerate(node.parts)]
    if isinstance(node, Row):
        return msgspec.defstruct("Row", items, array_like=True, forbid_unknown_fields=node.closed, gc=False)
    fields = [(*item, msgspec.field(name=key)) for key, item in zip(node.keys, items, strict=True)]
    fields += [(f"n{n}", Never, msgspec.field(default=None, name=key)) for n, key in enumerate(node.lacks)]
    return msgspec.defstruct("Thing", fields, forbid_unknown_fields=node.closed, gc=False)
