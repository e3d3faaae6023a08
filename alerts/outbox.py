"""The outbox in SQL: attempts begun, cut off, ended, and due again.

Every function runs inside the caller's write transaction and returns what to hand over once it has
committed. A notification in state `sending` has exactly one attempt under way, `started` or `slow`
(`alerts.slow`): the one numbered `notification.attempts`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, bindparam, func, select, update

from alerts.asking import first_ask_us
from alerts.attempts import begin, handover_of
from alerts.backoff import URGENT_RANK, delay_s
from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.deliveries import Delivery, lines_of
from alerts.handover import Handover
from alerts.leading import lead_on
from alerts.next_way import open_next_ways
from alerts.receipt_schema import receipt as receipt_table
from alerts.schema import attempt, incident, incident_change, notification
from alerts.slow import SLOW, SLOW_US, followed, open_for_slow
from devices.many import insert_many, update_many
from devices.masking import mask_within
from devices.model import Carrier, Medium

log = structlog.get_logger()

_SECOND_US: Final = 1_000_000
_MEDIA: Final = frozenset(Medium)
_SLICE: Final = 500
"""Ids in one IN list, below SQLite's bound on parameters."""
RECEIPT_MAX: Final = 300
"""Characters kept of a provider's name for a message, as many as are read of one in its receipts."""

Values = dict[str, Any]
_FATE_COLUMNS: Final = tuple(
    notification.c[name] for name in ("id", "attempts", "incident_id", "role", "medium")
)


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that is over; `carrier` is what it was tried by, None where it came to none."""

    handover: Handover
    outcome: Outcome
    ended_us: int
    carrier: Carrier | None = None


def recover(connection: Connection, now_us: int, held: Collection[int] = frozenset()) -> list[Handover]:
    """Begins again what a crash cut off, urgent first, but for the notifications in `held`.

    The attempt under way is marked `unknown`: the provider may have taken it, so the new attempt is a
    possible duplicate (contract 2), and the length of the list is their count. `held` is what the caller
    has in hand itself. An urgent one that is older than `SLOW_US` goes by the next way at once too: a process
    that dies again and again would never find it slow.
    """
    found = connection.execute(
        select(notification)
        .where(notification.c.state == "sending")
        .order_by(notification.c.rank, notification.c.created_us, notification.c.id)
    ).all()
    rows = [row for row in found if row.id not in held]
    if rows:
        connection.execute(_CUT_OFF, [{"b_id": row.id, "b_at": now_us} for row in rows])
    begun = _begin(connection, rows, now_us)
    late = [one for one in begun if one.rank <= URGENT_RANK and now_us - one.created_us >= SLOW_US]
    return begun + open_for_slow(connection, late, now_us)


def begun_by(connection: Connection) -> frozenset[int]:
    """The notifications of which an attempt is under way."""
    return frozenset(connection.scalars(select(notification.c.id).where(notification.c.state == "sending")))


def due_retries(
    connection: Connection, now_us: int, limit: int, worst_rank: int | None = None
) -> list[Handover]:
    """Begins the next attempt of at most `limit` waiting notifications whose time has come, urgent first.

    What was to be told before its incident was closed dies instead: nobody is called to what has ended.
    `worst_rank` leaves lesser severities waiting.
    """
    due = (notification.c.state == "waiting", notification.c.next_try_us <= now_us)
    _bury_closed(connection, due, now_us)
    query = select(notification).where(*due)
    if worst_rank is not None:
        query = query.where(notification.c.rank <= worst_rank)
    order = (notification.c.rank, notification.c.next_try_us, notification.c.id)
    return _begin(connection, connection.execute(query.order_by(*order).limit(limit)).all(), now_us)


def next_retry_us(connection: Connection) -> int | None:
    """When the first waiting notification is due; None when none waits."""
    first: int | None = connection.scalar(
        select(func.min(notification.c.next_try_us)).where(notification.c.state == "waiting")
    )
    return first


def _begin(connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> list[Handover]:
    """The next attempt of each; one whose medium this release does not know costs itself only."""
    lost = [row for row in rows if row.medium not in _MEDIA]
    begun = [handover_of(row, row.attempts + 1, now_us) for row in rows if row.medium in _MEDIA]
    if begun:
        connection.execute(
            update(notification)
            .where(notification.c.id == bindparam("b_id"))
            .values(state="sending", attempts=bindparam("b_n")),
            [{"b_id": h.notification_id, "b_n": h.n} for h in begun],
        )
        insert_many(connection, attempt, [begin(h.notification_id, h.n, h.started_us) for h in begun])
    return begun + _give_up(connection, lost, now_us)


def _give_up(connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> list[Handover]:
    """Ends what cannot be sent by its medium; the urgent ones go on by the contact's next way."""
    if not rows:
        return []
    log.error("medium_not_known", notifications=[row.id for row in rows[:10]], count=len(rows))
    _bury(connection, rows)
    reason = "the medium is not known"
    given_up = (
        Delivery(row.incident_id, "given_up", row.role, row.medium, now_us, row.attempts, reason)
        for row in rows
    )
    connection.execute(incident_change.insert(), lines_of(given_up))
    urgent = [(row, now_us) for row in rows if row.rank <= URGENT_RANK]
    return [handover_of(row, row.attempts, now_us) for row in open_next_ways(connection, urgent)]


