"""Tests of contacts that somebody asked for: which ways they go by, and what became of each."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from alerts.contact_tests import bars, parts_of_test, words_of_test
from alerts.leave_to_test import LeaveToTest, leaves
from alerts.memo_schema import memo
from alerts.memos import Kind, Memo, keep_memos
from alerts.plain_words import since_text
from alerts.reach_settings import ReachSettings
from alerts.silent_tests import ways_of
from alerts.ways import WITH_RECEIPTS
from devices.model import Carrier, Medium
from devices.people import Way
from devices.schema import contact
from devices.spots import IDS, rows_in

NO_STATION: Final = "a micro station or fire brigade: no test reaches one"
SHARED: Final = "its address is also that of a micro station or fire brigade: no test reaches one"
NO_WAY: Final = "no way is registered"
_GOOD: Final = frozenset({"delivered", "read", "answered"})


@dataclass(frozen=True, slots=True)
class AskedTest:
    """A test that waits to be sent: the memo's id, whose it is, and by which way."""

    memo_id: int
    code: str
    way: Way


@dataclass(frozen=True, slots=True)
class NotTested:
    """A contact, or with `way` one of its ways, that gets no test, and why."""

    code: str
    why: str
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """How far a test got: waiting, sending, accepted, delivered, read, answered, bounced, refused, failed or
    withdrawn. `over`: as far as can ever be known. `detail` is what the provider said."""

    __test__ = False

    word: str
    over: bool
    detail: str
    good: bool


def ask_tests(
    connection: Connection,
    contact_ids: Collection[int],
    settings: ReachSettings,
    *,
    by: str,
    now_us: int,
    until_us: int,
    channel_id: int = 0,
) -> tuple[list[AskedTest], list[NotTested]]:
    """Makes tests of these contacts, by one channel where it is named, and says of the others why not."""
    given = leaves(connection, contact_ids, now_us)
    ways = ways_of(connection, contact_ids)
    tests: list[tuple[str, Memo]] = []
    left_out: list[NotTested] = []
    run = secrets.token_hex(6)
    people = select(contact.c.id, contact.c.code, contact.c.language).where(contact.c.id.in_(IDS))
    for person in sorted(rows_in(connection, people, contact_ids), key=lambda row: row.code):
        mine = [way for way in ways.get(person.id, ()) if channel_id in {0, way.channel_id}]
        leave = given.get(person.id)
        if leave is None or not mine:
            left_out.append(NotTested(person.code, NO_STATION if leave is None else NO_WAY))
            continue
        for way in mine:
            if why := _why_not(way, leave, settings.refused, named=channel_id > 0):
                left_out.append(NotTested(person.code, why, way))
            else:
                tests.append((person.code, _memo(person, way, leave, settings, run, by, now_us)))
    ids = keep_memos(connection, [one for _, one in tests], now_us, until_us)
    return [AskedTest(ids[one.key], code, one.way) for code, one in tests], left_out


def _why_not(way: Way, leave: LeaveToTest, refused: Mapping[Carrier, str], *, named: bool) -> str:
    if not leave.covers(leave.contact_id, way.channel_id):
        return SHARED
    return bars(way, refused, named=named)


def _memo(
    person: Row[Any], way: Way, leave: LeaveToTest, settings: ReachSettings, run: str, by: str, now_us: int
) -> Memo:
    since = since_text(now_us, now_us, ZoneInfo(settings.timezone))
    return Memo(
        key=f"memo/test/{run}/{way.channel_id}",
        kind=Kind.TEST,
        contact_id=person.id,
        way=way,
        language=person.language,
        text=words_of_test(settings.site, person.language, monthly=False),
        parts=parts_of_test(settings.site, person.language, Medium(way.medium), since),
        made_by=by,
        leave=leave,
    )


def outcomes_of(connection: Connection, asked: Sequence[AskedTest]) -> dict[int, TestOutcome]:
    """What became of these tests so far, by the memo's id."""
    carriers = {one.memo_id: one.way.carrier for one in asked}
    rows = rows_in(connection, select(memo).where(memo.c.id.in_(IDS)), set(carriers))
    return {row.id: _outcome(row, has_receipts=carriers[row.id] in WITH_RECEIPTS) for row in rows}


def _outcome(row: Row[Any], *, has_receipts: bool) -> TestOutcome:
    word = str(row.state)
    if row.answered_us is not None:
        word = "answered"
    elif row.read_us is not None:
        word = "read"
    elif row.delivered_us is not None:
        word = "delivered"
    elif word == "undelivered":
        word = "bounced"
    good = word in _GOOD or (word == "accepted" and not has_receipts)
    over = good or word in {"bounced", "refused", "failed", "withdrawn"}
    return TestOutcome(word, over, str(row.detail), good)
