"""One turn of the alerts process: what came in since the last, decided and written in one transaction.

Acts are decided before transitions, so that an answer given before a second fire cannot silence it. A bug in
one decision stops no other: the duty desk is told in plain words and the fault is recorded (contract 5).
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine, Row, bindparam, update

from alerts.acts import actor_codes, contact_of
from alerts.agenda import Agenda, anything_waits, next_due_us, read_agenda, store_positions
from alerts.case import SILENCED, Act, Case, Incident, Step
from alerts.case_store import store_cases
from alerts.cases import load_cases, open_beside, standing_role
from alerts.docket import Docket, clears
from alerts.effects import Doing
from alerts.exercise import for_real, may_be_told
from alerts.faults import plain_arrival, record_faults
from alerts.handover import Handover
from alerts.held import release
from alerts.inbox import arrival_of
from alerts.lifecycle import Outcome
from alerts.outgoing import store_notifications
from alerts.places import Places, places_of
from alerts.plans import Plans
from alerts.presence import people_for
from alerts.receiving import anything_heard, hear_receipts
from alerts.sayings import pack
from alerts.schema import act as act_table
from alerts.settings import Settings
from alerts.unreadable import note_on_timeline, put_off, warnings_for
from alerts.whereabouts import Whereabouts, where_of
from alerts.windows_now import WindowsNow
from alerts.wording import Worded, Wording
from devices.area_codes import area_codes
from devices.bound import Bound
from devices.database import reading, writing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What to hand over now, when the next step is due (None: none pending), and whether more is waiting.

    The rest are counts for metrics: transitions, acts and steps decided, and decisions that failed.
    """

    handovers: list[Handover]
    next_due_us: int | None
    more: bool
    transitions: int = 0
    acts: int = 0
    steps: int = 0
    faults: int = 0


def run_turn(engine: Engine, settings: Settings, now_us: int) -> TurnResult:
    """Decides what waits. After a crash at any point the same call gives the same again.

    Takes the write lock only when there is something to do. Raises what the database raises; the transaction
    is then gone as a whole.
    """
    with reading(engine) as connection:
        if not (anything_waits(connection, now_us) or anything_heard(connection)):
            return TurnResult([], next_due_us(connection), False)
    with writing(engine) as connection:
        return decide_turn(connection, settings, now_us)


def decide_turn(connection: Connection, settings: Settings, now_us: int) -> TurnResult:
    """The turn inside the caller's write transaction."""
    heard = hear_receipts(connection, now_us)  # first: answers in it are acts of this turn
    agenda = read_agenda(connection, now_us)
    turn = _Turn(connection, settings, agenda, now_us)
    turn.decide_acts()
    turn.decide_transitions()
    turn.settle_windows()
    turn.carry_out_steps()
    turn.warn_of_unreadable()
    done = turn.store()
    return replace(done, handovers=[*heard.handovers, *done.handovers], more=done.more or heard.more)


