"""Personal data at rest: sealing, and look-ups that need no unsealing.

Everything sealed begins with the number of its key. A vault opens with every key it holds, seals with the
newest, and reads its file again when that has changed: keys can be changed while processes run.

Errors (the tree is drawn in `devices.keyring`):
* SealBroken: sealed bytes were altered, belong elsewhere, or were made with another key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from devices.addresses import mask, normalise_address
from devices.keyring import (
    KEY_BYTES,
    Key,
    KeyExists,
    KeyExposed,
    KeyMissing,
    Keyring,
    KeyUnreadable,
    VaultError,
    create_key,
    is_in_environment,
    read_keyring,
)

__all__ = [
    "CHANNEL_ADDRESS",
    "CONTACT_NAME",
    "DWELLING_ATTENTION",
    "KEY_BYTES",
    "KeyExists",
    "KeyExposed",
    "KeyMissing",
    "KeyUnreadable",
    "SealBroken",
    "Vault",
    "VaultError",
    "create_key",
    "mask",
    "normalise_address",
]

NONCE_BYTES: Final = 12
"""The nonce length GCM is made for (NIST SP 800-38D, 5.2.1.1); random per seal."""

CONTACT_NAME: Final = "contact.name"
CHANNEL_ADDRESS: Final = "contact_channel.address"
DWELLING_ATTENTION: Final = "dwelling.attention"
"""The `where` of each sealed column, so that sealed bytes moved to another column do not open."""


class SealBroken(VaultError):
    """Sealed bytes do not open: altered, from another column, or sealed with another key."""


class Vault:
    """Seals and opens text with a ring of keys. Safe to share between threads."""

    def __init__(self, keys: bytes | Keyring, *, follows: Path | None = None) -> None:
        """`keys` as bytes: one key, number 1. `follows` is the file whose changes the vault takes up."""
        ring = Keyring((Key(1, keys),)) if isinstance(keys, bytes) else keys
        self._opened = {key.number: _Opened(key) for key in ring.keys}
        self._newest = ring.newest.number
        self._follows = follows
        self._seen = _mark(follows)
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, environ: Mapping[str, str] | None = None) -> Vault:
        """The vault of $GENGFU_KEY when that is set, else of the file at `path`, which it then follows.

        Raises KeyMissing or KeyUnreadable.
        """
        seen = _mark(path)
        vault = cls(read_keyring(path, environ), follows=None if is_in_environment(environ) else path)
        vault._seen = seen  # taken before the read: what changes in between is read again
        return vault

    @property
    def newest(self) -> int:
        """The number of the key that seals now."""
        self._catch_up()
        return self._newest

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all keys it opens with, ascending."""
        return tuple(sorted(self._opened))

    def seal(self, text: str, where: str) -> bytes:
        """`text` encrypted for the column `where`: key number, nonce, AES-256-GCM text and tag."""
        self._catch_up()
        newest = self._newest
        number, nonce = bytes([newest]), secrets.token_bytes(NONCE_BYTES)
        sealed = self._opened[newest].cipher.encrypt(nonce, text.encode(), number + where.encode())
        return number + nonce + sealed

    def unseal(self, blob: bytes, where: str) -> str:
        """The text sealed for `where`. Raises SealBroken; never returns altered text."""
        try:
            return self._unseal(blob, where)
        except SealBroken:
            if not self._catch_up():
                raise
            return self._unseal(blob, where)

    def blind_index(self, text: str) -> bytes:
        """32 bytes that are equal for equal addresses however written, and tell nothing without the key.

        Under the newest key: what is stored. Look-ups use `blind_indexes`.
        """
        self._catch_up()
        return self._opened[self._newest].index(text)

    def blind_indexes(self, text: str) -> tuple[bytes, ...]:
        """The blind index under every key held, the newest first: what a look-up must match one of."""
        self._catch_up()
        newest = self._newest
        others = (number for number in sorted(self._opened, reverse=True) if number != newest)
        return tuple(self._opened[number].index(text) for number in (newest, *others))

    def indexing(self) -> Callable[[str], tuple[bytes, ...]]:
        """As `blind_indexes` with the keys of now, for who must find numbers and open nothing: it holds what
        makes indexes and none of what opens seals."""
        opened = [self._opened[number] for number in sorted(self._opened, reverse=True)]
        makers = [one.indexer() for one in opened]
        return lambda text: tuple(make(text) for make in makers)

    def _unseal(self, blob: bytes, where: str) -> str:
        if not blob:
            raise SealBroken(f"{where}: nothing is sealed here (erased)")
        opened = self._opened.get(blob[0])
        if opened is None:
            raise SealBroken(f"{where}: sealed with key {blob[0]}, which is not here")
        nonce, sealed = blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :]
        try:
            return opened.cipher.decrypt(nonce, sealed, blob[:1] + where.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(f"{where}: altered, or sealed with another key") from None

    def _catch_up(self) -> bool:
        """Takes up the file's keys if it has changed (one `stat` a call, 2 µs); True when it did.

        A key that left the file still opens here what was read before; it seals nothing more. A file that
        cannot be read changes nothing: what was known goes on.
        """
        if self._follows is None or _mark(self._follows) == self._seen:
            return False
        with self._lock:
            mark = _mark(self._follows)
            if mark is None or mark == self._seen:
                return mark is not None
            try:
                ring = read_keyring(self._follows, {})
            except VaultError:
                return False
            self._opened = self._opened | {key.number: _Opened(key) for key in ring.keys}
            self._newest = ring.newest.number
            self._seen = mark
            return True


Mark = tuple[int, int, int, int]
"""What changes when a file is replaced or written."""


def _mark(path: Path | None) -> Mark | None:
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size) if found else None


class _Opened:
    """One key, made ready for use."""

    __slots__ = ("_index_key", "cipher")

    def __init__(self, key: Key) -> None:
        self.cipher = AESGCM(_expand(key.secret, "gengfu/vault/seal"))
        self._index_key = _expand(key.secret, "gengfu/vault/blind-index")

    def index(self, text: str) -> bytes:
        return self.indexer()(text)

    def indexer(self) -> Callable[[str], bytes]:
        key = self._index_key
        return lambda text: hmac.digest(key, normalise_address(text).encode(), hashlib.sha256)


def _expand(secret: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(secret)
