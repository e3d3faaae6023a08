"""Windows in SQL: made, ended, listed and read for a turn. Times are µs UTC.

A window is one row that never changes, its end another: so it ends once and for good, and the alerts process
learns of an end by its number.

Errors: those of `devices.registry.errors`, fit to show as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, insert, select

from alerts import schema
from alerts.case import ENDED_STATES, RELEASE, SILENCED, StepState
from alerts.hazards import ALARMING
from alerts.joining import US, Where
from alerts.surroundings import surroundings
from alerts.window_schema import bounded_window, bounded_window_end
from alerts.windows import AHEAD_MAX_US, LONGEST_MIN, Around, Scope, Window, WindowKind
from devices.database import insert_new, reading, writing
from devices.registry.errors import NotAllowed, NotThere, check_words, one_of
from devices.registry.rows import need
from devices.schema import area, building, device, dwelling, stair
from devices.spots import IDS, rows_in

log = structlog.get_logger()

CURSOR: Final = "window"
"""Of the ends of windows that turns have taken."""
STANDING_MAX: Final = 1_000
"""Windows in force or to come at one time: each turn reads those in force (chosen)."""
REASON_MAX: Final = 300
SKEW_US: Final = 60_000_000
"""A window that was made so long after now was made by a clock that has been put back since (chosen: the
clock of another machine that may make one differs by less)."""
_TABLES: Final = {
    Scope.AREA: area,
    Scope.BUILDING: building,
    Scope.STAIR: stair,
    Scope.DWELLING: dwelling,
    Scope.DEVICE: device,
}
_MINUTE_US: Final = 60_000_000
_W: Final = bounded_window.c
_E: Final = bounded_window_end.c

Failed = Callable[[str, Exception], Any]
"""Is told what could not be read."""


def add_window(
    connection: Connection,
    *,
    kind: WindowKind,
    scope: str,
    code: str,
    from_us: int,
    until_us: int,
    reason: str,
    by: str,
    now_us: int,
) -> Window:
    """Puts a window on record. A beginning in the past becomes now.

    Raises NotThere for a place or device that is not registered, NotAllowed for a reason that is none, a
    window that is too long, over or too far ahead, a second commissioning of one device, an exercise where a
    real fire alarm stands, and where STANDING_MAX stand already.
    """
    about = one_of(Scope, scope, "scope")
    if kind is WindowKind.COMMISSIONING and about is not Scope.DEVICE:
        raise NotAllowed(f"commissioning of a {about}: only a device is allowed")
    row = need(connection, _TABLES[about], "uid" if about is Scope.DEVICE else "code", code)
    from_us = max(from_us, now_us)
    _check_times(kind, from_us, until_us, now_us)
    _check_others(connection, kind, code, now_us)
    values = {
        "kind": str(kind),
        "scope": str(about),
        "place_id": 0 if about is Scope.DEVICE else int(row["id"]),
        "code": code,
        "from_us": from_us,
        "until_us": until_us,
        "author": by[:64],
        "reason": check_words(reason, REASON_MAX, "reason"),
        "made_us": now_us,
    }
    window = _window({"id": 0, **values, "ended_us": None, "by": None, "why": None})
    if kind is not WindowKind.SILENCE and from_us == now_us:
        _check_fires(connection, window)
    number = connection.execute(insert(bounded_window).values(values).returning(_W.id)).scalar_one()
    return _window({"id": number, **values, "ended_us": None, "by": None, "why": None})


def _check_times(kind: WindowKind, from_us: int, until_us: int, now_us: int) -> None:
    longest = LONGEST_MIN[kind]
    if until_us <= from_us:
        raise NotAllowed(f"a {kind} must end after it begins")
    if until_us - from_us > longest * _MINUTE_US:
        length = f"{longest // 1440} days" if longest >= 1440 else f"{longest} minutes"
        raise NotAllowed(f"a {kind} of more than {length}: at most {length} are allowed")
    if from_us - now_us > AHEAD_MAX_US:
        days = AHEAD_MAX_US // 86_400_000_000
        raise NotAllowed(f"a {kind} that begins in more than {days} days: at most {days} days are allowed")


def _check_others(connection: Connection, kind: WindowKind, code: str, now_us: int) -> None:
    standing = _selected().where(_W.until_us > now_us, _E.id.is_(None))
    found = connection.execute(standing).mappings().all()
    if len(found) >= STANDING_MAX:
        raise NotAllowed(f"{len(found)} windows are in force or to come: {STANDING_MAX} are allowed")
    if kind is WindowKind.COMMISSIONING and any(r["kind"] == kind and r["code"] == code for r in found):
        raise NotAllowed(f"{code} is being commissioned already: end that first")


def _check_fires(connection: Connection, window: Window) -> None:
    """Refuses an exercise where a real fire alarm stands: it would hide what comes after."""
    i, a = schema.incident.c, schema.incident_alarm.c
    rows = connection.execute(
        select(i.id, i.place, i.dwelling_id, i.building_id, a.uid)
        .join(schema.incident_alarm, a.incident_id == i.id)
        .where(i.state.not_in([str(s) for s in ENDED_STATES]), a.cleared_us.is_(None))
        .where(a.severity.in_([str(s) for s in ALARMING]), ~is_exercise())
        .order_by(i.id)
    ).all()
    wheres = {row.id: Where(row.place, row.dwelling_id, row.building_id) for row in rows}
    around = surroundings(connection, wheres.values()) if window.scope is not Scope.DEVICE else {}
    for row in rows:
        if window.covers(around.get(wheres[row.id], Around()), (row.uid,)):
            raise NotAllowed(
                f"a real fire alarm stands in incident {row.id}: reset or close it first, then begin"
            )


def end_window(
    connection: Connection, *, number: int, kind: WindowKind, reason: str, by: str, now_us: int
) -> None:
    """Ends a window now, begun or not. Raises NotThere when it is over or unknown."""
    found = connection.execute(
        _selected().where(_W.id == number, _W.kind == str(kind), _W.until_us > now_us, _E.id.is_(None))
    ).first()
    if found is None:
        raise NotThere(f"no {kind} {number} that is in force or to come")
    _end(connection, [number], by[:64], check_words(reason, REASON_MAX, "reason"), now_us)


def commissioning_of(connection: Connection, uid: str, now_us: int) -> int:
    """The number of the commissioning of a device that is in force. Raises NotThere."""
    number = connection.scalar(
        _selected(_W.id).where(
            _W.kind == WindowKind.COMMISSIONING, _W.code == uid, _W.until_us > now_us, _E.id.is_(None)
        )
    )
    if number is None:
        raise NotThere(f"{uid} is not being commissioned")
    return int(number)


def list_windows(
    connection: Connection, kind: WindowKind | None = None, *, since_us: int | None = None
) -> list[Window]:
    """All there ever were of a kind, by number; with `since_us` those that were not over at that instant."""
    query = _selected().order_by(_W.id)
    if kind is not None:
        query = query.where(_W.kind == str(kind))
    if since_us is not None:
        query = query.where(_W.until_us > since_us, (_E.id.is_(None)) | (_E.ended_us > since_us))
    return [_window(dict(row)) for row in connection.execute(query).mappings()]


def windows_at(connection: Connection, now_us: int, failed: Failed) -> tuple[Window, ...]:
    """Those in force. A row that this release does not understand is left out, and `failed` is told."""
    found = []
    in_force = (_W.from_us <= now_us, _W.until_us > now_us, _E.id.is_(None))
    for row in connection.execute(_selected().where(*in_force)).mappings():
        try:
            found.append(_window(dict(row)))
        except ValueError as error:
            failed(f"window {row['id']}", error)
    return tuple(found)


def newest_end_id(connection: Connection) -> int:
    """The number of the newest end, 0 before the first."""
    return int(connection.scalar(select(func.max(_E.id))) or 0)


def ends_wait(connection: Connection, position: int) -> bool:
    """Whether a window has ended of which no turn knows yet. What cannot be read waits for no turn: the next
    one says so."""
    try:
        with connection.begin_nested():
            return newest_end_id(connection) > position
    except Exception as error:
        log.error("ends_of_windows_not_readable", error=type(error).__name__)
        return False


def windows_ended(connection: Connection, after_id: int) -> frozenset[int]:
    """The windows whose ends have a number above `after_id`."""
    return frozenset(connection.scalars(select(_E.window_id).where(_E.id > after_id)))


def waiting_for(connection: Connection, ended: Collection[int], now_us: int) -> list[Row[Any]]:
    """The incidents in which something waits for the end of a window that is over: of those that `ended`, or
    by the time. Their id, place, dwelling_id and building_id."""
    s, i = schema.step.c, schema.incident.c
    names = [f"{kind}:{number}" for number in ended for kind in (RELEASE, SILENCED)]
    due = (s.due_us <= now_us) & (s.name.like(f"{RELEASE}:%") | s.name.like(f"{SILENCED}:%"))
    over = due | s.name.in_(names) if names else due
    return list(
        connection.execute(
            select(i.id, i.place, i.dwelling_id, i.building_id)
            .join(schema.step, s.incident_id == i.id)
            .where(s.state == StepState.PENDING, over)
            .distinct()
        )
    )


def recent_exercises(connection: Connection, building_ids: Collection[int], since_us: int) -> set[int]:
    """The exercises in these buildings that are open or were until `since_us`."""
    i = schema.incident.c
    recent = i.closed_us.is_(None) | (i.closed_us > since_us)
    query = select(i.id).where(i.building_id.in_(IDS), is_exercise(), recent)
    return {row.id for row in rows_in(connection, query, building_ids)}


def is_exercise() -> ColumnElement[bool]:
    """Of a row of `incident`: it is a drill's or commissioning."""
    place = schema.incident.c.place
    return place.like(f"{WindowKind.DRILL}:%") | place.like(f"{WindowKind.COMMISSIONING}:%")


