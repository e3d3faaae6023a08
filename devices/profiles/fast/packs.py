"""SenML packs of one form: read by the skeleton of the JSON that they come as, into leaves of what they mean.

What a pack means is worked out by its format (`formats.senml`); the form is learnt from the result, and here
its leaves are found again in the JSON. A pack whose records say more than names, units, numbers, flags and
times since 1970 goes the general way each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64
from devices.profiles.fast.leaves import Columns
from devices.profiles.fast.readers import JsonReader, Said
from devices.profiles.fast.skeleton import Fixed, Leaf, Node, Row, Skeleton, Sort, Thing, Unfit
from devices.profiles.formats.senml import RELATIVE_BELOW

RECORDS_MAX: Final = 64
"""Records of one pack, the items that a skeleton may have."""
_NUMBERS: Final = frozenset({"v", "t", "bt"})
_TEXTS: Final = frozenset({"n", "u", "bu", "vs"})


class _Place(NamedTuple):
    """Where a leaf of the meaning comes from: a leaf of the JSON, or two times to be added up."""

    leaves: tuple[int, ...]


NEUTRAL: Final = "Base-Name:0x"
"""Stands for the base name of any device while a form is learnt; with all that filters of templates
change."""


def neutral(raw: Any, tree: Any) -> Any:  # noqa: ANN401
    """What a pack means, with a base name that stands for any; its records' own names stay. Raises Unfit
    where it has no base name, or several."""
    if type(raw) is not list or not raw or type(raw[0]) is not dict or not raw[0].get("bn"):
        raise Unfit("no base name")
    device, base = tree["records"][0].get("device") if tree["records"] else None, raw[0]["bn"]
    if not device or any(one.get("device") != device for one in tree["records"]):
        raise Unfit("records of several devices")
    if any(type(one) is not dict or "bn" in one for one in raw[1:]):
        raise Unfit("several base names")
    records = [
        {**one, "device": NEUTRAL, "name": NEUTRAL + one["name"][len(base) :]} for one in tree["records"]
    ]
    return {**tree, "records": records}


def pack_reader(raw: Any, tree: Any, skeleton: Skeleton) -> PackReader:  # noqa: ANN401
    """The reader of packs like `raw`, which mean `tree`, with the skeleton of that. Raises Unfit."""
    drawing = _Drawing(raw, skeleton)
    places = drawing.places(tree)
    return PackReader(Skeleton(drawing.root, tuple(drawing.leaves)), places, drawing.times)


class _Drawing:
    """The skeleton of the JSON while it is drawn."""

    def __init__(self, raw: Any, skeleton: Skeleton) -> None:  # noqa: ANN401
        if type(raw) is not list or len(raw) > RECORDS_MAX or not all(type(one) is dict for one in raw):
            raise Unfit("no list of a few records")
        if any({"bn", "bt"} & record.keys() for record in raw[1:]):
            raise Unfit("several bases")
        self.leaves: list[Leaf] = []
        self.times: set[int] = set()
        """Those of the meaning's leaves that are times."""
        self._of: dict[tuple[int, str], int] = {}
        self._meant = skeleton
        self._raw = raw
        self.root = Row(tuple(self._record(n, record) for n, record in enumerate(raw)), closed=True)

    def _record(self, n: int, record: dict[str, Any]) -> Thing:
        parts = tuple(self._part(n, label, value) for label, value in record.items())
        return Thing(tuple(record), parts, (), closed=True)

    def _part(self, n: int, label: str, value: Any) -> Node:  # noqa: ANN401
        if label in _NUMBERS and type(value) in (int, float):
            return self._leaf(n, label, Sort.NUMBER)
        if label == "vb" and type(value) is bool:
            return self._leaf(n, label, Sort.FLAG)
        if label == "bn" and type(value) is str and value:
            return self._leaf(n, label, Sort.NAME)
        if (label in _TEXTS and type(value) is str) or (label == "bver" and type(value) is int):
            return Fixed(value)
        raise Unfit("a record that says more")

    def _leaf(self, n: int, label: str, sort: Sort) -> Leaf:
        leaf = Leaf(sort, len(self.leaves))
        self._of[n, label] = leaf.number
        self.leaves.append(leaf)
        return leaf

    def places(self, tree: Any) -> Mapping[int, _Place]:  # noqa: ANN401
        """Where each leaf of the meaning comes from."""
        meant = self._meant.root
        if not isinstance(meant, Thing) or tree["unread"]:
            raise Unfit("records that mean nothing")
        found: dict[int, _Place] = {}
        records = [n for n, record in enumerate(self._raw) if {"v", "vb", "vs"} & record.keys()]
        if len(records) != len(tree["records"]):
            raise Unfit("records with several values")
        for key, part in zip(meant.keys, meant.parts, strict=True):
            if key == "records" and isinstance(part, Row):
                for n, record, item in zip(records, tree["records"], part.parts, strict=False):
                    if isinstance(item, Thing):
                        found |= self._places_of(n, record, item)
            elif key == "records" or _has_leaves(part):
                raise Unfit("a pack's text is read")
        return found

    def _places_of(self, n: int, record: dict[str, Any], item: Thing) -> dict[int, _Place]:
        found = {}
        times = [leaf for leaf in (self._of.get((0, "bt")), self._of.get((n, "t"))) if leaf is not None]
        if times and ("t" not in record or "ago_s" in record):
            raise Unfit("a time relative to now")
        for key, part in zip(item.keys, item.parts, strict=True):
            if not isinstance(part, Leaf) or part.sort is Sort.NAME:
                if isinstance(part, Fixed) and key in ("t", "ago_s", "sum"):
                    raise Unfit("a time decides structure")
            elif key == "value":
                found[part.number] = _Place((self._value(n),))
            elif key == "t" and times:
                found[part.number] = _Place(tuple(times))
                self.times.add(part.number)
            else:
                raise Unfit("a record's text is read")
        return found

    def _value(self, n: int) -> int:
        leaf = self._of.get((n, "v"), self._of.get((n, "vb")))
        if leaf is None:
            raise Unfit("a text is a value")
        return leaf


def _has_leaves(node: Node) -> bool:
    if isinstance(node, Thing | Row):
        return any(map(_has_leaves, node.parts))
    return isinstance(node, Leaf)


class PackReader(JsonReader):
    """As `Reader`, with the leaves of what packs mean. `places` says by leaf where each comes from, `times`
    which of them are times."""

    def __init__(self, raw: Skeleton, places: Mapping[int, _Place], times: Iterable[int]) -> None:
        super().__init__(raw)
        self._json = self.place
        self._places = tuple(places.values())
        self._times = [list(places).index(leaf) for leaf in times]
        self.place = {leaf: n for n, leaf in enumerate(places)}

    def columns(self, said: Said) -> Columns:
        """As `Reader.columns`."""
        raw = self.fetched(said, self._json)
        numbers = np.empty((raw.count, len(self._places)))
        for n, place in enumerate(self._places):
            column: Float64 = raw.number(place.leaves[0])
            numbers[:, n] = column if len(place.leaves) == 1 else column + raw.number(place.leaves[1])
        return Columns(raw.count, numbers, self.place, {}, {})

    def as_it_was(self, columns: Columns) -> Bool | None:
        """Those whose times are since 1970, not relative to now."""
        if not self._times:
            return None
        fits: Bool = np.all(columns.numbers[:, self._times] >= RELATIVE_BELOW, axis=1)
        return None if fits.all() else fits
