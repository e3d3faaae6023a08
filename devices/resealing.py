"""Every sealed column, how many rows each key seals, and sealing them anew under the newest key.

Rows are read and sealed outside any write transaction; a write transaction only puts a few hundred of them
in place of what was read, where that still stands. So nobody waits long for the write lock, an interrupted
run leaves whole rows under either key, and a row that somebody changes or erases meanwhile stays theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    bindparam,
    func,
    inspect,
    select,
    update,
)

from devices.database import reading, writing
from devices.schema import contact, contact_channel, dwelling, site_secret
from devices.secrets import where_of_secret
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, DWELLING_ATTENTION, SealBroken, Vault

BATCH: Final = 300
"""Rows of one write transaction: about 5 ms on SQLite (chosen; a smoke alarm has 1 s)."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed text, its table's key, and the blind index that goes with it, if any."""

    column: Column[Any]
    key: Column[Any]
    index: Column[Any] | None
    where: Callable[[Any], str]

    @property
    def name(self) -> str:
        """`table.column`."""
        return f"{self.column.table.name}.{self.column.name}"


SEALED: Final = (
    SealedColumn(
        contact_channel.c.address_sealed,
        contact_channel.c.id,
        contact_channel.c.address_index,
        lambda _: CHANNEL_ADDRESS,
    ),
    SealedColumn(contact.c.name_sealed, contact.c.id, None, lambda _: CONTACT_NAME),
    SealedColumn(dwelling.c.attention_sealed, dwelling.c.id, None, lambda _: DWELLING_ATTENTION),
    SealedColumn(site_secret.c.sealed, site_secret.c.purpose, None, where_of_secret),
)
"""A column that holds sealed text and is missing here would be lost with an old key: a test looks."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What a run did: rows sealed anew by column, and what no key held opens (`table.column key`)."""

    rows: dict[str, int]
    unreadable: tuple[str, ...]


def present(connection: Connection) -> list[SealedColumn]:
    """Those whose table is there: before the first migration none is."""
    tables = set(inspect(connection).get_table_names())
    return [one for one in SEALED if one.column.table.name in tables]


def rows_by_key(engine: Engine) -> dict[int, int]:
    """How many values each key number seals, over all columns."""
    found: Counter[int] = Counter()
    with reading(engine) as connection:
        for one in present(connection):
            number = _number(one.column)
            query = select(number, func.count()).where(func.length(one.column) > 0).group_by(number)
            for first, count in connection.execute(query):
                found[bytes(first)[0]] += count
    return dict(sorted(found.items()))


def is_sealed_by_another(connection: Connection, newest: int) -> bool:
    """Whether anything is sealed with another key than `newest`."""
    return any(
        connection.scalar(select(one.key).where(*_stale_rows(one, newest)).limit(1)) is not None
        for one in present(connection)
    )


def reseal(engine: Engine, vault: Vault, rest: Callable[[], None]) -> Resealed:
    """Seals under the newest key whatever another one sealed; `rest` is called between transactions.

    Goes over the rows until none is left but what cannot be opened: those stay as they are and are named.
    """
    done: Counter[str] = Counter()
    unreadable: list[str] = []
    with reading(engine) as connection:
        columns = present(connection)
    for one in columns:
        while True:  # again for what was written behind our back
            moved, unreadable_here = _pass(engine, vault, one, rest)
            done[one.name] += moved
            if not moved:
                break
        unreadable += unreadable_here
    return Resealed(dict(done), tuple(unreadable))


def _pass(engine: Engine, vault: Vault, one: SealedColumn, rest: Callable[[], None]) -> tuple[int, list[str]]:
    moved, unreadable = 0, []
    for rows in _stale(engine, vault.newest, one):
        fresh = []
        for key, sealed in rows:
            try:
                fresh.append(_sealed_anew(vault, one, key, sealed))
            except SealBroken:
                unreadable.append(f"{one.name} {key}")
        if fresh:
            with writing(engine) as connection:
                _put(connection, one, fresh)
            moved += len(fresh)
            rest()
    return moved, unreadable


def _stale(engine: Engine, newest: int, one: SealedColumn) -> Iterator[list[tuple[Any, bytes]]]:
    """Rows that another key sealed, by key, a batch at a time."""
    after: Any = None
    while True:
        query = select(one.key, one.column).where(*_stale_rows(one, newest))
        if after is not None:
            query = query.where(one.key > after)
        with reading(engine) as connection:
            rows = [
                (key, bytes(sealed))
                for key, sealed in connection.execute(query.order_by(one.key).limit(BATCH))
            ]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _stale_rows(one: SealedColumn, newest: int) -> tuple[ColumnElement[bool], ...]:
    return func.length(one.column) > 0, _number(one.column) != bytes([newest])


def _sealed_anew(vault: Vault, one: SealedColumn, key: int | str, sealed: bytes) -> dict[str, Any]:
    where = one.where(key)
    text = vault.unseal(sealed, where)
    values = {"b_key": key, "b_was": sealed, "b_sealed": vault.seal(text, where)}
    return values if one.index is None else values | {"b_index": vault.blind_index(text)}


def _put(connection: Connection, one: SealedColumn, rows: list[dict[str, Any]]) -> None:
    values: dict[Any, Any] = {one.column: bindparam("b_sealed")}
    if one.index is not None:
        values[one.index] = bindparam("b_index")
    statement = (
        update(one.column.table)
        .where(one.key == bindparam("b_key"), one.column == bindparam("b_was"))
        .values(values)
    )
    connection.execute(statement, rows)


def _number(column: Column[Any]) -> ColumnElement[bytes]:
    """The first byte: which key sealed it."""
    return func.substr(column, 1, 1, type_=LargeBinary)
