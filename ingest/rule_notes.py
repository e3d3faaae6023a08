"""Which rules hold from a record on, as a note of that record: recovery evaluates each by what held then.

Ingest does not read the text; the rules do (`ingest.seams.Rules.change`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection

from devices.profiles.profile import Note
from ingest.notes import OURS, stored_notes

RULES: Final = "rules"
"""Ingest's own table of what rules hold: one row, whose value is the whole text."""


class RuleNotes:
    """What is waiting to hold. `version` is that of the rules that hold now, for people who read journals."""

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self._waiting: deque[tuple[str, int]] = deque()

    def turn_to(self, text: str, version: int) -> None:
        """From the next record on `text` holds. May be called from another thread than the tick's."""
        self._waiting.append((text, version))

    @property
    def waits(self) -> bool:
        """Whether something is to hold that does not yet."""
        return bool(self._waiting)

    def take(self) -> list[Note]:
        """The note for the record that is being made, where something waits: the newest."""
        notes: list[Note] = []
        while self._waiting:
            text, self.version = self._waiting.popleft()
            notes = [Note(OURS, RULES, "", text)]
        return notes


def rule_texts(notes: Iterable[Note]) -> list[str]:
    """What holds from a record with these notes on; mostly none."""
    return [one.value for one in notes if one.table == RULES and one.profile == OURS]


def stored_rules(connection: Connection) -> str:
    """What held with the newest record that was committed; empty where nothing ever changed."""
    return next(iter(rule_texts(stored_notes(connection, OURS, RULES))), "")
