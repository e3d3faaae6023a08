"""The leaves of messages that have one skeleton, a column each, fetched in as few steps as there are
objects. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from devices.model import Bool, Float64, Int64
from devices.profiles.fast.skeleton import Leaf, Node, Row, Skeleton, Sort, Thing

_NUMERIC: Final = (Sort.NUMBER, Sort.FLAG)


@dataclass(frozen=True, slots=True)
class Columns:
    """The leaves of `count` messages by number.

    `numbers` has those that are numbers or flags, true as 1.0: a line a message, a column a leaf, which one
    says `place`. `whole` and `texts` have the others.
    """

    count: int
    numbers: Float64
    place: Mapping[int, int]
    whole: Mapping[int, Int64]
    texts: Mapping[int, Sequence[Any]]

    def number(self, leaf: int) -> Float64:
        """The numbers of a leaf that is no text."""
        place = self.place.get(leaf)
        return self.whole[leaf].astype(np.float64) if place is None else self.numbers[:, place]

    def raw(self, leaf: Leaf) -> Sequence[Any]:
        """The values of a leaf, as the general way sees them."""
        if leaf.sort is Sort.TEXT:
            return self.texts[leaf.number]
        if leaf.sort is Sort.WHOLE:
            return list(self.whole[leaf.number].tolist())
        numbers = self.numbers[:, self.place[leaf.number]]
        return list((numbers != 0).tolist() if leaf.sort is Sort.FLAG else numbers.tolist())


class _Pick(NamedTuple):
    """How the numbers of one object or list are fetched: the part of a message, and those of its values
    that count.

    Two steps in C cost half of what one path for each value does (measured).
    """

    part: Callable[[Any], Any] | None
    values: Callable[[Any], Iterable[float]]
    width: int


class Fetching:
    """Compiled for one skeleton. `place` is the column of each number in `Columns.numbers`."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.place: dict[int, int] = {}
        self._picks: list[_Pick] = []
        self._single: dict[Sort, dict[int, Callable[[Any], Any]]] = {
            sort: {} for sort in (Sort.WHOLE, Sort.TEXT, Sort.NAME)
        }
        self._must: list[tuple[int, float]] = []
        self._root = skeleton.root if isinstance(skeleton.root, Leaf) else None
        if self._root is not None and self._root.sort in _NUMERIC:
            self.place[0] = 0
        for path, node in _opened(skeleton.root, ""):
            self._add(path, node)

    def _add(self, path: str, node: Thing | Row) -> None:
        numeric = []
        for n, part in enumerate(node.parts):
            if not isinstance(part, Leaf):
                continue
            if part.sort in _NUMERIC:
                self.place[part.number] = len(self.place)
                numeric.append(n)
            else:
                self._single[part.sort][part.number] = attrgetter(_joined(path, n))
            if part.must is not None:
                self._must.append((self.place[part.number], float(part.must)))
        if numeric:
            whole = len(numeric) == len(node.parts) and not (isinstance(node, Thing) and node.lacks)
            values = msgspec.structs.astuple if whole else _getter([f"f{n}" for n in numeric])
            self._picks.append(_Pick(attrgetter(path) if path else None, values, len(numeric)))

    def columns(self, said: Sequence[Any]) -> Columns:
        """The leaves of messages that the skeleton's type has taken."""
        return self.fetched(said, self.place)

    def fetched(self, said: Sequence[Any], place: Mapping[int, int]) -> Columns:
        """The same; `place` as it was compiled."""
        count, at = len(said), 0
        if self._root is not None:
            return self._alone(said)
        table = np.empty((count, len(place)))
        for part, values, width in self._picks:
            parts = said if part is None else map(part, said)
            picked = chain.from_iterable(map(values, parts))
            table[:, at : at + width] = np.fromiter(picked, np.float64, count * width).reshape(count, width)
            at += width
        return Columns(
            count,
            table,
            place,
            {n: np.fromiter(map(get, said), np.int64, count) for n, get in self._single[Sort.WHOLE].items()},
            {n: list(map(get, said)) for n, get in self._single[Sort.TEXT].items()},
        )

    def _alone(self, said: Sequence[Any]) -> Columns:
        """Messages that are nothing but one value."""
        assert self._root is not None
        count, sort = len(said), self._root.sort
        table = np.array(said, np.float64).reshape(count, 1) if sort in _NUMERIC else np.empty((count, 0))
        whole = {0: np.array(said, np.int64)} if sort is Sort.WHOLE else {}
        return Columns(count, table, self.place, whole, {0: said} if sort is Sort.TEXT else {})

    @property
    def has_names(self) -> bool:
        """Whether the skeleton has leaves that say which device it is, or are said about it."""
        return bool(self._single[Sort.NAME])

    def names(self, said: Iterable[Any]) -> Int64:
        """A number for the names in each message: equal for equal ones, different for others but for one
        pair in 2^64; never 0."""
        getters = list(self._single[Sort.NAME].values())
        keys = map(hash, zip(*(map(get, list(said)) for get in getters), strict=True))
        found = np.fromiter(keys, np.int64)
        return np.where(found == 0, 1, found)

    def as_it_was(self, columns: Columns) -> Bool | None:
        """Which messages have the flags that decide structure as they were; None: all of them."""
        if not self._must:
            return None
        fits = np.ones(len(columns.numbers), np.bool_)
        for place, value in self._must:
            fits &= columns.numbers[:, place] == value
        return None if fits.all() else fits


def _opened(node: Node, path: str) -> Iterator[tuple[str, Thing | Row]]:
    """Every object and list of a skeleton, and the way to it in the decoded message."""
    if isinstance(node, Thing | Row):
        yield path, node
        for n, part in enumerate(node.parts):
            yield from _opened(part, _joined(path, n))


def _joined(path: str, n: int) -> str:
    return f"{path}.f{n}" if path else f"f{n}"


def _getter(names: Sequence[str]) -> Callable[[Any], Iterable[float]]:
    if len(names) > 1:
        return attrgetter(*names)
    name = names[0]
    return lambda part: (getattr(part, name),)
