"""Instants as people type them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

HELP = "ISO 8601, such as 2026-03-01T08:00; without an offset in the site's time zone, a date alone at 00:00"


def instant_us(text: str, timezone: str) -> int:
    """Microseconds since 1970 UTC; wrong usage (exit code 2) for what is no time.

    A local time that the clocks skip or show twice is read with the offset before the change.
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: {HELP}") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(timezone))
    return round(at.timestamp() * 1_000_000)


def local_text(at_us: int, timezone: str) -> str:
    """`2026-03-01 08:00` in that zone."""
    return f"{datetime.fromtimestamp(at_us // 1_000_000, ZoneInfo(timezone)):%Y-%m-%d %H:%M}"
