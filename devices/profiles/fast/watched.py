"""Names of fires in messages of a form: one that was not there when the form was learnt sends a message to
the general way.

A form passes over what no column reads. A device that says `fire` only when there is one, beside what it
always says, would be passed over with it.

A name is the same only where it is a key again, or stands behind the same key: the `fire` of `"type":
"fire"` is no other message's `"fire": true`. Each of the names has one of a few stems in it. Where all stems
of a message stand in the texts in which they stood when the form was learnt, and these as what they were, its
names are those; only of other messages are the names themselves counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from devices.model import Bool, Int64, UInt8
from devices.profiles.general.usual_names import STEMS, USUAL

_PARTS: Final = tuple(stem[-4:] for stem in STEMS)
"""Four letters of each stem."""
_UPPER: Final = 0xDF
"""What letters of either case have in common."""
_FEW: Final = 4_096
"""Octets of a tick for which looking at each message is cheaper than arrays (measured)."""
_AT_ONCE: Final = 256
"""Messages in one array (measured: with ten times as many each costs twice as much)."""
_LONGEST: Final = 64
"""Octets of a text in which a stem stands, with its quotes, that is compared with others (chosen)."""
_WORD: Final = 8
"""Octets that are compared at once."""
_BETWEEN: Final = b"\n"
"""Stands in no text of JSON, so that none reaches from one message into the next."""


_BLANKS: Final = b" \t\r\n"
_EACH_BLANK: Final = frozenset(_BLANKS[n : n + 1] for n in range(len(_BLANKS)))


class _Place(NamedTuple):
    """A text in which stems stand: its octets, with what tells whether it is a key or the value of one, how
    many of them are before its first stem, and which of the message's stems that is."""

    text: bytes
    before: int
    stem: int


class Watched:
    """Watches messages in JSON for the usual names, and for `keys` beside them.

    Costs 0.4 µs a message whose form has none of them, and 0.9 µs one whose form has some, by
    `gengfu bench decode` on a busy machine, where counting the names themselves took 6 µs; in ticks of less
    than `_FEW` octets 1 to 3 µs.
    """

    def __init__(self, payload: bytes, keys: Iterable[str] = ()) -> None:
        """`payload`: a message that has the form, none of whose usual names stands where nobody reads
        (`guarded`)."""
        names = sorted({*USUAL, *(key.lower() for key in keys)}, key=len, reverse=True)
        names_of = b"|".join(re.escape(name.encode()) for name in names)
        self._token = re.compile(rb'[/"](?:%s)"' % names_of, re.IGNORECASE)
        self._usual = self._names(payload)
        self._stems = _count(payload)
        self._places = _places(payload)
        self._texts = Counter(one.text for one in self._places or ())

    @staticmethod
    def takes(key: str) -> bool:
        """Whether a key is watched where it is one of `keys`."""
        low = key.lower().encode()
        return any(stem in low for stem in STEMS)

    def doubtful(self, payloads: Sequence[bytes]) -> list[int]:
        """The places of messages with other names than usual, with one of them more or less often, or with
        one that was a key as a value, or the reverse."""
        asked = self._unlike(payloads)
        return [n for n in asked if self._names(payloads[n]) != self._usual]

    def _unlike(self, payloads: Sequence[bytes]) -> Sequence[int]:
        """The places of messages whose stems stand elsewhere than usual."""
        if self._places is None:
            return range(len(payloads))
        if sum(map(len, payloads)) < _FEW:
            if not self._stems and not _count(_BETWEEN.join(payloads)):
                return []
            return [n for n, one in enumerate(payloads) if not self._is_alike(one)]
        starts = range(0, len(payloads), _AT_ONCE)
        return [
            start + n for start in starts for n in self._unlike_at_once(payloads[start : start + _AT_ONCE])
        ]

    def _unlike_at_once(self, payloads: Sequence[bytes]) -> Sequence[int]:
        assert self._places is not None
        edge = _BETWEEN * _LONGEST
        octets = np.frombuffer(_BETWEEN.join((edge, *payloads, edge)), np.uint8)
        at = _stems(octets)
        ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)) + 1) + _LONGEST
        of = np.searchsorted(ends, at, side="right")
        alike = np.bincount(of, minlength=len(payloads)) == self._stems
        if self._places and alike.any():
            alike[alike] = _stand(octets, at[alike[of]].reshape(-1, self._stems), self._places)
        return [] if alike.all() else list(np.flatnonzero(~alike).tolist())

    def _is_alike(self, payload: bytes) -> bool:
        return _count(payload) == self._stems and all(
            payload.count(text) == each for text, each in self._texts.items()
        )

    def _names(self, payload: bytes) -> Counter[tuple[bytes, bytes, bytes]]:
        """The names, with what stands before and behind the text whose last part each is."""
        found: Counter[tuple[bytes, bytes, bytes]] = Counter()
        for token in self._token.finditer(payload):
            quote = payload.rfind(b'"', 0, token.start() + 1)
            start, end = _around(payload, quote, token.end() - 1)
            before, behind = payload[start:quote], payload[token.end() : end]
            found[before.translate(None, _BLANKS), token[0].lower(), behind.strip()] += 1
        return found


