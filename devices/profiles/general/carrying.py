"""What a message carries for somebody else: a vendor's object, or octets that a codec makes one of."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from devices.profiles.compiling.compiled import MISSING, Column, CompiledObject, Items, Kind
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.findings import Tree
from devices.profiles.general.places import Places
from devices.profiles.general.reaching import holds, reach
from devices.profiles.profile import Reason

NO_CODEC: Final = "none"
"""The name of a codec for octets that nobody reads."""
NO_DATA_PORT: Final = 0
"""The port of LoRaWAN on which the network's own commands come (LoRaWAN specification)."""
_BLANKS = str.maketrans("", "", " \t\r\n-:")


class Carrying:
    """The vendors' objects that the messages of one profile may carry.

    `columns`: the profile's own, and behind them the objects', numbered in one row.
    """

    def __init__(self, own: Sequence[Column], objects: Sequence[CompiledObject]) -> None:
        columns = list(own)
        numbered = []
        for one in sorted(objects, key=attrgetter("fallback")):
            numbered.append(renumbered(one, len(columns)))
            columns += numbered[-1].columns
        self.columns = tuple(columns)
        self.objects = tuple(numbered)
        self._places = Places()
        self._anywhere: list[int] = []
        for n, one in enumerate(self.objects):
            steps = [choice.way.steps for choice in one.where if choice.there is not False]
            known = next(filter(Places.holds, steps), None)
            if known is None:
                self._anywhere.append(n)
            else:
                self._places.add(known, n)

    def of(self, kind: Kind, tree: Tree) -> Iterator[tuple[CompiledObject | None, Any]]:
        """The objects that a message carries, each with the kind that reads it, None where nobody knows it.
        Raises Unreadable for octets that their codec cannot read, or for which there is none."""
        for carried in self.carried(kind, tree):
            yield self.reader(carried), carried

    def reader(self, carried: Tree) -> CompiledObject | None:
        """The first object kind whose `where` holds."""
        if type(carried) is not dict:
            return None
        asked = sorted([*self._places.found(carried), *self._anywhere])
        return next((self.objects[n] for n in asked if holds(self.objects[n].where, carried)), None)

    @staticmethod
    def carried(kind: Kind, tree: Tree) -> Iterator[Any]:
        """What stands where objects stand; octets only where no object does."""
        there = MISSING if kind.object is None else reach(kind.object, tree, tree)
        if type(there) is dict and there:
            yield there
        elif kind.codec_way is not None and kind.said.codec is not None:
            text = reach(kind.codec_way, tree, tree)
            if type(text) is str and text:
                port = MISSING if kind.codec_port is None else reach(kind.codec_port, tree, tree)
                if kind.said.codec.name == NO_CODEC:
                    if port != NO_DATA_PORT:
                        raise Unreadable(Reason.NO_CODEC, f"octets that no codec reads: {text:.80}")
                    return
                yield CODECS[kind.said.codec.name](
                    octets(text, kind.said.codec.encoding), port if type(port) is int else None
                )


def octets(text: str, encoding: str) -> bytes:
    """Base64 (also its URL form, padded or not) or hex as octets. Raises Unreadable."""
    try:
        if encoding == "hex":
            return bytes.fromhex(text.removeprefix("0x").translate(_BLANKS))
        plain = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise Unreadable(Reason.WRONG_TYPE, f"no {encoding}: {error}") from None


def renumbered(one: CompiledObject, base: int) -> CompiledObject:
    """The object with columns that are numbered from `base` on, and items that use them."""
    known = {id(column): replace(column, number=base + n) for n, column in enumerate(one.columns)}

    def of(columns: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(known[id(column)] for column in columns)

    def items_of(items: Items) -> Items:
        return replace(
            items,
            values=of(items.values),
            exact={name: of(columns) for name, columns in items.exact.items()},
            patterns=tuple((pattern, of(columns)) for pattern, columns in items.patterns),
            units={unit: of(columns) for unit, columns in items.units.items()},
        )

    return replace(one, columns=of(one.columns), items=tuple(items_of(items) for items in one.items))
