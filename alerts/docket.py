"""The cases of one turn in memory, and the decisions on them. Touches nothing but values.

Each decision either is taken whole or, when it raises, leaves every case as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from alerts.audience import best_way
from alerts.case import Case, Change, Hazard, Step, StepState
from alerts.effects import Doing
from alerts.escalation import carry_out
from alerts.gate import Page
from alerts.incident import Arrival, Decision, Verdict, decide
from alerts.joining import Where, clear, confirm_by_neighbour_alarm, open_case, relate, take
from alerts.lifecycle import Decided, decide_act
from alerts.places import is_shared, stair_in
from alerts.policy import TELL
from alerts.sayings import pack
from devices.bound import Bound
from rules.transition import To

UNROUTED_TAG: Final = "unrouted"
"""The incident's place and people could not be worked out; only plain words go out for it."""
RETRY_US: Final = 10_000_000
"""Until a step is tried again that could tell nobody because of a fault of ours (chosen)."""


class Docket:
    """Cases by id; incidents opened in this turn have negative ids. `stairs` is each dwelling's stair."""

    def __init__(
        self, cases: Mapping[int, Case], stairs: Mapping[int, int], now_us: int, ratio: float
    ) -> None:
        self.loaded = dict(cases)
        self.cases = dict(cases)
        self._stairs = stairs
        self._now_us = now_us
        self._ratio = ratio
        self._at_place: dict[str, set[int]] = defaultdict(set)
        self._holding: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._fires: dict[int, set[int]] = defaultdict(set)
        self._note_where(cases)

    def take_arrival(self, arrival: Arrival, where: Where) -> None:
        """Decides what a transition means and carries it out.

        One that cleared counts for every incident in which its alarm stands, wherever its device is
        registered by now, and whether or not people have ended the incident. Where there is none it was
        cleared before.
        """
        if arrival.to is To.CLEARED:
            self._put({key: clear(self.cases[key], arrival, self._now_us) for key in self._in(arrival)})
            return
        where = self._joined(arrival, where)
        here, stair = self.open_at(where.key), self._fires_in_stair(where)
        decision = decide(arrival, here, stair, now_us=self._now_us)
        changed: dict[int, Case] = {}
        if decision.verdict is Verdict.OPEN:
            changed |= self._opened(arrival, where, decision)
        elif decision.case_id is not None:
            case = self.cases[decision.case_id]
            changed[decision.case_id] = take(case, arrival, decision, self._now_us, self._ratio)
        for other in decision.also:
            changed[other] = confirm_by_neighbour_alarm(self.cases[other], arrival, self._now_us, self._ratio)
        self._put(changed)

    def open_plainly(self, arrival: Arrival, fault: str) -> None:
        """A new incident of the device itself, for an alarm whose place could not be worked out."""
        where = Where(f"device:{arrival.uid}")
        decision = Decision(Verdict.OPEN, "opened", arrival.hazard, arrival.severity)
        key = self._fresh_id()
        case = open_case(key, arrival, where, decision, now_us=self._now_us, ratio=self._ratio)
        tags = case.incident.tags | {UNROUTED_TAG}
        case = replace(case, incident=replace(case.incident, tags=tags))
        text = pack("unrouted", fault=fault)
        self._put({key: case.having(Change(self._now_us, "fault", "gengfu", "rule", text))})

    def take_act(self, case_id: int, doing: Doing) -> Decided:
        """Decides an act and carries it out."""
        decided = decide_act(self.cases[case_id], doing, self._now_us, self._ratio)
        self._put({case_id: decided.case})
        return decided

    def due(self) -> list[tuple[int, Step]]:
        """What is due now, worst incident first."""
        found = [
            (case.incident.severity.rank, key, step)
            for key, case in self.cases.items()
            for step in case.pending()
            if step.due_us <= self._now_us
        ]
        return [(key, step) for _, key, step in sorted(found, key=lambda f: (f[0], f[2].due_us, abs(f[1])))]

    def carry_out(
        self, case_id: int, step: Step, bound: Sequence[Bound], left_out: Sequence[str] = ()
    ) -> None:
        """Carries a due step out. Where it tells anybody, the timeline says who was `left_out`."""
        before = self.cases[case_id]
        case = carry_out(before, step, bound, self._now_us, self._ratio)
        for text in left_out if len(case.pages) > len(before.pages) else ():
            case = case.having(Change(self._now_us, "left_out", "gengfu", "clock", text))
        self._put({case_id: case})

    def tell_plainly(self, case_id: int, step: Step, desks: Sequence[Bound], fault: str) -> None:
        """Every duty desk is told instead of whoever the step would have told; the step is done."""
        case = self.cases[case_id]
        done = case.with_step(replace(step, state=StepState.DONE, ended_us=self._now_us))
        pages = tuple(
            Page(case.incident.id, step.epoch, step.name, step.n, desk, way, "plain")
            for desk in {d.contact_id: d for d in desks}.values()
            if (way := best_way(desk.ways, TELL)) is not None
        )
        text = pack("unrouted", fault=fault)
        done = done.having(Change(self._now_us, "fault", "gengfu", "clock", text))
        self._put({case_id: replace(done, pages=(*done.pages, *pages))})

    def postpone(self, case_id: int, step: Step) -> None:
        """Tries the step again after RETRY_US, when not even the duty desk could be told."""
        later = replace(step, due_us=self._now_us + RETRY_US)
        self._put({case_id: self.cases[case_id].with_step(later)})

    def open_at(self, place: str) -> list[Case]:
        """The open cases of a place."""
        cases = (self.cases[key] for key in sorted(self._at_place.get(place, ())))
        return [case for case in cases if case.incident.state.is_open]

    def changed(self) -> dict[int, Case]:
        """What has to be stored."""
        return {key: case for key, case in self.cases.items() if case is not self.loaded.get(key)}

    def _opened(self, arrival: Arrival, where: Where, decision: Decision) -> dict[int, Case]:
        key = self._fresh_id()
        case = open_case(key, arrival, where, decision, now_us=self._now_us, ratio=self._ratio)
        changed = {key: case}
        for related in self._related(arrival, where, decision):
            other = self.cases[related]
            changed[key] = relate(changed[key], other, self._now_us)
            changed[related] = relate(other, case, self._now_us)
        return changed

    def _related(self, arrival: Arrival, where: Where, decision: Decision) -> list[int]:
        """What is open beside a new incident: one of another hazard here, and those elsewhere in which its
        alarm stood until its device was registered here."""
        left = (key for key in self._holding[arrival.identity] if self.cases[key].incident.state.is_open)
        elsewhere = {key for key in left if self.cases[key].incident.place != where.key}
        return sorted(elsewhere | ({decision.related} if decision.related is not None else set()))

    def _joined(self, arrival: Arrival, where: Where) -> Where:
        """The place of the incident that an alarm of two devices in a building's common parts belongs to.

        One of them may hang on a stair and the other elsewhere: the people of the fire that stands there must
        hear that it is worse, and not others of another one beside it.
        """
        hazard = arrival.hazard
        if hazard is Hazard.FAULT or not is_shared(arrival.subject):
            return where
        if any(case.incident.hazard is hazard for case in self.open_at(where.key)):
            return where
        incidents = [
            case.incident
            for case in self.cases.values()
            if case.incident.hazard is hazard
            and case.incident.state.is_open
            and not case.incident.dwelling_id
            and case.incident.building_id == where.building_id != 0
        ]
        one = max(incidents, key=lambda i: (i.opened_us, i.id), default=None)
        return Where(one.place, 0, one.building_id) if one else where

    def _stair_of(self, key: str, dwelling_id: int) -> int:
        """The stair of a place, in one of its dwellings or outside them; 0 where it is on none."""
        return stair_in(key) or self._stairs.get(dwelling_id, 0)

    def _fires_in_stair(self, where: Where) -> list[Case]:
        stair = self._stair_of(where.key, where.dwelling_id)
        if not stair:
            return []
        fires = (self.cases[key] for key in sorted(self._fires[stair]))
        return [one for one in fires if one.incident.state.is_open and one.incident.place != where.key]

    def _fresh_id(self) -> int:
        return min(0, *self.cases, 0) - 1

    def _in(self, arrival: Arrival) -> list[int]:
        """The incidents in which its alarm stands."""
        holding = sorted(self._holding[arrival.identity])
        return [
            key for key in holding if any(a.identity == arrival.identity for a in self.cases[key].active())
        ]

    def _put(self, changed: Mapping[int, Case]) -> None:
        self.cases |= changed
        self._note_where(changed)

    def _note_where(self, cases: Mapping[int, Case]) -> None:
        for key, case in cases.items():
            incident = case.incident
            self._at_place[incident.place].add(key)
            if incident.hazard is Hazard.FIRE:
                self._fires[self._stair_of(incident.place, incident.dwelling_id)].add(key)
            for alarm in case.active():
                self._holding[alarm.identity].add(key)


def clears(row_to: str) -> bool:
    """Whether a stored transition's `to` says cleared; anything else counts as an alarm."""
    return row_to == To.CLEARED
