"""What a transition means for the incidents of its place: a decision with its reason. Pure.

One place (dwelling, else stair, else building, else the device), one hazard, one life cycle. When in doubt
people are told again rather than not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerts.case import Alarm, Case, Hazard
from alerts.hazards import ALARMING
from alerts.news import is_news, is_told_out
from devices.model import Severity
from rules.transition import Mark, To, Why

PAIR_WINDOW_US: Final = 300_000_000
"""Two devices within this of each other confirm a fire (life_safety, smoke 6)."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row of `transition` as alerts reads it."""

    id: int
    rule: str
    to: To
    severity: Severity
    subject: str
    uid: str
    topic: str
    slot: int
    device_id: int
    dwelling_id: int
    place: int
    at_us: int
    received_us: int
    age_s: float | None
    why: Why
    marks: frozenset[Mark]
    hazard: Hazard
    title: Why | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """Which alarm it is about, as `Alarm.identity`."""
        return self.rule, self.subject


_TOPIC: Final = Why(en="; heard on topic ", zh_cn="；来自主题 ")


def why_with_topic(arrival: Arrival) -> Why:
    """The reason; a stranger's also names the topic, since nothing else says where it might be."""
    why, topic = arrival.why, arrival.topic
    return Why(f"{why.en}{_TOPIC.en}{topic}", f"{why.zh_cn}{_TOPIC.zh_cn}{topic}") if topic else why


def topic_in(why: Why) -> str:
    """The topic that `why_with_topic` added; empty where there is none."""
    return why.en.partition(_TOPIC.en)[2]


class Verdict(StrEnum):
    """What becomes of a raised alarm. RESTART and RAISE tell everybody from step 0, UPDATE tells those who
    deal with the incident."""

    OPEN = "open"
    JOIN = "join"
    UPDATE = "update"
    RESTART = "restart"
    RAISE = "raise"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Decision:
    """`case_id` is the incident it goes to (None: a new one). `line` is the timeline's code.

    `also` are incidents of the same stair that this smoke confirms; `related` one of another hazard here.
    """

    verdict: Verdict
    line: str
    hazard: Hazard
    severity: Severity
    case_id: int | None = None
    also: tuple[int, ...] = ()
    related: int | None = None


def is_visit(arrival: Arrival) -> bool:
    """Smoke too old to be a fire now (life_safety, smoke 3): somebody goes and looks. A rule of a site's own
    may speak of a fire and be no more severe: that is no visit."""
    old = arrival.title is None or Mark.LATE in arrival.marks
    return old and arrival.hazard is Hazard.FIRE and arrival.severity.rank >= Severity.P2.rank


def decide(arrival: Arrival, here: Sequence[Case], stair: Sequence[Case] = (), *, now_us: int) -> Decision:
    """What a raised alarm means, given the open incidents of its place and the fires open in its stair."""
    fire = _newest(here, Hazard.FIRE, arrival)
    if arrival.hazard is Hazard.FIRE:
        return _decide_fire(arrival, fire, _newest(here, Hazard.ELECTRICAL, arrival), stair, now_us)
    return _decide_other(arrival, fire, _newest(here, arrival.hazard, arrival), now_us)


def _newest(cases: Sequence[Case], hazard: Hazard, arrival: Arrival) -> Case | None:
    """Of several of one hazard, which only an operator makes by splitting, the one that has this device."""
    same = [c for c in cases if c.incident.hazard is hazard]
    return max(same, key=lambda c: (_has(c, arrival), c.incident.opened_us, c.incident.id), default=None)


def _has(case: Case, arrival: Arrival) -> bool:
    return any(a.uid == arrival.uid or a.identity == arrival.identity for a in case.alarms)


def _decide_fire(
    arrival: Arrival, fire: Case | None, electrical: Case | None, stair: Sequence[Case], now_us: int
) -> Decision:
    pairs = tuple(c.incident.id for c in stair if _makes_a_pair(arrival, c))
    severity = Severity.P0_PLUS if pairs else arrival.severity
    confirmed = pairs or tuple(c.incident.id for c in stair if _is_met(arrival, c))
    also = tuple(i for i in confirmed if fire is None or i != fire.incident.id)
    if fire is None:
        related = electrical.incident.id if electrical else None
        return Decision(Verdict.OPEN, "opened", Hazard.FIRE, severity, None, also, related)
    if _makes_a_pair(arrival, fire):
        severity = Severity.P0_PLUS
    verdict, line = _with_open_fire(arrival, fire, severity, now_us)
    worst = min(severity, fire.incident.severity, key=lambda s: s.rank)
    return Decision(verdict, line, Hazard.FIRE, worst, fire.incident.id, also)


def _with_open_fire(arrival: Arrival, fire: Case, severity: Severity, now_us: int) -> tuple[Verdict, str]:
    """life_safety, smoke 2: a second fire restarts whatever was acknowledged before."""
    if is_visit(arrival):
        return Verdict.NOTE, "noted"
    if _is_second_fire(arrival, fire):
        return Verdict.RESTART, "second_fire"
    if fire.incident.is_over:
        return Verdict.RESTART, "again"
    if severity.rank < fire.incident.severity.rank:
        return Verdict.RAISE, "raised"
    return _joining(arrival, fire, now_us)


