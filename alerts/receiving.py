"""What a turn makes of the inbox of receipts: rungs, next ways, and acts of people, in id order.

A receipt of a message whose outcome is not written yet waits: providers can be quicker than our own commit.
One that breaks a decision is set aside alone and costs no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Connection, Row, bindparam, exists, func, select, update

from alerts.acts import record_act
from alerts.answered import ANSWERS
from alerts.attempts import handover_of
from alerts.case import Act, State
from alerts.channel_proofs import Sent, note_sent
from alerts.channels.receipts import ReceiptState
from alerts.deliveries import Delivery, lines_of
from alerts.handover import Handover
from alerts.ladder import UNDELIVERED, Rung, climbed
from alerts.memos_heard import HeardMemos
from alerts.next_way import open_next_ways
from alerts.receipts_kept import REPLY
from alerts.replying import NO_INCIDENT, Said, act_of_reply
from alerts.schema import act as act_table
from alerts.schema import attempt, incident, incident_change, notification
from alerts.schema import receipt as table
from devices.model import Medium

log = structlog.get_logger()

LIMIT: Final = 100
"""Receipts of one turn (chosen: they take some 40 ms of the second that smoke may take)."""
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
            handovers = _Hearing(connection, rows, now_us).decide()
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
        self._messages = _notifications(connection, {of.notification_id for of in self._of.values()})
        self._rungs = {key: _rung(row) for key, row in self._messages.items()}
        self._said: list[Delivery] = []
        self._begun: list[Row[Any]] = []
        self._sent: list[Sent] = []
        self._memos = HeardMemos(connection, rows)
        failed = {row.id for row in rows if row.state == ReceiptState.FAILED}
        self._answered = _answered(
            connection,
            {self._messages[of.notification_id].incident_id for key, of in self._of.items() if key in failed},
        )

    def decide(self) -> list[Handover]:
        """Carries out every row; what to hand over."""
        outcomes = []
        for row in self._rows:
            outcome = self._reply(row) if row.state == REPLY else self._receipt(row)
            if self._is_of_memo(row, outcome):
                outcome = DONE
            outcomes.append({"b_id": row.id, "b_outcome": outcome})
        self._store_rungs()
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
        said = act_of_reply(self._connection, row, self._now_us)
        if isinstance(said, str):
            return said
        self._hand_in(row, said, Medium.SMS)
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
        if _is_wanted(message, self._answered):
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
        at_us = max(min(row.at_us, row.heard_us), message.created_us + 1)
        said = Said(message.incident_id, message.contact_id, message.role, act, note, at_us)
        self._hand_in(row, said, Medium.VOICE)

    def _hand_in(self, row: Row[Any], said: Said, via: Medium) -> None:
        record_act(
            self._connection, f"receipt/{row.once_key}", said.incident_id, f"contact:{said.contact_id}",
            said.role, said.act, said.note, str(via), said.at_us,
        )  # fmt: skip

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


def _notifications(connection: Connection, ids: set[int]) -> dict[int, Row[Any]]:
    """The messages with what must be known of their incidents."""
    i = incident.c
    rows = connection.execute(
        select(
            notification, i.state.label("stands"), i.epoch, i.closed_us, i.false_alarm_us.label("doubted_us")
        )
        .join(incident, i.id == notification.c.incident_id)
        .where(notification.c.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _answered(connection: Connection, incidents: set[int]) -> Mapping[tuple[int, str], int]:
    """When each actor answered last, by incident and actor."""
    if not incidents:
        return {}
    a = act_table.c
    counted = a.act.in_([str(act) for act in ANSWERS]) & (a.outcome == "done")
    rows = connection.execute(
        select(a.incident_id, a.actor, func.max(a.at_us).label("last_us"))
        .where(a.incident_id.in_(incidents), counted)
        .group_by(a.incident_id, a.actor)
    )
    return {(row.incident_id, row.actor): row.last_us for row in rows}


def _is_wanted(message: Row[Any], answered: Mapping[tuple[int, str], int]) -> bool:
    """Whether the contact must still be told: the message is of the running epoch, its incident goes on, and
    the contact has not answered. What is sent of an incident that has ended is sent to its end."""
    if message.closed_us is not None:
        return bool(message.created_us >= message.closed_us)
    is_over = message.doubted_us is not None or _progress(message.stands) >= State.HANDLED.progress
    if is_over or _epoch_of(message) < message.epoch:
        return False
    answered_us = answered.get((message.incident_id, f"contact:{message.contact_id}"), 0)
    return answered_us <= int(message.created_us)


def _epoch_of(message: Row[Any]) -> int:
    """From the key `incident/epoch/…`; one of another shape counts as of the running epoch."""
    epoch = message.key.partition("/")[2].partition("/")[0]
    return int(epoch) if epoch.isdecimal() else message.epoch


def _progress(state: str) -> int:
    return State(state).progress if state in set(State) else 0
