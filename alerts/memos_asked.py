"""Of which memos a provider is asked what became of them, in SQL; numbers are those of handovers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, exists, select, update

from alerts.asking import next_ask_us
from alerts.memo_schema import memo
from devices.model import Carrier

_MAY_COME_US: Final = 24 * 3600 * 1_000_000
"""A receipt that is given in a lump is waited for so long (chosen: what is later is no news of a test)."""


def memos_to_ask(
    connection: Connection, carrier: Carrier, now_us: int, limit: int
) -> list[Row[int, str, int, int]]:
    """The memos to ask `carrier` about now: number, receipt, when it was accepted, channel."""
    c = memo.c
    return list(
        connection.execute(
            select((-c.id).label("id"), c.receipt, c.accepted_us.label("ended_us"), c.channel_id)
            .where(c.ask_us <= now_us, c.carrier == str(carrier))
            .order_by(c.ask_us, c.id)
            .limit(limit)
        ).all()
    )


def ask_memos_later(connection: Connection, carrier: Carrier, sent: Mapping[int, int], now_us: int) -> None:
    """When to ask next about those that were accepted at these times; for numbers below 0."""
    later: list[dict[str, Any]] = [
        {"b_id": -number, "b_ask": next_ask_us(carrier, sent_us, now_us)}
        for number, sent_us in sent.items()
        if number < 0
    ]
    if later:
        connection.execute(_LATER, later)


def may_memo_come(connection: Connection, now_us: int) -> bool:
    """Whether a receipt of a memo can still come that nobody asks for one by one."""
    waits = (memo.c.state == "accepted") & memo.c.receipt.is_not(None) & memo.c.delivered_us.is_(None)
    lately = memo.c.accepted_us > now_us - _MAY_COME_US
    return bool(connection.scalar(select(exists().where(waits, lately))))


_LATER: Final = (
    update(memo)
    .where(memo.c.id == bindparam("b_id"), memo.c.ask_us.is_not(None))
    .values(ask_us=bindparam("b_ask"))
)
