"""What a turn makes of the inbox of receipts: rungs, next ways, and acts of people, in id order.

A receipt of a message whose outcome is not written yet waits: providers can be quicker than our own commit.
One that breaks a decision is set aside alone and costs no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Connection, Row, bindparam, exists, select, update

from alerts.acts import NOTE_MAX, record_acts
from alerts.attempts import handover_of
from alerts.case import Act
from alerts.channel_proofs import Sent, note_sent
from alerts.channels.receipts import ReceiptState
from alerts.deliveries import Delivery, lines_of
from alerts.handover import Handover
from alerts.ladder import UNDELIVERED, Rung, climbed
from alerts.memos_heard import HeardMemos
from alerts.next_way import open_next_ways
from alerts.receipt_schema import receipt as table
from alerts.receipts_kept import REPLY
from alerts.replying import NO_INCIDENT, answer_of_reply
from alerts.said import Answer, Said
from alerts.schema import attempt, incident_change, notification
from alerts.summary_reply import ANSWERS, answer_to_summary, ask_which, is_summary
from alerts.wanted import answered_of, is_wanted, told_of
from devices.model import Medium

log = structlog.get_logger()

LIMIT: Final = 100
"""Receipts of one turn (chosen: they take some 40 ms of the second that smoke may take)."""
ACTS: Final = 100
"""Acts after which the rest of a turn's receipts waits for the next: a reply to a summary is one for each of
its incidents, of which there may be 500."""
DONE, NOTHING, UNKNOWN, FAULT = "done", "nothing", "unknown", "fault"
"""Outcomes: it counted, it said nothing new, it is of no message of ours (yet), it broke the decision."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What to hand over now, already begun, and whether more waits."""

    handovers: list[Handover]
    more: bool = False


class _Of(NamedTuple):
    """The message that a receipt is of; `n`: of which try, 0 where it is known by our own name."""

    notification_id: int
    n: int


def anything_heard(connection: Connection) -> bool:
    """Whether the inbox holds anything undecided: a cheap read."""
    return bool(connection.scalar(select(exists().where(table.c.outcome == ""))))


def hear_receipts(connection: Connection, now_us: int) -> Heard:
    """Decides what waits in the inbox, inside the turn's transaction and before acts are read.

    Answers become acts; what was not delivered goes by the contact's next way. After a crash at any point
    the same call gives the same again.
    """
    waiting = select(table).where(table.c.outcome == "").order_by(table.c.id).limit(LIMIT)
    rows = connection.execute(waiting).all()
    if not rows:
        return Heard([])
    try:
        with connection.begin_nested():
            hearing = _Hearing(connection, rows, now_us)
            handovers = hearing.decide()
            return Heard(handovers, hearing.is_full or len(rows) == LIMIT)
    except Exception as error:
        log.error("receipts_failed", count=len(rows), error=type(error).__name__)
    handovers = [one for row in rows for one in _alone(connection, row, now_us)]
    return Heard(handovers, len(rows) == LIMIT)


def _alone(connection: Connection, row: Row[Any], now_us: int) -> list[Handover]:
    try:
        with connection.begin_nested():
            return _Hearing(connection, [row], now_us).decide()
    except Exception as error:
        log.error("receipt_failed", receipt=row.id, carrier=row.carrier, error=type(error).__name__)
        connection.execute(update(table).where(table.c.id == row.id).values(outcome=FAULT))
        return []


