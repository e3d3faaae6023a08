"""Which messages lead to their contact's next way: what must still reach somebody, one way after another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, select

from alerts.next_way import open_next_ways
from alerts.schema import notification
from alerts.wanted import answered_of, is_wanted, told_of

log = structlog.get_logger()

_SLICE: Final = 500
"""Ids in one IN list, below SQLite's bound on parameters."""
_REACHING: Final = ("sending", "accepted")


def lead_on(connection: Connection, since: Mapping[int, int]) -> dict[int, Row[Any]]:
    """Begins the next unused way of each of these messages' contacts; `since`: by the message's id, when it
    failed or was found slow (µs UTC).

    None is begun for whom the message need not reach any more (`alerts.wanted`; where that cannot be found
    out, it must), nor while a later way of the same telling is under way or accepted: that one leads on
    itself when it fails. Inside the caller's write transaction; returns the new messages, each with attempt 1
    started, by the id of the one that led to it.
    """
    begun: dict[int, Row[Any]] = {}
    ids = list(since)
    for start in range(0, len(ids), _SLICE):
        some = ids[start : start + _SLICE]
        rows = connection.execute(select(notification).where(notification.c.id.in_(some))).all()
        found = {row.id: row for row in rows}
        unwanted = _unwanted(connection, some)
        for key in some:
            if key in unwanted or key not in found or _reaches_later(connection, found[key]):
                continue
            for new in open_next_ways(connection, [(found[key], since[key])]):
                begun[key] = new
    return begun


def _unwanted(connection: Connection, ids: Collection[int]) -> frozenset[int]:
    """Those that need not reach their contact any more. An error means that each of them must."""
    try:
        with connection.begin_nested():
            messages = told_of(connection, ids)
            answered = answered_of(connection, {row.incident_id for row in messages.values()})
            return frozenset(key for key, row in messages.items() if not is_wanted(row, answered))
    except Exception as error:
        log.error("wanted_not_known", count=len(ids), error=type(error).__name__)
        return frozenset()


def _reaches_later(connection: Connection, row: Row[Any]) -> bool:
    """Whether a later way of the same telling is under way or accepted."""
    n = notification.c
    keys = connection.scalars(
        select(n.key).where(
            n.incident_id == row.incident_id,
            n.contact_id == row.contact_id,
            n.id > row.id,
            n.state.in_(_REACHING),
        )
    )
    return any(_telling(key) == _telling(row.key) for key in keys)


def _telling(key: str) -> str:
    """A message's key without its last part, the medium."""
    return key.rpartition("/")[0]
