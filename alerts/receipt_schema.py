"""The tables of what comes back of messages. Times are int64 microseconds UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from alerts.schema import Id
from devices.schema import metadata

receipt = Table(
    "receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("once_key", Text, nullable=False, unique=True, comment="one posted again is the same"),
    Column("carrier", Text, nullable=False),
    Column("receipt", Text, nullable=False, comment="the provider's name of our message; empty: a reply"),
    Column("own_id", Text, nullable=False, comment="our name of it, where the provider sends it back"),
    Column("state", Text, nullable=False, comment="delivered | read | failed | answered | reply"),
    Column("at_us", BigInteger, nullable=False, comment="as the provider says"),
    Column("heard_us", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("keys", Text, nullable=False, comment="pressed in a call"),
    Column("act", Text, nullable=False, comment="what the keys or the reply mean; empty: nothing known"),
    Column("text", Text, nullable=False, comment="of a reply, until it is an act"),
    Column("contacts", Text, nullable=False, comment="ids of whose number a reply came from, by comma"),
    Column("outcome", Text, nullable=False, server_default="", comment="empty: undecided"),
    Index("ix_receipt_receipt", "receipt"),
    Index("ix_receipt_outcome_heard_us", "outcome", "heard_us"),
    sqlite_autoincrement=True,
)
"""What came back of messages. Written by answers and by alerts, which decides it in id order.

`outcome`: done | nothing (known already) | unknown (of no message of ours, yet) | nobody (a number nobody
has) | no_incident (nothing open that the sender was told of) | fault. No number is kept here.
"""

receipt_unread = Table(
    "receipt_unread",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("entries", Integer, nullable=False, comment="none of the provider's shapes"),
    Column("body", Text, nullable=False, comment="its beginning, numbers masked"),
    sqlite_autoincrement=True,
)
"""Dead letters of providers: the newest thousand."""

channel_proof = Table(
    "channel_proof",
    metadata,
    Column("channel_id", Integer, primary_key=True, autoincrement=False),
    Column("delivered_us", BigInteger, comment="when the newest message that was delivered was sent"),
    Column("bounced_us", BigInteger, comment="when the newest message that was not was sent"),
    Column("first_us", BigInteger, comment="since when none has been delivered"),
    Column("times", Integer, nullable=False, comment="not delivered since then"),
    Column("detail", Text, nullable=False, comment="why the last was not"),
)
"""What receipts say of contacts' ways: one bounces while its newest receipt says that it did."""
