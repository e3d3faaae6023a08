"""Refusals gathered in memory and added to the table `refusal`: few rows, however many strangers call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from devices.schema import refusal
from ingest.gate.lines import Refused

ROWS_MAX: Final = 1000
"""Rows of the table and entries in memory (chosen: more than anybody reads)."""
OTHERS: Final = "*"
"""Stands for everybody there was no row left for."""
KEEP_US: Final = 30 * 86_400_000_000
"""A row not refused again for so long makes room when the table is full (chosen: a month)."""


@dataclass(slots=True)
class _Count:
    topic: str
    address: str
    count: int
    first_us: int
    last_us: int


class Tally:
    """Refusals since the last `write`. `totals` counts by kind since start."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], _Count] = {}
        self.totals: dict[str, int] = {"login": 0, "topic": 0}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, refused: Refused, now_us: int) -> None:
        """Counts one."""
        self.totals[refused.kind] += 1
        key = (refused.kind, refused.who)
        if key not in self._counts and len(self._counts) >= ROWS_MAX:
            key = (refused.kind, OTHERS)
        known = self._counts.get(key)
        if known is None:
            self._counts[key] = _Count(refused.topic, refused.address, 1, now_us, now_us)
        else:
            known.count += 1
            known.address, known.last_us = refused.address or known.address, now_us

    def write(self, connection: Connection) -> None:
        """Adds all of it to the table, in the caller's transaction; `clear` when that is committed."""
        rows = connection.scalar(select(func.count()).select_from(refusal)) or 0
        for (kind, who), one in self._counts.items():
            if _increase(connection, kind, who, one):
                continue
            if rows >= ROWS_MAX:
                rows -= _make_room(connection, one.last_us)
            if rows >= ROWS_MAX:
                if not _increase(connection, kind, OTHERS, one):
                    _insert(connection, kind, OTHERS, one)
            else:
                _insert(connection, kind, who, one)
                rows += 1

    def clear(self) -> None:
        """Forgets what was written."""
        self._counts.clear()


def _increase(connection: Connection, kind: str, who: str, one: _Count) -> bool:
    c = refusal.c
    values = {"count": c.count + one.count, "last_us": one.last_us}
    if one.address:
        values["address"] = one.address
    done = connection.execute(update(refusal).where(c.kind == kind, c.who == who).values(values))
    return done.rowcount > 0


def _insert(connection: Connection, kind: str, who: str, one: _Count) -> None:
    connection.execute(
        insert(refusal).values(
            kind=kind,
            who=who,
            topic=one.topic,
            address=one.address,
            count=one.count,
            first_us=one.first_us,
            last_us=one.last_us,
        )
    )


def _make_room(connection: Connection, now_us: int) -> int:
    return connection.execute(delete(refusal).where(refusal.c.last_us < now_us - KEEP_US)).rowcount
