"""The tables of silences, drills and commissioning windows. Times are int64 microseconds UTC."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from devices.schema import metadata

bounded_window = Table(
    "bounded_window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="silence | drill | commissioning"),
    Column("scope", Text, nullable=False, comment="area | building | stair | dwelling | device"),
    Column("place_id", Integer, nullable=False, comment="in the registry; 0 for a device"),
    Column("code", Text, nullable=False, comment="of the place, or the device's uid"),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Index("ix_bounded_window_until_us", "until_us"),
    sqlite_autoincrement=True,
)
"""Silences, drills and commissioning windows (`alerts/windows.py`). A row never changes."""

bounded_window_end = Table(
    "bounded_window_end",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("window_id", ForeignKey("bounded_window.id"), nullable=False, unique=True),
    Column("ended_us", BigInteger, nullable=False),
    Column("by", Text, nullable=False, comment="gengfu: its time was over"),
    Column("reason", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""A window ends once and for good, whatever the clock says later. Read by alerts by id."""