class _Hearing:
    """One batch: the messages it is about, and what is to be written of them."""

    def __init__(self, connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> None:
        self._connection = connection
        self._rows = rows
        self._now_us = now_us
        self._of = _messages_of(connection, [row for row in rows if row.state != REPLY])
        self._messages = told_of(connection, {of.notification_id for of in self._of.values()})
        self._rungs = {key: _rung(row) for key, row in self._messages.items()}
        self._said: list[Delivery] = []
        self._begun: list[Row[Any]] = []
        self._sent: list[Sent] = []
        self._acts: list[dict[str, Any]] = []
        self._memos = HeardMemos(connection, rows)
        failed = {row.id for row in rows if row.state == ReceiptState.FAILED}
        self._answered = answered_of(
            connection,
            {self._messages[of.notification_id].incident_id for key, of in self._of.items() if key in failed},
        )

    @property
    def is_full(self) -> bool:
        """Whether the rest of the rows waits for the next turn."""
        return len(self._acts) >= ACTS

    def decide(self) -> list[Handover]:
        """Carries out the rows, until they are full of acts; what to hand over."""
        outcomes = []
        for row in self._rows:
            if self.is_full:
                break
            outcome = self._reply(row) if row.state == REPLY else self._receipt(row)
            if self._is_of_memo(row, outcome):
                outcome = DONE
            outcomes.append({"b_id": row.id, "b_outcome": outcome})
        self._store_rungs()
        record_acts(self._connection, self._acts)
        note_sent(self._connection, [*self._sent, *self._memos.store()])
        if lines := lines_of(self._said):
            self._connection.execute(incident_change.insert(), lines)
        self._connection.execute(_DECIDED, outcomes)
        return [handover_of(row, row.attempts, row.created_us) for row in self._begun]

    def _is_of_memo(self, row: Row[Any], outcome: str) -> bool:
        """Whether what is of no message about an incident is of a test of a contact."""
        if outcome == UNKNOWN:
            return self._memos.hear(row)
        return outcome == NO_INCIDENT and self._memos.hear_reply(row)

    def _reply(self, row: Row[Any]) -> str:
        answer = answer_of_reply(self._connection, row, self._now_us)
        if isinstance(answer, str):
            return answer
        self._hand_in(row, answer, Medium.SMS)
        if answer.unclear is not None:
            self._begun += ask_which(self._connection, answer.unclear, self._now_us)
        forgotten = update(table).where(table.c.id == row.id).values(text="")
        self._connection.execute(forgotten)  # the act has it
        return DONE

    def _receipt(self, row: Row[Any]) -> str:
        of = self._of.get(row.id)
        message = self._messages.get(of.notification_id) if of else None
        if of is None or message is None:
            return UNKNOWN
        state = ReceiptState(row.state)
        before = self._rungs[message.id]
        if state is ReceiptState.FAILED and before.state == "sending":
            return UNKNOWN  # its outcome comes, and this again with it
        latest = of.n in {0, message.attempts}
        at_us = min(max(row.at_us, before.accepted_us or message.created_us), max(row.heard_us, 0))
        after = climbed(before, state, at_us, is_latest=latest)
        self._rungs[message.id] = after
        self._follow(message, before, after, row.detail)
        if row.keys:
            self._pressed(row, message)
        return DONE if row.keys or after != before else NOTHING

    def _follow(self, message: Row[Any], before: Rung, after: Rung, detail: str) -> None:
        """What a step on the ladder brings with it."""
        sent_us = after.accepted_us or message.created_us
        if after.state == UNDELIVERED != before.state:
            self._fail(message, sent_us, detail)
        fate = "read" if after.read_us and not before.read_us else "delivered"
        if fate == "read" or (after.delivered_us and not before.delivered_us):
            at_us = self._now_us
            self._said.append(Delivery(message.incident_id, fate, message.role, message.medium, at_us))
        if after.delivered_us and not before.delivered_us:
            self._sent.append(Sent(message.channel_id, sent_us, True))

    def _fail(self, message: Row[Any], sent_us: int, detail: str) -> None:
        begun: list[Row[Any]] = []
        if is_wanted(message, self._answered):
            begun = open_next_ways(self._connection, [(message, self._now_us)])
            self._begun += begun
        fate = "undelivered" if begun else "undelivered_last"
        self._said.append(
            Delivery(message.incident_id, fate, message.role, message.medium, self._now_us, 0, detail)
        )
        if message.medium != Medium.VOICE:  # nobody at home is no wrong number
            self._sent.append(Sent(message.channel_id, sent_us, False, detail))

    def _pressed(self, row: Row[Any], message: Row[Any]) -> None:
        act = Act(row.act) if row.act in set(Act) else Act.NOTE
        note = "" if act is not Act.NOTE else f"按键 {row.keys} · keys {row.keys}"
        said_us = min(row.at_us, row.heard_us)
        if act in ANSWERS and is_summary(message):
            answer = answer_to_summary(self._connection, message, act, said_us, self._now_us)
            if answer is not None:
                return self._hand_in(row, answer, Medium.VOICE)
        at_us = max(said_us, message.created_us + 1)
        said = Said(message.incident_id, message.contact_id, message.role, act, note, at_us)
        return self._hand_in(row, Answer((said,)), Medium.VOICE)

    def _hand_in(self, row: Row[Any], answer: Answer, via: Medium) -> None:
        """One act of a reply has the reply's key; of several each has its incident's number behind that."""
        for said in answer.acts:
            own = f"/{said.incident_id}" if said.once or len(answer.acts) > 1 else ""
            self._acts.append(
                {
                    "once_key": f"{said.once or f'receipt/{row.once_key}'}{own}",
                    "incident_id": said.incident_id,
                    "actor": f"contact:{said.contact_id}",
                    "role": said.role,
                    "act": str(said.act),
                    "note": said.note.strip()[:NOTE_MAX],
                    "via": str(via),
                    "at_us": said.at_us,
                }
            )

    def _store_rungs(self) -> None:
        changed = [
            {"b_id": key, "b_state": rung.state, "b_accepted": rung.accepted_us}
            | {"b_delivered": rung.delivered_us, "b_read": rung.read_us}
            for key, rung in self._rungs.items()
            if rung != _rung(self._messages[key])
        ]
        if changed:
            self._connection.execute(_CLIMB, changed)
            self._connection.execute(_ASK_NO_MORE, [{"b_id": one["b_id"]} for one in changed])


_DECIDED: Final = update(table).where(table.c.id == bindparam("b_id")).values(outcome=bindparam("b_outcome"))
_CLIMB: Final = (
    update(notification)
    .where(notification.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        accepted_us=bindparam("b_accepted"),
        delivered_us=bindparam("b_delivered"),
        read_us=bindparam("b_read"),
    )
)
_ASK_NO_MORE: Final = (
    update(attempt)
    .where(attempt.c.notification_id == bindparam("b_id"), attempt.c.ask_us.is_not(None))
    .values(ask_us=None)
)


def _rung(row: Row[Any]) -> Rung:
    return Rung(row.state, row.accepted_us, row.delivered_us, row.read_us)


def _messages_of(connection: Connection, rows: Iterable[Row[Any]]) -> Mapping[int, _Of]:
    """By the receipt's id: by the provider's name of the message, else by our own where it came along."""
    rows = list(rows)
    a, n = attempt.c, notification.c
    named = select(a.notification_id, a.n, a.carrier, a.receipt).where(
        a.receipt.in_({row.receipt for row in rows if row.receipt})
    )
    by_name = {
        (one.carrier, one.receipt): _Of(one.notification_id, one.n)
        for one in connection.execute(named.order_by(a.id))
    }
    ours = select(n.id, n.key).where(n.key.in_({row.own_id for row in rows if row.own_id}))
    by_key = {one.key: _Of(one.id, 0) for one in connection.execute(ours)}
    found = ((row.id, by_name.get((row.carrier, row.receipt)) or by_key.get(row.own_id)) for row in rows)
    return {key: of for key, of in found if of is not None}