def _joining(arrival: Arrival, case: Case, now_us: int) -> tuple[Verdict, str]:
    """What is serious never vanishes into an incident of which nobody hears any more.

    Where nothing stood any more it begins anew. A detector's fire after another is a second fire or evidence
    of the first, and never an update.
    """
    if arrival.severity.rank > Severity.P1.rank:
        return Verdict.JOIN, "joined"
    if not case.active() and is_told_out(case):
        return Verdict.RESTART, "anew"
    is_fire = arrival.hazard is Hazard.FIRE and arrival.severity in ALARMING
    if not is_fire and is_news(case, arrival.identity, arrival.uid, now_us):
        return Verdict.UPDATE, "joined"
    return Verdict.JOIN, "joined"


def _is_second_fire(arrival: Arrival, fire: Case) -> bool:
    """By the engine's mark, by another detector, or by this one after its alarm had cleared.

    Evidence from a correlation (X1) is no detector of its own. An incident that was a visit or a pre-alarm so
    far has seen no first fire.
    """
    if not _is_detection(arrival) or fire.incident.severity not in ALARMING:
        return False
    before = _known(arrival, fire)
    heard = {a.uid for a in _detectors(fire)}
    return (
        Mark.SECOND_FIRE in arrival.marks
        or (bool(heard) and arrival.uid not in heard)
        or (before is not None and before.cleared_us is not None)
    )


def _known(arrival: Arrival, case: Case) -> Alarm | None:
    same = (a for a in case.alarms if a.identity == arrival.identity)
    return next(same, None)


def _detectors(case: Case) -> list[Alarm]:
    """Detectors that said fire; correlations, pre-alarms and electrical evidence left out."""
    fire = (a for a in case.alarms if a.hazard is Hazard.FIRE and not a.place)
    return [a for a in fire if a.severity in ALARMING]


def _is_detection(arrival: Arrival) -> bool:
    """A detector's own word that it burns: no correlation, no pre-alarm, nothing long ago."""
    return not arrival.place and arrival.severity in ALARMING


def _is_met(arrival: Arrival, case: Case) -> bool:
    """Whether a fire is one of those that the rules found to meet (S2S, S2), by either of their two times:
    whichever came first, and whichever clock is slow. When it came says nothing of what had waited for us."""
    if not arrival.place or arrival.severity is not Severity.P0_PLUS or arrival.rule[:1] != "S":
        return False
    tags = case.incident.tags | {str(mark) for mark in arrival.marks}
    untold = tags & {"age_unknown", "queued"}
    moved = "moved" in case.incident.tags  # its detector left for another place
    return any(
        abs(a.raised_us - arrival.at_us) <= PAIR_WINDOW_US
        or (not untold and abs(a.taken_us - arrival.received_us) <= PAIR_WINDOW_US)
        for a in _detectors(case)
        if a.cleared_us is None or not moved
    )


def _makes_a_pair(arrival: Arrival, case: Case) -> bool:
    """Two independent detectors within 300 s. A reading of unknown age proves no such nearness. An alarm that
    cleared may be that of a device which hangs elsewhere: of one that counts all the same the rules tell."""
    if not _is_detection(arrival) or Mark.AGE_UNKNOWN in arrival.marks:
        return False
    if "age_unknown" in case.incident.tags:
        return False
    return any(
        a.uid != arrival.uid
        and a.cleared_us is None
        and abs(a.raised_us - arrival.at_us) <= PAIR_WINDOW_US
        and _is_pair(a.rule, arrival.rule)
        for a in _detectors(case)
    )


def _is_pair(one: str, other: str) -> bool:
    """Smoke with smoke, heat or a button (GB 50116-2013 4.1.6): gas is no sign of a fire that burns."""
    return "S" in {one[:1], other[:1]} and {one[:1], other[:1]} <= {"S", "H", "M"}


def _decide_other(arrival: Arrival, fire: Case | None, same: Case | None, now_us: int) -> Decision:
    """An electrical alarm is evidence in a fire that is being fought; else it has an incident of its own."""
    hazard = arrival.hazard
    if fire is not None and hazard is Hazard.ELECTRICAL and _is_fought(fire):
        verdict, line = _joining(arrival, fire, now_us)
        return Decision(verdict, line, hazard, fire.incident.severity, fire.incident.id)
    if same is None:
        related = fire.incident.id if fire else None
        return Decision(Verdict.OPEN, "opened", hazard, arrival.severity, None, (), related)
    worst = min(arrival.severity, same.incident.severity, key=lambda s: s.rank)
    verdict, line = _joining(arrival, same, now_us)
    if same.incident.is_over:
        verdict, line = Verdict.RESTART, "again"
    elif worst is not same.incident.severity:
        verdict, line = Verdict.RAISE, "raised"
    return Decision(verdict, line, hazard, worst, same.incident.id)


def _is_fought(fire: Case) -> bool:
    """A fire alarm in hand or being escalated. Into a visit, or a matter already over, nothing may vanish;
    nor into one of which no alarm stands and nobody hears any more."""
    if fire.incident.severity not in ALARMING or fire.incident.is_over:
        return False
    return bool(fire.active()) or not is_told_out(fire)
