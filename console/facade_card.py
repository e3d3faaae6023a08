"""The card of one dwelling: its devices, who would be told, its incidents. Roles and codes, no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from alerts.board_view import lines_of
from alerts.case import ENDED_STATES
from alerts.dwelling_states_homes import Home
from alerts.dwelling_states_read import standing_of
from alerts.evidence import CHINESE
from alerts.schema import incident
from alerts.views import OpenIncident
from console.evidence import evidence_of
from console.facade_living import Asked
from devices.bound import Bound, bound_to_dwelling, duty_desks, with_desks
from devices.model import Severity
from devices.schema import device

PAST: Final = 20
"""Incidents that have ended, the newest (chosen: a screen of them)."""
OPEN: Final = 20
"""Open ones: a dwelling has one of each hazard, and exercises."""
KINDS: Final = frozenset({"smoke", "electrical"})
"""Kinds of device that have a name."""


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device in service: `kind` smoke, electrical or other; `alarms` what stands of it, in words."""

    uid: str
    label: str
    kind: str
    alarms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Everything of one dwelling. `why` is the evidence of incidents in words, by id; `more`: older ones are
    left out."""

    devices: tuple[DeviceLine, ...]
    people: tuple[Bound, ...]
    open: tuple[OpenIncident, ...]
    past: tuple[OpenIncident, ...]
    why: Mapping[int, str]
    more: bool


def card_of(connection: Connection, asked: Asked, home: Home) -> Card:
    """As it is now, in a fixed number of queries."""
    people = bound_to_dwelling(connection, home.id, asked.now_us, live=True)
    people = with_desks(people, lambda: duty_desks(connection, asked.now_us, live=True))
    open_, _ = _incidents(connection, home.id, asked.language, OPEN, is_open=True)
    past, more = _incidents(connection, home.id, asked.language, PAST, is_open=False)
    why = evidence_of(connection, [*open_, *past], asked.language)
    return Card(_devices(connection, home.id, asked.language), people, tuple(open_), tuple(past), why, more)


def _devices(connection: Connection, dwelling_id: int, language: str) -> tuple[DeviceLine, ...]:
    d = device.c
    rows = connection.execute(
        select(d.uid, d.label, d.kind)
        .where(d.dwelling_id == dwelling_id, d.retired_us.is_(None))
        .order_by(d.kind.desc(), d.uid)
    ).all()
    stands = standing_of(connection, [row.uid for row in rows])
    pick = language != CHINESE
    return tuple(
        DeviceLine(
            row.uid,
            row.label,
            row.kind if row.kind in KINDS else "other",
            tuple(dict.fromkeys(both[pick] for both in stands.get(row.uid, ()))),
        )
        for row in rows
    )


def _incidents(
    connection: Connection, dwelling_id: int, language: str, limit: int, *, is_open: bool
) -> tuple[Sequence[OpenIncident], bool]:
    """The newest of this dwelling, and whether there are more."""
    i = incident.c
    ended = i.state.in_([str(one) for one in ENDED_STATES])
    rows = connection.execute(
        select(incident)
        .where(i.dwelling_id == dwelling_id, ~ended if is_open else ended)
        .order_by(i.id.desc())
        .limit(limit + 1)
    ).all()
    lines = lines_of(connection, rows[:limit], language)
    return sorted(lines, key=_urgency) if is_open else lines, len(rows) > limit


def _urgency(one: OpenIncident) -> int:
    return Severity(one.severity).rank if one.severity in set(Severity) else -1
