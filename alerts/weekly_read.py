"""What the weekly report tells, read in a fixed number of queries whatever the size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Final

from sqlalchemy import ColumnElement, Connection, distinct, exists, func, select

from alerts.case import Act, Hazard
from alerts.digest_read import is_open, is_real
from alerts.reach_read import report_now
from alerts.schema import act, incident, incident_alarm
from alerts.weekly import SYSTEM, Held, Weekly
from alerts.whole_view import TAKING
from alerts.windows_kept import is_exercise
from devices.masking import mask_within
from devices.model import Carrier, PlaceKind, Severity

_FALSE: Final = ("nuisance", "fault", "unfounded")
"""Dispositions of what was no fire and no test."""
_IN_HAND: Final = tuple(map(str, (*TAKING, Act.FALSE_ALARM)))
_DARK: Final = "C3%"
"""Rules of many devices that fall silent together; the other rules that begin with C tell of one."""


def week_of(
    connection: Connection, since_us: int, now_us: int, uncarried: frozenset[Carrier] = frozenset()
) -> Weekly:
    """The report of what was opened after `since_us` until `now_us`. Exercises count nowhere; a part of
    another incident is no incident of its own."""
    counts, held = _incidents(connection, since_us, now_us)
    report = report_now(connection, now_us, uncarried, proven=False)
    homes = tuple(one.code for one in report.deserted if one.kind is PlaceKind.DWELLING)
    places = tuple(one.code for one in report.deserted if one.kind is not PlaceKind.DWELLING)
    a = incident_alarm.c
    return Weekly(
        since_us=since_us,
        until_us=now_us,
        counts=counts,
        held=held,
        rules=_rules(connection, since_us, now_us),
        causes=_causes(connection, since_us, now_us),
        silent=_standing(connection, a.rule.like("C%") & ~a.rule.like(_DARK)),
        dark=_standing(connection, a.rule.like(_DARK)),
        homes=homes,
        places=places,
        recovered=_recovered(connection),
    )


def _incidents(
    connection: Connection, since_us: int, now_us: int
) -> tuple[Mapping[str, int], Mapping[str, Held]]:
    i, a = incident.c, act.c
    opened = (i.opened_us > since_us) & (i.opened_us <= now_us)
    first = (
        select(a.incident_id, func.min(a.at_us).label("taken_us"))
        .where(a.outcome == "done", a.act.in_(_IN_HAND), a.at_us <= now_us)
        .group_by(a.incident_id)
        .subquery()
    )
    rows = connection.execute(
        select(i.severity, i.hazard, i.opened_us, first.c.taken_us)
        .outerjoin(first, first.c.incident_id == i.id)
        .where(opened, is_real())
    )
    by: dict[str, list[float | None]] = defaultdict(list)
    for severity, hazard, opened_us, taken_us in rows:
        name = SYSTEM if hazard == str(Hazard.SYSTEM) else severity
        by[name].append(None if taken_us is None else max(0.0, (taken_us - opened_us) / 1e6))
    return {name: len(many) for name, many in by.items()}, {name: _held(many) for name, many in by.items()}


def _held(waits: Iterable[float | None]) -> Held:
    every = list(waits)
    taken = [one for one in every if one is not None]
    return Held(len(every), len(taken), median(taken) if taken else 0.0, max(taken, default=0.0))


def _rules(connection: Connection, since_us: int, now_us: int) -> list[tuple[str, int]]:
    a, number = incident_alarm.c, func.count()
    rows = connection.execute(
        select(a.rule, number)
        .join(incident, incident.c.id == a.incident_id)
        .where(a.taken_us > since_us, a.taken_us <= now_us, ~is_exercise())
        .where(incident.c.hazard != str(Hazard.SYSTEM))
        .group_by(a.rule)
        .order_by(number.desc(), a.rule)
    )
    return [(rule, n) for rule, n in rows]


def _causes(connection: Connection, since_us: int, now_us: int) -> list[tuple[str, int]]:
    """False alarms by what was fed back: numbers in it masked, else by the disposition, else empty."""
    i = incident.c
    at_us = func.coalesce(i.false_alarm_us, i.closed_us)
    untrue = i.disposition.in_(_FALSE) | (i.false_alarm_us.is_not(None) & i.disposition.is_(None))
    rows = connection.execute(
        select(i.cause, i.disposition).where(untrue, at_us > since_us, at_us <= now_us, is_real())
    )
    found = Counter(
        mask_within(" ".join((cause or "").split())) or disposition or "" for cause, disposition in rows
    )
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))


def _standing(connection: Connection, rules: ColumnElement[bool]) -> int:
    """Devices of which an alarm of these rules stands."""
    a = incident_alarm.c
    query = select(func.count(distinct(a.uid))).join(incident, incident.c.id == a.incident_id)
    stands = rules, a.cleared_us.is_(None), is_open(), ~is_exercise()
    return int(connection.scalar(query.where(*stands)) or 0)


def _recovered(connection: Connection) -> int:
    i, a = incident.c, incident_alarm.c
    stands = exists().where(a.incident_id == i.id, a.cleared_us.is_(None))
    query = select(func.count()).where(i.severity == str(Severity.P3), i.hazard != str(Hazard.SYSTEM))
    return int(connection.scalar(query.where(is_open(), is_real(), ~stands)) or 0)
