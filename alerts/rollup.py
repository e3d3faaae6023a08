"""When lesser messages wait to be told together, and the summary that tells them. Pure.

A storm must not bury people in messages: beyond a number a minute, a contact's further lesser ones wait and
come as one summary. Faults (a dark building, devices offline) wait a moment from the first on, since one
cause, a power cut or a dead line, silences many places within seconds. P0 and P0+ never wait and are never
part of a summary (life_safety, "who is told").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from alerts.backoff import URGENT_RANK
from alerts.case import Hazard
from alerts.evidence import CHINESE
from alerts.text_file import Texts, shipped_texts
from alerts.text_form import filled

WINDOW_US: Final = 60_000_000
"""A limit of messages is one of any stretch so long."""
TOGETHER_US: Final = 10_000_000
"""Faults wait so long for others of their kind (chosen: what they are about has lasted minutes already)."""
_NAMED: Final = 3
"""Kinds of alarm by building that a summary names; of the rest it says how many (chosen: SMS)."""


class Held(NamedTuple):
    """What a summary says of one message: the building or other place, the alarm in words."""

    place: str
    what: str


def held_until_us(rank: int, hazard: str, lately_us: Sequence[int], now_us: int, limit: int) -> int:
    """0: to be sent now; else until when it waits. `lately_us` are the times of the contact's lesser messages
    of the last minute, `limit` how many of them a minute may have."""
    if rank <= URGENT_RANK:
        return 0
    if len(lately_us) >= limit:
        return sorted(lately_us)[-limit] + WINDOW_US
    return now_us + TOGETHER_US if hazard == Hazard.FAULT else 0


def summary(held: Sequence[Held], since: str, language: str, texts: Texts | None = None) -> str:
    """One message in place of several: how many, since when, of what, where; the most frequent first."""
    kinds = Counter(held).most_common()
    is_chinese = language == CHINESE
    named = [_kind(one, count, language) for one, count in kinds[:_NAMED]]
    rest = sum(count for _, count in kinds[_NAMED:])
    more = (f"，另有{rest}处" if is_chinese else f"; {rest} more") if rest else ""
    values = {
        "count": str(len(held)),
        "since": since,
        "kinds": ("；" if is_chinese else "; ").join(named) + more,
    }
    message = (texts or shipped_texts()).find("message.summary", CHINESE if is_chinese else "en") or ()
    return ("" if is_chinese else " ").join(said for one in message if (said := filled(one, values)))


def _kind(one: Held, count: int, language: str) -> str:
    if language == CHINESE:
        return f"{one.place}{one.what}" + (f"{count}处" if count > 1 else "")
    return f"{one.place} {one.what}" + (f" ({count})" if count > 1 else "")
