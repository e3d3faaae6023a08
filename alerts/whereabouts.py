"""The words for an incident's place, and whom an alarm there concerns: asked of the registry once a turn.

Whom it concerns is everybody bound there and who stands in for them, away and quiet ones included: they may
all answer. Who of them a step tells, `alerts.presence` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from alerts.case import Alarm, Case, Hazard, Incident
from alerts.gate import exercise_in
from alerts.hazards import ALARMING
from alerts.incident import topic_in
from alerts.joining import Where
from alerts.moved import moved_alarm
from alerts.places import device_place, stair_in
from alerts.plain_words import system_place, unknown_place
from alerts.system import SYSTEM_UID
from devices.bound import (
    Bound,
    bound_to_building,
    bound_to_dwelling,
    bound_to_stair,
    duty_desks,
    holders,
    with_desks,
)
from devices.bound_many import bound_to_spots
from devices.model import PlaceKind, Role
from devices.places import describe_building, describe_dwelling, describe_spots, describe_stair
from devices.schema import device
from devices.spots import Spot

NAME_CHARS: Final = 30
"""As much of a device's name as a message has room for (chosen)."""
LOOK_AHEAD: Final = 2
"""Places from which on looking them up together is worth it."""
SYSTEM_ROLES: Final = (Role.DUTY_DESK, Role.SUPERVISOR)
"""Whom a fault of the system concerns."""


def place_words(connection: Connection, where: Where, alarms: Iterable[Alarm], language: str) -> str:
    """Where it is; for a device nobody registered, that the place is unknown, with device and topic; for a
    fault of the system, which."""
    if where.key.startswith(SYSTEM_UID):
        why = next((alarm.why for alarm in alarms), None)
        return system_place(why.said_in(language) if why else "", language)
    if where.dwelling_id:
        return describe_dwelling(connection, where.dwelling_id, language)
    if stair_id := stair_in(where.key):
        return describe_stair(connection, stair_id, language)
    if where.building_id:
        return describe_building(connection, where.building_id, language)
    topic = next((t for alarm in alarms if (t := topic_in(alarm.why))), "")
    return unknown_place(where.key.partition(":")[2], topic, language)


def where_of(incident: Incident | Row[Any]) -> Where:
    """The place of an incident, or of its row."""
    return Where(incident.place, incident.dwelling_id, incident.building_id)


_Whom = tuple[int, int, int, bool, bool]


def _whom(incident: Incident) -> _Whom:
    """What decides whom an incident concerns: two that have it in common concern the same people."""
    urgent, system = incident.severity in ALARMING, incident.hazard is Hazard.SYSTEM
    return incident.dwelling_id, stair_in(incident.place), incident.building_id, urgent, system


def _spot(incident: Incident) -> Spot | None:
    """Where in the registry it is; None for what is at no place."""
    if incident.hazard is Hazard.SYSTEM:
        return None
    if incident.dwelling_id:
        return Spot(PlaceKind.DWELLING, incident.dwelling_id)
    if stair_id := stair_in(incident.place):
        return Spot(PlaceKind.STAIR, stair_id, incident.severity in ALARMING)
    return Spot(PlaceKind.BUILDING, incident.building_id) if incident.building_id else None


