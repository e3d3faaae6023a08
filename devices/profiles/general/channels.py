"""What a channel may be called."""

from __future__ import annotations

from typing import Final

CHANNEL_LENGTH_MAX: Final = 32
"""Width of the series table's column."""


def channel_text(text: str) -> str:
    """A text as a channel: cut, and with `?` for what cannot be printed."""
    text = text[:CHANNEL_LENGTH_MAX]
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)
