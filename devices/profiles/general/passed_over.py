"""True life flags in messages that a profile passes over: by the names that everybody gives them.

A profile passes over what says nothing of use: acknowledgements, attributes, other events. Where one of these
says a fire by name (`"smokeAlarm": true`), it is heard all the same. Nothing says there that a name is a
flag's, so only words for true, and the number 1, are taken; a number such as 12 may be a density.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from devices.model import Metric
from devices.profiles.compiling.compiled import Column, CompiledObject, Items, Kind
from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.json_text import read_json
from devices.profiles.general.findings import Tree
from devices.profiles.general.usual_names import USUAL, Told, may_tell, says_true, set_only, told
from devices.profiles.rescue import Scalar, Scalars
from devices.profiles.searching import lowered, searchable
from devices.profiles.values.reading import read_value

_TELLING: Final = re.compile(r"smoke|fire|rauch|brand|heat|gas|carbon_?monoxide|(?:^|_)co(?:_|$)|烟|火|燃气")
"""What a profile's own name of a life flag must hold to be looked for: `alarm` alone may be of water."""
_STEMS: Final = tuple(
    word.encode() for word in ("smoke", "fire", "heat", "gas", "co_alarm", "carbon", "manual")
)
_NUMBERS: Final = frozenset({int, float})
_PLACES_MAX: Final = 1_024
"""Places of one message that are looked at (chosen)."""


class PassedOver:
    """The names that life flags have in the other kinds of one profile, and the usual ones."""

    def __init__(self, kinds: Sequence[Kind], objects: Sequence[CompiledObject]) -> None:
        groups = [items for kind in kinds for items in kind.items]
        groups += [items for one in objects for items in one.items]
        self._columns: dict[str, Column] = {}
        for name, column in chain.from_iterable(map(_named, groups)):
            if column.is_life and _TELLING.search(name.lower()):
                self._columns.setdefault(name.lower(), column)
        self._scalars = Scalars({*USUAL, *self._columns})
        self._stems = (*_STEMS, *(name.encode() for name in self._columns if not _is_stemmed(name)))

    def true_flags(self, payload: bytes) -> list[int]:
        """The metrics of the life flags that some place says are true, each once. Never raises; costs a
        search for some plain octets where there is none."""
        payload = searchable(payload)
        low = lowered(payload)
        if not any(stem in low for stem in self._stems):
            return []
        found = islice(self._scalars.found(payload), _PLACES_MAX)
        names = [name.lower() for name, raw in found if self._is_true(name.lower(), raw)]
        tree = _read(payload) if names or may_tell(payload) else {}
        settings = set_only(tree) if names else set()
        names = [name for name in names if name not in settings]
        names += [one.name for one in islice(told(tree), _PLACES_MAX) if self._says_true(one)]
        return list(dict.fromkeys(int(self._metric(name)) for name in names))

    def _metric(self, name: str) -> Metric:
        column = self._columns.get(name)
        return USUAL[name] if column is None else column.metric

    def _is_true(self, name: str, raw: Scalar) -> bool:
        column = self._columns.get(name)
        if column is not None and type(raw) is not float:
            return read_value(column, raw)[0] == 1.0
        return says_true(raw)

    def _says_true(self, one: Told) -> bool:
        """Whether a place of what could be read is true; a number is judged as one in octets is."""
        return says_true(one.raw) if type(one.raw) in _NUMBERS else self._is_true(one.name, one.raw)


def _read(payload: bytes) -> Tree:
    """What the payload says in JSON; nothing where it cannot be read."""
    try:
        return read_json(payload)
    except Unreadable:
        return {}


def _is_stemmed(name: str) -> bool:
    return any(stem in name.encode() for stem in _STEMS)


def _named(items: Items) -> Iterator[tuple[str, Column]]:
    """Columns by the last key of their path, or by the name of their item."""
    for column in items.values:
        keys = [step for step in column.way.steps if isinstance(step, str)]
        if keys:
            yield keys[-1], column
    for name, columns in items.exact.items():
        yield from ((name, column) for column in columns)
