"""The keys that seal personal data: numbered, the newest first, in a file or in the environment.

One line a key: `<number> <base64 of 32 bytes> [<when it was made, ISO 8601>]`; a comma may stand for the end
of a line, because not every place that holds environment variables takes several lines. A line of base64
alone is number 1. The number is the first byte of what the key sealed, so a file may hold at most 255.

Errors:
* VaultError
  * KeyMissing: there is no key file.
  * KeyExists: there is one already; a key is never overwritten.
  * KeyUnreadable: the file (or variable) cannot be read or does not hold keys.
  * KeyExposed: others than the owner may read the file.
  * SealBroken (`devices.vault`): sealed bytes were altered, belong elsewhere, or were made with another key.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = "GENGFU_KEY"
"""The variable that wins over the file; it holds the same text."""
KEY_BYTES: Final = 32
"""AES-256 (FIPS 197)."""
LARGEST: Final = 255
"""A number is one byte; 0 is not used."""


class VaultError(Exception):
    """Personal data cannot be sealed or opened; the text says what to do."""


class KeyMissing(VaultError):
    """There is no key file."""


class KeyExists(VaultError):
    """The file is there already and is left alone."""


class KeyUnreadable(VaultError):
    """The keys cannot be read, or there are none in what was read."""


class KeyExposed(VaultError):
    """The key file is open to others; the text holds the command that mends it."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `made_us` is None where nobody noted it. Its text never holds the secret."""

    number: int
    secret: bytes = field(repr=False)
    made_us: int | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """At least one key, the newest first; no number twice. Raises KeyUnreadable when made otherwise."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        numbers = [key.number for key in self.keys]
        if not numbers:
            raise KeyUnreadable(f"no key: {KEY_BYTES} bytes in base64 are expected")
        if len(set(numbers)) != len(numbers):
            raise KeyUnreadable(f"a key's number stands twice: {', '.join(map(str, numbers))}")
        for key in self.keys:
            if not 1 <= key.number <= LARGEST:
                raise KeyUnreadable(f"key number {key.number}: 1 to {LARGEST} is allowed")
            if len(key.secret) != KEY_BYTES:
                raise KeyUnreadable(f"a key has {KEY_BYTES} bytes, key {key.number} has {len(key.secret)}")

    @property
    def newest(self) -> Key:
        """The one that seals."""
        return self.keys[0]

    @property
    def numbers(self) -> tuple[int, ...]:
        """All numbers, the newest first."""
        return tuple(key.number for key in self.keys)

    def with_new(self, made_us: int) -> Keyring:
        """This ring with a new random key in front. Raises VaultError when all numbers are taken."""
        ahead = [*range(self.newest.number + 1, LARGEST + 1), *range(1, self.newest.number)]
        free = next((number for number in ahead if number not in self.numbers), None)
        if free is None:
            raise VaultError(f"all {LARGEST} key numbers are taken; `gengfu key prune` removes old keys")
        return Keyring((Key(free, secrets.token_bytes(KEY_BYTES), made_us), *self.keys))

    def newest_alone(self) -> Keyring:
        """This ring without its old keys."""
        return Keyring(self.keys[:1])

    def text(self) -> str:
        """As `parse_keyring` takes it. This is the secret itself: it goes into the file and nowhere else."""
        return "".join(f"{_line(key)}\n" for key in self.keys)


def new_keyring(made_us: int | None = None) -> Keyring:
    """One new random key, number 1."""
    return Keyring((Key(1, secrets.token_bytes(KEY_BYTES), made_us),))


def _line(key: Key) -> str:
    line = f"{key.number} {base64.b64encode(key.secret).decode()}"
    if key.made_us is None:
        return line
    return f"{line} {datetime.fromtimestamp(key.made_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_keyring(text: bytes, name: str) -> Keyring:
    """The keys in `text`; `name` is what errors call it. Raises KeyUnreadable, which repeats none of it."""
    try:
        lines = text.decode("ascii").replace(",", "\n").splitlines()
        return Keyring(tuple(_parsed(line.split()) for line in lines if line.strip()))
    except (binascii.Error, ValueError):
        raise KeyUnreadable(
            f"{name}: not a key: a line `<number> <{KEY_BYTES} bytes in base64>` for each is expected"
        ) from None
    except KeyUnreadable as error:
        raise KeyUnreadable(f"{name}: {error}") from None


def _parsed(words: list[str]) -> Key:
    if len(words) == 1:
        words = ["1", *words]
    number, secret, *made = words
    if len(made) > 1:
        raise ValueError("more than number, key and time")
    made_us = _us(datetime.fromisoformat(made[0])) if made else None
    return Key(_number(number), base64.b64decode(secret, validate=True), made_us)


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ValueError("not a number")
    return int(word[:4])


def _us(at: datetime) -> int:
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * 1_000_000


def without_key(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for a program that has no use for the key."""
    return {name: value for name, value in environ.items() if name != ENVIRONMENT}


def is_in_environment(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the keys come from the environment and the file is not asked."""
    return bool((os.environ if environ is None else environ).get(ENVIRONMENT, "").strip())


def read_keyring(path: Path, environ: Mapping[str, str] | None = None) -> Keyring:
    """The keys of $GENGFU_KEY when it is set, else of the file at `path`.

    Raises KeyMissing or KeyUnreadable. Who may read the file is not looked at: `check_mode` does.
    """
    if is_in_environment(environ):
        text = (os.environ if environ is None else environ)[ENVIRONMENT]
        return parse_keyring(text.encode("utf-8", "surrogateescape"), f"${ENVIRONMENT}")
    try:
        return parse_keyring(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise KeyMissing(f"{path}: no key file") from None
    except OSError as error:
        raise KeyUnreadable(f"{path}: cannot be read: {error.strerror}") from None


def check_mode(path: Path) -> None:
    """Raises KeyExposed when the group or others have any right to the file; nothing when it is missing.

    Asked where a person starts something. A process that comes back in the night does not ask: a wrong mode
    must not keep it from telling of a fire.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyExposed(f"{path}: others may use the key (mode {mode:04o}); `chmod 600 {path}` mends it")


def create_key(path: Path, made_us: int | None = None) -> None:
    """Writes a new random key to `path`, readable by its owner only, whole or not at all.

    Makes missing folders. Raises KeyExists rather than overwrite: a lost key loses every name and number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mkstemp gives mode 0600
    try:
        _fill(handle, new_keyring(made_us))
        Path(path).hardlink_to(draft)  # fails where the name is taken, unlike rename
    except FileExistsError:
        raise KeyExists(f"{path}: there is a key already; it is never overwritten") from None
    finally:
        Path(draft).unlink()
    _sync_folder(path.parent)


def replace_keys(path: Path, keyring: Keyring) -> None:
    """Puts `keyring` in place of the key file: at every moment the old or the new one is there, whole.

    The owner stays who it was, so that running processes can read it. After an OSError the old file stands.
    """
    target = path.resolve()  # what a link leads to is replaced, not the link
    before = target.stat()
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)  # of a replacement that was cut off
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _fill(handle, keyring)
        if draft.stat().st_uid != before.st_uid or draft.stat().st_gid != before.st_gid:
            os.chown(draft, before.st_uid, before.st_gid)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _fill(handle: int, keyring: Keyring) -> None:
    with os.fdopen(handle, "wb") as file:
        file.write(keyring.text().encode())
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
