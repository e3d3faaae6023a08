"""The cases of one turn in memory, and the decisions on them. Touches nothing but values.

Each decision either is taken whole or, when it raises, leaves every case as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from alerts.at_hand import CasesAtHand
from alerts.audience import best_way
from alerts.case import SILENCED, Act, Alarm, Case, Change, Input, Step, StepState
from alerts.effects import Doing
from alerts.escalation import carry_out
from alerts.exercise import (
    diverted,
    for_real,
    in_exercise,
    over,
    put_off,
    standing,
    unmute,
    window_of,
)
from alerts.gate import Page, exercise_in
from alerts.incident import Arrival, Decision, Verdict, decide
from alerts.joining import Where, clear, confirm_by_neighbour_alarm, open_case, relate, take
from alerts.lifecycle import Decided, decide_act
from alerts.merging import merge
from alerts.plans import Plans
from alerts.policy import TELL
from alerts.sayings import pack
from alerts.shared_alarms import Beside, beside, end_here
from alerts.splitting import split
from alerts.whole import act_on_whole
from alerts.windows import Window
from devices.bound import Bound
from devices.model import InputKind
from rules.transition import To

UNROUTED_TAG: Final = "unrouted"
"""The incident's place and people could not be worked out; only plain words go out for it."""
RETRY_US: Final = 10_000_000
"""Until a step is tried again that could tell nobody because of a fault of ours (chosen)."""


