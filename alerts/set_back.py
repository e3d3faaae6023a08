"""After our clock was set back: what was to come in a minute comes in a minute, and not when the old time has
come round again. `alerts.put_back` does the same for what has been.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, Engine, and_, case, func, not_, or_, select, update

from alerts.case import RELEASE, SILENCED, StepState
from alerts.schema import attempt, notification, pulse, step
from devices.database import reading, writing

BACK_US: Final = 2_000_000
"""A clock that went back by less was steered, not set (chosen: steps wait so much longer at most)."""


def newest_pulse_us(engine: Engine) -> int:
    """Until when some process of ours lived, by the clock of then; 0 for none."""
    with reading(engine) as connection:
        return connection.scalar(select(func.max(pulse.c.at_us))) or 0


def bring_back(engine: Engine, back_us: int, now_us: int) -> int:
    """Moves what is due after now to as much earlier as the clock went back, but not before now: steps, tries
    of messages, questions to providers. How many steps. Ends of windows stay: they are times of day."""
    with writing(engine) as connection:
        steps = _move(connection, step.c.due_us, back_us, now_us, _is_step())
        _move(connection, notification.c.next_try_us, back_us, now_us)
        _move(connection, attempt.c.ask_us, back_us, now_us)
        return steps


def _is_step() -> ColumnElement[bool]:
    markers = or_(*(step.c.name.startswith(word, autoescape=True) for word in (RELEASE, SILENCED)))
    return and_(step.c.state == StepState.PENDING, not_(markers))


def _move(
    connection: Connection, due: Column[int], back_us: int, now_us: int, *which: ColumnElement[bool]
) -> int:
    earlier = case((due - back_us > now_us, due - back_us), else_=now_us)
    statement = update(due.table).where(due > now_us, *which).values({due: earlier})
    return connection.execute(statement).rowcount
