"""Which part of the journal is written next: what comes in now before what is left from an outage.

The live road follows the journal's end. Where it has fallen behind and the server takes points again, what
lies between becomes a gap, and the live road goes on at the end. Gaps are closed in the order of time while
the live road rests. How far the journal may let go (`done`) is where the oldest gap stands: after a crash all
from there is written again, which does no harm.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final

from ingest.store.road import BATCH_RECORDS, Load, Road

BEHIND_US: Final = 10_000_000
"""How old the newest point written may be before the rest becomes a gap (chosen)."""
GAPS: Final = 256
"""Gaps kept apart; beyond it new ones are joined, with what was written between them."""


class Roads:
    """The live road and the gaps behind it. Figures may be asked for from any thread, all else from one."""

    def __init__(
        self,
        folder: Path,
        after: int,
        *,
        gaps: int = GAPS,
        behind_us: int = BEHIND_US,
        records: int = BATCH_RECORDS,
    ) -> None:
        """`records` of a load at most."""
        self._folder, self._records = folder, records
        self._most, self._behind_us = gaps, behind_us
        self._live = Road(folder, after, records=records)
        self._gaps: deque[tuple[int, int]] = deque()
        self._gap: Road | None = None
        self._damaged = 0

    @property
    def done(self) -> int:
        """The newest seq up to which everything has been passed."""
        if self._gap:
            return self._gap.position
        return self._gaps[0][0] if self._gaps else self._live.position

    @property
    def waiting(self) -> int:
        """How many durable records have not been passed. From any thread, where it may be behind."""
        gaps = sum(until - after for after, until in tuple(self._gaps))
        gap, live = self._gap, self._live
        left = gap.until - gap.position if gap else 0
        return gaps + left + max(0, live.durable - live.position)

    @property
    def damaged(self) -> int:
        """How often the journal could not be read. From any thread, as `waiting`."""
        gap = self._gap
        return self._damaged + self._live.damaged + (gap.damaged if gap else 0)

    def ahead(self, *, live: bool) -> Load | None:
        """What comes next on the live road, or in the oldest gap."""
        if live:
            return self._live.ahead()
        road = self._oldest()
        return road.ahead() if road else None

    def look_further(self, *, live: bool) -> None:
        """Reads what comes behind the load at hand, as `Road` does."""
        road = self._live if live else self._gap
        if road:
            road.look_further()

    def pass_by(self, load: Load, now_us: int, *, live: bool) -> None:
        """`load`, which `ahead` gave, is written."""
        if live:
            self._live.pass_by(load)
            if load.full and load.records and abs(now_us - load.records[-1].tick_us) > self._behind_us:
                self._leap()
        elif self._gap:
            self._gap.pass_by(load)
            self._oldest()

    def close(self) -> None:
        """Lets go of the journal's files."""
        self._live.close()
        if self._gap:
            self._gap.close()

    def _leap(self) -> None:
        """What the live road has before it becomes a gap."""
        after, until = self._live.position, self._live.durable
        if len(self._gaps) >= self._most:
            after = self._gaps.pop()[0]
        self._gaps.append((after, until))
        self._damaged += self._live.damaged
        self._live.close()
        self._live = Road(self._folder, until, records=self._records)

    def _oldest(self) -> Road | None:
        """The road through the oldest gap; the next one where it is over."""
        if self._gap and self._gap.is_over:
            self._damaged += self._gap.damaged
            self._gap.close()
            self._gap = None
        if self._gap is None and self._gaps:
            self._gap = Road(self._folder, *self._gaps.popleft(), records=self._records)
        return self._gap
