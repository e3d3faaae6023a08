"""Refusals gathered in memory and added to the table `refusal`: few rows, however many strangers call.

Publishers of the registry always have a row of their own. Strangers share `ROWS_MAX` rows a kind, so that no
crowd at the door hides who publishes where it must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from devices.schema import publisher, refusal
from ingest.gate.lines import Refused

ROWS_MAX: Final = 500
"""Rows of strangers a kind, in the table and in memory (chosen: more than anybody reads)."""
OTHERS: Final = "*"
"""Stands for the strangers there was no row left for."""
KEEP_US: Final = 30 * 86_400_000_000
"""A stranger's row not refused again for so long makes room when there is none (chosen: a month)."""
ROOM: Final = 50
"""Rows given up at once where there is no room (chosen: so that a crowd does not delete row by row)."""


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
        self._strangers = {"login": 0, "topic": 0}
        self.totals: dict[str, int] = {"login": 0, "topic": 0}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, refused: Refused, now_us: int, *, known: bool = False) -> None:
        """Counts one; `known`: `who` is a publisher of the registry."""
        self.totals[refused.kind] += 1
        key = (refused.kind, refused.who)
        if key not in self._counts and not known:
            if self._strangers[refused.kind] >= ROWS_MAX:
                key = (refused.kind, OTHERS)
            else:
                self._strangers[refused.kind] += 1
        there = self._counts.get(key)
        if there is None:
            self._counts[key] = _Count(refused.topic, refused.address, 1, now_us, now_us)
        else:
            there.count += 1
            there.address, there.last_us = refused.address or there.address, now_us

    def write(self, connection: Connection) -> None:
        """Adds all of it to the table, in the caller's transaction; `clear` when that is committed."""
        room = {kind: ROWS_MAX - _strangers(connection, kind) for kind in self._strangers}
        for (kind, who), one in self._counts.items():
            if _increase(connection, kind, who, one):
                continue
            if not _is_publisher(connection, who):
                if room[kind] <= 0:
                    room[kind] += _make_room(connection, kind, one.last_us)
                if room[kind] <= 0:
                    if not _increase(connection, kind, OTHERS, one):
                        _insert(connection, kind, OTHERS, one)
                    continue
                room[kind] -= 1
            _insert(connection, kind, who, one)

    def clear(self) -> None:
        """Forgets what was written."""
        self._counts.clear()
        self._strangers = dict.fromkeys(self._strangers, 0)


_STRANGER: Final = ~exists().where(publisher.c.name == refusal.c.who)


def _strangers(connection: Connection, kind: str) -> int:
    mine = (refusal.c.kind == kind) & (refusal.c.who != OTHERS) & _STRANGER
    return connection.scalar(select(func.count()).select_from(refusal).where(mine)) or 0


def _is_publisher(connection: Connection, who: str) -> bool:
    return connection.scalar(select(publisher.c.id).where(publisher.c.name == who)) is not None


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


def _make_room(connection: Connection, kind: str, now_us: int) -> int:
    """Strangers' rows given up: those of long ago, else the oldest refused only once. Their number goes on
    in `totals` only."""
    mine = (refusal.c.kind == kind) & (refusal.c.who != OTHERS) & _STRANGER
    old = connection.execute(delete(refusal).where(mine, refusal.c.last_us < now_us - KEEP_US)).rowcount
    if old:
        return old
    once = (
        select(refusal.c.id)
        .where(mine, refusal.c.count == 1, refusal.c.last_us < now_us)
        .order_by(refusal.c.last_us, refusal.c.id)
        .limit(ROOM)
    )
    return connection.execute(delete(refusal).where(refusal.c.id.in_(once))).rowcount
