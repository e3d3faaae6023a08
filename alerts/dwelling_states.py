"""In what state each dwelling is, as a screen colours it: the worst of what is known there. Pure.

Open incidents, windows in force, places with nobody to tell and dwellings without a device become facts, each
with words for why. A dwelling has the state of its worst fact, the others are its marks; a building has the
worst of its dwellings and of its own common parts, an area the worst of its buildings.

* alarm: an open incident that is P0 or P0+, or of a severity that this release does not know. No such
  incident is ever drawn as anything less.
* pre_alarm: any other open incident that is no fault: electrical ones, smoke that rises or was long ago.
* silent: an alarm of a fault stands (a device not heard, removed, muted, at fault, low on battery), or the
  building is dark: of its devices nobody knows. What has recovered and only waits to be closed is no fact.
* commissioning: a drill or commissioning is under way there, or an incident of one is open.
* nobody_reachable: a device is there, and nobody who could be told at once.
* no_device: no device in service.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.case import Alarm, Hazard
from alerts.dwelling_states_words import (
    CONFIRMED,
    DARK,
    EXERCISES,
    IN_EXERCISE,
    NO_DEVICE_THERE,
    NOBODY_THERE,
    UNREADABLE,
)
from alerts.evidence import CHINESE, Both, evidence_words, grounds_of
from alerts.gate import EXERCISE_TAGS, exercise_in
from alerts.hazards import leading
from devices.model import Severity

ENGLISH: Final = "en"
DARK_RULE: Final = "C3"
"""Beginning of the names of rules that say of a building that many of its devices fell silent together."""
_LESSER: Final = frozenset(map(str, (Severity.P1, Severity.P2, Severity.P3)))
"""All others are alarms, a severity that this release does not know among them (as `console.siren`)."""
_LOUDEST_FAULT: Final = str(Severity.P1)


class DwellingState(StrEnum):
    """From the most urgent to none at all."""

    ALARM = "alarm"
    PRE_ALARM = "pre_alarm"
    SILENT = "silent"
    COMMISSIONING = "commissioning"
    NOBODY_REACHABLE = "nobody_reachable"
    NO_DEVICE = "no_device"
    QUIET = "quiet"

    @property
    def urgency(self) -> int:
        """0 for the most urgent."""
        return _URGENCY[self]


_URGENCY: Final = {state: n for n, state in enumerate(DwellingState)}


class Fact(NamedTuple):
    """One thing that is so, and why, in words. `incident_id` is 0 where no incident says it; `since_us` is 0
    where nobody knows since when."""

    state: DwellingState
    words: Both
    incident_id: int = 0
    severity: str = ""
    since_us: int = 0

    @property
    def is_strong(self) -> bool:
        """A fire that is confirmed: P0+, or a severity that this release does not know."""
        return self.state is DwellingState.ALARM and self.severity != Severity.P0

    @property
    def is_loud(self) -> bool:
        """Whether a screen on a wall shows it large: alarms, pre-alarms above P3, a dark building."""
        if self.state is DwellingState.SILENT:
            return self.severity == _LOUDEST_FAULT
        return self.state is DwellingState.ALARM or (
            self.state is DwellingState.PRE_ALARM and self.severity != Severity.P3
        )

    def said_in(self, language: str) -> str:
        """The words for a reader."""
        return self.words[0] if language == CHINESE else self.words[1]

    @property
    def order(self) -> tuple[int, int, int]:
        """The worst first; of equals the newest."""
        rank = Severity(self.severity).rank if self.severity in set(Severity) else -1
        return self.state.urgency, rank, -self.since_us


NO_DEVICE_FACT: Final = Fact(DwellingState.NO_DEVICE, NO_DEVICE_THERE)
NOBODY_FACT: Final = Fact(DwellingState.NOBODY_REACHABLE, NOBODY_THERE)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is so in one place, the worst fact first; nothing: quiet."""

    facts: tuple[Fact, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Standing:
        """In order; said twice, it counts once."""
        return cls(tuple(sorted(set(facts), key=lambda one: one.order)))

    @property
    def state(self) -> DwellingState:
        """That of the worst fact."""
        return self.facts[0].state if self.facts else DwellingState.QUIET

    @property
    def marks(self) -> tuple[DwellingState, ...]:
        """The other states there are, worst first."""
        others = dict.fromkeys(one.state for one in self.facts if one.state is not self.state)
        return tuple(others)

    @property
    def is_strong(self) -> bool:
        """Whether the worst is a confirmed fire."""
        return bool(self.facts) and self.facts[0].is_strong

    @property
    def incident_id(self) -> int:
        """The incident to open first; 0 for none."""
        return next((one.incident_id for one in self.facts if one.incident_id), 0)


QUIET: Final = Standing()
BARE: Final = Standing((NO_DEVICE_FACT,))
"""A dwelling of which nothing is known but that no device is there."""


@dataclass(frozen=True, slots=True)
class OpenHere:
    """An open incident at a known place, with what of its evidence is of devices in service. `hazard` and
    `severity` are words as stored: they may be of a later release. `shown_id` is the incident a reader
    opens: that into which it was merged."""

    id: int
    place: str
    dwelling_id: int
    building_id: int
    hazard: str
    severity: str
    opened_us: int
    shown_id: int
    tags: frozenset[str] = frozenset()
    alarms: tuple[Alarm, ...] = ()

    @property
    def is_dark(self) -> bool:
        """Whether it says of a building that its devices fell silent together, and that stands."""
        return any(_stands(one) and one.rule.startswith(DARK_RULE) for one in self.alarms)


def _stands(alarm: Alarm) -> bool:
    return alarm.cleared_us is None


def fact_of(one: OpenHere) -> Fact | None:
    """What an open incident says of its place; None for a fault that is over."""
    if state := _state_of(one):
        return Fact(state, _words(one, state), one.shown_id, one.severity, one.opened_us)
    return None


def _state_of(one: OpenHere) -> DwellingState | None:
    if exercise_in(one.place) or EXERCISE_TAGS & one.tags:
        return DwellingState.COMMISSIONING
    if one.severity not in _LESSER:
        return DwellingState.ALARM
    if one.hazard != Hazard.FAULT:
        return DwellingState.PRE_ALARM
    return DwellingState.SILENT if any(map(_stands, one.alarms)) else None


def _words(one: OpenHere, state: DwellingState) -> Both:
    said = _evidence(one)
    if state is DwellingState.COMMISSIONING:
        return IN_EXERCISE[0].format(said[0]), IN_EXERCISE[1].format(said[1])
    if one.severity == Severity.P0_PLUS and one.hazard == Hazard.FIRE:
        return CONFIRMED[0].format(said[0]), CONFIRMED[1].format(said[1])
    return said


def _evidence(one: OpenHere) -> Both:
    """As the board words it (`console.evidence`): of a fire all grounds, else of the alarm that leads."""
    if one.hazard not in set(Hazard) or one.severity not in set(Severity):
        return UNREADABLE
    hazard, severity = Hazard(one.hazard), Severity(one.severity)
    standing: Sequence[Alarm] = [alarm for alarm in one.alarms if _stands(alarm)] or one.alarms
    first = leading(one.alarms)
    if hazard is not Hazard.FIRE and first is not None:
        standing = [first]
    rules, found, title = grounds_of(standing)
    return (
        evidence_words(rules, found, hazard, severity, CHINESE, title),
        evidence_words(rules, found, hazard, severity, ENGLISH, title),
    )


def dark_fact(one: OpenHere) -> Fact:
    """Of each dwelling with a device in a dark building: whether its own is heard nobody can say."""
    return Fact(DwellingState.SILENT, DARK, one.shown_id, "", one.opened_us)


def exercise_fact(kind: str, since_us: int) -> Fact:
    """A drill or commissioning is under way."""
    return Fact(DwellingState.COMMISSIONING, EXERCISES.get(kind, EXERCISES["drill"]), since_us=since_us)


@dataclass(frozen=True, slots=True)
class Summary:
    """Several places together. `counts` are dwellings by state; `state` also speaks for common parts."""

    state: DwellingState = DwellingState.QUIET
    counts: Counter[DwellingState] | None = None
    is_strong: bool = False
    is_loud: bool = False

    def count(self, state: DwellingState) -> int:
        """Dwellings in that state."""
        return self.counts[state] if self.counts else 0

    @property
    def homes(self) -> int:
        """All dwellings."""
        return sum(self.counts.values()) if self.counts else 0


def together(many: Iterable[Summary]) -> Summary:
    """The worst of all, and their dwellings counted together."""
    counts, state, strong, loud = Counter[DwellingState](), DwellingState.QUIET, False, False
    for one in many:
        if one.counts:
            counts.update(one.counts)
        state = min(state, one.state, key=lambda s: s.urgency)
        strong, loud = strong or one.is_strong, loud or one.is_loud
    return Summary(state, counts, strong, loud)


def worst(states: Iterable[DwellingState]) -> DwellingState:
    """The most urgent; quiet for none."""
    return min(states, key=lambda state: state.urgency, default=DwellingState.QUIET)
