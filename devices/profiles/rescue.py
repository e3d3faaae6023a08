"""A life flag in a message that cannot be read: looked for in the raw bytes, so that no fault hides a fire.

life_safety, smoke 1: a true smoke flag raises at once, with any other fault on the device. A gateway that
writes `NaN` for a temperature, cuts a message short or repeats its JSON as a string must not cost the alarm
that stands beside it. Only true flags are found, never false ones: what is doubtful raises and never clears.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_PADDING: Final = b"\x00 \t\r\n"
_KEY: Final = rb"""(?P<mark> \\{0,3}["'] | (?<![\w.-]) ) (?P<key>%s) (?P=mark)"""
"""A key in the quotes it opened with, escaped ones (JSON within a string) and none at all included."""
_TRUE: Final = rb"""
    [\s\x00]{0,16} : [\s\x00]{0,16} (?: \[ \s{0,16} )?
    (?: \{ \s{0,16} \\{0,3}["'] (?:value|v|val|state) \\{0,3}["'] \s{0,16} : \s{0,16} (?: \[ \s{0,16} )? )?
    (?:
        (?P<bare> (?i:true|on|alarm|detected) (?![\w]) )
      | (?P<quoted> \\{0,3}["'] \s{0,4} (?i:true|on|alarm|detected|1) \s{0,4} (?:\\{0,3}["']|\x00|\Z) )
      | (?P<number> -?[0-9]{1,64} (?:\.[0-9]{1,64})? (?:[eE][+-]?[0-9]{1,4})? )
    )
"""
"""Every repetition is bounded, so that the time is linear in the bytes, whoever chose them."""


_SCALAR: Final = rb"""
    (?:
        [\s\x00]{0,16} : \s{0,16} (?: \[ \s{0,16} )? \{ \s{0,16} \\{0,3}["'] (?:value|v|val|state) \\{0,3}["']
      | (?:
            \s{0,8} , \s{0,8} \\{0,3}["'] \w{1,16} \\{0,3}["'] \s{0,8} : \s{0,8}
            (?: \\{0,3}["'] [^"'\\{}]{0,32} \\{0,3}["'] | [-+.\w]{1,24} )
        ){0,4}?
        \s{0,8} , \s{0,8} \\{0,3}["'] (?:value|v|vb|vs|val) \\{0,3}["']
    )?
    [\s\x00]{0,16} : [\s\x00]{0,16} (?: \[ \s{0,16} )?
    (?:
        (?P<bare> [A-Za-z_]{1,32} )
      | \\{0,3}["'] (?P<quoted> [^"'\\\x00\r\n]{1,64} ) (?:\\{0,3}["']|\x00|\Z)
      | (?P<number> -?[0-9]{1,64} (?:\.[0-9]{1,64})? (?:[eE][+-]?[0-9]{1,4})? )
    )
"""
"""Any scalar behind a key, for profiles that have words of their own for a fire: `"key": 1`, `"key":
{"value": 1`, `"key": [{"value": 1`, and `"n": "key", … "v": 1`."""
_TOKEN: Final = re.compile(rb"""(?P<mark>\\{0,3}["'])(?P<key>[^"'\\]{1,128})(?P=mark)""")
KEYS_MAX: Final = 4_096
"""Different keys of a payload that are asked about (chosen: as many as a message has items)."""
_BEHIND: Final = re.compile(_SCALAR, re.VERBOSE)
Scalar = bool | float | str | None
_BARE: Final = {"true": True, "false": False, "null": None}


def unpadded(payload: bytes) -> bytes:
    """The payload without what is no part of JSON and means nothing: a byte order mark, NULs at the end."""
    return payload.removeprefix(_BOM).rstrip(_PADDING)


class Rescue:
    """The life flags of one profile, by the keys it knows them under."""

    def __init__(self, keys: Iterable[str]) -> None:
        names = b"|".join(re.escape(key.encode()) for key in sorted(keys, key=len, reverse=True))
        self._pattern = re.compile(_KEY % names + _TRUE, re.VERBOSE)

    def true_flags(self, payload: bytes) -> dict[str, bool]:
        """The keys that some place of `payload` gives a true value, in order. Never raises.

        Taken for true is what `FlatMapping` takes for true: true, any number but 0, the words of
        `mapping.WORDS`. Where a key stands twice, one true value is enough.
        """
        found: dict[str, bool] = {}
        for match in self._pattern.finditer(payload):
            number = match["number"]
            if number is None or float(number) != 0:
                found[match["key"].decode()] = True
        return found


class Scalars:
    """Keys and the scalars behind them, in octets that cannot be read: for whoever can judge the scalars."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._names = [key.encode() for key in sorted(set(keys), key=len, reverse=True) if key]
        names = b"|".join(map(re.escape, self._names))
        self._pattern = re.compile(_KEY % names + _SCALAR, re.VERBOSE) if names else None

    def found(self, payload: bytes) -> Iterator[tuple[str, Scalar]]:
        """Each place where one of the keys stands before a scalar, in order. Never raises."""
        if self._pattern is None or not any(name in payload for name in self._names):
            return  # the search for plain octets costs a hundredth of the pattern
        for match in self._pattern.finditer(payload):
            yield match["key"].decode(), _scalar(match)


def scalars_of(payload: bytes, is_asked: Callable[[str], bool]) -> Iterator[tuple[str, Scalar]]:
    """The same for keys in quotes of which `is_asked` says yes, for those that no list can name; it is asked
    once of each of the first `KEYS_MAX` different ones. Never raises."""
    wanted = {key: text for key, text in _keys(payload).items() if is_asked(text)}
    if not wanted:
        return
    for token in _TOKEN.finditer(payload):
        text = wanted.get(token["key"])
        if text is not None:
            match = _BEHIND.match(payload, token.end())
            if match is not None:
                yield text, _scalar(match)


@lru_cache(maxsize=1)
def _keys(payload: bytes) -> dict[bytes, str]:
    """The first different texts in quotes that could be keys: of the payload at hand, for every group of each
    kind of message that it could be asks anew."""
    found: dict[bytes, str] = {}
    for token in _TOKEN.finditer(payload):
        key = token["key"]
        if key not in found:
            if len(found) >= KEYS_MAX:
                break
            found[key] = key.decode(errors="replace")
    return found


def _scalar(match: re.Match[bytes]) -> Scalar:
    if match["number"] is not None:
        return float(match["number"])
    if match["bare"] is not None:
        word = match["bare"].decode()
        return _BARE.get(word.lower(), word)
    return match["quoted"].decode(errors="replace").strip()
