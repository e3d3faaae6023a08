"""A place by its kind and registry id, and reading what is known of many of them in few queries."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam

from devices.model import PlaceKind

IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
"""Of a query for `rows_in`: `column.in_(IDS)`."""
_SLICE: Final = 500
"""Ids in one IN list, below SQLite's bound on parameters."""


class Spot(NamedTuple):
    """A dwelling, or the common parts of a stair or a building.

    `residents`: of a stair, those who live on it are concerned too (`devices.bound`).
    """

    kind: PlaceKind
    id: int
    residents: bool = True


def rows_in(connection: Connection, query: Select[Any], ids: Collection[int]) -> Iterator[Row[Any]]:
    """The rows of a query with the parameter IDS, in slices of them; none for no ids."""
    every = sorted(ids)
    for start in range(0, len(every), _SLICE):
        yield from connection.execute(query, {"ids": every[start : start + _SLICE]})
