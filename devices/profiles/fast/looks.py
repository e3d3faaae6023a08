"""What is looked at in a payload, settled: each place knows at once all that is done there. Pure.

`Interest` is written path by path: a key may be named by one path and be `any key` of another, and a position
of a list is a key where an object stands there. Here such places are one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from devices.profiles.fast.interest import Interest, Uses

READ: Final = int(Uses.VALUE | Uses.OPERAND | Uses.TIME | Uses.SEQ)
"""Uses that look at a value for its own sake. Plain numbers: flags of an enum cost a microsecond each."""
_OPERAND: Final = int(Uses.OPERAND)


class Look(NamedTuple):
    """A place. `keys` and `positions` have what is done there in all, `any_*` what is done at all others;
    `uses` are the bits of `Uses`."""

    keys: Mapping[str, Look]
    any_key: Look | None
    positions: Mapping[int, Look]
    any_position: Look | None
    uses: int


def look_of(interest: Interest) -> Look:
    """The settled tree of all that is looked at."""
    named, uses = dict(interest.keys), int(interest.uses)
    for n, place in interest.positions.items():
        named[str(n)] = merged(named[str(n)], place) if str(n) in named else place
    rest = interest.any_position
    if rest is None and uses & _OPERAND:  # operands may stand side by side with a list of values
        below: Look | None = Look({}, None, {}, None, _OPERAND)
    else:
        below = None if rest is None else look_of(rest)
    return Look(
        {key: look_of(_with(place, interest.any_key)) for key, place in named.items()},
        None if interest.any_key is None else look_of(interest.any_key),
        {n: look_of(_with(place, rest)) for n, place in interest.positions.items()},
        below,
        uses,
    )


def merged(one: Interest, other: Interest) -> Interest:
    """All that either looks at."""
    return Interest(
        {
            key: _with(one.keys[key], other.keys.get(key)) if key in one.keys else other.keys[key]
            for key in one.keys | other.keys
        },
        _either(one.any_key, other.any_key),
        {
            n: _with(one.positions[n], other.positions.get(n)) if n in one.positions else other.positions[n]
            for n in one.positions | other.positions
        },
        _either(one.any_position, other.any_position),
        one.uses | other.uses,
    )


def _with(one: Interest, other: Interest | None) -> Interest:
    return one if other is None else merged(one, other)


def _either(one: Interest | None, other: Interest | None) -> Interest | None:
    return other if one is None else _with(one, other)
