"""A life flag in a message that cannot be read: looked for in the raw bytes, so that no fault hides a fire.

life_safety, smoke 1: a true smoke flag raises at once, with any other fault on the device. A gateway that
writes `NaN` for a temperature, cuts a message short or repeats its JSON as a string must not cost the alarm
that stands beside it. Only true flags are found, never false ones: what is doubtful raises and never clears.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from devices.profiles.own.mapping import TRUE_WORDS
from devices.profiles.searching import lowered, searchable

_BOM: Final = b"\xef\xbb\xbf"
_PADDING: Final = b"\x00 \t\r\n"
_MARK: Final = re.compile(rb"""\\{0,3}["']\Z""")
"""The quotes that a key opens with, escaped ones (JSON within a string) included."""
_MARK_LENGTH: Final = 4
_TRUE_WORDS: Final = b"|".join(
    re.escape(one).replace(rb"\ ", rb"[ ]")
    for word in sorted(TRUE_WORDS - {"1"}, key=lambda word: (-len(word), word))
    for one in dict.fromkeys((word.encode(), json.dumps(word)[1:-1].encode()))
)
"""As they stand in UTF-8, and as JSON may write them."""
_TRUE: Final = re.compile(
    rb"""
    [\s\x00]{0,16} : [\s\x00]{0,16} (?: \[ \s{0,16} )?
    (?:
        \{ \s{0,16} \\{0,3}["'] (?:value|v|val|state|alarm) \\{0,3}["']
        \s{0,16} : \s{0,16} (?: \[ \s{0,16} )?
    )?
    (?:
        (?P<bare> (?:%(words)b) (?![\w]) )
      | (?P<quoted> \\{0,3}["'] \s{0,4} (?:%(words)b|1) \s{0,4} (?:\\{0,3}["']|\x00|\Z) )
      | (?P<number> -?[0-9]{1,64} (?:\.[0-9]{1,64})? (?:[eE][+-]?[0-9]{1,4})? )
    )
    """
    % {b"words": _TRUE_WORDS},
    re.VERBOSE | re.IGNORECASE,
)
"""Every repetition is bounded, so that the time is linear in the bytes, whoever chose them. Longer runs of
blanks are one by then (`searching.searchable`)."""
_BEHIND: Final = re.compile(
    rb"""
    (?:
        [\s\x00]{0,16} : \s{0,16} (?: \[ \s{0,16} )?
        \{ \s{0,16} \\{0,3}["'] (?:value|v|val|state|alarm) \\{0,3}["']
      | (?:
            \s{0,8} , \s{0,8} \\{0,3}["'] \w{1,16} \\{0,3}["'] \s{0,8} : \s{0,8}
            (?: \\{0,3}["'] [^"'\\{}]{0,32} \\{0,3}["'] | [-+.\w]{1,24} )
        ){0,4}?
        \s{0,8} , \s{0,8} \\{0,3}["'] (?:value|v|vb|vs|val|alarm) \\{0,3}["']
    )?
    [\s\x00]{0,16} : [\s\x00]{0,16} (?: \[ \s{0,16} )?
    (?:
        (?P<bare> [A-Za-z_]{1,32} )
      | \\{0,3}["'] (?P<quoted> (?:[^"'\\\x00\r\n]|\\u[0-9a-f]{4}){1,64} ) (?:\\{0,3}["']|\x00|\Z)
      | (?P<number> -?[0-9]{1,64} (?:\.[0-9]{1,64})? (?:[eE][+-]?[0-9]{1,4})? )
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Any scalar behind a key, for profiles that have words of their own for a fire: `"key": 1`, `"key":
{"value": 1`, `"key": [{"value": 1`, and `"n": "key", … "v": 1`."""
_TOKEN: Final = re.compile(rb"""(?P<mark>\\{0,3}["'])(?P<key>[^"'\\]{1,128})(?P=mark)""")
KEYS_MAX: Final = 4_096
"""Different keys of a payload that are asked about (chosen: as many as a message has items)."""
TOKENS_MAX: Final = 16_384
"""Texts in quotes of a payload that are looked at (chosen, as many as of JSON that is damaged)."""
NAMED_MAX: Final = 8_192
"""Places of a payload where a name stands that are looked at (chosen: four times a message's values)."""
Scalar = bool | float | str | None
_BARE: Final = {"true": True, "false": False, "null": None}


def unpadded(payload: bytes) -> bytes:
    """The payload without what is no part of JSON and means nothing: a byte order mark, NULs at the end."""
    return payload.removeprefix(_BOM).rstrip(_PADDING)


class _Named:
    """Places where one of some keys stands as one, in whatever case: in the quotes it opened with, escaped
    ones (JSON within a string) and none at all included. One pass of the octets, whatever the keys."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys: dict[bytes, list[str]] = {}
        for key in sorted(set(keys)):
            if key:
                self._keys.setdefault(key.encode().lower(), []).append(key)
        names = sorted(self._keys, key=len, reverse=True)
        self._pattern = re.compile(rb"(?<![\w.-])(?:%s)" % b"|".join(map(re.escape, names)))
        self._names = names

    def __bool__(self) -> bool:
        return bool(self._names)

    def places(self, payload: bytes, low: bytes) -> Iterator[tuple[str, int]]:
        """Each key, and where it has ended; `low` is the payload in lower case."""
        if not any(name in low for name in self._names):
            return  # the search for plain octets costs a tenth of the pattern
        for hit in islice(self._pattern.finditer(low), NAMED_MAX):
            start, end = hit.span()
            mark = _MARK.search(payload, max(0, start - _MARK_LENGTH), start)
            if mark is not None:
                if not payload.startswith(mark[0], end):
                    continue
                end += len(mark[0])
            said = payload[start : hit.end()]
            keys = self._keys[hit[0]]
            exact = [key for key in keys if key.encode() == said]
            for key in exact or keys:
                yield key, end


class Rescue:
    """The life flags of one profile, by the keys it knows them under."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._named = _Named(keys)

    def true_flags(self, payload: bytes) -> dict[str, bool]:
        """The keys that some place of `payload` gives a true value, in order. Never raises.

        Taken for true is what `FlatMapping` takes for true: true, any number but 0, the words of
        `mapping.WORDS`. Where a key stands twice, one true value is enough.
        """
        payload = searchable(payload)
        found: dict[str, bool] = {}
        for key, end in self._named.places(payload, lowered(payload)):
            match = _TRUE.match(payload, end)
            if match is not None and (match["number"] is None or float(match["number"]) != 0):
                found[key] = True
        return found


class Scalars:
    """Keys and the scalars behind them, in octets that cannot be read: for whoever can judge the scalars.
    `payload` as `searching.searchable` gives it."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._named = _Named(keys)

    def found(self, payload: bytes) -> Iterator[tuple[str, Scalar]]:
        """Each place where one of the keys stands before a scalar, in order. Never raises."""
        if not self._named:
            return
        low = payload.lower() if len(payload) <= _SHORT else lowered(payload)
        for key, end in self._named.places(payload, low):
            match = _BEHIND.match(payload, end)
            if match is not None:
                yield key, _scalar(match)


_SHORT: Final = 1_024
"""Octets that are not worth remembering."""


@lru_cache(maxsize=256)
def scalars_for(key: str) -> Scalars:
    """`Scalars` of one key."""
    return Scalars([key])


def scalars_of(payload: bytes, is_asked: Callable[[str], bool]) -> Iterator[tuple[str, Scalar]]:
    """The same for keys in quotes of which `is_asked` says yes, for those that no list can name; it is asked
    once of each of the first `KEYS_MAX` different ones. Never raises."""
    for text, ends in _tokens(payload):
        if is_asked(text):
            for end in ends:
                match = _BEHIND.match(payload, end)
                if match is not None:
                    yield text, _scalar(match)


@lru_cache(maxsize=1)
def _tokens(payload: bytes) -> list[tuple[str, list[int]]]:
    """The first different texts in quotes that could be keys, and where each of them has ended: of the
    payload at hand, for every group of each kind of message that it could be asks anew."""
    found: dict[bytes, list[int]] = {}
    for token in islice(_TOKEN.finditer(payload), TOKENS_MAX):
        ends = found.get(token["key"])
        if ends is not None:
            ends.append(token.end())
        elif len(found) < KEYS_MAX:
            found[token["key"]] = [token.end()]
    return [(key.decode(errors="replace"), ends) for key, ends in found.items()]


def _scalar(match: re.Match[bytes]) -> Scalar:
    if match["number"] is not None:
        return float(match["number"])
    if match["bare"] is not None:
        word = match["bare"].decode()
        return _BARE.get(word.lower(), word)
    text = match["quoted"].decode(errors="replace")
    return _ESCAPED.sub(lambda one: chr(int(one[1], 16)), text).strip()


_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
