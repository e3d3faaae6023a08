"""The acts of one turn: each is decided on its case and answered, in the order in which they were handed in.

A bug in one costs no other: it is refused as a fault of ours, which is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, update

from alerts.acts import actor_codes, contact_of
from alerts.case import Act, Case, Incident
from alerts.cases import open_beside, standing_role
from alerts.docket import Docket
from alerts.effects import Doing
from alerts.lifecycle import Outcome
from alerts.sayings import pack
from alerts.schema import act as act_table
from alerts.whereabouts import Whereabouts
from alerts.whole import members

_OF_SEVERAL: Final = frozenset({Act.MERGE, Act.SPLIT})
"""Acts that are about more than one incident."""
Answers = list[dict[str, Any]]
"""What became of acts, for `store_answers`."""


@dataclass(frozen=True, slots=True)
class Acting:
    """Decides acts on the cases of `docket`; those on incidents in `unreadable` are refused. `failed` is told
    of every decision that could not be made."""

    connection: Connection
    docket: Docket
    where: Whereabouts
    unreadable: Container[int]
    failed: Callable[[str, Exception], object]

    def decide(self, rows: Sequence[Row[Any]]) -> Answers:
        """Carries the acts of these rows of `act` out, and gives their answers."""
        codes = actor_codes(self.connection, {row.actor for row in rows})
        self._look_ahead(rows)
        answers = []
        for row in rows:
            try:
                outcome, reason = self._decide(row, codes)
            except Exception as error:
                self.failed(f"act {row.id}", error)
                outcome, reason = Outcome.REFUSED, pack("fault")
            answers.append({"b_id": row.id, "b_outcome": str(outcome), "b_reason": reason[:300]})
        return answers

    def _look_ahead(self, rows: Sequence[Row[Any]]) -> None:
        """The people of all places together, 10 ms each one by one (measured); one by one where that
        fails."""
        cases = self.docket.cases
        ids = {row.incident_id for row in rows if not row.actor.startswith("user:")}
        try:
            self.where.look_ahead([cases[one] for one in sorted(ids & cases.keys())])
        except Exception as error:
            self.failed("people of several places", error)

    def _decide(self, row: Row[Any], codes: dict[str, str]) -> tuple[Outcome, str]:
        if row.incident_id in self.unreadable:
            return Outcome.REFUSED, pack("fault")
        case = self.docket.cases.get(row.incident_id)
        if case is None:
            return Outcome.REFUSED, pack("unknown_incident")
        if row.act not in set(Act):
            return Outcome.REFUSED, pack("unknown_act")
        keys = members(self.docket.cases, row.incident_id)
        doings = {key: self._doing(row, self.docket.cases[key], codes) for key in keys}
        if len(keys) > 1 or row.act in _OF_SEVERAL:
            decided = self.docket.take_whole(row.incident_id, doings)
        else:
            decided = self.docket.take_act(row.incident_id, doings[row.incident_id])
        return decided.outcome, decided.reason

    def _doing(self, row: Row[Any], case: Case, codes: dict[str, str]) -> Doing:
        """The act as it is done to this incident, by the standing that the actor has there."""
        standing = self._standing(row, case)
        role = standing_role(row.actor, row.role)
        return Doing(
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

    def _open_beside(self, incident: Incident) -> int:
        with self.connection.begin_nested():
            return open_beside(self.connection, incident)

    def _standing(self, row: Row[Any], case: Case) -> frozenset[str]:
        """All roles of the actor here: a user's own, or a contact's bindings and what it was told as."""
        if row.actor.startswith("user:"):
            return frozenset({standing_role(row.actor, row.role)})
        contact_id = contact_of(row.actor)
        told = {str(t.role) for t in case.told if t.contact_id == contact_id}
        bound = {str(b.role) for b in self.where.bound(case.incident) if b.contact_id == contact_id}
        return frozenset(told | bound)


def store_answers(connection: Connection, answers: Answers) -> None:
    """Writes what became of acts."""
    if answers:
        connection.execute(_ANSWER_ACT, answers)


_ANSWER_ACT: Final = (
    update(act_table)
    .where(act_table.c.id == bindparam("b_id"))
    .values(outcome=bindparam("b_outcome"), reason=bindparam("b_reason"))
)