def _bury(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    connection.execute(
        update(notification).where(notification.c.id == bindparam("b_id")).values(state="dead"),
        [{"b_id": row.id} for row in rows],
    )


def _bury_closed(connection: Connection, due: tuple[Any, ...], now_us: int) -> None:
    rows = connection.execute(
        select(notification)
        .join(incident, incident.c.id == notification.c.incident_id)
        .where(*due, notification.c.created_us < incident.c.closed_us)
    ).all()
    if not rows:
        return
    _bury(connection, rows)
    closed = (Delivery(row.incident_id, "closed_first", row.role, row.medium, now_us) for row in rows)
    connection.execute(incident_change.insert(), lines_of(closed))


def write_outcomes(connection: Connection, ended: Sequence[Ended]) -> list[Handover]:
    """Writes how attempts ended; returns attempts at further ways of urgent failures, already begun.

    What was slow has led to its next way already (`alerts.slow`), and not every failure leads to one
    (`alerts.leading`). Accepted and dead go on the incident's
    timeline (`alerts/deliveries.py`). Receipts that came before their message's outcome wait for a turn
    again. Writing the same outcome twice changes nothing.
    """
    rows = _under_way(connection, ended)
    fresh = [e for e in ended if _is_current(rows.get(e.handover.notification_id), e)]
    if not fresh:
        return []
    failed = [e for e in fresh if isinstance(e.outcome, Failed) and e.handover.rank <= URGENT_RANK]
    led = followed(connection, [e.handover.notification_id for e in failed])
    ends = [_attempt_values(e) for e in fresh]
    update_many(connection, _END_ATTEMPT, ends)
    _hear_again(connection, [end["b_receipt"] for end in ends if end["b_receipt"]])
    update_many(connection, _END_NOTIFICATION, [_notification_values(e) for e in fresh])
    over = [_delivery(rows[e.handover.notification_id], e) for e in fresh]
    if lines := lines_of(one for one in over if one is not None):
        connection.execute(incident_change.insert(), lines)
    since = {e.handover.notification_id: e.ended_us for e in failed}
    begun = lead_on(connection, {key: at_us for key, at_us in since.items() if key not in led})
    return [handover_of(row, row.attempts, row.created_us) for row in begun.values()]


_IS_UNDER_WAY: Final = (attempt.c.outcome == "started") | (attempt.c.outcome == SLOW)
_CUT_OFF: Final = (
    update(attempt)
    .where(attempt.c.notification_id == bindparam("b_id"), _IS_UNDER_WAY)
    .values(outcome="unknown", ended_us=bindparam("b_at"), detail="cut off before its outcome was known")
)
_END_ATTEMPT: Final = (
    update(attempt)
    .where(attempt.c.notification_id == bindparam("b_id"), attempt.c.n == bindparam("b_n"))
    .values(
        ended_us=bindparam("b_at"),
        outcome=bindparam("b_outcome"),
        detail=bindparam("b_detail"),
        carrier=bindparam("b_carrier"),
        receipt=bindparam("b_receipt"),
        ask_us=bindparam("b_ask"),
    )
)
_END_NOTIFICATION: Final = (
    update(notification)
    .where(notification.c.id == bindparam("b_id"))
    .values(state=bindparam("b_state"), next_try_us=bindparam("b_next"), accepted_us=bindparam("b_accepted"))
)


def _under_way(connection: Connection, ended: Sequence[Ended]) -> Mapping[int, Row[Any]]:
    ids = sorted({e.handover.notification_id for e in ended})
    return {
        row.id: row
        for start in range(0, len(ids), _SLICE)
        for row in connection.execute(
            select(*_FATE_COLUMNS).where(
                notification.c.id.in_(ids[start : start + _SLICE]), notification.c.state == "sending"
            )
        )
    }


def _is_current(row: Row[Any] | None, ended: Ended) -> bool:
    return row is not None and row.attempts == ended.handover.n


def _attempt_values(ended: Ended) -> Values:
    accepted = isinstance(ended.outcome, Accepted)
    detail = ended.outcome.detail if isinstance(ended.outcome, Accepted) else ended.outcome.reason
    receipt = ended.outcome.receipt if isinstance(ended.outcome, Accepted) and ended.carrier else ""
    return {
        "b_id": ended.handover.notification_id,
        "b_n": ended.handover.n,
        "b_at": ended.ended_us,
        "b_outcome": "accepted" if accepted else "failed",
        "b_detail": mask_within(detail)[:300],
        "b_carrier": ended.carrier if receipt else None,
        "b_receipt": receipt[:RECEIPT_MAX] or None,
        "b_ask": first_ask_us(ended.carrier, ended.ended_us) if receipt and ended.carrier else None,
    }


def _hear_again(connection: Connection, receipts: Sequence[str]) -> None:
    """What was of no message of ours may be of one of these: a receipt can be quicker than our own commit."""
    for start in range(0, len(receipts), _SLICE):
        early = receipt_table.c.receipt.in_(receipts[start : start + _SLICE])
        unknown = receipt_table.c.outcome == "unknown"
        connection.execute(update(receipt_table).where(early, unknown).values(outcome=""))


def _notification_values(ended: Ended) -> Values:
    again_us = _next_try_us(ended)
    accepted = isinstance(ended.outcome, Accepted)
    return {
        "b_id": ended.handover.notification_id,
        "b_state": "accepted" if accepted else "dead" if again_us is None else "waiting",
        "b_next": again_us or 0,
        "b_accepted": ended.ended_us if accepted else None,
    }


def _next_try_us(ended: Ended) -> int | None:
    """None: no further try. For an urgent message no refusal is final: a 401 or 404 may be mended in time."""
    outcome = ended.outcome
    if isinstance(outcome, Accepted) or (outcome.permanent and ended.handover.rank > URGENT_RANK):
        return None
    wait_s = delay_s(ended.handover.rank, ended.handover.n, outcome.retry_after_s)
    return None if wait_s is None else ended.ended_us + round(wait_s * _SECOND_US)


def _delivery(row: Row[Any], ended: Ended) -> Delivery | None:
    """What became of the message; None while there will be another try."""
    n, outcome = ended.handover.n, ended.outcome
    if isinstance(outcome, Accepted):
        fate = "handed_over" if n == 1 else "handed_over_late"
        return Delivery(row.incident_id, fate, row.role, row.medium, ended.ended_us, n)
    if _next_try_us(ended) is not None:
        return None
    said = mask_within(outcome.reason)  # a provider may repeat the number it refused
    return Delivery(row.incident_id, "given_up", row.role, row.medium, ended.ended_us, n, said)
