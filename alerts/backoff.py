"""When to try a failed notification again, and when to give up. Pure."""

from __future__ import annotations

from typing import Final

URGENT_RANK: Final = 1
"""Severity ranks up to this one (P0+ and P0) are urgent: own senders, quick retries, the next way at once."""

_URGENT_S: Final = (2, 4, 8, 15, 30)
_SERIOUS_S: Final = (10, 30, 60, 120, 300)
_LESSER_S: Final = (30, 120, 300, 900)
_URGENT_TRIES: Final = 65
"""2 + 4 + 8 + 15 + 60 times 30 s: the last try of an urgent message comes 30 min after the first (chosen)."""
_SERIOUS_TRIES: Final = 28
"""P1: the last try comes about 2 h after the first (chosen: the chain has long gone on by then)."""
_LESSER_TRIES: Final = 50
"""P2 and P3: the last try comes about 12 h after the first (chosen)."""

_LONGEST_WISH_S: Final = 3600
_LONGEST_URGENT_WISH_S: Final = 60
"""How long a provider's Retry-After can hold us off; a minute at most for a fire (chosen)."""


def delay_s(rank: int, attempts: int, retry_after_s: float = 0.0) -> float | None:
    """Seconds from the end of failed attempt number `attempts` (from 1) to the next; None: used up.

    The number of attempts decides, not the age of the notification, so that our own absence uses up
    nothing. A provider's `retry_after_s` lengthens the delay within bounds and never shortens it.
    """
    delays, tries = _schedule(rank)
    if attempts >= tries:
        return None
    longest_wish = _LONGEST_URGENT_WISH_S if rank <= URGENT_RANK else _LONGEST_WISH_S
    planned = delays[min(max(attempts, 1), len(delays)) - 1]
    return max(float(planned), min(retry_after_s, longest_wish))


def _schedule(rank: int) -> tuple[tuple[int, ...], int]:
    if rank <= URGENT_RANK:
        return _URGENT_S, _URGENT_TRIES
    if rank == URGENT_RANK + 1:
        return _SERIOUS_S, _SERIOUS_TRIES
    return _LESSER_S, _LESSER_TRIES
