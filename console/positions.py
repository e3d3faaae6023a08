"""How far a page has seen the stream of changes, said so that nobody can count what others were sent.

The number of a change grows with every change of the site. Whoever sees all of them is told the number; to
whoever sees some streets only it would say how much happened in the others, so they are given it sealed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from devices.scope import Scope

UNKNOWN: Final = -1
"""A position that says nothing: its page fetches everything."""
POSITION_MAX: Final = 64
"""Characters of a sealed one, with room."""
_NONCE_BYTES: Final = 12


class Positions:
    """Seals and opens positions with a key of its own, made from the one that signs sessions."""

    def __init__(self, session_key: bytes) -> None:
        key = hashlib.blake2b(b"positions", key=session_key, digest_size=32).digest()
        self._cipher = AESGCM(key)

    def told(self, change_id: int, scope: Scope) -> str:
        """What a page of this scope is given."""
        if scope.everywhere:
            return str(change_id)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, change_id.to_bytes(8), None)
        return base64.urlsafe_b64encode(sealed).decode()

    def heard(self, text: str, scope: Scope) -> int | None:
        """The change that a page names; None for an empty text, UNKNOWN for what we did not give such a
        page."""
        if not text:
            return None
        if scope.everywhere:
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else UNKNOWN
        try:
            sealed = base64.urlsafe_b64decode(text)
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (binascii.Error, InvalidTag, ValueError):
            return UNKNOWN
        return int.from_bytes(opened)