def close_books(engine: Engine, now_us: int) -> None:
    """Ends for good the windows whose time is over, so that no clock put back brings them to life, and those
    that were made later than now by SKEW_US: their time cannot be told any more."""
    query = _selected(_W.id).where(_E.id.is_(None), (_W.until_us <= now_us) | (_W.made_us > now_us + SKEW_US))
    with reading(engine) as connection:
        if not list(connection.scalars(query.limit(1))):
            return
    with writing(engine) as connection:
        over = list(connection.scalars(query))
        _end(connection, over, US, "its time is over, or the clock was put back", now_us)
    log.info("windows_over", windows=over)


def _selected(*columns: ColumnElement[Any]) -> Select[Any]:
    """Windows with what ended them."""
    both = bounded_window.outerjoin(bounded_window_end, _E.window_id == _W.id)
    wanted = columns or (*bounded_window.columns, _E.ended_us, _E.by, _E.reason.label("why"))
    return select(*wanted).select_from(both)


def _end(connection: Connection, numbers: Collection[int], by: str, reason: str, now_us: int) -> None:
    rows = [{"window_id": n, "ended_us": now_us, "by": by, "reason": reason} for n in numbers]
    if rows:
        connection.execute(insert_new(connection, bounded_window_end), rows)


def _window(row: dict[str, Any]) -> Window:
    """Raises ValueError for a word this release does not know."""
    names = ("id", "place_id", "code", "from_us", "until_us", "author", "reason", "made_us", "ended_us")
    return Window(
        kind=WindowKind(row["kind"]),
        scope=Scope(row["scope"]),
        ended_by=row["by"] or "",
        end_reason=row["why"] or "",
        **{name: row[name] for name in names},
    )
