"""The names of series as lines begin with them, in memory: from the database, the journal, and the registry's
changes.

About 40 bytes a series: a sensing point's head of a line is held once, a series is two numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, func, select

from devices.model import Int16, Int32
from devices.schema import device, registry_change, series
from ingest.columns import Columns
from ingest.record import NewSeries
from ingest.store.influx.words import head

_AT_ONCE: Final = 20_000
_LOOKED_UP: Final = 500
"""Devices of one query: below what databases take as parameters."""


class SeriesNames:
    """Heads and metrics by slot. A series is of the device's kind; of nobody's until it is registered.

    Two rows may say the same: those of series that were not heard together.
    """

    def __init__(self) -> None:
        self._series = Columns({"row": np.int32, "metric": np.int16})
        self._heads: NDArray[Any] = np.full(1, b"", np.object_)
        self._rows = 1
        self._changed = 0

    @property
    def heads(self) -> NDArray[Any]:
        """A line up to its fields, by row. Row 0 is nobody's."""
        return self._heads

    def rows(self, slots: Int32) -> Int32:
        """The row of each series; 0 for one that has no name here."""
        self._series.grow(int(slots.max(initial=0)) + 1)
        found: Int32 = self._series["row"].take(slots)
        return found

    def metrics(self, slots: Int32) -> Int16:
        """What each measures. Takes slots that `rows` was asked for."""
        found: Int16 = self._series["metric"].take(slots)
        return found

    def load(self, connection: Connection) -> None:
        """Takes all there are."""
        self._changed = connection.scalar(select(func.max(registry_change.c.id))) or 0
        self._take(connection, _named().order_by(series.c.slot))

    def follow(self, connection: Connection) -> None:
        """Takes what was registered, retired or changed since. Cheap where nothing was."""
        newest = connection.scalar(select(func.max(registry_change.c.id))) or 0
        if newest != self._changed:
            self._take(connection, _named().where(device.c.change_id > self._changed))
            self._changed = newest

    def hear(self, connection: Connection, new: Sequence[NewSeries]) -> None:
        """Takes series that a record of the journal named first; the database may not know them yet."""
        for start in range(0, len(new), _LOOKED_UP):
            part = new[start : start + _LOOKED_UP]
            of = device.c.uid.in_({one.uid for one in part})
            kinds = dict(connection.execute(select(device.c.uid, device.c.kind).where(of)).all())
            self._put((one.slot, one.uid, one.channel, one.metric, kinds.get(one.uid)) for one in part)

    def look_up(self, connection: Connection, slots: Int32) -> None:
        """Takes series that have no name here, of those that the database knows: the record that named them
        first may lie in a part of the journal that is written later, or that cannot be read."""
        for start in range(0, len(slots), _LOOKED_UP):
            part = slots[start : start + _LOOKED_UP].tolist()
            self._take(connection, _named().where(series.c.slot.in_(part)))

    def _take(self, connection: Connection, query: Select[Any]) -> None:
        result = connection.execution_options(yield_per=_AT_ONCE).execute(query)
        for part in result.partitions(_AT_ONCE):
            self._put(part)

    def _put(self, named: Iterable[Sequence[Any]]) -> None:
        """Slot, uid, channel, metric, kind; series of a sensing point that come together share its row."""
        before: tuple[Any, ...] = ()
        made, row = b"", 0
        for slot, uid, channel, metric, kind in named:
            if before != (uid, channel, kind):
                before, made, row = (uid, channel, kind), head(kind or "", uid, channel), 0
            self._series.grow(slot + 1)
            if self._heads[self._series["row"][slot]] != made:
                row = row or self._add(made)
                self._series["row"][slot] = row
            self._series["metric"][slot] = metric

    def _add(self, one: bytes) -> int:
        if self._rows == len(self._heads):
            grown: NDArray[Any] = np.full(2 * self._rows, b"", np.object_)
            grown[: self._rows] = self._heads
            self._heads = grown
        self._heads[self._rows] = one
        self._rows += 1
        return self._rows - 1


def _named() -> Select[Any]:
    """Slot, uid, channel, metric and kind of series; kind is null for those of nobody's devices."""
    columns = (series.c.slot, series.c.uid, series.c.channel, series.c.metric, device.c.kind)
    return select(*columns).select_from(series.outerjoin(device, device.c.uid == series.c.uid))
