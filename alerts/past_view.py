"""What happened before where an incident is, and what else is open in its building, for the operators' page.

Near comes first: the dwelling (or the stair, or the building) itself, then its stair, then its building.
Exercises are left out, and so is what was merged into another incident, which stands for it. What lies at no
known place has a past only under the very same key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from alerts.board_view import OpenIncident, lines_of
from alerts.digest_read import is_open, is_real
from alerts.in_scope import seen_in
from alerts.places import stair_in
from alerts.schema import incident
from devices.masking import mask_within
from devices.model import PlaceKind
from devices.schema import dwelling, stair
from devices.scope import EVERYWHERE, Scope

SHOWN: Final = 10
"""Past incidents of one page, and open ones (chosen: what is read in a glance)."""
FALSE_DAYS: Final = 90
"""How far back false alarms are counted (chosen: a season)."""
_DAY_US: Final = 24 * 3600 * 1_000_000
_FALSE: Final = ("nuisance", "fault", "unfounded")
"""Dispositions of what was no fire and no test."""


class Near(IntEnum):
    """How near to the incident another one was."""

    HERE = 0
    STAIR = 1
    BUILDING = 2


@dataclass(frozen=True, slots=True)
class PastLine:
    """One incident that ended: `line` as on the board, and how it ended. `is_false`: it was found to be no
    fire. Numbers in `cause`, which somebody wrote, are masked."""

    line: OpenIncident
    near: Near
    closed_us: int | None
    disposition: str
    cause: str
    is_false: bool


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many there were at the very place in the last FALSE_DAYS. `causes` as they were fed back, with how
    many, the most frequent first; where nothing was, the disposition stands in `dispositions`."""

    count: int = 0
    causes: tuple[tuple[str, int], ...] = ()
    dispositions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """`before` holds at most SHOWN that ended, the nearest first, then the newest; `now` at most SHOWN that
    are open in the building, the nearest first, and `more_now` how many further ones."""

    before: tuple[PastLine, ...]
    now: tuple[OpenIncident, ...]
    more_now: int
    false_alarms: FalseAlarms


def past_of(
    connection: Connection, incident_id: int, language: str, now_us: int, scope: Scope = EVERYWHERE
) -> Past | None:
    """What is seen in `scope` of the place of this incident; None where that itself is not seen. A fixed
    number of queries, and at most four more for each place."""
    i = incident.c
    this = connection.execute(select(incident).where(i.id == incident_id, seen_in(scope))).one_or_none()
    if this is None:
        return None
    here, stair_id = _here(this), _stair_of(connection, this)
    near = _near(here, stair_id)
    others = (_lies_at(here, this.building_id), i.id.not_in([incident_id, this.merged_into or 0]))
    of_place = select(incident, near.label("near")).where(*others, is_real(), seen_in(scope))
    newest_first = (near, i.opened_us.desc(), i.id.desc())
    ended = connection.execute(of_place.where(~is_open()).order_by(*newest_first).limit(SHOWN)).all()
    open_now = connection.execute(of_place.where(is_open()).order_by(*newest_first).limit(SHOWN)).all()
    lines = lines_of(connection, [*ended, *open_now], language)
    return Past(
        before=tuple(_past_line(row, line) for row, line in zip(ended, lines, strict=False)),
        now=tuple(lines[len(ended) :]),
        more_now=_count(connection, of_place.where(is_open())) - len(open_now) if open_now else 0,
        false_alarms=_false_alarms(connection, of_place.where(near == Near.HERE), now_us),
    )


def _here(row: Row[Any]) -> str:
    """The key of the place itself, also where an exercise stands before it."""
    if row.dwelling_id:
        return f"{PlaceKind.DWELLING}:{row.dwelling_id}"
    if stair_id := stair_in(row.place):
        return f"{PlaceKind.STAIR}:{stair_id}"
    return f"{PlaceKind.BUILDING}:{row.building_id}" if row.building_id else str(row.place)


def _stair_of(connection: Connection, row: Row[Any]) -> int:
    if not row.dwelling_id:
        return stair_in(row.place)
    return int(connection.scalar(select(dwelling.c.stair_id).where(dwelling.c.id == row.dwelling_id)) or 0)


def _near(here: str, stair_id: int) -> ColumnElement[int]:
    i = incident.c
    at_home = i.dwelling_id.in_(select(dwelling.c.id).where(dwelling.c.stair_id == stair_id))
    in_stair = or_(at_home, i.place == f"{PlaceKind.STAIR}:{stair_id}")
    return case((i.place == here, int(Near.HERE)), (in_stair, int(Near.STAIR)), else_=int(Near.BUILDING))


def _lies_at(here: str, building_id: int) -> ColumnElement[bool]:
    """At this place or anywhere in this building, by the keys of its places, which are indexed."""
    if not building_id:
        return incident.c.place == here
    stairs = select(stair.c.id).where(stair.c.building_id == building_id)
    return incident.c.place.in_(
        union_all(
            select(literal(f"{PlaceKind.BUILDING}:{building_id}", Text)),
            select(literal(f"{PlaceKind.STAIR}:", Text) + cast(stair.c.id, Text)).where(
                stair.c.building_id == building_id
            ),
            select(literal(f"{PlaceKind.DWELLING}:", Text) + cast(dwelling.c.id, Text)).where(
                dwelling.c.stair_id.in_(stairs)
            ),
        )
    )


def _past_line(row: Row[Any], line: OpenIncident) -> PastLine:
    is_false = row.disposition in _FALSE or (row.false_alarm_us is not None and not row.disposition)
    return PastLine(
        line, Near(row.near), row.closed_us, row.disposition or "", _said(row.cause), is_false=is_false
    )


def _said(cause: str | None) -> str:
    return mask_within(" ".join((cause or "").split()))


def _count(connection: Connection, of_place: Select[Any]) -> int:
    return int(connection.scalar(select(func.count()).select_from(of_place.subquery())) or 0)


def _false_alarms(connection: Connection, of_here: Select[Any], now_us: int) -> FalseAlarms:
    i = incident.c
    at_us = func.coalesce(i.false_alarm_us, i.closed_us)
    untrue = i.disposition.in_(_FALSE) | (i.false_alarm_us.is_not(None) & i.disposition.is_(None))
    rows = connection.execute(
        of_here.where(untrue, at_us > now_us - FALSE_DAYS * _DAY_US, at_us <= now_us)
    ).all()
    causes = Counter(said for row in rows if (said := _said(row.cause)))
    unsaid = Counter(row.disposition or "" for row in rows if not _said(row.cause))
    return FalseAlarms(len(rows), _most_first(causes), _most_first(unsaid))


def _most_first(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    many: Sequence[tuple[str, int]] = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(many)
