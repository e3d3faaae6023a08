"""JSON: one value of any kind, as msgspec reads it.

More than RFC 8259 allows is taken where devices are known to send it and no meaning is at stake: a byte order
mark before, NULs and blanks after, and the words NaN, Infinity and -Infinity for a number, which are read as
null (a measurement that failed). Where a key stands twice in an object the last one holds.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

import msgspec

from devices.profiles.formats.format import FormatContext, Tree, Unreadable
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

DEEPEST: Final = 64
"""Objects and lists within each other (chosen: the deepest payload seen has 9)."""
LONGEST_MENDED: Final = 1 << 16
"""Octets of a payload in which NaN is looked for; longer ones are refused as they are (chosen)."""
EXPONENTS_MAX: Final = 2_000
"""Numbers with exponents of two digits; those of more count 20 times (chosen: 4 ms)."""
_LARGE_COST: Final = 20
_CHEAP: Final = 1_024
"""Octets of a payload that cannot hold enough of them to matter."""
_FEW: Final = EXPONENTS_MAX // _LARGE_COST
_LIKE_ONE: Final = re.compile(rb"[0-9.][eE][-+0-9][0-9]")
"""What looks like an exponent, in texts too; it is looked for faster than numbers are."""
_EXPONENT: Final = re.compile(rb"[:,\[\s]-?[0-9.]+[eE][+-]?([0-9]{2,3})")
_decode: Final = msgspec.json.Decoder().decode
_NO_NUMBER: Final = re.compile(rb'"(?>(?:[^"\\]++|\\.?)*)"?|NaN|-?Infinity', re.DOTALL)
"""A text, whole or cut off, or a word that stands for a number; beside anything else the word spoils the
payload as `null` does. Every octet is looked at once."""


def too_costly(payload: bytes) -> str:
    """Why the parser is not let loose on a payload, for people; empty where it is.

    A number such as 1e308 costs it 40 µs and 1e23 costs 2 µs, where others cost 0.05 (measured): a quarter of
    a megabyte of them would hold all others up for two seconds.
    """
    if len(payload) <= _CHEAP or len(list(islice(_LIKE_ONE.finditer(payload), _FEW + 1))) <= _FEW:
        return ""
    cost = 0
    for found in _EXPONENT.finditer(payload):
        cost += _LARGE_COST if len(found[1]) > 2 else 1
        if cost > EXPONENTS_MAX:
            return f"more than {EXPONENTS_MAX // _LARGE_COST} numbers with exponents beyond 99"
    return ""


def read_json(payload: bytes, _context: FormatContext | None = None) -> Tree:
    """The tree of a JSON payload. Whole numbers stay int, whatever their size; numbers beyond float64, texts
    that are not UTF-8 and more than `DEEPEST` levels are refused.
    """
    if why := too_costly(payload):
        raise Unreadable(Reason.TOO_LARGE, why)
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
