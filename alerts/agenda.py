"""What waits for a turn: transitions and acts after their cursors, and due steps. Bounded, urgent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, update

from alerts import schema
from alerts.case import StepState
from alerts.held import next_release_us
from alerts.inbox import LESSER, URGENT, newest_transition_id, transition_rows_after
from alerts.pace import MOST
from alerts.windows_kept import CURSOR, ends_wait
from devices.database import insert_new

URGENT_LIMIT: Final = 500
LESSER_BESIDE_URGENT: Final = 10
ACT_LIMIT: Final = 100
STEP_LIMIT: Final = 500
"""What one turn takes, beside lesser transitions and incidents with lesser steps, of which `alerts/pace.py`
says how many: a fire that comes while a turn is decided waits for its end. With 500 of them the 99th
percentile of fires in a storm was 2.2 s, with 100 it was 1.0 s (measured on two cores). Beside urgent
transitions few are taken, so that they neither hold up a fire nor starve."""

_LESSER: Final = tuple(map(str, LESSER))
URGENT_CURSOR: Final = "urgent"
LESSER_CURSOR: Final = "lesser"
ACT_CURSOR: Final = "act"


@dataclass(frozen=True, slots=True)
class Agenda:
    """Rows to be decided in this turn, the cursors after it, and whether more wait behind the limits."""

    transitions: Sequence[Row[Any]]
    acts: Sequence[Row[Any]]
    due: Sequence[int]
    positions: Mapping[str, int]
    more: bool


def anything_waits(connection: Connection, now_us: int) -> bool:
    """Whether a turn has anything to do: a cheap read, so that an idle turn takes no write lock."""
    at = _positions(connection)
    newest_act = connection.scalar(select(func.max(schema.act.c.id))) or 0
    if newest_transition_id(connection) > min(at[URGENT_CURSOR], at[LESSER_CURSOR]):
        return True
    due = next_due_us(connection)
    if newest_act > at[ACT_CURSOR] or (due is not None and due <= now_us):
        return True
    return ends_wait(connection, at.get(CURSOR, 0))


def next_due_us(connection: Connection) -> int | None:
    """When the first pending step, or the first held message, is due; None without any."""
    pending = schema.step.c.state == StepState.PENDING
    step_us: int | None = connection.scalar(select(func.min(schema.step.c.due_us)).where(pending))
    return min(filter(None, (step_us, next_release_us(connection))), default=None)


def read_agenda(connection: Connection, now_us: int, lesser_at_once: int = MOST) -> Agenda:
    """What this turn takes, in the order in which it is to be decided."""
    at = _positions(connection)
    newest = newest_transition_id(connection)
    urgent = transition_rows_after(connection, at[URGENT_CURSOR], URGENT_LIMIT, URGENT)
    limit = min(LESSER_BESIDE_URGENT, lesser_at_once) if urgent else lesser_at_once
    lesser = transition_rows_after(connection, at[LESSER_CURSOR], limit, LESSER)
    acts = connection.execute(
        select(schema.act).where(schema.act.c.id > at[ACT_CURSOR]).order_by(schema.act.c.id).limit(ACT_LIMIT)
    ).all()
    burning = _due_incidents(connection, now_us, STEP_LIMIT, lesser=False)
    calm = _due_incidents(connection, now_us, limit, lesser=True)
    positions = {
        URGENT_CURSOR: urgent[-1].id if len(urgent) == URGENT_LIMIT else newest,
        LESSER_CURSOR: lesser[-1].id if len(lesser) == limit else newest,
        ACT_CURSOR: acts[-1].id if acts else at[ACT_CURSOR],
    }
    more = len(urgent) == URGENT_LIMIT or len(lesser) == limit
    more = more or len(acts) == ACT_LIMIT or len(burning) == STEP_LIMIT or len(calm) == limit
    return Agenda((*urgent, *lesser), acts, (*burning, *calm), positions, more)


def store_positions(connection: Connection, positions: Mapping[str, int]) -> None:
    """Moves the cursors, in the transaction that holds the effects."""
    rows = [{"name": name, "position": position} for name, position in positions.items()]
    connection.execute(insert_new(connection, schema.cursor), rows)
    connection.execute(_MOVE, [{"b_name": row["name"], "b_position": row["position"]} for row in rows])


_MOVE: Final = (
    update(schema.cursor)
    .where(schema.cursor.c.name == bindparam("b_name"))
    .values(position=bindparam("b_position"))
)


def _positions(connection: Connection) -> dict[str, int]:
    start = dict.fromkeys((URGENT_CURSOR, LESSER_CURSOR, ACT_CURSOR), 0)
    stored = connection.execute(select(schema.cursor.c.name, schema.cursor.c.position))
    return start | {row.name: row.position for row in stored}


def _due_incidents(connection: Connection, now_us: int, limit: int, *, lesser: bool) -> list[int]:
    """Incidents with a due step, worst first; P0 sorts before P0+, which is near enough. `lesser`: those that
    are certainly no fire alarm; else all others, of a severity that nobody knows too."""
    s, i = schema.step.c, schema.incident.c
    calm = i.severity.in_(_LESSER)
    rows = connection.execute(
        select(s.incident_id)
        .join(schema.incident, s.incident_id == i.id)
        .where(s.state == StepState.PENDING, s.due_us <= now_us, calm if lesser else ~calm)
        .order_by(i.severity, s.due_us)
        .limit(limit)
    )
    return list(rows.scalars())