def _count(payload: bytes) -> int:
    """How many stems there are."""
    return sum(map(payload.lower().count, _PARTS))


def _places(payload: bytes) -> tuple[_Place, ...] | None:
    """The texts in which the stems of a message stand, in order; None where one stands in none, or in too
    long a one."""
    found: list[_Place] = []
    last = -1
    for stem, at in enumerate(_stems(np.frombuffer(payload, np.uint8)).tolist()):
        if at < last:
            continue  # within the text of the one before
        start, last = payload.rfind(b'"', 0, at), payload.find(b'"', at)
        if start < 0 or last < 0:
            return None
        start, end = _around(payload, start, last)
        text = payload[start:end]
        if len(text) > _LONGEST or _BETWEEN in text:
            return None
        found.append(_Place(text, at - start, stem))
    return tuple(found)


def _around(payload: bytes, opening: int, closing: int) -> tuple[int, int]:
    """From where to where a text reaches, with what tells whether it is a key or the value of one; `opening`
    and `closing` are where its quotes stand.

    Behind a key stands a colon. A value begins with its key where it has one, else with the sign before it
    and ends with the one behind it. A backslash before the first quote tells one that is part of a text.
    """
    end = _next(payload, closing + 1) + 1
    if payload[end - 1 : end] == b":":
        return _opened(payload, opening), end
    before = _last(payload, opening)
    if payload[before : before + 1] == b":":
        key = payload.rfind(b'"', 0, max(_last(payload, before), 0))
        return _opened(payload, max(key, 0)), closing + 1
    return max(before, 0), min(end, len(payload))


def _opened(payload: bytes, quote: int) -> int:
    return quote - 1 if payload[max(quote - 1, 0) : quote] == b"\\" else quote


def _next(payload: bytes, at: int) -> int:
    """Where the first sign from here on stands that is no blank."""
    while payload[at : at + 1] in _EACH_BLANK:
        at += 1
    return at


def _last(payload: bytes, at: int) -> int:
    """Where the last sign before this place stands that is no blank; -1 for none."""
    at -= 1
    while at >= 0 and payload[at : at + 1] in _EACH_BLANK:
        at -= 1
    return at


def _stems(octets: UInt8) -> Int64:
    """Where the parts of stems begin, in order."""
    upper = octets & np.uint8(_UPPER)
    first, third = upper[:-3], upper[2:-1]
    parts = [[one & _UPPER for one in part] for part in _PARTS]
    found = np.zeros(len(first), np.bool_)
    for part in parts:
        found |= (first == part[0]) & (third == part[2])
    at = np.flatnonzero(found)
    whole = np.zeros(len(at), np.bool_)
    for part in parts:
        whole |= np.logical_and.reduce([upper[at + n] == letter for n, letter in enumerate(part)])
    return at[whole]


def _stand(octets: UInt8, table: Int64, places: Sequence[_Place]) -> Bool:
    """Whether the stems of messages, a line a message, stand in these texts. Whoever has the first stem of a
    text in it has its others there too."""
    words = np.ndarray((len(octets) - _WORD + 1,), "<u8", octets.data, 0, (1,))  # one at each octet
    stand = np.ones(len(table), np.bool_)
    for text, before, stem in places:
        start = table[:, stem] - before
        for n in {*range(0, len(text) - _WORD, _WORD), max(len(text) - _WORD, 0)}:
            part = text[n : n + _WORD]
            known = np.uint64(256 ** len(part) - 1)
            stand &= (words[start + n] & known) == np.uint64(int.from_bytes(part, "little"))
    return stand
