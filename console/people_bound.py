"""Whom an incident concerns, as its page lists them: one line a contact. Which of their numbers may be seen
is decided here too. Pure, but for `concerned_by`.

Who was told stands first, in the order in which they were; after them the others as the shipped policies
list their roles (a site's own policies may tell them in another order), by rank and delay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from alerts.case import Incident
from alerts.cases import load_cases
from alerts.gate import agreed, confirmed, exercise_in, real
from alerts.links import OPEN_AFTER_CLOSE_US
from alerts.plans import Plans
from alerts.views import MessageLine
from alerts.whereabouts import Whereabouts
from alerts.whole_kept import with_wholes
from console.people_seam import TELEPHONES
from devices.bound import Bound, Way
from devices.model import Medium, Role

_RUNGS: Final = {rung: n for n, rung in enumerate((
    "dead", "undelivered", "rolled", "held", "waiting", "sending", "accepted", "delivered", "read",
    "picked_up", "answered",
))}  # fmt: skip
"""How far a message got, the least first."""
_LOST: Final = frozenset({"dead", "undelivered"})


class Held(StrEnum):
    """Why a number of somebody who is bound there is not shown."""

    UNCONFIRMED = "unconfirmed"
    """The fire brigade is reached through the confirm gate only (life_safety, who is told)."""
    EXERCISE = "exercise"
    """No exercise reaches a station."""
    OVER = "over"
    """It ended more than a day ago, as long as a link to it is open."""


@dataclass(frozen=True, slots=True)
class WayLine:
    """One way to reach somebody. `rung` is how far the furthest message of this medium got in the incident,
    empty where none was sent; `reached_us` when; `has_number` where it is a telephone."""

    channel_id: int
    medium: Medium
    rung: str
    reached_us: int | None
    has_number: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One contact. `roles` in the order of the list; `away` where a substitute stands in for every role.

    `is_unreachable`: no way is registered, or every message so far was lost. `held`: no number of theirs is
    shown, and why.
    """

    contact_id: int
    code: str
    roles: tuple[Role, ...]
    stands_for: tuple[str, ...]
    ways: tuple[WayLine, ...]
    away: bool
    is_unreachable: bool
    takes_unconfirmed: bool
    held: Held | None


@dataclass(frozen=True, slots=True)
class Concerned:
    """An incident and whom it concerns. `parts` are the incident itself and what was merged into it."""

    incident: Incident
    parts: tuple[Incident, ...]
    bound: tuple[Bound, ...]


def concerned_by(connection: Connection, incident_id: int, now_us: int) -> Concerned | None:
    """Read from the registry as it stands; None where there is no such incident, or none that this release
    can read."""
    cases = with_wholes(connection, load_cases(connection, ids=(incident_id,)))
    if incident_id not in cases:
        return None
    where = Whereabouts(connection, now_us)
    every = [case.incident for case in cases.values()]
    parts = tuple(one for one in every if incident_id in {one.id, one.merged_into})
    found = {(one.contact_id, one.role): one for part in parts for one in where.bound(part)}
    return Concerned(cases[incident_id].incident, parts, tuple(found.values()))


def people_of(about: Concerned, messages: Sequence[MessageLine], now_us: int) -> tuple[Person, ...]:
    """Everybody, one line a contact."""
    told = _told(messages)
    order = _roles_in_order(about.incident)
    mine: dict[int, list[Bound]] = {}
    for one in sorted(about.bound, key=lambda b: (order[b.role], b.rank, b.delay_s, b.contact_id)):
        mine.setdefault(one.contact_id, []).append(one)
    people = [_person(about, many, told.get(many[0].code, ()), now_us) for many in mine.values()]
    first = {code: min(one.id for one in sent) for code, sent in told.items()}
    return tuple(sorted(people, key=lambda one: first.get(one.code, 2**63)))


def held_back(about: Concerned, many: Sequence[Bound], now_us: int) -> Held | None:
    """Why no number of this contact, who is bound there so, is shown; None where one is.

    Whoever may be told, in some role and of some part, may be called: the gate is that of messages
    (`alerts.gate`).
    """
    closed_us = about.incident.closed_us
    if closed_us is not None and now_us - closed_us > OPEN_AFTER_CLOSE_US:
        return Held.OVER
    gates = [_held_as(one, part) for one in many for part in about.parts]
    return None if None in gates else next(iter(gates), None)


def _held_as(one: Bound, incident: Incident) -> Held | None:
    if one.role not in {Role.MICRO_STATION, Role.FIRE_BRIGADE}:
        return None
    leave = real(incident.id, incident.tags | {exercise_in(incident.place)})
    if leave is None:
        return Held.EXERCISE
    if one.role is Role.FIRE_BRIGADE and not (confirmed(leave, incident.severity) or agreed(leave, one)):
        return Held.UNCONFIRMED
    return None


def _roles_in_order(incident: Incident) -> Mapping[Role, int]:
    listed = [role for plan in Plans().policy_of(incident) for role in plan.roles]
    return {role: n for n, role in enumerate(dict.fromkeys([*listed, *Role]))}


def _told(messages: Sequence[MessageLine]) -> dict[str, list[MessageLine]]:
    told: dict[str, list[MessageLine]] = {}
    for one in messages:
        told.setdefault(one.contact, []).append(one)
    return told


def _person(about: Concerned, many: Sequence[Bound], told: Sequence[MessageLine], now_us: int) -> Person:
    first = many[0]
    away = all(one.away for one in many)
    lost = bool(told) and all(one.rung in _LOST for one in told)
    return Person(
        contact_id=first.contact_id,
        code=first.code,
        roles=tuple(one.role for one in many),
        stands_for=tuple(sorted({code for one in many for code in one.stands_for})),
        ways=tuple(_way(way, told) for way in sorted(first.ways, key=lambda way: (way.rank, way.channel_id))),
        away=away,
        is_unreachable=not first.ways or lost,
        takes_unconfirmed=any(one.takes_unconfirmed for one in many),
        held=held_back(about, many, now_us),
    )


def _way(way: Way, told: Sequence[MessageLine]) -> WayLine:
    sent = [one for one in told if one.medium == way.medium]
    best = max(sent, key=lambda one: (_RUNGS.get(one.rung, 0), one.id), default=None)
    return WayLine(
        way.channel_id, way.medium, best.rung if best else "", _when(best) if best else None,
        way.carrier in TELEPHONES,
    )  # fmt: skip


def _when(one: MessageLine) -> int:
    return one.answered_us or one.read_us or one.delivered_us or one.accepted_us or one.created_us
