"""What the service and its Apprise process say to each other: one JSON object per line.

To the process: `Send` and `Drop`. Back: a `Done` of `READY` when it has begun to read, and one for every
`Send` that was begun.
"""

from __future__ import annotations

import msgspec


class Send(msgspec.Struct, frozen=True, tag="send"):
    """Notify through `url`, once. `urgent` chooses the threads."""

    id: int
    url: str
    title: str
    body: str
    urgent: bool


class Drop(msgspec.Struct, frozen=True, tag="drop"):
    """Nobody waits for `id` any more: leave it if it has not begun."""

    id: int


class Done(msgspec.Struct, frozen=True):
    """How `id` ended: an empty `reason` is success. `permanent`: trying again is pointless."""

    id: int
    reason: str = ""
    permanent: bool = False


Order = Send | Drop
READY = 0
"""The id of no send: all plugins are loaded."""

URGENT_THREADS = 16
LESSER_THREADS = 16
"""32 threads in all (a send takes a thread for up to 8 s: Apprise waits 4 s to connect and 4 s to read);
half are for urgent messages alone, so that no number of slow lesser ones can hold them up (chosen)."""


def threads(urgent: bool) -> int:
    """How many sends of one lane the process makes at once."""
    return URGENT_THREADS if urgent else LESSER_THREADS
