"""What came back of memos: receipts, replies and keys, and what they prove of a way.

Of a memo nothing follows but knowledge: no next way, no act, no line of a timeline.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, case, select, update

from alerts.case import Act
from alerts.channel_proofs import Sent
from alerts.channels.receipts import ReceiptState
from alerts.ladder import UNDELIVERED, Rung, climbed
from alerts.memo_schema import memo
from devices.model import Medium

ANSWER_US: Final = 24 * 3600 * 1_000_000
"""A reply within a day of a test answers it (chosen, as long as links stay open after a close)."""
_TESTS: Final = ("test", "silent")
_LONGEST_ANSWER: Final = 24
"""Characters of a reply that says no more than "received" (chosen: the longest of its words, and marks)."""


def newest_memo(
    connection: Connection, contacts: Collection[int], heard_us: int, *, tests_only: bool = False
) -> Row[Any] | None:
    """`id`, `is_test` and `at_us` of the newest memo by SMS to one of these contacts, within a day before a
    reply that was heard then; None without one.

    `at_us` is the provider's accept, without one the last try: what was not refused may have come.
    """
    m = memo.c
    if not contacts:
        return None
    is_test = m.kind.in_(_TESTS)
    at_us = case(
        (m.accepted_us <= heard_us, m.accepted_us), (m.started_us <= heard_us, m.started_us), else_=m.made_us
    ).label("at_us")
    return connection.execute(
        select(m.id, is_test.label("is_test"), at_us)
        .where(m.contact_id.in_(contacts), m.medium == str(Medium.SMS), m.attempts > 0, m.state != "refused")
        .where(at_us > heard_us - ANSWER_US, at_us <= heard_us, *([is_test] if tests_only else []))
        .order_by(at_us.desc(), m.id.desc())
        .limit(1)
    ).first()


def says_received(row: Row[Any]) -> bool:
    """Whether a reply in the inbox says that a message was received, and nothing else: no sign either, since
    a drawn flame says much."""
    text = row.text.strip()
    plain = len(text) <= _LONGEST_ANSWER and all(unicodedata.category(sign)[0] in "LNPZ" for sign in text)
    return bool(row.act == Act.ACKNOWLEDGE and plain)


class HeardMemos:
    """A batch of the inbox, with the memos it may be about. Nothing is written before `store`."""

    def __init__(self, connection: Connection, rows: Sequence[Row[Any]]) -> None:
        self._connection = connection
        names = {row.receipt for row in rows if row.receipt}
        keys = {row.own_id for row in rows if row.own_id}
        found = connection.execute(
            select(memo).where(memo.c.receipt.in_(names) | memo.c.key.in_(keys))
        ).all() if names or keys else []  # fmt: skip
        self._rows = {row.id: row for row in found}
        self._by_name = {(row.carrier, row.receipt): row.id for row in found if row.receipt}
        self._by_key = {row.key: row.id for row in found}
        self._rungs = {row.id: _rung(row) for row in found}
        self._answered: dict[int, int] = {}
        self._whys: dict[int, str] = {}
        self._sent: list[Sent] = []

    def hear(self, row: Row[Any]) -> bool:
        """Whether a receipt is of a memo; it counts then."""
        of = self._by_name.get((row.carrier, row.receipt)) or self._by_key.get(row.own_id)
        if of is None:
            return False
        message, before, state = self._rows[of], self._rungs[of], ReceiptState(row.state)
        if state is ReceiptState.FAILED and before.state == "sending":
            return False  # its outcome comes, and this again with it
        at_us = min(max(row.at_us, before.accepted_us or message.made_us), max(row.heard_us, 0))
        after = climbed(before, state, at_us, is_latest=True)
        self._rungs[of] = after
        if row.keys:
            self._answered[of] = at_us
        self._prove(message, before, after, row.detail)
        return True

    def hear_reply(self, row: Row[Any]) -> bool:
        """Whether a reply that is about no incident answers a test; it counts then. Who says more than that
        it was received does not speak of the test."""
        contacts = [int(number) for number in row.contacts.split(",") if number.isdecimal()]
        if not says_received(row):
            return False
        found = newest_memo(self._connection, contacts, row.heard_us, tests_only=True)
        if found is None:
            return False
        self._answered[found.id] = row.heard_us
        return True

    def store(self) -> Sequence[Sent]:
        """Writes what was heard; what it proves of the ways."""
        changed = [
            {
                "b_id": key,
                "b_state": rung.state,
                "b_accepted": rung.accepted_us,
                "b_detail": self._whys.get(key, ""),
            }
            | {"b_delivered": rung.delivered_us, "b_read": rung.read_us}
            for key, rung in self._rungs.items()
            if rung != _rung(self._rows[key])
        ]
        if changed:
            self._connection.execute(_CLIMB, changed)
        if self._answered:
            answers = [{"b_id": key, "b_at": at_us} for key, at_us in self._answered.items()]
            self._connection.execute(_ANSWER, answers)
        return self._sent

    def _prove(self, message: Row[Any], before: Rung, after: Rung, detail: str) -> None:
        sent_us = after.accepted_us or message.made_us
        if after.delivered_us and not before.delivered_us:
            self._sent.append(Sent(message.channel_id, sent_us, True))
        elif after.state == UNDELIVERED != before.state:
            self._whys[message.id] = detail
            if message.medium != Medium.VOICE:  # nobody at home is no wrong number
                self._sent.append(Sent(message.channel_id, sent_us, False, detail))


_CLIMB: Final = (
    update(memo)
    .where(memo.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        accepted_us=bindparam("b_accepted"),
        delivered_us=bindparam("b_delivered"),
        read_us=bindparam("b_read"),
        detail=bindparam("b_detail"),
        ask_us=None,
    )
)
_ANSWER: Final = update(memo).where(memo.c.id == bindparam("b_id")).values(answered_us=bindparam("b_at"))


def _rung(row: Row[Any]) -> Rung:
    return Rung(row.state, row.accepted_us, row.delivered_us, row.read_us)
