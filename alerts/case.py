"""What an incident is while it is being decided: values only, changed by making new ones.

A `Case` is one incident with everything a decision needs, and with what decisions have added to it and
nobody has stored yet (`changes`, `inputs`, `pages`). `alerts/cases.py` loads it,
`alerts/case_store.py` stores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts.gate import Page
from devices.model import InputKind, Role, Severity
from rules.transition import Why


class Hazard(StrEnum):
    """What threatens. A place has at most one open incident of each."""

    FIRE = "fire"
    ELECTRICAL = "electrical"
    FAULT = "fault"
    SYSTEM = "system"
    """Our own fault, not a place's."""


class State(StrEnum):
    """Where an incident stands: the six steps 采集—上报—分流—处置—反馈—核查, and three side exits."""

    NEW = "new"
    REPORTED = "reported"
    DISPATCHED = "dispatched"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    ARRIVED = "arrived"
    HANDLED = "handled"
    FEEDBACK = "feedback"
    VERIFIED = "verified"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """False once it has ended, in whichever way."""
        return self not in ENDED_STATES

    @property
    def progress(self) -> int:
        """How far along the life cycle, 0 for new; a reopened incident stands where a dispatched one does."""
        return _PROGRESS[self]


ENDED_STATES: Final = frozenset({State.CLOSED, State.CANCELLED, State.REJECTED})
_PROGRESS: Final[Mapping[State, int]] = {
    State.NEW: 0,
    State.REPORTED: 1,
    State.DISPATCHED: 2,
    State.REOPENED: 2,
    State.ACKNOWLEDGED: 3,
    State.ARRIVED: 4,
    State.HANDLED: 5,
    State.FEEDBACK: 6,
    State.VERIFIED: 7,
    State.CLOSED: 8,
    State.CANCELLED: 8,
    State.REJECTED: 8,
}


class Act(StrEnum):
    """What a person can do to an incident."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    FALSE_ALARM = "false_alarm"
    ARRIVED = "arrived"
    NEED_HELP = "need_help"
    HANDLED = "handled"
    FEEDBACK = "feedback"
    VERIFY = "verify"
    CLOSE = "close"
    REOPEN = "reopen"
    RESET = "reset"
    CANCEL = "cancel"
    REJECT = "reject"
    NOTE = "note"
    MERGE = "merge"
    SPLIT = "split"


class StepState(StrEnum):
    """A step is pending until it was carried out or became pointless."""

    PENDING = "pending"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of `incident`. `id` is negative until the turn has stored it.

    `confirmed_us`, `false_alarm_us`, `arrived_us` and `fed_back_by` speak of this epoch: what a second fire
    made doubtful is forgotten here and stays on the timeline. `merged_into` and `merged_us`: an operator has
    made it part of another incident (`alerts.whole`), in which its own steps and answers go on.
    """

    id: int
    place: str
    dwelling_id: int
    building_id: int
    hazard: Hazard
    severity: Severity
    state: State
    epoch: int
    started_us: int
    opened_us: int
    confirmed_us: int | None = None
    false_alarm_us: int | None = None
    arrived_us: int | None = None
    fed_back_by: str | None = None
    closed_us: int | None = None
    cause: str | None = None
    disposition: str | None = None
    tags: frozenset[str] = frozenset()
    merged_into: int | None = None
    merged_us: int | None = None

    @property
    def is_over(self) -> bool:
        """True when nobody is being told any more though it is open: handled, or called a false alarm."""
        return self.state.progress >= State.HANDLED.progress or self.false_alarm_us is not None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A row of `incident_alarm`: one rule on one subject, as evidence of an incident.

    `raised_us` is by the device's clock, which may be minutes off; `taken_us` is by ours, when this evidence
    was taken into the incident: what people were told before then said nothing of it. `title` is what the
    rule calls it, None where that is as shipped.
    """

    rule: str
    subject: str
    uid: str
    slot: int
    place: int
    severity: Severity
    raised_us: int
    cleared_us: int | None
    why: Why
    hazard: Hazard
    taken_us: int
    title: Why | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What tells it from every other alarm, whichever incident it is in."""
        return self.rule, self.subject


RELEASE: Final = "release"
SILENCED: Final = "silenced"
"""Before the number of a window (`release:12`): a step that waits for its end (`alerts.exercise`)."""


@dataclass(frozen=True, slots=True)
class Step:
    """A row of `step`; (epoch, name, n) is its identity within the incident."""

    epoch: int
    name: str
    n: int
    due_us: int
    state: StepState = StepState.PENDING
    ended_us: int | None = None

    @property
    def identity(self) -> tuple[int, str, int]:
        """What is unique within one incident."""
        return self.epoch, self.name, self.n

    @property
    def is_marker(self) -> bool:
        """Whether it waits for the end of a window, and tells nobody of itself."""
        return self.name.partition(":")[0] in {RELEASE, SILENCED}


@dataclass(frozen=True, slots=True)
class Answer:
    """An act that took effect, by whom, in which roles (a person can stand in several)."""

    act: Act
    actor: str
    role: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Told:
    """A contact who was sent something in some epoch, from the notification's key."""

    epoch: int
    step: str
    contact_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the timeline; `text` is a packed saying (`alerts/sayings.py`) or plain words."""

    at_us: int
    kind: str
    by: str
    via: str
    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """What the engine must be told of one alarm."""

    at_us: int
    kind: InputKind
    rule: str
    slot: int
    place: int


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, its evidence, steps and answers, and what is still to be stored of it."""

    incident: Incident
    alarms: tuple[Alarm, ...] = ()
    steps: tuple[Step, ...] = ()
    answers: tuple[Answer, ...] = ()
    told: tuple[Told, ...] = ()
    changes: tuple[Change, ...] = ()
    inputs: tuple[Input, ...] = ()
    pages: tuple[Page, ...] = ()

    def having(self, change: Change) -> Case:
        """With one more line on the timeline."""
        return replace(self, changes=(*self.changes, change))

    def with_alarm(self, alarm: Alarm) -> Case:
        """With this evidence, in place of what was known of the same rule and subject."""
        others = tuple(a for a in self.alarms if a.identity != alarm.identity)
        return replace(self, alarms=(*others, alarm))

    def with_step(self, step: Step) -> Case:
        """With this step, in place of the one of the same identity."""
        others = tuple(s for s in self.steps if s.identity != step.identity)
        return replace(self, steps=(*others, step))

    def pending(self) -> tuple[Step, ...]:
        """What is still to be done, soonest first."""
        waiting = (s for s in self.steps if s.state is StepState.PENDING)
        return tuple(sorted(waiting, key=lambda s: (s.due_us, s.name, s.n)))

    def stopping(self, steps: tuple[Step, ...], now_us: int) -> Case:
        """With these steps stopped."""
        case = self
        for step in steps:
            case = case.with_step(replace(step, state=StepState.STOPPED, ended_us=now_us))
        return case

    def active(self) -> tuple[Alarm, ...]:
        """Evidence that has not cleared."""
        return tuple(a for a in self.alarms if a.cleared_us is None)
