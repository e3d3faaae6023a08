"""What can be told of JSON that cannot be read: cut short, or with words that are none of its own.

Only life flags are looked for in it, and only to know whose they are; nothing else is believed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from devices.profiles.formats.format import Tree

DEEPEST: Final = 64
"""Objects and lists within each other, as in JSON that can be read."""
TOKENS_MAX: Final = 16_384
"""Signs, texts, numbers and words that are looked at: 8 ms (measured; the number is chosen: as a message of
4,096 values has)."""
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?>(?:[^"\\]|\\.)*)")|(?P<cut>".*)|(?P<sign>[{}\[\]:,])|(?P<word>(?>[-+.\w]{1,64})(?!\Z))"""
    r"""|(?P<last>true|false|null)\Z""",
    re.DOTALL,
)
"""A text that is cut off, and a number at the very end that may be, are no values: half a serial number is
another device's."""
_WORDS: Final = {"true": True, "false": False, "null": None}
_text_of: Final = msgspec.json.Decoder(str).decode


class Salvaged(NamedTuple):
    """A tree, and whether it is of all that the octets hold (`whole`)."""

    tree: Tree
    whole: bool


class _Open(NamedTuple):
    """An object or list that has not ended; `keys` has the key that waits for its value."""

    value: dict[str, Any] | list[Any]
    keys: list[str]


@lru_cache(maxsize=1)
def salvaged_json(payload: bytes) -> Salvaged | None:
    """Objects, lists and plain values as far as they can be told; what cannot be read is left out,
    what is open at the end is closed there. None where it does not begin as an object or a list. Never
    raises; bounded by `TOKENS_MAX`. Of the payload at hand it is remembered: nobody may change the tree."""
    text = payload.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if text[:1] not in ("{", "["):
        return None
    top: dict[str, Any] | list[Any] = {} if text[0] == "{" else []
    stack = [_Open(top, [])]
    for count, token in enumerate(_TOKEN.finditer(text, 1)):
        if count >= TOKENS_MAX or len(stack) > DEEPEST:
            return Salvaged(top, whole=False)
        sign = token["sign"]
        if token["cut"] is not None:
            break
        if sign is None:
            _take(stack[-1], token)
        elif sign in "{[":
            stack.append(_opened(stack[-1], {} if sign == "{" else []))
        elif sign in "}]":
            if len(stack) == 1:
                return Salvaged(top, whole=not text[token.end() :].strip(" \t\r\n\x00"))
            stack.pop()
        elif sign == ",":
            stack[-1].keys.clear()
    return Salvaged(top, whole=True)


def _opened(where: _Open, below: dict[str, Any] | list[Any]) -> _Open:
    _put(where, below)
    return _Open(below, [])


def _take(where: _Open, token: re.Match[str]) -> None:
    """A text or a word: the next key of an object, or a value."""
    try:
        if token["text"] is not None:
            text = _text_of(token["text"].encode())
            if isinstance(where.value, dict) and not where.keys:
                where.keys.append(text)
            else:
                _put(where, text)
            return
        word = token["word"] or token["last"]
        _put(where, _WORDS[word] if word in _WORDS else float(word))
    except (msgspec.DecodeError, ValueError):  # no value: as if it were not there
        where.keys.clear()


def _put(where: _Open, value: object) -> None:
    if isinstance(where.value, list):
        where.value.append(value)
    elif where.keys:
        where.value[where.keys.pop()] = value
