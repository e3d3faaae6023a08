"""One value as text: `23.5`, `on`, `"23.5"`. What it means, number or word, is read later."""

from __future__ import annotations

from typing import Final

import msgspec

from devices.profiles.formats.format import FormatContext, Unreadable
from devices.profiles.profile import Reason
from devices.profiles.rescue import unpadded

LONGEST: Final = 256
"""Characters (chosen: a value, not a document)."""
_LONGEST_PAYLOAD: Final = 4 * LONGEST
_quoted: Final = msgspec.json.Decoder(str).decode


def read_text(payload: bytes, _context: FormatContext | None = None) -> str:
    """The text without outer blanks, byte order mark and trailing NULs, and without the quotes where it is a
    JSON text; empty where there is none.
    """
    body = unpadded(payload)
    if len(body) > _LONGEST_PAYLOAD:
        raise _too_long()
    try:
        text = body.decode().strip()
    except UnicodeDecodeError as error:
        raise Unreadable(Reason.NOT_UTF8, str(error)) from None
    if len(text) > 1 and text[0] == '"' == text[-1]:
        text = _unquoted(text)
    if len(text) > LONGEST:
        raise _too_long()
    return text


def _unquoted(text: str) -> str:
    try:
        return _quoted(text).strip()
    except msgspec.DecodeError:
        return text


def _too_long() -> Unreadable:
    return Unreadable(Reason.TOO_LARGE, f"a text of more than {LONGEST} characters")
