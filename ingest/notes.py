"""What profiles have learnt, between restarts: notes on their way through the journal into the database.

A note is journalled with the tick that learnt it and committed in the tick's transaction; a replay commits it
again. So table `profile_note` is, after recovery, what the profiles knew with the newest journalled message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from devices.database import insert_new
from devices.profiles.profile import Note
from ingest.device_tests import write_tests
from ingest.schema import profile_note

OURS: Final = ""
"""The `profile` of ingest's own notes."""
HOLDS: Final = "hold"
"""Ingest's own table of flags that will count as false: series slot to the time in microseconds."""
CLOCKS: Final = "clock"
"""Ingest's own table of clocks that are behind: registry id to microseconds."""
FILTERS: Final = "filter"
"""Ingest's own table of what each broker's session may be subscribed to: source name to a JSON list."""
TESTS: Final = "test"
"""Ingest's own table of tests that run: series slot to when each began and was received, in microseconds."""
TESTED: Final = "tested"
"""Notes that are rows of `device_test` instead; see `ingest.device_tests`."""
NAME_CHARS: Final = 64
KEY_CHARS: Final = 512
"""Characters of a key. PostgreSQL takes at most 2,704 bytes in an index line, and a line that it refuses
would hold up the alarm in the same transaction: 64 + 64 + 512 characters of 4 bytes each stay below
(chosen)."""
VALUE_CHARS: Final = 65_536
"""Characters of a value: what a profile's memory allows (chosen)."""


def takeable(notes: Iterable[Note]) -> list[Note]:
    """Those notes that journal and database take, as they take them; the last of each key.

    Text is without NUL and lone surrogates. A note with a longer name, key or value is left out: a cut key
    would stand for another.
    """
    kept: dict[tuple[str, str, str], Note] = {}
    for one in notes:
        if len(one.key) <= KEY_CHARS and len(one.value) <= VALUE_CHARS:
            note = Note(one.profile[:NAME_CHARS], one.table[:NAME_CHARS], plain(one.key), plain(one.value))
            kept[note[:3]] = note
    return list(kept.values())


def plain(text: str) -> str:
    """Text as journal and databases take it, with U+FFFD for NUL and for lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def write_notes(connection: Connection, notes: Sequence[Note]) -> None:
    """Writes the last note of each key; an empty value takes its row away."""
    if not notes:
        return
    last = {one[:3]: one.value for one in notes}
    write_tests(connection, {key: value for (*where, key), value in last.items() if where == [OURS, TESTED]})
    rows = [
        {"b_profile": profile, "b_table": table, "b_key": key, "b_value": value}
        for (profile, table, key), value in last.items()
        if (profile, table) != (OURS, TESTED)
    ]
    if not rows:
        return
    connection.execute(_FORGET, [{name: row[name] for name in _KEY} for row in rows])
    fresh = [
        {"profile": row["b_profile"], "table": row["b_table"], "key": row["b_key"], "value": row["b_value"]}
        for row in rows
        if row["b_value"]
    ]
    if fresh:
        connection.execute(insert_new(connection, profile_note), fresh)


def stored_notes(connection: Connection, profile: str | None = None, table: str | None = None) -> list[Note]:
    """All notes, or those of one profile, of one of its tables."""
    columns = profile_note.c
    query = select(columns.profile, columns["table"], columns.key, columns.value)
    if profile is not None:
        query = query.where(columns.profile == profile)
    if table is not None:
        query = query.where(columns["table"] == table)
    return [Note(*row) for row in connection.execute(query)]


class Recent:
    """The notes of the ticks since `begin`, for whoever reads the stored ones meanwhile. Begun while no tick
    is in hand, all before it are in the database."""

    def __init__(self) -> None:
        self._kept: list[Note] | None = None

    def begin(self) -> None:
        """From now on notes are kept."""
        self._kept = []

    def end(self) -> list[Note]:
        """What was kept, in order; none is kept any more."""
        kept, self._kept = self._kept or [], None
        return kept

    def passing(self, notes: list[Note]) -> list[Note]:
        """The same notes, on their way into a record."""
        kept = self._kept
        if notes and kept is not None:
            kept.extend(notes)
        return notes


def by_profile(notes: Iterable[Note]) -> dict[str, list[Note]]:
    """Notes by the profile they are of, each in order."""
    found: dict[str, list[Note]] = {}
    for one in notes:
        found.setdefault(one.profile, []).append(one)
    return found


def filters_held(connection: Connection) -> dict[str, tuple[str, ...]]:
    """What each broker's session may be subscribed to, by the source's name, as `note_filters` noted it."""
    held = {}
    for one in stored_notes(connection, OURS, FILTERS):
        held[one.key] = tuple(str(text) for text in json.loads(one.value))
    return held


def filter_notes(held: Mapping[str, Iterable[str]]) -> list[Note]:
    """The notes that `filters_held` reads."""
    return [Note(OURS, FILTERS, name, json.dumps(sorted(filters))) for name, filters in held.items()]


_KEY: Final = ("b_profile", "b_table", "b_key")
_FORGET: Final = delete(profile_note).where(
    profile_note.c.profile == bindparam("b_profile"),
    profile_note.c["table"] == bindparam("b_table"),
    profile_note.c.key == bindparam("b_key"),
)
