"""All open incidents in the board's order, kept in memory: a change moves one of them, not thousands."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection
from itertools import islice

from sqlalchemy import Connection

from alerts.views import Standing, standings


class Order:
    """As the database had it at the last `reload` or `follow`. One thread at a time."""

    def __init__(self) -> None:
        self._known: dict[int, Standing] = {}
        self._keys: list[tuple[int, ...]] = []

    def reload(self, connection: Connection) -> None:
        """Reads every open incident (5,000: some 30 ms)."""
        self._known = {one.id: one for one in standings(connection)}
        self._keys = sorted(one.key for one in self._known.values())

    def follow(self, connection: Connection, ids: Collection[int]) -> None:
        """Reads these again."""
        for number in ids:
            if old := self._known.pop(number, None):
                del self._keys[bisect_left(self._keys, old.key)]
        for one in standings(connection, ids):
            self._known[one.id] = one
            insort(self._keys, one.key)

    def first(
        self, limit: int, areas: Collection[int] | None, only: Collection[int] | None = None
    ) -> tuple[list[int], int]:
        """The first `limit` incidents (ids) that lie in `areas` (None: anywhere) and are of `only` (None:
        any), and how many such there are in all."""
        if areas is None and only is None:
            return [-key[-1] for key in islice(self._keys, limit)], len(self._keys)
        here = [
            number
            for number in (-key[-1] for key in self._keys)
            if (areas is None or self._known[number].area_id in areas) and (only is None or number in only)
        ]
        return here[:limit], len(here)
