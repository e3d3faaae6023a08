"""What is wrong with a provider's account, in reasons that a fault of the whole site can be raised from."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

NO_MONEY: Final = "the provider's account has no money left"
"""Nothing reaches anybody through it until somebody pays: not permanent, and nobody's number is wrong."""
CLOCK_WRONG: Final = "the provider says that our clock is wrong"
"""Signatures carry the time, and vendors refuse those more than 5 to 15 minutes off."""


def own_id(key: str, most: int) -> str:
    """`key` where it fits into `most` bytes of ASCII (at least 13), else its hash: the id of ours that a
    provider sends back in its receipts. The same key gives the same id."""
    if len(key) <= most and key.isascii():
        return key
    return base64.b32encode(hashlib.sha256(key.encode()).digest()).decode().lower()[: min(most, 26)]
