"""Table `device_test`, as ingest writes it: one row for each test that a device said.

A row travels as a note, whole each time, so that of the notes of one tick with one key the last is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from devices.database import insert_new
from devices.schema import device_test


def noted(uid: str, began_us: int, received_us: int, ended_us: int | None) -> tuple[str, str]:
    """Key and value of the note that tells of a row. Device and beginning are the key: said again, also by
    another channel, it is the same test."""
    return f"{began_us} {uid}", f"{received_us}" if ended_us is None else f"{received_us} {ended_us}"


def write_tests(connection: Connection, tests: Mapping[str, str]) -> None:
    """Writes the rows that such notes tell of; the same again changes nothing. An end that is known is never
    unknown again."""
    rows = [_row(key, value) for key, value in tests.items()]
    if not rows:
        return
    connection.execute(insert_new(connection, device_test), rows)
    if ended := [row for row in rows if row["ended_us"] is not None]:
        connection.execute(_END, [{f"b_{name}": row[name] for name in _ENDING} for row in ended])


def _row(key: str, value: str) -> dict[str, Any]:
    began_us, uid = key.split(" ", 1)
    received_us, _, ended_us = value.partition(" ")
    times = {"began_us": int(began_us), "received_us": int(received_us)}
    return {"uid": uid, **times, "ended_us": int(ended_us) if ended_us else None}


_ENDING: Final = ("uid", "began_us", "ended_us")
_END: Final = (
    update(device_test)
    .where(device_test.c.uid == bindparam("b_uid"), device_test.c.began_us == bindparam("b_began_us"))
    .values(ended_us=bindparam("b_ended_us"))
)
