"""Names of fires in messages of a form: one that was not there when the form was learnt sends a message to
the general way.

A form passes over what no column reads. A device that says `fire` only when there is one, beside what it
always says, would be passed over with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from devices.model import Bool
from devices.profiles.general.usual_names import STEMS, USUAL

_PAIRS: Final = tuple((stem[0] & 0xDF, stem[2] & 0xDF) for stem in (b"mok", b"fir", b"lar", b"xid"))
"""First and third letter of a part of each stem, in upper case: with one of them every name is met."""
_FEW: Final = 4_096
"""Octets of a tick for which the search for plain octets is cheaper than arrays (measured)."""


class Watched:
    """Watches messages for the usual names, and for `keys` beside them; costs 0.15 µs a message of 220 octets
    that has none (measured), and 2 to 4 µs one that has."""

    def __init__(self, payload: bytes, keys: Iterable[str] = ()) -> None:
        """`payload`: a message that has the form."""
        names = sorted({*USUAL, *(key.lower() for key in keys)}, key=len, reverse=True)
        self._token = re.compile(rb'[/"](%s)"' % b"|".join(re.escape(name.encode()) for name in names))
        self._usual = self._names(payload.lower())

    @staticmethod
    def takes(key: str) -> bool:
        """Whether a key is watched where it is one of `keys`."""
        low = key.lower().encode()
        return any(stem in low for stem in STEMS)

    def doubtful(self, payloads: Sequence[bytes]) -> list[int]:
        """The places of messages with other names than usual, or with one of them more or less often."""
        whole = b"".join(payloads)
        if len(whole) < _FEW:
            low = whole.lower()
            if not self._usual and not any(map(low.__contains__, STEMS)):
                return []
            return [n for n, one in enumerate(payloads) if self._names(one.lower()) != self._usual]
        hit = _hits(whole)
        if not self._usual and not hit.any():
            return []
        ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        there = np.unique(np.searchsorted(ends, np.flatnonzero(hit), side="right")).tolist()
        asked = range(len(payloads)) if self._usual else there
        return [n for n in asked if self._names(payloads[n].lower()) != self._usual]

    def _names(self, low: bytes) -> Counter[bytes]:
        return Counter(self._token.findall(low))


def _hits(whole: bytes) -> Bool:
    octets = np.frombuffer(whole, np.uint8) & np.uint8(0xDF)
    first, third = octets[:-2], octets[2:]
    found = np.zeros(len(first), np.bool_)
    for one, other in _PAIRS:
        found |= (first == one) & (third == other)
    return found
