"""The monthly test of each contact: who is due, and how far it has got.

Contacts are spread over 30 days by their ids. A day's contacts are taken one after the other in the hours of
the day, a few at a time; how far it got is a cursor that moves in the transaction that makes the messages, so
that a crash neither repeats nor skips one. After an absence of ours the days missed are made up, up to a
month of them. A way by which a message got through within 30 days, a real one or a test, needs none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Row, func, select

from alerts.agenda import store_positions
from alerts.contact_tests import bars, is_silent, parts_of_test, words_of_test
from alerts.leave_to_test import leaves
from alerts.memo_schema import memo
from alerts.memos import Kind, Memo, keep_memos
from alerts.plain_words import since_text
from alerts.pulse import is_silent as has_stopped
from alerts.reach_settings import ReachSettings
from alerts.receipt_schema import channel_proof
from alerts.schema import cursor, notification, pulse
from alerts.ways import WITH_RECEIPTS
from devices.database import reading, writing
from devices.instants import Instant
from devices.model import Carrier, Medium
from devices.people import Way
from devices.quiet import DAY_MINUTES, Quiet
from devices.readable import is_readable_way
from devices.schema import binding, contact, contact_channel
from devices.spots import IDS, rows_in

CURSOR: Final = "reach.silent"
MONTH: Final = 30
"""Days between two tests of a contact."""
PROVEN_US: Final = MONTH * 24 * 3600 * 1_000_000
_STRIDE: Final = 1 << 32
"""The cursor is the day's ordinal times this, and the last contact of that day that was looked at."""
_CONTACTS: Final = 200
"""Looked at in one transaction at most (chosen: some ms of it)."""
_MINUTE_US: Final = 60_000_000


def make_silent_tests(engine: Engine, settings: ReachSettings, now_us: int, most: int) -> int:
    """Makes the next tests that are due, `most` messages or those of one contact; how many.

    None outside the hours, while the process that sends them is silent, or while a minute's worth waits.
    Reads first and takes the write lock only for what it found; nobody else moves the cursor.
    """
    minute = settings.minute(now_us)
    if not settings.silent or not settings.hours.holds(minute):
        return 0
    today = settings.day(now_us)
    with reading(engine) as connection:
        day, last = _place(connection, today)
        if day > today or not _is_sending(connection, settings, now_us):
            return 0
        contacts = _contacts(connection, day, last)
        due = _Due(connection, contacts, settings, now_us) if contacts else None
    memos: list[Memo] = []
    over = len(contacts) < _CONTACTS
    for n, one in enumerate(contacts):
        last = one.id
        memos += due.tests(one, day) if due else ()
        if len(memos) >= most:
            over = over and n == len(contacts) - 1
            break
    until_us = now_us + (settings.hours.until_minute - minute) % DAY_MINUTES * _MINUTE_US
    with writing(engine) as connection:
        keep_memos(connection, memos, now_us, until_us)
        store_positions(connection, {CURSOR: (day + 1) * _STRIDE if over else day * _STRIDE + last})
    return len(memos)


def _place(connection: Connection, today: int) -> tuple[int, int]:
    """The day that is being gone through, and the last contact of it: never further back than a month, since
    everybody has had a turn since, nor further ahead than tomorrow, whatever the clock said once."""
    position = connection.scalar(select(cursor.c.position).where(cursor.c.name == CURSOR))
    day, last = divmod(int(position), _STRIDE) if position is not None else (today, 0)
    if not today - MONTH < day <= today + 1:
        return max(min(day, today), today - MONTH + 1), 0
    return day, last


def _is_sending(connection: Connection, settings: ReachSettings, now_us: int) -> bool:
    beat_us = connection.scalar(select(pulse.c.at_us).where(pulse.c.name == "alerts"))
    if beat_us is None or has_stopped(beat_us, now_us):
        return False
    open_ones = memo.c.kind == str(Kind.SILENT), memo.c.state.in_(("waiting", "sending"))
    waiting = connection.scalar(select(func.count()).select_from(memo).where(*open_ones)) or 0
    return waiting < settings.per_minute


