"""The tables of ingest: refused messages, strangers, points shed, how far the journal has been committed, and
what profiles have learnt of devices.

Text has no width here, as in `alerts.schema`: what must be short is cut where it is written.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from devices.schema import metadata

Id = BigInteger().with_variant(Integer(), "sqlite")
"""A growing number: SQLite's are 64 bits wide anyway, and a flood of refused messages outruns 32 in weeks."""

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False, comment="the first 4 KiB"),
    Column("size", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""Bounded: the newest rows per reason are kept."""

dead_letter_count = Table(
    "dead_letter_count",
    metadata,
    Column("reason", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

stranger = Table(
    "stranger",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)
"""Devices that speak and nobody registered; bounded, for installers to accept."""

journal_position = Table(
    "journal_position",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""`committed`: the newest journal record whose transitions are in this database."""

shed = Table(
    "shed",
    metadata,
    Column("device", Text, primary_key=True, comment="uid, also of a stranger"),
    Column("points", BigInteger, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="journal record up to which it is counted"),
)
"""Points that were evaluated and not stored, because there was no room for history."""

profile_note = Table(
    "profile_note",
    metadata,
    Column("profile", Text, primary_key=True, comment="empty: of ingest itself"),
    Column("table", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What a profile has learnt from its devices and must know after a restart; see `ingest.notes`."""

device_said = Table(
    "device_said",
    metadata,
    Column("uid", Text, primary_key=True, comment="also of a stranger"),
    Column("key", Text, primary_key=True, comment="label, vendor, model, firmware, parent, max_silence, ..."),
    Column("text", Text, nullable=False),
    Column("said_us", BigInteger, nullable=False),
)
"""What devices say of themselves, or is said of them, beside readings; bounded, see `ingest.heard`."""

proposal = Table(
    "proposal",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="a JSON object of texts"),
    Column("seen_us", BigInteger, nullable=False),
)
"""Devices that announce themselves, for installers to register; bounded, see `ingest.heard`."""
