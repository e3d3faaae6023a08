"""The tables of ingest: refused messages, strangers, and how far the journal has been committed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from devices.schema import metadata

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False, index=True),
    Column("detail", String(300), nullable=False),
    Column("topic", String(300), nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="the first 4 KiB"),
    Column("size", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""Bounded: the newest rows per reason are kept."""

dead_letter_count = Table(
    "dead_letter_count",
    metadata,
    Column("reason", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

stranger = Table(
    "stranger",
    metadata,
    Column("uid", String(200), primary_key=True),
    Column("topic", String(300), nullable=False),
    Column("profile", String(64), nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)
"""Devices that speak and nobody registered; bounded, for installers to accept."""

journal_position = Table(
    "journal_position",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""`committed`: the newest journal record whose transitions are in this database."""
