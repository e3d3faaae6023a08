"""Tests of devices on record: when a test button was pressed, as the device said it. Written by ingest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, select

from devices.schema import device_test

KEPT_A_DEVICE: Final = 1_000
"""Tests of one device that are kept, the newest (chosen: eighty years of a test a month; only a device that
is broken says more)."""
SLICE: Final = 1_000
"""Rows deleted in one transaction: a few milliseconds (chosen)."""


@dataclass(frozen=True, slots=True)
class PressedRow:
    """One test: from when to when by the device, and when it was received. `ended_us` is None while it runs,
    and where nobody said when it ended."""

    began_us: int
    ended_us: int | None
    received_us: int


def last_pressed(connection: Connection, uid: str) -> PressedRow | None:
    """The newest test of a device; None where none is on record."""
    c = device_test.c
    query = select(c.began_us, c.ended_us, c.received_us).where(c.uid == uid).order_by(c.began_us.desc())
    row = connection.execute(query.limit(1)).first()
    return None if row is None else PressedRow(*row)


def count_pressed(connection: Connection, before_us: int, kept: int = KEPT_A_DEVICE) -> int:
    """How many tests are to go: those that began before `before_us`, and of what each device said since then
    what is beyond its newest `kept`."""
    old = connection.scalar(select(func.count()).where(device_test.c.began_us < before_us)) or 0
    return old + sum(beyond_kept(connection, before_us, kept).values())


def beyond_kept(connection: Connection, since_us: int, kept: int = KEPT_A_DEVICE) -> dict[str, int]:
    """The devices that said more than `kept` tests since then, and by how many. Looks at every row."""
    many, c = func.count(), device_test.c
    query = select(c.uid, many).where(c.began_us >= since_us).group_by(c.uid).having(many > kept)
    return {uid: count - kept for uid, count in connection.execute(query)}


def delete_pressed(connection: Connection, before_us: int) -> int:
    """Deletes at most SLICE tests that began before `before_us`, and says how many: 0 when none is left."""
    return _delete(connection, _TESTS.where(device_test.c.began_us < before_us))


def delete_beyond(connection: Connection, uid: str, kept: int = KEPT_A_DEVICE) -> int:
    """Deletes at most SLICE tests of a device beyond its newest `kept`, and says how many."""
    newest_first = _TESTS.where(device_test.c.uid == uid).order_by(device_test.c.began_us.desc())
    return _delete(connection, newest_first.offset(kept))


def _delete(connection: Connection, query: Select[Any]) -> int:
    found = connection.execute(query.limit(SLICE)).all()
    if found:
        connection.execute(_GO, [{"b_uid": uid, "b_us": began_us} for uid, began_us in found])
    return len(found)


_TESTS: Final = select(device_test.c.uid, device_test.c.began_us)
_GO: Final = delete(device_test).where(
    device_test.c.uid == bindparam("b_uid"), device_test.c.began_us == bindparam("b_us")
)
