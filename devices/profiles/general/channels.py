"""What a channel may be called."""

from __future__ import annotations

import hashlib
from typing import Final

CHANNEL_LENGTH_MAX: Final = 32
"""Width of the series table's column."""
_SHOWN: Final = 23
"""Characters of a longer name that stay; a digest of the whole follows, so that no two become one."""


def channel_text(text: str) -> str:
    """A text as a channel: with `?` for what cannot be printed, and with a digest where it is too long."""
    if len(text) > CHANNEL_LENGTH_MAX:
        digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
        text = f"{text[:_SHOWN]}#{digest}"
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def too_long(text: str) -> str:
    """Why a channel is not called what a message says, for people; empty where it is."""
    if len(text) <= CHANNEL_LENGTH_MAX:
        return ""
    return (
        f"channel `{text[:80]}` has {len(text)} characters, at most {CHANNEL_LENGTH_MAX} are taken: "
        f"it is stored as `{channel_text(text)}`"
    )
