"""Messages about no incident, in SQL: kept, begun, ended, taken up after a crash, withdrawn.

They go the way of every message (address book, channels, the carriers' limits, receipts), as the least of
all: behind every alarm in line, with what the limits leave to lesser messages, and not begun at all while
messages of alarms are waiting. A try that a crash cut off is made again, so that a message may come twice
where the crash fell between the provider's accept and our commit, as with alarms (contract 2).

Every function runs inside the caller's transaction. A memo's number as a handover is negative: it is never
taken for a notification's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, case, delete, exists, select, update

from alerts.asking import first_ask_us
from alerts.backoff import URGENT_RANK
from alerts.case import ENDED_STATES
from alerts.channels.channel import Accepted, Failed
from alerts.gate import GateError
from alerts.handover import Handover, pack_parts, read_parts
from alerts.leave_to_test import LeaveToTest, station_channels, station_ids
from alerts.memo_schema import memo
from alerts.outbox import RECEIPT_MAX, Ended
from alerts.receipt_schema import receipt as receipt_table
from alerts.schema import incident, notification
from devices.database import insert_new
from devices.masking import mask_within
from devices.model import Medium
from devices.people import Way

RANK: Final = 9
"""Behind every severity."""
TRIES: Final = 4
AGAIN_US: Final = 30_000_000
"""Between two tries at least (chosen: a test says soon what it found)."""
_LONGEST_WISH_S: Final = 3_600.0
LOST_US: Final = 900_000_000
"""Under way for so long and in no hand: its outcome was never known (chosen: far beyond any send)."""
FIRE_US: Final = 600_000_000
"""For so long a test is put off whose contact was told of a fire that is open (chosen)."""
KEPT_US: Final = 100 * 24 * 3600 * 1_000_000
"""What is over is kept for so long (chosen: beyond what a proof counts, `alerts.ways.PROVEN_US`)."""
_SLICE: Final = 500
_MEDIA: Final = frozenset(Medium)


class Kind(StrEnum):
    """What a memo is: a test somebody asked for, the monthly one, or a report of the day or the week."""

    TEST = "test"
    SILENT = "silent"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Memo:
    """One message to one contact by one way. Refuses to exist as a test without leave for that way.

    `key` begins with `memo/`; `made_by` is a login, or gengfu. `after_us`: it waits so long, and its last
    moment is later by as much: who has quiet hours gets a report at their end.
    """

    key: str
    kind: Kind
    contact_id: int
    way: Way
    language: str
    text: str
    parts: Mapping[str, str]
    made_by: str = "gengfu"
    leave: LeaveToTest | None = None
    after_us: int = 0

    def __post_init__(self) -> None:
        if self.kind is Kind.REPORT:
            return
        if self.leave is None or not self.leave.covers(self.contact_id, self.way.channel_id):
            raise GateError("a contact is tested with leave only")


def keep_memos(connection: Connection, memos: Sequence[Memo], now_us: int, until_us: int) -> dict[str, int]:
    """Writes what is to be sent from now on and until `until_us`; the ids by key. One that is there is left
    alone."""
    if not memos:
        return {}
    connection.execute(insert_new(connection, memo), [_row(one, now_us, until_us) for one in memos])
    keys = [one.key for one in memos]
    found: dict[str, int] = {}
    for start in range(0, len(keys), _SLICE):
        rows = connection.execute(
            select(memo.c.key, memo.c.id).where(memo.c.key.in_(keys[start : start + _SLICE]))
        )
        found |= {row.key: row.id for row in rows}
    return found


def _row(one: Memo, now_us: int, until_us: int) -> dict[str, Any]:
    return {
        "key": one.key,
        "kind": str(one.kind),
        "contact_id": one.contact_id,
        "channel_id": one.way.channel_id,
        "medium": str(one.way.medium),
        "language": one.language,
        "text": one.text,
        "parts": pack_parts(one.parts),
        "made_us": now_us,
        "made_by": one.made_by,
        "due_us": now_us + one.after_us,
        "until_us": until_us + one.after_us,
        "state": "waiting",
        "attempts": 0,
        "detail": "",
    }


def anything_waits(connection: Connection, now_us: int) -> bool:
    """Whether a memo is due, or over: a cheap read."""
    return bool(connection.scalar(select(exists().where(memo.c.state == "waiting", memo.c.due_us <= now_us))))


def begin_memos(connection: Connection, now_us: int, limit: int) -> list[Handover]:
    """Begins the next try of at most `limit` that are due, the oldest first; withdraws what came too late."""
    waiting = memo.c.state == "waiting"
    late = update(memo).where(waiting, memo.c.until_us < now_us)
    why = case((memo.c.detail == "", "not sent in time"), else_=memo.c.detail)
    connection.execute(late.values(state="withdrawn", detail=why))
    due = select(memo).where(waiting, memo.c.due_us <= now_us).order_by(memo.c.due_us, memo.c.id).limit(limit)
    rows = _without_stations(connection, connection.execute(due).all(), now_us)
    return _begin(connection, _without_fires(connection, rows, now_us), now_us)


def recover_memos(connection: Connection, now_us: int) -> list[Handover]:
    """Begins again what a crash cut off, as `begin_memos` begins what is due: nothing after its last moment,
    which is never later than the hours of tests, and no test in a fire."""
    is_cut_off = memo.c.state == "sending"
    late = update(memo).where(is_cut_off, memo.c.until_us < now_us)
    connection.execute(late.values(state="failed", detail="cut off by a crash, too late"))
    cut_off = connection.execute(select(memo).where(is_cut_off)).all()
    rows = _without_stations(connection, cut_off, now_us)
    return _begin(connection, _without_fires(connection, rows, now_us), now_us)


def _without_fires(connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> Sequence[Row[Any]]:
    """Puts off the tests of who was told of a fire that is still open: they have other messages to heed."""
    tests = {row.contact_id for row in rows if row.kind != Kind.REPORT}
    if not tests:
        return rows
    told = select(notification.c.contact_id).join(incident, incident.c.id == notification.c.incident_id)
    is_open = incident.c.state.not_in([str(one) for one in ENDED_STATES])
    busy = set(
        connection.scalars(
            told.where(notification.c.contact_id.in_(tests), notification.c.rank <= URGENT_RANK, is_open)
        )
    )
    later = [row.id for row in rows if row.kind != Kind.REPORT and row.contact_id in busy]
    if later:
        why = "told of a fire that is still open"
        put_off = update(memo).where(memo.c.id.in_(later))
        connection.execute(put_off.values(state="waiting", due_us=now_us + FIRE_US, detail=why))
    return [row for row in rows if row.id not in later]


def _without_stations(connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> Sequence[Row[Any]]:
    """Withdraws the tests of who has become a station since."""
    tests = [row for row in rows if row.kind != Kind.REPORT]
    if not tests:
        return rows
    stations = station_ids(connection, now_us)
    shared = {channel for _, channel in station_channels(connection, {r.contact_id for r in tests}, now_us)}
    barred = [row.id for row in tests if row.contact_id in stations or row.channel_id in shared]
    if barred:
        why = "a station is not tested"
        connection.execute(update(memo).where(memo.c.id.in_(barred)).values(state="withdrawn", detail=why))
    return [row for row in rows if row.id not in barred]


def _begin(connection: Connection, rows: Sequence[Row[Any]], now_us: int) -> list[Handover]:
    lost = [row.id for row in rows if row.medium not in _MEDIA]
    if lost:
        connection.execute(
            update(memo).where(memo.c.id.in_(lost)).values(state="failed", detail="the medium is not known")
        )
    begun = [_handover(row, now_us) for row in rows if row.medium in _MEDIA]
    if begun:
        connection.execute(
            _BEGIN, [{"b_id": -one.notification_id, "b_n": one.n, "b_at": now_us} for one in begun]
        )
    return begun


def _handover(row: Row[Any], now_us: int) -> Handover:
    return Handover(
        notification_id=-row.id,
        n=row.attempts + 1,
        key=row.key,
        incident_id=0,
        contact_id=row.contact_id,
        channel_id=row.channel_id,
        medium=Medium(row.medium),
        rank=RANK,
        text=row.text,
        link="",
        language=row.language,
        parts=read_parts(row.parts),
        created_us=now_us,
        started_us=now_us,
    )


def is_memo(handover: Handover) -> bool:
    """Whether a handover is one of these."""
    return handover.notification_id < 0


def end_memos(connection: Connection, ended: Iterable[Ended]) -> None:
    """Writes how tries ended. Writing the same outcome twice changes nothing."""
    by_id = {-one.handover.notification_id: one for one in ended}
    if not by_id:
        return
    rows = connection.execute(
        select(memo.c.id, memo.c.attempts, memo.c.until_us).where(
            memo.c.id.in_(by_id), memo.c.state == "sending"
        )
    ).all()
    ends = [_end(row, by_id[row.id]) for row in rows if row.attempts == by_id[row.id].handover.n]
    if not ends:
        return
    connection.execute(_END, ends)
    if receipts := [one["b_receipt"] for one in ends if one["b_receipt"]]:
        early = receipt_table.c.receipt.in_(receipts) & (receipt_table.c.outcome == "unknown")
        connection.execute(update(receipt_table).where(early).values(outcome=""))


def _end(row: Row[Any, Any, Any], ended: Ended) -> dict[str, Any]:
    outcome = ended.outcome
    if isinstance(outcome, Accepted):
        receipt = outcome.receipt[:RECEIPT_MAX] if ended.carrier else ""
        asked = first_ask_us(ended.carrier, ended.ended_us) if receipt and ended.carrier else None
        return _values(row.id, "accepted", outcome.detail) | {
            "b_accepted": ended.ended_us,
            "b_carrier": ended.carrier if receipt else None,
            "b_receipt": receipt or None,
            "b_ask": asked,
        }
    again_us = _again_us(row, ended, outcome)
    if again_us is not None:
        return _values(row.id, "waiting", outcome.reason) | {"b_due": again_us}
    return _values(row.id, "refused" if outcome.permanent else "failed", outcome.reason)


def _values(memo_id: int, state: str, detail: str) -> dict[str, Any]:
    blank = {"b_accepted": None, "b_carrier": None, "b_receipt": None, "b_ask": None, "b_due": 0}
    return {**blank, "b_id": memo_id, "b_state": state, "b_detail": mask_within(detail)[:300]}


def _again_us(row: Row[Any, Any, Any], ended: Ended, failed: Failed) -> int | None:
    """When to try again; None where that is pointless, used up or too late."""
    if failed.permanent or ended.handover.n >= TRIES:
        return None
    wish_us = round(min(failed.retry_after_s, _LONGEST_WISH_S) * 1e6)
    again_us = ended.ended_us + max(AGAIN_US, wish_us)
    return again_us if again_us <= row.until_us else None


def withdraw_memos(connection: Connection, ids: Collection[int], why: str) -> int:
    """Takes back those of which no try has begun; how many."""
    waiting = memo.c.id.in_(sorted(ids)) & (memo.c.state == "waiting") & (memo.c.attempts == 0)
    done = connection.execute(update(memo).where(waiting).values(state="withdrawn", detail=why))
    return done.rowcount


def tidy_memos(connection: Connection, now_us: int) -> None:
    """Ends what was lost under way, and deletes what was over long ago."""
    lost = (memo.c.state == "sending") & (memo.c.started_us < now_us - LOST_US)
    connection.execute(update(memo).where(lost).values(state="failed", detail="its outcome was never known"))
    over = memo.c.state.not_in(("waiting", "sending")) & (memo.c.made_us < now_us - KEPT_US)
    connection.execute(delete(memo).where(over))


_BEGIN: Final = (
    update(memo)
    .where(memo.c.id == bindparam("b_id"))
    .values(state="sending", attempts=bindparam("b_n"), started_us=bindparam("b_at"))
)
_END: Final = (
    update(memo)
    .where(memo.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        detail=bindparam("b_detail"),
        due_us=bindparam("b_due"),
        accepted_us=bindparam("b_accepted"),
        carrier=bindparam("b_carrier"),
        receipt=bindparam("b_receipt"),
        ask_us=bindparam("b_ask"),
    )
)