class _Turn:
    """The state of one turn: its cases, and what is to be written about acts and faults."""

    def __init__(self, connection: Connection, settings: Settings, agenda: Agenda, now_us: int) -> None:
        self._connection = connection
        self._settings = settings
        self._agenda = agenda
        self._now_us = now_us
        self._where = Whereabouts(connection, now_us)
        self._places: Places = places_of(connection, agenda.transitions)
        self._outcomes: list[dict[str, Any]] = []
        self._worded: list[Worded] = []
        self._faults: list[str] = []
        self._unreadable: dict[int, Row[Any]] = {}
        self._windows = WindowsNow(connection, now_us, self._failed)
        self._docket = self._load()
        self._steps = 0

    def _load(self) -> Docket:
        ids = {row.incident_id for row in self._agenda.acts} | set(self._agenda.due)
        places, windows = self._places, self._windows
        rows = self._agenda.transitions
        shared = (places.where(row).building_id for row in rows if row.place)
        ids |= windows.waiting | windows.exercises_in(shared)
        ended = {(row.rule, row.subject) for row in self._agenda.transitions if clears(row.to)}
        cases = load_cases(
            self._connection,
            ids,
            places.keys | windows.keys(places.keys, {row.uid for row in rows}),
            places.stair_ids,
            self._cannot_read,
            alarms=ended,
            shared=places.shared,
        )
        stairs = self._places.stairs_with(self._connection, cases.values())
        self._plans = self._plans_for(cases)
        windows.prepare([*map(places.where, rows), *(where_of(case.incident) for case in cases.values())])
        return Docket(cases, stairs, self._now_us, self._plans)

    def _plans_for(self, cases: Mapping[int, Case]) -> Plans:
        """The policies with the areas that tell them apart; where those cannot be read, the site's hold."""
        policies, areas = self._settings.policies, dict[int, Sequence[str]]()
        if policies.areas:
            try:
                wheres = (self._places.where(row) for row in self._agenda.transitions)
                ids = {case.incident.building_id for case in cases.values()} | {w.building_id for w in wheres}
                with self._connection.begin_nested():
                    areas |= area_codes(self._connection, ids - {0})
            except Exception as error:
                self._failed("areas of policies", error)
        return Plans(policies, self._settings.clock_ratio, areas)

    def decide_acts(self) -> None:
        """In the order in which they were handed in."""
        codes = actor_codes(self._connection, {row.actor for row in self._agenda.acts})
        for row in self._agenda.acts:
            try:
                outcome, reason = self._decide_act(row, codes)
            except Exception as error:
                self._failed(f"act {row.id}", error)
                outcome, reason = Outcome.REFUSED, pack("fault")
            self._outcomes.append({"b_id": row.id, "b_outcome": str(outcome), "b_reason": reason[:300]})

    def _decide_act(self, row: Row[Any], codes: dict[str, str]) -> tuple[Outcome, str]:
        if row.incident_id in self._unreadable:
            return Outcome.REFUSED, pack("fault")
        case = self._docket.cases.get(row.incident_id)
        if case is None:
            return Outcome.REFUSED, pack("unknown_incident")
        if row.act not in set(Act):
            return Outcome.REFUSED, pack("unknown_act")
        standing = self._standing(row, case)
        role = standing_role(row.actor, row.role)
        doing = Doing(
            act=Act(row.act),
            actor=row.actor,
            by=row.actor if row.actor.startswith("user:") else f"contact:{codes.get(row.actor, '')}",
            role=role if role in standing else min(standing, default=role),
            standing=standing,
            note=row.note,
            via=row.via,
            at_us=row.at_us,
            other_open=self._open_beside(case.incident) if row.act == Act.REOPEN else 0,
        )
        decided = self._docket.take_act(row.incident_id, doing)
        return decided.outcome, decided.reason

    def _open_beside(self, incident: Incident) -> int:
        with self._connection.begin_nested():
            return open_beside(self._connection, incident)

    def _standing(self, row: Row[Any], case: Case) -> frozenset[str]:
        """All roles of the actor here: a user's own, or a contact's bindings and what it was told as."""
        if row.actor.startswith("user:"):
            return frozenset({standing_role(row.actor, row.role)})
        contact_id = contact_of(row.actor)
        told = {str(t.role) for t in case.told if t.contact_id == contact_id}
        bound = {str(b.role) for b in self._where.bound(case.incident) if b.contact_id == contact_id}
        return frozenset(told | bound)

    def decide_transitions(self) -> None:
        """Urgent ones first, each lane in the order of ids."""
        for row in self._agenda.transitions:
            try:
                arrival, where = arrival_of(row), self._places.where(row)
                window = self._windows.diverting(arrival, where)
                alone = replace(arrival, place=0) if arrival.place and window is None else None
                tested = self._windows.diverting(alone, where) if alone else None
                self._docket.take_arrival(arrival, where, window, tested)
            except Exception as error:
                fault = self._failed(f"transition {row.id}", error)
                self._open_plainly(row, fault)

    def _open_plainly(self, row: Row[Any], fault: str) -> None:
        if clears(row.to):
            return
        try:
            self._docket.open_plainly(plain_arrival(row), fault)
        except Exception as error:
            self._failed(f"plain incident of transition {row.id}", error)

    def settle_windows(self) -> None:
        """What waited for the end of a window: after transitions, for one that cleared stands no more."""
        for case_id, marker in self._docket.markers(self._windows.ended, self._windows.silencing):
            try:
                if marker.name.startswith(SILENCED):
                    self._docket.end_silence(case_id, marker)
                elif window := self._windows.lengthening(self._docket.cases[case_id]):
                    self._docket.lengthen(case_id, marker, window)
                else:
                    self._release(case_id, marker)
            except Exception as error:
                self._failed(f"end of a window of incident {case_id}", error)
                self._docket.postpone(case_id, marker)

    def _release(self, case_id: int, marker: Step) -> None:
        where = self._windows.real_where(case_id, self._docket.cases[case_id])
        for alarms in self._docket.end_exercise(case_id, marker):
            try:
                self._docket.release(case_id, alarms, where)
            except Exception as error:
                fault = self._failed(f"alarms of exercise {case_id}", error)
                real = for_real(alarms[0], self._docket.cases[case_id], self._now_us)
                self._docket.open_plainly(real, fault)

    def carry_out_steps(self) -> None:
        """Whatever is due in the loaded and the new cases, worst first, and the words for it."""
        due = self._docket.due()
        self._look_ahead({case_id for case_id, _ in due})
        for case_id, step in due:
            self._carry_out(case_id, step)
            self._steps += 1
        wording = Wording(self._where, self._now_us, self._zone(), self._words_failed)
        for case_id, case in self._docket.cases.items():
            self._worded += wording.of(case_id, case)

    def _look_ahead(self, case_ids: Collection[int]) -> None:
        """All places of the turn together; one by one where that fails."""
        try:
            self._where.look_ahead([self._docket.cases[case_id] for case_id in case_ids])
        except Exception as error:
            self._failed("people of several places", error)

    def _zone(self) -> tzinfo:
        """The site's; rather UTC in a message than no message."""
        try:
            return ZoneInfo(self._settings.timezone)
        except Exception as error:
            self._failed("time zone", error)
            return UTC

    def _carry_out(self, case_id: int, step: Step) -> None:
        try:
            case = self._docket.cases[case_id]
            if silence := self._windows.silencing(case, step):
                until = self._windows.until_text(silence, self._zone())
                self._docket.put_off(case_id, step, silence, until)
                return
            incident = case.incident
            people = may_be_told(incident, self._where.bound(incident))
            told, left_out = self._present(people, incident, step)
            self._docket.carry_out(case_id, step, told, left_out)
        except Exception as error:
            fault = self._failed(f"step {step.name} of incident {case_id}", error)
            self._tell_plainly(case_id, step, fault)

    def _present(
        self, people: Sequence[Bound], incident: Incident, step: Step
    ) -> tuple[Sequence[Bound], Sequence[str]]:
        """Whom the step may tell now, and lines about the others; everybody where that fails (contract 5)."""
        try:
            zone, plan = self._settings.timezone, self._plans.plan_of(incident, step.name)
            return people_for(people, incident.severity, step.name, self._now_us, zone, plan)
        except Exception as error:
            self._failed(f"quiet hours and substitutes of incident {incident.id}", error)
            return people, ()

    def _tell_plainly(self, case_id: int, step: Step, fault: str) -> None:
        try:
            self._docket.tell_plainly(case_id, step, self._where.desks(), fault)
        except Exception as error:
            self._failed(f"plain step {step.name} of incident {case_id}", error)
            self._docket.postpone(case_id, step)

    def warn_of_unreadable(self) -> None:
        """The words to the duty desk about incidents that could not be read."""
        for row in self._unreadable.values():
            try:
                self._worded += warnings_for(row, self._where)
            except Exception as error:
                self._failed(f"warning of incident {row.id}", error)

    def store(self) -> TurnResult:
        """Writes everything and moves the cursors."""
        ids = store_cases(self._connection, self._docket.loaded, self._docket.changed())
        ids |= {one: one for one in self._unreadable}
        handovers = store_notifications(self._connection, self._worded, ids, self._settings, self._now_us)
        handovers += release(self._connection, self._now_us, self._zone())
        told = {handover.incident_id for handover in handovers}
        note_on_timeline(self._connection, told & self._unreadable.keys(), self._now_us)
        put_off(self._connection, self._unreadable.keys(), self._now_us)
        if self._outcomes:
            self._connection.execute(_ANSWER_ACT, self._outcomes)
        record_faults(self._connection, self._faults, self._now_us)
        store_positions(self._connection, {**self._agenda.positions, **self._windows.position})
        return TurnResult(
            handovers,
            next_due_us(self._connection),
            self._agenda.more,
            len(self._agenda.transitions),
            len(self._agenda.acts),
            self._steps,
            len(self._faults),
        )

    def _failed(self, what: str, error: Exception) -> str:
        """Notes a failed decision; gives what may be said of it: kind and place, never its words."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{what}: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        log.error("decision_failed", what=what, error=type(error).__name__, at=fault.rpartition(" ")[2])
        self._faults.append(fault)
        return fault

    def _cannot_read(self, row: Row[Any], error: Exception) -> None:
        self._failed(f"incident {row.id}", error)
        self._unreadable[row.id] = row

    def _words_failed(self, error: Exception) -> None:
        self._failed("words", error)


_ANSWER_ACT: Final = (
    update(act_table)
    .where(act_table.c.id == bindparam("b_id"))
    .values(outcome=bindparam("b_outcome"), reason=bindparam("b_reason"))
)
