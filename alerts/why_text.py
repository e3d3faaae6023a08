"""The evidence of a transition as text in a column, and back."""

from __future__ import annotations

import msgspec

from rules.transition import Why


def pack_why(why: Why) -> str:
    """JSON with both sentences, for the columns called `why`."""
    return msgspec.json.encode(why).decode()


def read_why(text: str) -> Why:
    """What `pack_why` packed; any other text as it is, in both languages. Never raises: no alarm waits for
    its words.
    """
    try:
        return msgspec.json.decode(text, type=Why)
    except msgspec.DecodeError:
        return Why(en=text, zh_cn=text)
