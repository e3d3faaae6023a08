"""The table of messages that are about no incident. Times are int64 microseconds UTC."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from alerts.schema import Id
from devices.schema import metadata

memo: Final = Table(
    "memo",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "key", Text, nullable=False, unique=True, comment="memo/KIND/…: one with the same key is the same"
    ),
    Column("kind", Text, nullable=False, comment="test | silent | report"),
    Column("contact_id", Integer, nullable=False),
    Column("channel_id", Integer, nullable=False),
    Column("medium", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("parts", Text, nullable=False, comment="pieces of the text, a JSON object"),
    Column("made_us", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False, comment="a login, or gengfu"),
    Column("due_us", BigInteger, nullable=False, comment="of the next try"),
    Column("until_us", BigInteger, nullable=False, comment="no try begins after it"),
    Column(
        "state",
        Text,
        nullable=False,
        comment="waiting | sending | accepted | undelivered | failed | refused: for good | withdrawn",
    ),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("started_us", BigInteger, comment="of the last try"),
    Column("accepted_us", BigInteger),
    Column("delivered_us", BigInteger, comment="the provider's receipt: on the telephone"),
    Column("read_us", BigInteger, comment="the provider's receipt: read, or the call was picked up"),
    Column("answered_us", BigInteger, comment="by a reply, or a key pressed in the call"),
    Column("carrier", Text, comment="with receipt"),
    Column("receipt", Text, comment="what the provider calls the message in its receipts"),
    Column("ask_us", BigInteger, comment="when to ask the provider what became of it; null: never"),
    Column("detail", Text, nullable=False, server_default="", comment="why it was not taken or delivered"),
    Index("ix_memo_state_due_us", "state", "due_us"),
    Index("ix_memo_channel_id", "channel_id"),
    Index("ix_memo_contact_id", "contact_id"),
    Index("ix_memo_receipt", "receipt"),
    Index("ix_memo_ask_us", "ask_us"),
    sqlite_autoincrement=True,
)
"""Tests of contacts and daily reports: a small outbox of its own, so that none of them is ever in the way of
an alarm, counted as one, or shown as one."""
