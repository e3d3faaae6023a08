"""The broker's password file and access list, derived from the registry.

One `pattern` line gives each user `gengfu/<its name>` and all below, which is all that a device of our own
format needs; only others have entries of their own. mosquitto searches users' entries one after another when
it reads them: 100,000 took it a minute to start, 10,000 half a second, the pattern nothing (2.0.11).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PASSWORDS: Final = "passwords"
ACCESS: Final = "access"
MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Account:
    """One user of the broker. `prefixes` may be written, topics and all below, and read too where it `reads`;
    who `reads_all` reads everything. `writes` are filters of further topics it may write to. A device reads
    nothing: what it does not acknowledge would fill the broker's memory."""

    name: str
    password_hash: str
    prefixes: tuple[str, ...] = ()
    reads_all: bool = False
    reads: bool = True
    writes: tuple[str, ...] = ()


def file_texts(accounts: Iterable[Account]) -> dict[str, str]:
    """File name to text. The first of two accounts with one name counts.

    Raises ValueError rather than write a line that says something else than meant.
    """
    unique: dict[str, Account] = {}
    for account in accounts:
        unique.setdefault(account.name, account)
    return {PASSWORDS: _passwords(unique.values()), ACCESS: _access(unique.values())}


def write_files(folder: Path, texts: dict[str, str]) -> bool:
    """Writes what differs from what is there, each file whole or not at all; whether anything was written.

    The access list comes first: who is new finds it ready. Files keep the owner and group of the folder, so
    that a broker running as another user can read them, and mode 0600 (0640 where the group differs from
    ours). Raises OSError.
    """
    written = False
    for name in (ACCESS, PASSWORDS):
        written |= _replace(folder / name, texts[name])
    return written


def _replace(path: Path, text: str) -> bool:
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return False
    except OSError:
        pass  # absent, or unreadable: written anew
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            _hand_over(out.fileno(), path.parent)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return True


def _hand_over(descriptor: int, folder: Path) -> None:
    """To the folder's owner where we may (as root), else readable for the folder's group."""
    place = folder.stat()
    if os.geteuid() == 0:
        os.fchown(descriptor, place.st_uid, place.st_gid)
    elif place.st_gid in os.getgroups() and place.st_gid != os.getegid():
        os.fchown(descriptor, -1, place.st_gid)
        os.fchmod(descriptor, 0o640)


def _passwords(accounts: Iterable[Account]) -> str:
    return "".join(f"{_safe(one.name, ': ')}:{_safe(one.password_hash, ': ')}\n" for one in accounts)


def _access(accounts: Iterable[Account]) -> str:
    lines = ["# Made by Gengfu from its registry; changes here are lost.\n"]
    for one in accounts:
        rights = ["topic read #\n"] if one.reads_all else []
        right = "readwrite" if one.reads else "write"
        others = (p for p in one.prefixes if one.reads or p != f"gengfu/{one.name}")
        rights += [f"topic {right} {_topic(p)}/#\n" for p in others]
        rights += [f"topic write {_filter(text)}\n" for text in one.writes]
        if rights:
            lines += [f"\nuser {_safe(one.name, ': ')}\n", *rights]
    return "".join([*lines, "\npattern write gengfu/%u/#\n"])


def _topic(text: str) -> str:
    if text != text.strip() or text.startswith("$"):
        raise ValueError("not a topic prefix")
    return _safe(text, "+#")


def _filter(text: str) -> str:
    if text != text.strip():
        raise ValueError("not a topic filter")
    return _safe(text, "")


def _safe(text: str, never: str) -> str:
    if not text or not text.isprintable() or any(c in text for c in never):
        raise ValueError("not fit for the broker's files")
    return text
