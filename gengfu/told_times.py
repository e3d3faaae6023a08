"""Instants as the commands about rules show them: one form for people, one for machines."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def site_text(at_us: int, timezone: str) -> str:
    """For people: the site's local time with its offset, `2026-03-01T16:01:00+08:00`, to the second. Every
    option that takes a time takes it."""
    return datetime.fromtimestamp(at_us // 1_000_000, ZoneInfo(timezone)).isoformat()


def utc_text(at_us: int) -> str:
    """For machines: ISO 8601 in UTC, `2026-03-01T08:01:00Z`, with the part of a second where there is one."""
    at = datetime.fromtimestamp(at_us // 1_000_000, UTC)
    part = f".{at_us % 1_000_000:06d}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%dT%H:%M:%S}{part}Z"


def utc_or_none(at_us: int | None) -> str | None:
    """The same, of an instant that may not be."""
    return None if at_us is None else utc_text(at_us)
