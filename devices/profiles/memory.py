"""What a profile must know after a restart: bounded tables of texts, and the notes that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from devices.profiles.profile import Note

KEYS_MAX: Final = 100_000
"""Keys in all tables of a profile (chosen: a tenth of the devices of a large site need any)."""
KEY_LENGTH_MAX: Final = 512
VALUE_BYTES_MAX: Final = 64 * 1024
"""A Sparkplug birth of a thousand metrics has 40 KiB (chosen)."""
BYTES_MAX: Final = 64 * 1024 * 1024
"""Keys and values of a profile together (chosen: births of 1,500 nodes of a thousand metrics, or any
100,000 short
texts)."""
TABLE_BYTES_MAX: Final = 48 * 1024 * 1024
"""Of one table (chosen: births that somebody invents leave room for names, parents and absences)."""
_NOTHING: Final[Mapping[str, str]] = {}


class Memory:
    """Tables of texts by name. A value "" is the same as none.

    What does not fit, a key too many, a value too long or too much of them together, is refused and
    counted; what is there stays.
    """

    def __init__(self, profile: str) -> None:
        self._profile = profile
        self._tables: dict[str, dict[str, str]] = {}
        self._changed: dict[tuple[str, str], str] = {}
        self._count = 0
        self._bytes = 0
        self._bytes_of: dict[str, int] = {}
        self.refused = 0
        """How often something did not fit."""
        self._followed: dict[str, list[set[str]]] = {}

    def __len__(self) -> int:
        """How many keys are kept."""
        return self._count

    def get(self, table: str, key: str) -> str:
        """The value, "" where there is none."""
        kept = self._tables.get(table)
        return kept.get(key, "") if kept else ""

    def table(self, table: str) -> Mapping[str, str]:
        """All of one table, as it is now."""
        return self._tables.get(table, _NOTHING)

    def follow(self, table: str) -> set[str]:
        """A set that the keys of a table are added to when they change, from now on; the caller takes them
        out."""
        changed: set[str] = set()
        self._followed.setdefault(table, []).append(changed)
        return changed

    def set(self, table: str, key: str, value: str) -> bool:
        """Keeps the value, or forgets the key where it is ""; noted only when it changes. False: refused."""
        before = self.get(table, key)
        if before == value:
            return True
        if not self._put(table, key, value, new=not before):
            self.refused += 1
            return False
        self._changed[table, key] = value
        return True

    def taken(self) -> tuple[Note, ...]:
        """What has changed since this was last asked, the last value of each key."""
        if not self._changed:
            return ()
        notes = tuple(Note(self._profile, *where, value) for where, value in self._changed.items())
        self._changed.clear()
        return notes

    def restore(self, notes: Iterable[Note]) -> None:
        """Takes back what was noted, as far as it fits. Notes of other profiles are passed over."""
        for note in notes:
            if note.profile == self._profile:
                before = self.get(note.table, note.key)
                if not self._put(note.table, note.key, note.value, new=not before):
                    self.refused += 1

    def _put(self, table: str, key: str, value: str, *, new: bool) -> bool:
        for changed in self._followed.get(table, ()):
            changed.add(key)
        before = "" if new else self._tables[table][key]
        if not value:
            if not new:
                del self._tables[table][key]
                self._count -= 1
                self._grown(table, -_size(key) - _size(before))
            return True
        more = _size(value) + _size(key) if new else _size(value) - _size(before)
        full = new and self._count >= KEYS_MAX
        if more > 0:
            full |= self._bytes + more > BYTES_MAX or self._bytes_of.get(table, 0) + more > TABLE_BYTES_MAX
        if full or len(key) > KEY_LENGTH_MAX or _size(value) > VALUE_BYTES_MAX:
            return False
        self._tables.setdefault(table, {})[key] = value
        self._count += new
        self._grown(table, more)
        return True

    def _grown(self, table: str, more: int) -> None:
        self._bytes += more
        self._bytes_of[table] = self._bytes_of.get(table, 0) + more


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
