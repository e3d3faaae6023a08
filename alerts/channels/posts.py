"""Reading what vendors post: any bytes, in bounded time, one bad entry leaving the others their due. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from alerts.channels.http import short_code
from alerts.channels.receipts import Posted, Receipt, SmsReply

_LARGEST: Final = 1_048_576
_MOST: Final = 5_000
"""Entries of one post that are read (vendors send some hundreds at most)."""
_LONGEST: Final = 300
_CHINA: Final = ZoneInfo("Asia/Shanghai")
_DAY_US: Final = 86_400_000_000
_EARLIEST_US: Final = 1_000_000_000_000_000

Entry = dict[str, Any]
Reader = Callable[[Entry], Receipt | SmsReply | None]


def read_body(body: bytes, reader: Reader) -> Posted:
    """A JSON array of entries, or one entry, up to 1 MiB."""
    if len(body) > _LARGEST:
        return Posted(unread=1)
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Posted(unread=1)
    return read_entries([decoded] if isinstance(decoded, dict) else decoded, reader)


def read_entries(entries: object, reader: Reader) -> Posted:
    """Each entry by itself; those that the reader does not know are counted."""
    if not isinstance(entries, list):
        return Posted(unread=1)
    read = [reader(entry) if isinstance(entry, dict) else None for entry in entries[:_MOST]]
    return Posted(
        tuple(one for one in read if isinstance(one, Receipt)),
        tuple(one for one in read if isinstance(one, SmsReply)),
        read.count(None) + max(len(entries) - _MOST, 0),
    )


def text_in(entry: Entry, name: str) -> str:
    """A field that is text or a whole number, bounded and printable; empty for all else."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = value[:_LONGEST] if isinstance(value, str) else str(value) if abs(value) < 10**30 else ""
    return "".join(letter for letter in text if letter.isprintable()).strip()


def vendor_code(text: str) -> str:
    """A code fit for a log; empty for none."""
    return short_code(text) if text else ""


def pressed(text: str) -> str:
    """The keys of a telephone in `text`, at most 20."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in plain if letter in "0123456789*#")[:20]


def china_us(text: str, now_us: int) -> int:
    """China's local time as `2026-11-22 00:00:00` or `20261122000000`; now for what cannot be."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"):
        try:
            at = datetime.strptime(text, form).replace(tzinfo=_CHINA)
        except ValueError:
            continue
        return _sane_us(int(at.timestamp()) * 1_000_000, now_us)
    return now_us


def unix_us(text: str, now_us: int) -> int:
    """Seconds since 1970; now for what cannot be."""
    return _sane_us(int(text) * 1_000_000, now_us) if re.fullmatch(r"[0-9]{9,11}", text) else now_us


def _sane_us(at_us: int, now_us: int) -> int:
    return at_us if _EARLIEST_US < at_us < now_us + _DAY_US else now_us