class Docket(CasesAtHand):
    """The decisions of one turn on its cases."""

    def __init__(
        self, cases: Mapping[int, Case], stairs: Mapping[int, int], now_us: int, plans: Plans
    ) -> None:
        super().__init__(cases, stairs)
        self._now_us = now_us
        self._plans = plans

    def take_arrival(
        self, arrival: Arrival, where: Where, window: Window | None = None, tested: Window | None = None
    ) -> None:
        """Decides what a transition means and carries it out. `window`: by which it is an exercise; `tested`:
        by which that of its device alone would be, where two devices say it together.

        One that cleared counts for every incident in which its alarm stands, wherever its device is
        registered by now, and whether or not people have ended the incident. Where there is none it was
        cleared before. One of two devices together that would not be without an exercise is set aside.
        """
        if arrival.to is To.CLEARED:
            self.put({key: clear(self.cases[key], arrival, self._now_us) for key in self.holding(arrival)})
            return
        window = None if window is None or self.is_real(arrival, where, window) else window
        if window is not None:
            where = diverted(where, window)
        elif (mock := self.doubtful(arrival, where)) is not None:
            self._set_aside(arrival, mock)
            return
        elif tested is not None:
            where, window = diverted(where, tested), tested
        self._take_raised(arrival, where, window)

    def _take_raised(self, arrival: Arrival, where: Where, window: Window | None = None) -> None:
        holders = self.holders(arrival, where)
        if holders:
            held = holders[0].incident
            where = Where(held.place, 0, held.building_id)
        here, stair = self.open_at(where.key), self.fires_in_stair(where)
        decision = decide(arrival, here, stair, now_us=self._now_us)
        changed: dict[int, Case] = {}
        if decision.verdict is Verdict.OPEN:
            changed |= self._opened(arrival, where, decision)
        elif decision.case_id is not None:
            case = self.cases[decision.case_id]
            changed[decision.case_id] = take(case, arrival, decision, self._now_us, self._plans)
        for other in sorted({*decision.also, *(one.incident.id for one in holders[1:])}):
            changed[other] = confirm_by_neighbour_alarm(self.cases[other], arrival, self._now_us, self._plans)
        if window is not None:
            key = self.fresh_id() if decision.case_id is None else decision.case_id
            changed[key] = in_exercise(changed[key], window)
        self.put(changed)

    def open_plainly(self, arrival: Arrival, fault: str) -> None:
        """A new incident of the device itself, for an alarm whose place could not be worked out."""
        where = Where(f"device:{arrival.uid}")
        decision = Decision(Verdict.OPEN, "opened", arrival.hazard, arrival.severity)
        key = self.fresh_id()
        case = open_case(key, arrival, where, decision, now_us=self._now_us, plans=self._plans)
        tags = case.incident.tags | {UNROUTED_TAG}
        case = replace(case, incident=replace(case.incident, tags=tags))
        text = pack("unrouted", fault=fault)
        self.put({key: case.having(Change(self._now_us, "fault", "gengfu", "rule", text))})

    def take_act(self, case_id: int, doing: Doing) -> Decided:
        """Decides an act and carries it out."""
        others = self._beside(case_id)
        decided = decide_act(self.cases[case_id], doing, self._now_us, self._plans)
        self.put({case_id: end_here(decided.case, others, self._now_us)})
        return decided

    def take_whole(self, case_id: int, doings: Mapping[int, Doing]) -> Decided:
        """Decides an act on one of several merged incidents, or one that merges or splits, and carries it
        out. `doings` by incident: the same with the standing that its actor has in each."""
        doing, cases, now_us = doings[case_id], self.cases, self._now_us
        if doing.act is Act.MERGE:
            moved = merge(cases, case_id, doing, now_us)
        elif doing.act is Act.SPLIT:
            moved = split(cases, case_id, doing, self.fresh_id(), now_us, self._plans)
        else:
            moved = act_on_whole(cases, case_id, doings, now_us, self._plans)
        for key, case in sorted(moved.changed.items()):
            others = self._beside(key) if key in self.cases else Beside()
            self.put({key: end_here(case, others, now_us)})
        return moved.decided

    def _beside(self, case_id: int) -> Beside:
        """What other open incidents have of this one."""

        def stands_elsewhere(alarm: Alarm) -> bool:
            return any(self.cases[key].incident.state.is_open for key in {*self.holding(alarm)} - {case_id})

        return beside(self.cases[case_id], stands_elsewhere)

    def markers(
        self, ended: Collection[int], silenced: Callable[[Case, Step], object]
    ) -> list[tuple[int, Step]]:
        """What waited for the end of a window: one of those that `ended`, or whose time has come; and for a
        silence which an incident that has changed is in no more."""
        changed = self.changed()
        return [
            (key, step)
            for key, case in sorted(self.cases.items())
            for step in case.pending()
            if step.is_marker
            and (
                step.due_us <= self._now_us
                or window_of(step) in ended
                or (step.name.startswith(SILENCED) and key in changed and not silenced(case, step))
            )
        ]

    def end_silence(self, case_id: int, marker: Step) -> None:
        """What a silence put off is due, or said to nobody (`alerts.exercise.unmute`)."""
        self.put({case_id: unmute(self.cases[case_id], marker, self._now_us, self._plans)})

    def lengthen(self, case_id: int, marker: Step, window: Window) -> None:
        """An exercise goes on by another window."""
        done = replace(marker, state=StepState.DONE, ended_us=self._now_us)
        self.put({case_id: in_exercise(self.cases[case_id].with_step(done), window)})

    def end_exercise(self, case_id: int, marker: Step) -> list[list[Alarm]]:
        """Nobody is told of the exercise any more; gives what stands of it, which is for `release`: the
        alarms of each hazard, those of detectors first."""
        case = self.cases[case_id]
        self.put({case_id: over(case, marker, self._now_us)})
        alarms = standing(case)
        return [[a for a in alarms if a.hazard is one] for one in dict.fromkeys(a.hazard for a in alarms)]

    def release(self, case_id: int, alarms: Sequence[Alarm], where: Where) -> None:
        """What stood of an exercise is told for real, as one: the first as if it was raised now, the others
        as evidence of the same incident."""
        exercise = self.cases[case_id]
        lead, *others = (for_real(alarm, exercise, self._now_us) for alarm in alarms)
        self._take_raised(lead, where)
        for key in self.holding(lead):
            case = self.cases[key]
            if exercise_in(case.incident.place) or not case.incident.state.is_open:
                continue
            for other in others:
                decision = Decision(Verdict.JOIN, "joined", other.hazard, case.incident.severity, key)
                case = take(case, other, decision, self._now_us, self._plans)
            case = relate(case, exercise, self._now_us)
            self.put({key: case, case_id: relate(self.cases[case_id], case, self._now_us)})

    def put_off(self, case_id: int, step: Step, window: Window, until: str) -> None:
        """A silence puts a due step off to its end, `until` in the site's time."""
        self.put({case_id: put_off(self.cases[case_id], step, window, until, self._now_us)})

    def due(self) -> list[tuple[int, Step]]:
        """What is due now, worst incident first."""
        found = [
            (case.incident.severity.rank, key, step)
            for key, case in self.cases.items()
            for step in case.pending()
            if step.due_us <= self._now_us and not step.is_marker
        ]
        return [(key, step) for _, key, step in sorted(found, key=lambda f: (f[0], f[2].due_us, abs(f[1])))]

    def carry_out(
        self, case_id: int, step: Step, bound: Sequence[Bound], left_out: Sequence[str] = ()
    ) -> None:
        """Carries a due step out. Where it tells anybody, the timeline says who was `left_out`."""
        before = self.cases[case_id]
        case = carry_out(before, step, bound, self._now_us, self._plans)
        for text in left_out if len(case.pages) > len(before.pages) else ():
            case = case.having(Change(self._now_us, "left_out", "gengfu", "clock", text))
        self.put({case_id: case})

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
        self.put({case_id: replace(done, pages=(*done.pages, *pages))})

    def postpone(self, case_id: int, step: Step) -> None:
        """Tries the step again after RETRY_US, when not even the duty desk could be told."""
        later = replace(step, due_us=self._now_us + RETRY_US)
        self.put({case_id: self.cases[case_id].with_step(later)})

    def _opened(self, arrival: Arrival, where: Where, decision: Decision) -> dict[int, Case]:
        key = self.fresh_id()
        case = open_case(key, arrival, where, decision, now_us=self._now_us, plans=self._plans)
        changed = {key: case}
        for related in self._related(arrival, where, decision):
            other = self.cases[related]
            changed[key] = relate(changed[key], other, self._now_us)
            changed[related] = relate(other, case, self._now_us)
        return changed

    def _related(self, arrival: Arrival, where: Where, decision: Decision) -> list[int]:
        """What is open beside a new incident: one of another hazard here, and those elsewhere in which its
        alarm stood until its device was registered here."""
        left = (key for key in self.held(arrival) if self.cases[key].incident.state.is_open)
        elsewhere = {
            key
            for key in left
            if self.cases[key].incident.place != where.key and self.is_like(self.cases[key], where)
        }
        return sorted(elsewhere | ({decision.related} if decision.related is not None else set()))

    def _set_aside(self, arrival: Arrival, case: Case) -> None:
        """A line on the exercise, and the engine forgets it: it must not hide one that is real."""
        text = pack("set_aside", rule=arrival.rule, why=arrival.why)
        case = case.having(Change(self._now_us, "noted", "gengfu", "rule", text))
        reset = Input(self._now_us, InputKind.RESET, arrival.rule, 0, arrival.place)
        self.put({case.incident.id: replace(case, inputs=(*case.inputs, reset))})


def clears(row_to: str) -> bool:
    """Whether a stored transition's `to` says cleared; anything else counts as an alarm."""
    return row_to == To.CLEARED
