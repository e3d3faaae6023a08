"""Personal data at rest: sealing, blind look-ups, and keys derived for other rooms from the one key file.

Errors:
* VaultError
  * KeyMissing: there is no key file.
  * KeyExists: there is one already; a key is never overwritten.
  * KeyUnreadable: the file cannot be read or does not hold a key.
  * SealBroken: sealed bytes were altered, belong elsewhere, or were made with another key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from devices.addresses import mask, normalise_address

__all__ = [
    "KeyExists",
    "KeyMissing",
    "KeyUnreadable",
    "SealBroken",
    "Vault",
    "VaultError",
    "create_key",
    "mask",
    "normalise_address",
]

KEY_BYTES: Final = 32
"""AES-256 (NIST SP 800-38D with FIPS 197)."""
NONCE_BYTES: Final = 12
"""The nonce length GCM is made for (NIST SP 800-38D, 5.2.1.1); random per seal."""
VERSION: Final = b"\x01"
"""First byte of sealed text: which key and cipher; a later key gets another."""

CONTACT_NAME: Final = "contact.name"
CHANNEL_ADDRESS: Final = "contact_channel.address"
DWELLING_ATTENTION: Final = "dwelling.attention"
"""The `where` of each sealed column, so that sealed bytes moved to another column do not open."""


class VaultError(Exception):
    """Personal data cannot be sealed or opened; the text says what to do."""


class KeyMissing(VaultError):
    """There is no key file."""


class KeyExists(VaultError):
    """The file is there already and is left alone."""


class KeyUnreadable(VaultError):
    """The key file cannot be read or does not hold a key."""


class SealBroken(VaultError):
    """Sealed bytes do not open: altered, from another column, or sealed with another key."""


def create_key(path: Path) -> None:
    """Writes a new random key to `path`, readable by its owner only, whole or not at all.

    Makes missing folders. Raises KeyExists rather than overwrite: a lost key loses every name and number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        Path(path).hardlink_to(draft)  # fails where the name is taken, unlike rename
    except FileExistsError:
        raise KeyExists(f"{path}: there is a key already; it is never overwritten") from None
    finally:
        Path(draft).unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Vault:
    """Seals and opens text with one master key. Safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyUnreadable(f"a key has {KEY_BYTES} bytes, this one {len(key)}")
        self._key = key
        self._cipher = AESGCM(self._expand("gengfu/vault/seal"))
        self._index_key = self._expand("gengfu/vault/blind-index")

    @classmethod
    def open(cls, path: Path) -> Vault:
        """The vault whose key is in `path`. Raises KeyMissing or KeyUnreadable."""
        try:
            text = path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(f"{path}: no key file") from None
        except OSError as error:
            raise KeyUnreadable(f"{path}: cannot be read: {error.strerror}") from None
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except binascii.Error:
            raise KeyUnreadable(f"{path}: not a key: {KEY_BYTES} bytes in base64 are expected") from None
        if len(key) != KEY_BYTES:
            raise KeyUnreadable(f"{path}: a key has {KEY_BYTES} bytes, this one {len(key)}")
        return cls(key)

    def seal(self, text: str, where: str) -> bytes:
        """`text` encrypted for the column `where`: version byte, nonce, AES-256-GCM text and tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), VERSION + where.encode())

    def unseal(self, blob: bytes, where: str) -> str:
        """The text sealed for `where`. Raises SealBroken; never returns altered text."""
        if blob[:1] != VERSION:
            raise SealBroken(f"{where}: sealed with an unknown version")
        nonce, sealed = blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, VERSION + where.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealBroken(f"{where}: altered, or sealed with another key") from None

    def blind_index(self, text: str) -> bytes:
        """32 bytes that are equal for equal addresses however written, and tell nothing without the key."""
        return hmac.digest(self._index_key, normalise_address(text).encode(), hashlib.sha256)

    def derived(self, purpose: str) -> bytes:
        """32 bytes for a purpose of another room (`answers.link`, `console.session`), independent."""
        return self._expand(f"gengfu/derived/{purpose}")

    def _expand(self, info: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(self._key)
