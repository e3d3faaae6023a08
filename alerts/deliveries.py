"""What became of messages, as lines of the timeline.

What a provider took at the first try is only counted, one line an incident and transaction: the messages
themselves stand beside the timeline, and live pages go by the line's id. Everything else is said. No line
names a person or an address.
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
    """One message that will not be tried again.

    `fate` is handed_over (at the first try), handed_over_late, given_up or closed_first. `reason` says why
    the last of `tries` failed.
    """

    incident_id: int
    fate: str
    role: str
    medium: str
    at_us: int
    tries: int = 0
    reason: str = ""


def lines_of(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Rows of `incident_change`: what was handed over first, then the rest, equal ones as one line."""
    counted, said = defaultdict(list), defaultdict(list)
    for one in deliveries:
        if one.fate == "handed_over":
            counted[one.incident_id].append(one)
        else:
            said[one.incident_id, one.fate, one.medium, one.tries, one.reason].append(one)
    lines = [_line(group, _counts(Counter(d.medium for d in group))) for group in counted.values()]
    return lines + [_line(group, _about(group)) for group in said.values()]


def added(earlier: str, later: str) -> str:
    """Two lines of counts as one, for readers; empty where one of them is another line."""
    if not (earlier.startswith(_COUNTS) and later.startswith(_COUNTS)):
        return ""
    try:
        return _counts(_counts_in(earlier) + _counts_in(later))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""  # an old or foreign line stays as it is


_COUNTS: Final = '{"say":"handed_over",'


def _counts(media: Counter[str]) -> str:
    return pack("handed_over", count=str(media.total()), media=_words(media))


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