def _contacts(connection: Connection, day: int, last: int) -> Sequence[Row[int, str]]:
    """The day's next contacts: id and language."""
    c = contact.c
    return connection.execute(
        select(c.id, c.language)
        .where(c.id > last, c.id % MONTH == day % MONTH, c.erased_us.is_(None))
        .order_by(c.id)
        .limit(_CONTACTS)
    ).all()


class _Due:
    """What is known of some contacts, and so which of their ways are due."""

    def __init__(
        self, connection: Connection, contacts: Sequence[Row[int, str]], settings: ReachSettings, now_us: int
    ) -> None:
        ids = {one.id for one in contacts}
        self._settings = settings
        self._since = since_text(now_us, now_us, ZoneInfo(settings.timezone))
        self._leaves = leaves(connection, ids, now_us)
        self._awake = _awake(connection, ids, settings.minute(now_us), now_us)
        self._ways = ways_of(connection, ids)
        self._proven = _proven(connection, self._ways, now_us)

    def tests(self, one: Row[int, str], day: int) -> Iterator[Memo]:
        """None for who is bound nowhere, is in quiet hours now, or is a station."""
        leave, site = self._leaves.get(one.id), self._settings.site
        for way in self._ways.get(one.id, ()) if leave and one.id in self._awake else ():
            if leave and leave.covers(one.id, way.channel_id) and self._is_due(way):
                yield Memo(
                    key=f"memo/silent/{day}/{way.channel_id}",
                    kind=Kind.SILENT,
                    contact_id=one.id,
                    way=way,
                    language=one.language,
                    text=words_of_test(site, one.language, monthly=True),
                    parts=parts_of_test(site, one.language, way.medium, self._since),
                    leave=leave,
                )

    def _is_due(self, way: Way) -> bool:
        unbarred = not bars(way, self._settings.refused, named=False)
        return is_silent(way) and unbarred and way.channel_id not in self._proven


def _awake(connection: Connection, ids: set[int], minute: int, now_us: int) -> set[int]:
    """Those of the contacts who are bound somewhere, and nowhere in quiet hours now."""
    b = binding.c
    bound = select(b.contact_id, b.quiet_from, b.quiet_until).where(
        b.contact_id.in_(IDS), Instant(now_us, live=True).is_bound()
    )
    found, asleep = set[int](), set[int]()
    for row in rows_in(connection, bound, ids):
        found.add(row.contact_id)
        quiet = Quiet.stored(row.quiet_from, row.quiet_until)
        if quiet is not None and quiet.holds(minute):
            asleep.add(row.contact_id)
    return found - asleep


def ways_of(connection: Connection, ids: Collection[int]) -> dict[int, list[Way]]:
    """The ways in use of these contacts, in the order of trying."""
    way = contact_channel.c
    query = (
        select(way.contact_id, way.id, way.medium, way.carrier, way.rank)
        .where(way.contact_id.in_(IDS), way.removed_us.is_(None), is_readable_way())
        .order_by(way.rank, way.id)
    )
    found: dict[int, list[Way]] = defaultdict(list)
    for row in rows_in(connection, query, ids):
        found[row.contact_id].append(Way(row.id, Medium(row.medium), Carrier(row.carrier), row.rank))
    return found


def _proven(connection: Connection, ways: Mapping[int, Sequence[Way]], now_us: int) -> set[int]:
    """The channels that need no test: a message got through of late, or a test was tried."""
    since_us = now_us - PROVEN_US
    channels = {way.channel_id for many in ways.values() for way in many}
    plain = {w.channel_id for many in ways.values() for w in many if w.carrier not in WITH_RECEIPTS}
    p, m, n = channel_proof.c, memo.c, notification.c
    delivered = select(p.channel_id).where(p.channel_id.in_(IDS), p.delivered_us > since_us)
    tested = select(m.channel_id).where(
        m.channel_id.in_(IDS), m.made_us > since_us, m.kind != str(Kind.REPORT), m.attempts > 0
    )
    taken = select(n.channel_id).where(
        n.contact_id.in_(IDS), n.created_us > since_us, n.accepted_us > since_us
    )
    found = {row.channel_id for query in (delivered, tested) for row in rows_in(connection, query, channels)}
    return found | ({row.channel_id for row in rows_in(connection, taken.distinct(), set(ways))} & plain)
