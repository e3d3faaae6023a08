"""Which device of the load generator sends which kind of message: a pure function of its index.

A mix is written `own:60,smoke:25,bare:15`: kinds with whole weights (1 where none is given). The weights,
divided by their greatest common divisor, make a pattern of kinds as long as their sum, each spread as evenly
as it goes (smooth weighted round robin, the heavier kind first): own, smoke, own, bare, … Device `index` is
of the kind `pattern[index % len(pattern)]`. So a registry can be filled before, and devices that take turns
by index send an interleaved stream.

| kind | device | message | points |
|---|---|---|---|
| `fixed` | `own:load-<index>`, a current monitor | our own format, all of one layout and length | 4 |
| `own` | the same | our own format, values and channels, layouts vary | 4 |
| `bare` | the same | our own format, values alone, with and without an optional one | 2 or 3 |
| `smoke` | `zigbee:026766ff0<index>`, a smoke detector | zigbee2mqtt, no time, no number | 3 to 7 |

`<index>` is of seven decimal digits, which are hexadecimal ones as well.

Errors:
* MixError: the text is no mix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import Int64

FIXED: Final = "fixed"
OWN: Final = "own"
BARE: Final = "bare"
SMOKE: Final = "smoke"
KINDS: Final = (FIXED, OWN, BARE, SMOKE)
"""A kind's number is its place here."""
MAX_DEVICES: Final = 1_000_000
MAX_PATTERN: Final = 10_000
"""The longest pattern: weights in hundredths of a percent (chosen)."""
SMOKE_PREFIX: Final = "026766ff0"
"""The detectors' EUI-64 without the index: of our locally administered range, beside the small block's."""

Kinds = NDArray[np.uint8]


class MixError(Exception):
    """The text is no mix; it says why."""


class Identity(NamedTuple):
    """What a registry must know of a device: `kind` and `profile` as its columns hold them."""

    uid: str
    profile: str
    kind: str
    topic: str


@dataclass(frozen=True, slots=True)
class Mix:
    """The kinds' numbers of devices 0 .. len(pattern) - 1, from where on they repeat."""

    pattern: Kinds


def parse_mix(text: str) -> Mix:
    """Reads `kind:weight,…`. Raises MixError for unknown or repeated kinds, and weights that are none."""
    weights: dict[int, int] = {}
    for part in text.split(","):
        kind, _, weight = part.strip().partition(":")
        if kind not in KINDS:
            raise MixError(f"{kind!r} is no kind: {', '.join(KINDS)}")
        number = KINDS.index(kind)
        if number in weights:
            raise MixError(f"{kind} stands twice")
        if not (weight or "1").isdecimal() or len(weight) > 9 or not int(weight or "1"):
            raise MixError(f"{kind}:{weight}: a weight is a whole number from 1")
        weights[number] = int(weight or "1")
    return Mix(np.array(_spread_evenly(weights), np.uint8))


def _spread_evenly(weights: dict[int, int]) -> list[int]:
    divisor = gcd(*weights.values())
    shares = {kind: weight // divisor for kind, weight in weights.items()}
    length = sum(shares.values())
    if length > MAX_PATTERN:
        raise MixError(f"the weights make a pattern of {length}, more than {MAX_PATTERN}: round them")
    credit = dict.fromkeys(shares, 0)
    pattern: list[int] = []
    for _ in range(length):
        for kind, share in shares.items():
            credit[kind] += share
        chosen = max(credit, key=lambda kind: (credit[kind], shares[kind], -kind))
        credit[chosen] -= length
        pattern.append(chosen)
    return pattern


def kinds_of(indexes: Int64, mix: Mix) -> Kinds:
    """The kinds' numbers of many devices."""
    kinds: Kinds = mix.pattern.take(indexes % len(mix.pattern))
    return kinds


def kind_of(index: int, mix: Mix) -> str:
    """The kind of device `index`."""
    return KINDS[mix.pattern[index % len(mix.pattern)]]


def identity_of(index: int, mix: Mix) -> Identity:
    """How device `index` (0 .. MAX_DEVICES - 1) is registered, and where it publishes."""
    return next(identities(index, 1, mix))


def identities(first: int, count: int, mix: Mix) -> Iterator[Identity]:
    """The identities of devices `first` .. `first + count - 1`, in order (about 1 us each)."""
    smoke, pattern = KINDS.index(SMOKE), mix.pattern.tolist()
    for index in range(first, first + count):
        if pattern[index % len(pattern)] == smoke:
            address = f"{SMOKE_PREFIX}{index:07d}"
            yield Identity(f"zigbee:{address}", "zigbee2mqtt", "smoke", f"zigbee2mqtt/0x{address}")
        else:
            name = device_id(index)
            yield Identity(f"own:{name}", "own", "electrical", f"gengfu/{name}/readings")


def device_id(index: int) -> str:
    """The native id of a device of our own format, 0 .. MAX_DEVICES - 1."""
    return f"load-{index:07d}"
