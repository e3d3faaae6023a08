"""JSON: one value of any kind, as msgspec reads it.

More than RFC 8259 allows is taken where devices are known to send it and no meaning is at stake: a byte order
mark before, NULs and blanks after, and the words NaN, Infinity and -Infinity for a number, which are read as
null (a measurement that failed). Where a key stands twice in an object the last one holds.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from devices.profiles.formats.format import FormatContext, Tree, Unreadable
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

DEEPEST: Final = 64
"""Objects and lists within each other (chosen: the deepest payload seen has 9)."""
LONGEST_MENDED: Final = 1 << 16
"""Octets of a payload in which NaN is looked for; longer ones are refused as they are (chosen)."""
_decode: Final = msgspec.json.Decoder().decode
_NO_NUMBER: Final = re.compile(rb'"(?>(?:[^"\\]++|\\.?)*)"?|NaN|-?Infinity', re.DOTALL)
"""A text, whole or cut off, or a word that stands for a number; beside anything else the word spoils the
payload as `null` does. Every octet is looked at once."""


def read_json(payload: bytes, _context: FormatContext | None = None) -> Tree:
    """The tree of a JSON payload. Whole numbers stay int, whatever their size; numbers beyond float64, texts
    that are not UTF-8 and more than `DEEPEST` levels are refused.
    """
    try:
        tree = _decode(payload)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        tree = _mended(payload, error)
    if payload.count(b"{") + payload.count(b"[") > DEEPEST:
        _check_depth(tree)
    return tree


def _mended(payload: bytes, first: Exception) -> Tree:
    """The tree of a payload that is JSON but for what the module takes; else the first error."""
    body = unpadded(payload)
    if len(body) <= LONGEST_MENDED and (b"NaN" in body or b"Infinity" in body):
        body = _NO_NUMBER.sub(_null, body)
    if body == payload:
        raise _refusal(first) from None
    try:
        return _decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _refusal(error) from None


def _null(found: re.Match[bytes]) -> bytes:
    word = found[0]
    return word if word[0] == ord('"') else b"null"


def _refusal(error: Exception) -> Unreadable:
    """What stopped the parser, in its own words."""
    if isinstance(error, RecursionError):
        return Unreadable(Reason.TOO_LARGE, f"nested deeper than {DEEPEST} levels")
    if isinstance(error, UnicodeDecodeError):
        return Unreadable(Reason.NOT_UTF8, str(error))
    wrong = isinstance(error, msgspec.ValidationError)
    return Unreadable(Reason.WRONG_TYPE if wrong else Reason.NOT_JSON, str(error))


def _check_depth(tree: Tree) -> None:
    """Level by level, so that no depth can exhaust the stack."""
    level = [tree]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if type(value) is dict:
                below.extend(each for each in value.values() if type(each) in _NESTED)
            elif type(value) is list:
                below.extend(each for each in value if type(each) in _NESTED)
        if not below:
            return
        level = below
    raise Unreadable(Reason.TOO_LARGE, f"nested deeper than {DEEPEST} levels")


_NESTED: Final = (dict, list)
