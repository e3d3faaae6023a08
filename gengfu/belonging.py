"""One database, one data folder: they carry the same number, and a service refuses a database of another's.

The lock files keep two services from one data folder. A database on a server can be reached from two folders,
on two machines; both would number series and send alarms on the same rows.

Errors:
* NotOurs: the database belongs to the service of another data folder.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, select, update

from devices.database import insert_new, reading, writing
from ingest.schema import journal_position

FOLDER: Final = "folder"
"""The row of `journal_position` that says whose journal the positions are of."""
FILE: Final = "journal.id"
_BITS: Final = 62
"""A random number that fits the column; two folders have the same in one of 4e18 cases."""


class NotOurs(Exception):
    """The database belongs to the service of another data folder; the text says what to do."""


def belong(engine: Engine, folder: Path, *, take_over: bool = False) -> None:
    """Ties database and folder together at the first start; checks at each later one. Raises NotOurs.

    `take_over` ties a database to this folder whoever it belonged to: for a machine that replaces another.
    Not guaranteed: a service that is running meanwhile learns of it at its next start only.
    """
    own = _number_of(folder)
    with reading(engine) as connection:
        found = _owner(connection)
    if found == own:
        return
    if found is not None and not take_over:
        raise NotOurs(
            f"the database belongs to the service of another data folder than {folder}; two services on one "
            "database would mix up their alarms. Name another database, or stop the other service for good "
            "and start this one with `gengfu up --take-over`"
        )
    with writing(engine) as connection:
        connection.execute(insert_new(connection, journal_position).values(name=FOLDER, seq=own))
        of_folder = journal_position.c.name == FOLDER
        if take_over:
            connection.execute(update(journal_position).where(of_folder).values(seq=own))
        if _owner(connection) != own:
            raise NotOurs("another service took the database at this very moment; start again")


def _owner(connection: Connection) -> int | None:
    found = connection.scalar(select(journal_position.c.seq).where(journal_position.c.name == FOLDER))
    return None if found is None else int(found)


def _number_of(folder: Path) -> int:
    """The folder's number, made and synced on first use."""
    path = folder / FILE
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        pass
    except ValueError:
        raise NotOurs(
            f"{path}: not a number; put it back from a backup, or remove it and take over"
        ) from None
    number = secrets.randbits(_BITS)
    with path.open("x", encoding="ascii") as file:
        file.write(f"{number}\n")
        file.flush()
        os.fsync(file.fileno())
    return number
