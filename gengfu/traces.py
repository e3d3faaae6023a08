"""Names and numbers of a person in free text of other tables: notes, causes, providers' answers.

Looked for and hidden when the person is erased. Not guaranteed: a nickname, a name of one letter, a photo, a
spelling of its own; and devices' payloads, which say nothing of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Column, Connection, Engine, bindparam, func, select, update

from alerts.receipt_schema import receipt, receipt_unread
from alerts.schema import act, attempt, incident, incident_change
from devices.database import reading, writing
from devices.masking import Traces
from devices.schema import device, device_channel, publisher

PAGE: Final = 2_000
"""Rows read at a time: some milliseconds, and no lock that a writer waits for (chosen)."""
FREE_TEXT: Final = (
    (act.c.note, act.c.id),
    (act.c.reason, act.c.id),
    (incident.c.cause, incident.c.id),
    (incident_change.c.text, incident_change.c.id),
    (attempt.c.detail, attempt.c.id),
    (receipt.c.text, receipt.c.id),
    (receipt_unread.c.body, receipt_unread.c.id),
    (device.c.label, device.c.id),
    (device.c.installed_by, device.c.id),
    (device_channel.c.label, device_channel.c.id),
    (publisher.c.label, publisher.c.id),
)
"""Columns that people or providers fill. `notification.text` is put together from places and readings, its
link holds numbers of ours only. Names of areas, buildings and stairs are left alone: they say where it burns,
and a street or a school may be called as a person is."""


def hide_traces(engine: Engine, traces: Traces, rest: Callable[[], None]) -> int:
    """Replaces every trace in free text by `**`; gives how many texts changed. Rests between transactions."""
    if traces.pattern is None:
        return 0
    hidden = 0
    for column, key in FREE_TEXT:
        for found in _pages(engine, column, key, traces):
            with writing(engine) as connection:
                overwrite(connection)
                connection.execute(
                    update(column.table)
                    .where(key == bindparam("b_key"), column == bindparam("b_was"))
                    .values({column: bindparam("b_text")}),
                    found,
                )
            hidden += len(found)
            rest()
    return hidden


def _pages(
    engine: Engine, column: Column[Any], key: Column[Any], traces: Traces
) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while True:
        query = select(key, column).where(key > after, func.length(column) > 0).order_by(key).limit(PAGE)
        with reading(engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        after = rows[-1][0]
        found = [
            {"b_key": number, "b_was": text, "b_text": shown}
            for number, text in rows
            if (shown := traces.hidden_in(text)) != text
        ]
        if found:
            yield found


def overwrite(connection: Connection) -> None:
    """From here on this connection fills with zeros what it frees in a SQLite file."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def empty_log(engine: Engine) -> bool:
    """Whether what was overwritten is gone from SQLite's write-ahead log as well.

    Waits for nobody: while somebody reads, the log stays until SQLite begins it anew. True elsewhere than on
    SQLite, whose logs are not ours.
    """
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        timeout_ms = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout=0")
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()  # most of it, without a lock
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout={timeout_ms}")
    finally:
        raw.close()
    return not busy
