"""What a birth certificate said and later messages rely on: names and types by alias, and the session's
number.

Kept as texts in the profile's memory, so that it survives a restart: table `birth` by `group/node[/device]`,
table `bdseq` by `group/node`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from devices.profiles.memory import Memory

BIRTH: Final = "birth"
BDSEQ: Final = "bdseq"


class Birth(NamedTuple):
    """Name and data type by alias, and data type by name; 0 where the birth does not say a type."""

    by_alias: Mapping[int, tuple[str, int]]
    types: Mapping[str, int]


NOTHING_BORN: Final = Birth({}, {})
_SMALL: Final = 2048
"""Characters of a text whose births are kept ready by the thousand; of larger ones a few dozen are (chosen:
both together stay below 100 MB, whatever is published)."""
_LONGEST_NUMBER: Final = 20
"""Digits of a 64-bit number."""
_Row = tuple[str, int, int | None]
"""Name, data type and alias."""
_decode: Final = msgspec.json.Decoder(list[_Row]).decode
_encode: Final = msgspec.json.Encoder().encode


def keep(memory: Memory, place: str, metrics: Iterable[dict[str, Any]]) -> bool:
    """Keep a birth's metrics (as they stand in the tree); whether there was room. What `place` was born with
    before is forgotten in any case.
    """
    rows = [_row(metric) for metric in metrics if metric["name"]]
    kept = memory.set(BIRTH, place, _encode(rows).decode() if rows else "")
    if not kept:
        memory.set(BIRTH, place, "")
    return kept


def _row(metric: dict[str, Any]) -> _Row:
    return metric["name"], metric.get("datatype", 0), metric.get("alias")


def born(memory: Memory, place: str) -> Birth:
    """The birth that is kept of `place`; an empty one where there is none."""
    text = memory.get(BIRTH, place)
    if not text:
        return NOTHING_BORN
    return _read_small(text) if len(text) <= _SMALL else _read_large(text)


def _read(text: str) -> Birth:
    try:
        rows = _decode(text)
    except (msgspec.DecodeError, ValueError):  # a damaged note, or one of another version
        return NOTHING_BORN
    by_alias = {alias: (name, kind) for name, kind, alias in rows if alias is not None}
    return Birth(by_alias, {name: kind for name, kind, _ in rows})


_read_small = lru_cache(maxsize=4096)(_read)
_read_large = lru_cache(maxsize=64)(_read)


def keep_session(memory: Memory, node: str, number: int) -> None:
    """The birth and death sequence number (`bdSeq`) that the node's session began with."""
    if not memory.set(BDSEQ, node, str(number)):
        memory.set(BDSEQ, node, "")


def session(memory: Memory, node: str) -> int | None:
    """The number of the node's last birth, None where none was heard."""
    text = memory.get(BDSEQ, node)
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
