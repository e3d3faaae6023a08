"""A fire's message that has no answer yet goes by the contact's next way too, while its try goes on.

Written as the outbox writes everything: the further message with its first attempt, and the attempt that was
slow, in one transaction. So after a crash at any point each of them is there once or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, bindparam, select, update

from alerts.attempts import handover_of
from alerts.handover import Handover
from alerts.leading import lead_on
from alerts.schema import attempt

log = structlog.get_logger()

SLOW: Final = "slow"
"""The outcome of an attempt that is under way, and after which the next way has been begun already."""
SLOW_US: Final = 2_000_000
"""So long without an answer is slow (µs), as `alerts.patience` counts it."""
_SLICE: Final = 500
"""Ids in one IN list, below SQLite's bound on parameters."""


def open_for_slow(connection: Connection, slow: Sequence[Handover], now_us: int) -> list[Handover]:
    """Begins the next unused way of each contact whose attempt is still under way and leads on
    (`alerts.leading`).

    An answer that comes later counts as ever, and one that fails opens no way a second time (`followed`).
    Where a contact has no further way the attempt stays as it was. Inside the caller's write transaction;
    returns what to hand over after it. Doing the same again changes nothing. A message that breaks this
    stays without its next way for this try, leads to it when it fails, and costs no other anything.
    """
    begun: list[Handover] = []
    for start in range(0, len(slow), _SLICE):
        tries = {one.notification_id: one.n for one in slow[start : start + _SLICE]}
        begun += _together(connection, tries, now_us)
    return begun


def followed(connection: Connection, ids: Collection[int]) -> frozenset[int]:
    """Of these notifications those whose attempt under way has led to the next way already."""
    found = set[int]()
    every = sorted(ids)
    for start in range(0, len(every), _SLICE):
        some = attempt.c.notification_id.in_(every[start : start + _SLICE])
        query = select(attempt.c.notification_id).where(some, attempt.c.outcome == SLOW)
        found.update(connection.scalars(query))
    return frozenset(found)


def _together(connection: Connection, tries: Mapping[int, int], now_us: int) -> list[Handover]:
    """All in one; where that breaks, each by itself."""
    try:
        with connection.begin_nested():
            return _open(connection, tries, now_us)
    except Exception as error:
        log.error("slow_not_followed", count=len(tries), error=type(error).__name__)
    if len(tries) == 1:
        return []
    return [one for key, n in tries.items() for one in _together(connection, {key: n}, now_us)]


def _open(connection: Connection, tries: Mapping[int, int], now_us: int) -> list[Handover]:
    begun = lead_on(connection, dict.fromkeys(_unanswered(connection, tries), now_us))
    if begun:
        connection.execute(_LED_ON, [{"b_id": key, "b_n": tries[key]} for key in begun])
    return [handover_of(row, row.attempts, row.created_us) for row in begun.values()]


def _unanswered(connection: Connection, tries: Mapping[int, int]) -> list[int]:
    """Those whose very attempt has neither ended nor led on."""
    a = attempt.c
    rows = connection.execute(
        select(a.notification_id, a.n).where(a.notification_id.in_(tries), a.outcome == "started")
    )
    return sorted(row.notification_id for row in rows if tries[row.notification_id] == row.n)


_LED_ON: Final = (
    update(attempt)
    .where(attempt.c.notification_id == bindparam("b_id"), attempt.c.n == bindparam("b_n"))
    .values(outcome=SLOW, detail="no answer yet: the next way was begun")
)
