"""One turn of the alerts process: what came in since the last, decided and written in one transaction.

Acts are decided before transitions, so that an answer given before a second fire cannot silence it. A bug in
one decision stops no other: the duty desk is told in plain words and the fault is recorded (contract 5).
"""

from __future__ import annotations

import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Engine, Row

from alerts.acting import Acting, Answers, store_answers
from alerts.agenda import Agenda, anything_waits, next_due_us, read_agenda, store_positions
from alerts.case import SILENCED, Incident, Step
from alerts.case_store import store_cases
from alerts.cases import load_cases, maybe_beside
from alerts.docket import Docket, clears
from alerts.exercise import for_real, may_be_told
from alerts.faults import plain_arrival, record_faults
from alerts.handover import Handover
from alerts.held import release
from alerts.inbox import arrival_of
from alerts.outgoing import link_of, store_notifications
from alerts.places import Places, places_of
from alerts.plans_here import plans_for
from alerts.presence import people_for
from alerts.put_back import put_acts_right
from alerts.receiving import anything_heard, hear_receipts
from alerts.settings import Settings
from alerts.unreadable import note_on_timeline, put_off, warnings_for
from alerts.whereabouts import Whereabouts, where_of
from alerts.whole_kept import incidents_of, with_wholes
from alerts.windows_now import WindowsNow
from alerts.wording import Worded, Wording
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
    agenda = read_agenda(connection, now_us, settings.lesser_at_once)
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
        self._answers: Answers = []
        self._worded: list[Worded] = []
        self._faults: list[str] = []
        self._unreadable: dict[int, Row[Any]] = {}
        self._windows = WindowsNow(connection, now_us, self._failed)
        self._docket = self._load()
        self._steps = 0

    def _load(self) -> Docket:
        acted = incidents_of(self._connection, self._agenda.acts)
        ids = acted | set(self._agenda.due)
        places, windows = self._places, self._windows
        rows = self._agenda.transitions
        shared = (places.where(row).building_id for row in rows if row.place)
        ids |= windows.waiting | windows.exercises_in(shared)
        ended = {(row.rule, row.subject) for row in self._agenda.transitions if clears(row.to)}
        ended |= maybe_beside(self._connection, acted)
        cases = load_cases(
            self._connection,
            ids,
            places.keys | windows.keys(places.keys, {row.uid for row in rows}),
            places.stair_ids,
            self._cannot_read,
            alarms=ended,
            shared=places.shared,
        )
        cases = with_wholes(self._connection, cases, self._cannot_read)
        stairs = self._places.stairs_with(self._connection, cases.values())
        buildings = {where.building_id for where in map(places.where, rows)}
        buildings |= {case.incident.building_id for case in cases.values()}
        self._plans = plans_for(self._connection, self._settings, buildings, self._failed)
        windows.prepare([*map(places.where, rows), *(where_of(case.incident) for case in cases.values())])
        docket = Docket(cases, stairs, self._now_us, self._plans)
        try:
            docket.put(put_acts_right(self._connection, cases, self._agenda.acts, self._now_us))
        except (TypeError, ValueError) as error:  # rather times of before than no turn
            self._failed("times after now", error)
        return docket

    def decide_acts(self) -> None:
        """In the order in which they were handed in."""
        acting = Acting(self._connection, self._docket, self._where, self._unreadable, self._failed)
        self._answers = acting.decide(self._agenda.acts)

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
        wording = self._wording()
        for case_id, case in self._docket.cases.items():
            self._worded += wording.of(case_id, case)

    def _wording(self) -> Wording:
        texts, link_chars = self._settings.texts, len(link_of(self._settings, 1_000_000, 1_000_000))
        return Wording(self._where, self._now_us, self._zone(), self._words_failed, texts, link_chars)

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
        handovers += release(self._connection, self._now_us, self._zone(), self._settings)
        told = {handover.incident_id for handover in handovers}
        note_on_timeline(self._connection, told & self._unreadable.keys(), self._now_us)
        put_off(self._connection, self._unreadable.keys(), self._now_us)
        store_answers(self._connection, self._answers)
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
