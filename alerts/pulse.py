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
"""A pulse older than four beats is silence (chosen: a busy disk may cost one or two). One from as far ahead
was written before the clock was set back, and is as old."""
STEADY_S: Final = 60.0
"""A process that lasts so long has started well (chosen, as the supervisor's `HEALTHY_S`)."""
RESTARTS: Final = "restarts"
"""The word of a process that ended out of order time and again; which, says how often in a row."""
TROUBLE_CHARS: Final = 4000
"""Of a pulse (chosen: room for the names of dozens of brokers)."""
_ONCE: Final = f"{RESTARTS}: 1"


@dataclass(frozen=True, slots=True)
class Ailing:
    """A process that is silent or in trouble. `trouble` is empty for silence, `since_us` its last pulse."""

    name: str
    since_us: int
    trouble: str


def beat(connection: Connection, name: str, at_us: int, trouble: str) -> None:
    """Writes the pulse of `name`; `trouble` says in a few words what it cannot do now, empty for nothing."""
    connection.execute(delete(pulse).where(pulse.c.name == name))
    connection.execute(insert(pulse).values(name=name, at_us=at_us, trouble=trouble[:TROUBLE_CHARS]))


def silence(connection: Connection, name: str) -> None:
    """Takes the pulse of a process away that ended in order: nobody misses it."""
    connection.execute(delete(pulse).where(pulse.c.name == name))


def ends_before(connection: Connection, name: str) -> int:
    """How often in a row `name` ended out of order before this start: such an end leaves its pulse behind.

    Ends count as in a row while no start lasted `STEADY_S`, after which a pulse says none any more.
    """
    said = connection.execute(select(pulse.c.trouble).where(pulse.c.name == name)).scalar()
    if said is None:
        return 0
    parts = dict(part.partition(": ")[::2] for part in str(said).split("; "))
    before = parts.get(RESTARTS, "")
    return int(before) + 1 if before.isdecimal() else 1


def with_ends(trouble: str, ends: int) -> str:
    """The trouble of a pulse with the ends in a row, as `ends_before` reads them."""
    return "; ".join(part for part in (trouble, f"{RESTARTS}: {ends}" if ends else "") if part)


def told_in(trouble: str) -> str:
    """What of a pulse's trouble people need to know: a single end out of order is over with the restart."""
    return "; ".join(part for part in trouble.split("; ") if part and part != _ONCE)


def is_silent(at_us: int, now_us: int) -> bool:
    """Whether a pulse of `at_us` is too old at `now_us`, by a clock that may have been set meanwhile."""
    return abs(now_us - at_us) > SILENT_US


def ailing(connection: Connection, now_us: int) -> Sequence[Ailing]:
    """Who is silent or in trouble at `now_us`, by name. A process that never ran is not missed."""
    rows = connection.execute(select(pulse).order_by(pulse.c.name))
    return [
        Ailing(row.name, row.at_us, trouble)
        for row in rows
        if (trouble := told_in(row.trouble)) or is_silent(row.at_us, now_us)
    ]
