"""Lines of boards as they were last read, by incident and language: who asks does not change them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from alerts.views import OpenIncident, lines_for
from console.evidence import evidence_of

REREAD_S: Final = 20.0
"""What a line says changes without a change of its incident too: messages that a provider took, a name in
the registry. It is read again after so long (chosen)."""
REREAD_AT_ONCE: Final = 20
"""Lines that are read again in one go for their age alone, so that no look takes long (chosen)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its words of evidence."""

    incident: OpenIncident
    evidence: str


class Lines:
    """Reads what it does not know. One thread at a time."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._known: dict[tuple[str, int], tuple[Line, float]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def forget(self, ids: Collection[int] | None = None) -> None:
        """These incidents, or all."""
        if ids is None:
            self._known.clear()
            return
        for key in [key for key in self._known if key[1] in ids]:
            del self._known[key]

    def keep(self, shown: Collection[tuple[str, int]]) -> None:
        """Forgets everything but what is shown (language and incident)."""
        for key in self._known.keys() - shown:
            del self._known[key]

    def of(self, connection: Connection, ids: Sequence[int], language: str) -> list[Line]:
        """In the order given; the same object as long as nothing in it is another. An incident that is gone
        is left out."""
        now_s = self._clock_s()
        missing = [one for one in ids if (language, one) not in self._known]
        old = [one for one in ids if self._is_old((language, one), now_s)][:REREAD_AT_ONCE]
        if missing or old:
            self._read(connection, [*missing, *old], language, now_s)
        found = (self._known.get((language, one)) for one in ids)
        return [line for line, _ in filter(None, found)]

    def _is_old(self, key: tuple[str, int], now_s: float) -> bool:
        known = self._known.get(key)
        return known is not None and now_s - known[1] >= REREAD_S

    def _read(self, connection: Connection, ids: Sequence[int], language: str, now_s: float) -> None:
        fresh = lines_for(connection, ids, language)
        words = evidence_of(connection, list(fresh.values()), language)
        for number in ids:
            known = self._known.pop((language, number), None)
            if number in fresh:
                line = Line(fresh[number], words[number])
                kept = known[0] if known is not None and known[0] == line else line
                self._known[language, number] = (kept, now_s)