class Whereabouts:
    """Looks each place up at most once in its life, which is one turn at `now_us`.

    Each look has a savepoint: on PostgreSQL one that fails would otherwise take the whole turn with it.
    """

    def __init__(self, connection: Connection, now_us: int) -> None:
        self._connection = connection
        self._now_us = now_us
        self._bound: dict[_Whom, tuple[Bound, ...]] = {}
        self._words: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}
        self._hangs: dict[str, Where | None] = {}
        self._desks: tuple[Bound, ...] | None = None

    def bound(self, incident: Incident) -> tuple[Bound, ...]:
        """Everybody an alarm there concerns; where no duty desk bound to the place can be reached, every
        duty desk (`devices.bound.with_desks`)."""
        key = _whom(incident)
        if key not in self._bound:
            with self._connection.begin_nested():
                people = self._people(incident)
            self._bound[key] = with_desks(people, self.desks)
        return self._bound[key]

    def look_ahead(self, cases: Iterable[Case]) -> None:
        """Looks up everybody and every place of these cases together, which is what costs time in a storm.

        What it does not find is looked up when asked for. Raises what the database raises.
        """
        asked = {spot: _whom(case.incident) for case in cases if (spot := _spot(case.incident)) is not None}
        fresh = [spot for spot, key in asked.items() if key not in self._bound]
        if len(fresh) < LOOK_AHEAD:
            return
        with self._connection.begin_nested():
            people = bound_to_spots(self._connection, fresh, self._now_us, live=True)
            languages = {one.language for many in people.values() for one in many}
            words = describe_spots(self._connection, fresh, languages)
        for spot, found in people.items():
            if found:
                self._bound[asked[spot]] = with_desks(found, self.desks)
        self._words |= {
            (f"{spot.kind}:{spot.id}", language): text for (spot, language), text in words.items()
        }

    def desks(self) -> tuple[Bound, ...]:
        """Every duty desk."""
        if self._desks is None:
            with self._connection.begin_nested():
                self._desks = duty_desks(self._connection, self._now_us, live=True)
        return self._desks

    def words(self, case: Case, language: str) -> str:
        """`place_words` of a case, remembered."""
        return self.place(where_of(case.incident), case.alarms, language)

    def place(self, where: Where, alarms: Iterable[Alarm], language: str) -> str:
        """`place_words`, remembered."""
        key = where.key, language
        if key not in self._words:
            with self._connection.begin_nested():
                self._words[key] = place_words(self._connection, where, alarms, language)
        return self._words[key]

    def moved_to(self, case: Case, language: str) -> str | None:
        """Where the only detector of a fire is registered now (`alerts.moved`); empty where it is nowhere,
        None where it is here or none has moved."""
        alarm = moved_alarm(case)
        if alarm is None:
            return None
        if alarm.uid not in self._hangs:
            with self._connection.begin_nested():
                self._hangs[alarm.uid] = device_place(self._connection, alarm.uid)
        where = self._hangs[alarm.uid]
        if where is None:
            return ""
        place = case.incident.place
        is_here = where.key in {place, place.removeprefix(f"{exercise_in(place)}:")}
        return None if is_here else self.place(where, (), language)

    def devices(self, case: Case) -> Mapping[str, str]:
        """Where it is a building's or a stair's, which has many cupboards and landings: the names of the
        devices in alarm by uid, the worst and newest first; labels, else uids. Alarms that no one device
        raised name none."""
        if case.incident.dwelling_id or not case.incident.building_id:
            return {}
        alarms = [a for a in case.active() or case.alarms if not a.place]
        alarms.sort(key=lambda a: (a.severity.rank, -a.raised_us))
        return {alarm.uid: self._name(alarm.uid) for alarm in alarms}

    def _name(self, uid: str) -> str:
        if uid not in self._names:
            with self._connection.begin_nested():
                label = self._connection.scalar(select(device.c.label).where(device.c.uid == uid))
            self._names[uid] = (label or uid)[:NAME_CHARS]
        return self._names[uid]

    def _people(self, incident: Incident) -> tuple[Bound, ...]:
        if incident.hazard is Hazard.SYSTEM:
            return holders(self._connection, SYSTEM_ROLES, self._now_us, live=True)
        if incident.dwelling_id:
            return bound_to_dwelling(self._connection, incident.dwelling_id, self._now_us, live=True)
        if stair_id := stair_in(incident.place):
            urgent = incident.severity in ALARMING  # only then are neighbours told at all
            return bound_to_stair(
                self._connection, stair_id, self._now_us, live=True, residents=urgent
            ) or self._of_building(incident)
        return self._of_building(incident)

    def _of_building(self, incident: Incident) -> tuple[Bound, ...]:
        if incident.building_id:
            return bound_to_building(self._connection, incident.building_id, self._now_us, live=True)
        return ()
