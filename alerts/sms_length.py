"""How many short messages a text takes. Pure.

Source: 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and TS 23.040 (concatenation): a text
of that alphabet has 160 characters in one message and 153 in each of several, those of the extension counting
twice; any other is UCS-2 with 70 and 67. What counts two is never split between two messages.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_ALPHABET: Final = _BASIC | _EXTENDED
GSM_7: Final = "GSM-7"
UCS_2: Final = "UCS-2"
_ROOM: Final = {GSM_7: (160, 153), UCS_2: (70, 67)}


class SmsLength(NamedTuple):
    """`units` are septets or 16-bit letters: what counts. `fitting`: so many fit into one message."""

    alphabet: str
    units: int
    segments: int
    fitting: int


def sms_length(text: str) -> SmsLength:
    """What carriers count. An empty text takes none."""
    letters = set(text)
    alphabet = GSM_7 if letters <= _ALPHABET else UCS_2
    one, each = _ROOM[alphabet]
    doubles = {letter for letter in letters if _is_double(letter, alphabet)}
    units = len(text) + sum(text.count(letter) for letter in doubles)
    if units <= one:
        return SmsLength(alphabet, units, int(units > 0), one)
    segments = _packed(text, doubles, each) if doubles else -(-units // each)
    return SmsLength(alphabet, units, segments, one)


def _packed(text: str, doubles: Collection[str], each: int) -> int:
    """Messages of `each` units, with what counts two whole in one of them."""
    segments, room = 1, each
    for letter in text:
        width = 2 if letter in doubles else 1
        if width > room:
            segments, room = segments + 1, each
        room -= width
    return segments


def _is_double(letter: str, alphabet: str) -> bool:
    return letter in _EXTENDED if alphabet == GSM_7 else ord(letter) > 0xFFFF
