"""What a publisher is called, what it may publish on, and its password: the rules, without the database.

Passwords are drawn at random here and never chosen by people. They are stored only as the hash that
mosquitto's password file holds: `$7$<iterations>$<salt>$<hash>`, PBKDF2 with HMAC-SHA512.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from devices.registry.errors import NotAllowed

NAME_MAX: Final = 100
PREFIX_MAX: Final = 300
"""Width of the column."""
OURS: Final = "gengfu-"
"""Names that begin so are the service's own (ingest, check)."""
OUR_TOPICS: Final = "gengfu-check"
"""Topics that begin so are those of `gengfu check`."""
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u, so nothing in it looks like something else."""
PASSWORD_LENGTH: Final = 32
"""Characters of 5 bits: 160 bits. Nobody can try them all, however fast one try is."""
ITERATIONS: Final = 1
"""Stretching makes weak passwords cost more to guess; 160 random bits need none. mosquitto verifies every
connected client again at each reload: with 8,000 connected, 101 iterations (its own default) held it up for
1.3 s, one for 0.8 s (measured on 2.0.11)."""
SALT_BYTES: Final = 12
"""As mosquitto_passwd makes them."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@=-]*")
_HASH: Final = re.compile(r"\$7\$[0-9]+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and its password in clear: shown once, and nowhere kept."""

    name: str
    password: str


def new_password() -> str:
    """160 random bits as 32 letters and digits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PASSWORD_LENGTH))


def broker_hash(password: str, salt: bytes | None = None) -> str:
    """The hash as mosquitto's password file writes it; without `salt` a fresh one is drawn."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, 64)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def is_broker_hash(text: str) -> bool:
    """Whether a line of the password file can hold it."""
    return _HASH.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether the broker's files can hold it as a user name."""
    return len(text) <= NAME_MAX and _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """An MQTT user name that the broker's files can hold and that is not ours; raises NotAllowed."""
    if not is_name(text):
        raise NotAllowed(
            f"name {text!r}: 1 to {NAME_MAX} of A-Z a-z 0-9 . _ @ = - are allowed, "
            "a letter or digit first; give another with --name"
        )
    if text.lower().startswith(OURS):
        raise NotAllowed(f"name {text!r}: names that begin with {OURS} are the service's own")
    return text


def check_prefix(text: str) -> str:
    """A literal topic that stands for itself and all below it; raises NotAllowed."""
    levels = text.split("/")
    plain = text.isprintable() and not any(c in text for c in "+#")
    tidy = all(level and level == level.strip() for level in levels)
    if not (1 <= len(text) <= PREFIX_MAX and plain and tidy and not text.startswith("$")):
        raise NotAllowed(
            f"prefix {text!r}: a topic of 1 to {PREFIX_MAX} printable characters is allowed, without + and "
            "#, no $ in front, no empty level, no blank at either end of a level"
        )
    if text.lower().startswith(OUR_TOPICS):
        raise NotAllowed(f"prefix {text!r}: topics that begin with {OUR_TOPICS} are the service's own")
    return text


class Prefixes:
    """Who holds which topics. Two prefixes meet where one is the other, or lies above it.

    Upper and lower case count as the same: profiles read device ids so. Every name also holds
    `gengfu/<name>`: one line of the broker's access list gives that to each user (`ingest.gate.files`).
    """

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._below: dict[str, str] = {}

    def add(self, name: str, prefixes: Iterable[str]) -> None:
        """Notes that `name` holds them."""
        for prefix in (*prefixes, own_prefix(name)):
            levels = prefix.lower().split("/")
            self._holders.setdefault("/".join(levels), name)
            for n in range(1, len(levels)):
                self._below.setdefault("/".join(levels[:n]), name)

    def check_free(self, name: str, prefixes: Iterable[str]) -> None:
        """Raises NotAllowed naming the holder and the prefix that `name` cannot have."""
        for prefix in prefixes:
            if holder := self.holder(prefix):
                raise NotAllowed(f"prefix {prefix!r}: publisher {holder!r} holds it, or part of it")
        if holder := self.holder(own_prefix(name)):
            raise NotAllowed(
                f"name {name!r}: every name also stands for the topics {own_prefix(name)}/…, and publisher "
                f"{holder!r} holds them; give another with --name"
            )

    def holder(self, prefix: str) -> str:
        """Who holds it, something above it or something below it; empty when nobody does."""
        levels = prefix.lower().split("/")
        above = ("/".join(levels[:n]) for n in range(1, len(levels) + 1))
        found = next((self._holders[one] for one in above if one in self._holders), "")
        return found or self._below.get("/".join(levels), "")


def own_prefix(name: str) -> str:
    """Where a device of our own format with this id publishes: `gengfu/<id>`."""
    return f"gengfu/{name}"
