"""How late the alerts process is with what may be a fire, from the database: so it also tells a stuck one."""

from __future__ import annotations

import math
from typing import Final

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import OperationalError

from alerts.agenda import URGENT_CURSOR, next_due_us
from alerts.inbox import URGENT
from alerts.schema import cursor, transition
from devices.database import reading

LATE_S: Final = 10.0
"""An urgent transition or a due step that waits longer is not well: GB 26875.1-2011 4.1.2 asks for 10 s from
device to centre."""


def lateness_s(engine: Engine, now_us: int) -> float:
    """For how long the oldest urgent transition or due step waits to be decided, 0 where none does.

    NaN where the database cannot be read.
    """
    try:
        with reading(engine) as connection:
            since = [at for at in (_oldest_urgent_us(connection), next_due_us(connection)) if at is not None]
    except OperationalError:
        return math.nan
    return max(0.0, (now_us - min(since, default=now_us)) / 1e6)


def is_well(waiting_s: float) -> bool:
    """Whether so much lateness is within bounds; NaN is not."""
    return waiting_s <= LATE_S


def _oldest_urgent_us(connection: Connection) -> int | None:
    decided = connection.scalar(select(cursor.c.position).where(cursor.c.name == URGENT_CURSOR)) or 0
    waiting = select(func.min(transition.c.received_us)).where(
        transition.c.id > decided, transition.c.severity.in_([str(severity) for severity in URGENT])
    )
    oldest: int | None = connection.scalar(waiting)
    return oldest
