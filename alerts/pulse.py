"""The processes' pulse: each writes that it works, and whoever reads can tell who has fallen silent.

Reading needs no other process, so the board shows a dead alerts process as well as a dead ingest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from alerts.schema import pulse

BEAT_S: Final = 5.0
"""How often a process writes its pulse (chosen: five small transactions in five seconds)."""
SILENT_US: Final = 20_000_000
"""A pulse older than four beats is silence (chosen: a busy disk may cost one or two)."""


@dataclass(frozen=True, slots=True)
class Ailing:
    """A process that is silent or in trouble. `trouble` is empty for silence, `since_us` its last pulse."""

    name: str
    since_us: int
    trouble: str


def beat(connection: Connection, name: str, at_us: int, trouble: str) -> None:
    """Writes the pulse of `name`; `trouble` says in a few words what it cannot do now, empty for nothing."""
    connection.execute(delete(pulse).where(pulse.c.name == name))
    connection.execute(insert(pulse).values(name=name, at_us=at_us, trouble=trouble[:200]))


def silence(connection: Connection, name: str) -> None:
    """Takes the pulse of a process away that ended in order: nobody misses it."""
    connection.execute(delete(pulse).where(pulse.c.name == name))


def ailing(connection: Connection, now_us: int) -> Sequence[Ailing]:
    """Who is silent or in trouble at `now_us`, by name. A process that never ran is not missed."""
    rows = connection.execute(select(pulse).order_by(pulse.c.name))
    return [
        Ailing(row.name, row.at_us, row.trouble)
        for row in rows
        if row.trouble or now_us - row.at_us > SILENT_US
    ]
