"""What became of messages, as lines of the timeline.

What a provider took at the first try, what was delivered and what was read is only counted, one line an
incident and transaction: the messages themselves stand beside the timeline, and live pages go by the line's
id. Everything else is said. No line names a person or an address.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.sayings import Words, pack


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that will not be tried again, or what its receipt says.

    `fate` is handed_over (at the first try), handed_over_late, given_up, closed_first, delivered, read or
    undelivered. `reason` says why the last of `tries` failed, or was not delivered.
    """

    incident_id: int
    fate: str
    role: str
    medium: str
    at_us: int
    tries: int = 0
    reason: str = ""


def lines_of(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Rows of `incident_change`: what is counted first, then the rest, equal ones as one line."""
    counted, said = defaultdict(list), defaultdict(list)
    for one in deliveries:
        if one.fate in _COUNTED:
            counted[one.incident_id, one.fate].append(one)
        else:
            said[one.incident_id, one.fate, one.medium, one.tries, one.reason].append(one)
    lines = [
        _line(group, _counts(fate, Counter(d.medium for d in group))) for (_, fate), group in counted.items()
    ]
    return lines + [_line(group, _about(group)) for group in said.values()]


def added(earlier: str, later: str) -> str:
    """Two lines of counts of one fate as one, for readers; empty where they are others."""
    fate = next((fate for fate, start in _COUNTED.items() if earlier.startswith(start)), "")
    if not fate or not later.startswith(_COUNTED[fate]):
        return ""
    try:
        return _counts(fate, _counts_in(earlier) + _counts_in(later))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""  # an old or foreign line stays as it is


_COUNTED: Final = {fate: f'{{"say":"{fate}",' for fate in ("handed_over", "delivered", "read")}
"""Fates that are only counted, and how their lines begin."""


def _counts(fate: str, media: Counter[str]) -> str:
    return pack(fate, count=str(media.total()), media=_words(media))


def _counts_in(text: str) -> Counter[str]:
    parts = (str(item).partition("*") for item in json.loads(text)["media"])
    return Counter({medium: int(number) for medium, _, number in parts})


def _about(group: Sequence[Delivery]) -> str:
    one = group[0]
    return pack(
        one.fate,
        roles=_words(Counter(d.role for d in group)),
        medium=Words([one.medium]),
        tries=str(one.tries),
        reason=Words([one.reason]),
    )


def _words(counts: Counter[str]) -> Words:
    return Words(f"{word}*{number}" for word, number in counts.items())


def _line(group: Sequence[Delivery], text: str) -> dict[str, Any]:
    return {
        "incident_id": group[0].incident_id,
        "at_us": max(one.at_us for one in group),
        "kind": "delivery",
        "by": "gengfu",
        "via": "outbox",
        "text": text,
    }
