"""Changing the key that seals names and numbers, while the service runs.

A rotation adds a key in front and seals everything anew; a kill at any moment leaves a file with both keys
and rows under either, which every process opens. Pruning removes the old keys once nothing needs them.

Errors:
* KeysDiffer (a VaultError): $GENGFU_KEY and the key file would part ways.
* KeyInUse (a VaultError): an old key cannot go yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from devices.database import writing
from devices.keyring import ENVIRONMENT, VaultError, is_in_environment, read_keyring, replace_keys
from devices.registry.rows import note_change
from devices.resealing import Resealed, is_sealed_by_another, reseal, rows_by_key
from gengfu.key import fitting_key

YOUNG_US: Final = 3_600_000_000
"""An hour, longer than any import takes (chosen): what somebody sealed before the rotation and has not
committed yet would be lost with the old key."""
ROUNDS: Final = 10
"""How often pruning seals stragglers before it gives up (chosen: one round is the rule)."""


class KeysDiffer(VaultError):
    """Processes that read the file could not open what is sealed under the variable."""


class KeyInUse(VaultError):
    """Something is or may still be sealed with an old key; the text says what."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """`key` seals everything now. `added` is False where an earlier rotation was finished instead, or where
    the keys come from the environment."""

    key: int
    added: bool
    resealed: Resealed


@dataclass(frozen=True, slots=True)
class Pruned:
    """`removed` are the numbers that left; `resealed` what was still sealed with them."""

    key: int
    removed: tuple[int, ...]
    resealed: Resealed


def rotate(engine: Engine, path: Path, *, by: str, now_us: int, rest: Callable[[], None]) -> Rotated:
    """Seals everything under a new key, or finishes a rotation that was cut off.

    The file with both keys is on the disk before the first row is sealed with the new one. One at a time:
    the caller holds a lock. Raises VaultError, OSError; then nothing is lost and it can be run again.
    """
    vault = fitting_key(engine, path)
    _check_agreement(path)
    resealed = reseal(engine, vault, rest)
    unfinished = any(resealed.rows.values())
    added = not unfinished and not is_in_environment()
    if added:
        _add_key(path, now_us)
        resealed = reseal(engine, vault, rest)
    if any(resealed.rows.values()) or added:
        with writing(engine) as connection:
            note_change(connection, by, now_us, f"key rotate {vault.newest}")
    return Rotated(vault.newest, added, resealed)


def _check_agreement(path: Path) -> None:
    """With the variable set, a key file beside it must open what the variable's key seals."""
    if not is_in_environment() or not path.exists():
        return
    newest = read_keyring(path).newest
    if newest.secret not in [
        key.secret for key in read_keyring(path, {}).keys if key.number == newest.number
    ]:
        raise KeysDiffer(
            f"${ENVIRONMENT} seals with key {newest.number}, which {path} does not hold: processes that read "
            "the file could not open it; remove the file, or unset the variable"
        )


def _add_key(path: Path, now_us: int) -> None:
    wanted = read_keyring(path, {}).with_new(now_us)
    replace_keys(path, wanted)
    if read_keyring(path, {}).numbers != wanted.numbers:
        raise VaultError(f"{path}: does not hold what was written to it; nothing was sealed with the new key")


def prune(
    engine: Engine, path: Path, *, by: str, now_us: int, rest: Callable[[], None], at_once: bool = False
) -> Pruned:
    """Removes every key but the newest from the file, after sealing anew what an old one still seals.

    Refuses (KeyInUse) while something sealed with an old key cannot be opened, and within an hour of the
    rotation unless `at_once`. Nobody can seal with an old key behind its back: the file changes while nobody
    else can write, and every vault looks at the file before it seals.
    """
    vault = fitting_key(engine, path)
    _check_agreement(path)
    ring = read_keyring(path)
    resealed = reseal(engine, vault, rest)
    old = ring.numbers[1:]
    if resealed.unreadable:
        raise KeyInUse(
            f"{', '.join(resealed.unreadable)}: sealed with a key that is not here, or damaged; enter it "
            "anew or erase the contact, then run this again"
        )
    if is_in_environment() or not old:
        return Pruned(vault.newest, (), resealed)
    if not rows_by_key(engine):
        raise KeyInUse(
            "nothing is sealed in this database; if it is the right one, no old key does harm, and if it is "
            "not, another database needs it"
        )
    made_us = ring.newest.made_us
    if not at_once and made_us is not None and now_us - made_us < YOUNG_US:
        raise KeyInUse(
            f"key {ring.newest.number} is younger than an hour: somebody may not have committed yet what the "
            "old key sealed; run this later, or with --now when no import is under way"
        )
    for _ in range(ROUNDS):
        if _remove_old(engine, path, vault.newest, by, now_us):
            return Pruned(vault.newest, old, resealed)
        reseal(engine, vault, rest)
    raise KeyInUse("somebody goes on sealing with an old key: an older release, or a $GENGFU_KEY of its own")


def _remove_old(engine: Engine, path: Path, newest: int, by: str, now_us: int) -> bool:
    """A few milliseconds of file under the lock, because the lock is what makes it safe."""
    with writing(engine) as connection:
        if is_sealed_by_another(connection, newest):
            return False
        replace_keys(path, read_keyring(path, {}).newest_alone())
        note_change(connection, by, now_us, f"key prune, {newest} stays")
    return True
