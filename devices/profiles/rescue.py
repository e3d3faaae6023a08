"""A life flag in a message that cannot be read: looked for in the raw bytes, so that no fault hides a fire.

life_safety, smoke 1: a true smoke flag raises at once, with any other fault on the device. A gateway that
writes `NaN` for a temperature, cuts a message short or repeats its JSON as a string must not cost the alarm
that stands beside it. Only true flags are found, never false ones: what is doubtful raises and never clears.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_PADDING: Final = b"\x00 \t\r\n"
_KEY: Final = rb"""(?P<mark> \\{0,3}["'] | (?<![\w.-]) ) (?P<key>%s) (?P=mark)"""
"""A key in the quotes it opened with, escaped ones (JSON within a string) and none at all included."""
_TRUE: Final = rb"""
    [\s\x00]{0,16} : [\s\x00]{0,16}
    (?:
        (?P<bare> (?i:true|on|alarm) (?![\w]) )
      | (?P<quoted> \\{0,3}["'] \s{0,4} (?i:true|on|alarm|1) \s{0,4} (?:\\{0,3}["']|\x00|\Z) )
      | (?P<number> -?[0-9]{1,64} (?:\.[0-9]{1,64})? (?:[eE][+-]?[0-9]{1,4})? )
    )
"""
"""Every repetition is bounded, so that the time is linear in the bytes, whoever chose them."""


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
