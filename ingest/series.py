"""The series and the sensing points they belong to, in memory: names to numbers and back.

A row is a sensing point (device and channel), numbered for this process only. A slot is a series (a metric
of a point), numbered for ever: it stands in the journal, the store and table `series`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import structlog
from sqlalchemy import Connection, func, select

from devices.model import LIFE_FLAGS, METRIC_LIMIT, Int16, Int32, SeriesTable
from devices.profiles.profile import StrangerReading
from devices.schema import device, registry_change, series
from ingest.columns import Columns
from ingest.record import NewSeries

log = structlog.get_logger()

MAX_STRANGER_SERIES: Final = 10_000
"""How many series devices nobody registered may have; beyond it all share one (chosen)."""
OVERFLOW_UID: Final = "stranger:overflow"
NO_SERIES: Final = ("", "")


@dataclass(frozen=True, slots=True)
class _Registered:
    id: int
    dwelling: int
    reference_a: float


class SeriesIndex:
    """Implements `devices.profiles.profile.Points`; built from the registry, grown by what is heard.

    A retired device is one nobody registered: its values are ignored, its life flags alarm as a stranger's.
    """

    def __init__(self, connection: Connection, *, max_strangers: int = MAX_STRANGER_SERIES) -> None:
        self.generation = 0
        """Grows with every reload, not with every new series: profiles forget their topics by it."""
        self._table_generation = 0
        self.registry_version = 0
        """The newest `registry_change` these numbers were read under."""
        self.new_series: list[NewSeries] = []
        """Allocated and not yet taken: the tick puts them in its record and its transaction."""
        self._max_strangers = max_strangers
        self._strangers = 0
        self._devices: dict[str, _Registered] = {}
        self._retired: frozenset[str] = frozenset()
        self._rows: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._points = Columns({"device": np.int32, "dwelling": np.int32, "reference": np.float64})
        self._slot_table = Columns({"slot": (np.int32, METRIC_LIMIT)})
        self._series = Columns(
            {
                "row": np.int32,
                "metric": np.int16,
                "device": np.int32,
                "dwelling": np.int32,
                "reference": np.float64,
            }
        )
        self._series.grow(1)
        self._series["row"][0] = -1
        self._series["reference"][0] = np.nan
        self._table: SeriesTable | None = None
        self._read_registry(connection)
        self._learn_all(
            connection.execute(
                select(series.c.slot, series.c.uid, series.c.channel, series.c.metric).order_by(series.c.slot)
            )
        )

    def row(self, uid: str, channel: str) -> int:
        """The row of a registered device's channel, made on first sight; -1 when nobody registered `uid`."""
        if uid not in self._devices:
            return -1
        return self._row_of(uid, channel)

    def stranger_row(self, reading: StrangerReading) -> int:
        """The row to evaluate a stranger's reading under, -1 where it is only worth a note.

        Only life flags are evaluated: a true one always, a false one where the stranger already has the
        series. Beyond the bound true flags share the overflow series, which no single device's 0 may clear.
        """
        if reading.metric not in LIFE_FLAGS:
            return -1
        row = self._rows.get((reading.uid, reading.channel), -1)
        if row >= 0 and self._slot_table["slot"][row, reading.metric]:
            return row
        if reading.value != 1.0:
            return -1
        if self._strangers < self._max_strangers:
            return self._row_of(reading.uid, reading.channel)
        return self._row_of(OVERFLOW_UID, "")

    def slots_for(self, row: Int32, metric: Int16) -> Int32:
        """The slot of each (row, metric); unknown ones are numbered on the spot and noted in `new_series`."""
        slots: Int32 = self._slot_table["slot"][row, metric]
        if slots.all():
            return slots
        missing = np.flatnonzero(slots == 0)
        wanted = dict.fromkeys(zip(row[missing].tolist(), metric[missing].tolist(), strict=True))
        for slot, (one_row, one_metric) in enumerate(wanted, len(self._series)):
            uid, channel = self._names[one_row]
            self.new_series.append(NewSeries(slot, uid, channel, one_metric))
        rows, metrics = zip(*wanted, strict=True)
        first = len(self._series)
        self._place(range(first, first + len(rows)), rows, metrics)
        found: Int32 = self._slot_table["slot"][row, metric]
        return found

    def device_of(self, row: Int32) -> Int32:
        """The registry id of each row's device, 0 for strangers."""
        devices: Int32 = self._points["device"][row]
        return devices

    def take_new_series(self) -> list[NewSeries]:
        """What was allocated since the last call."""
        taken, self.new_series = self.new_series, []
        return taken

    def learn(self, found: list[NewSeries]) -> None:
        """Series of a journal record, under the slots they have there. Known ones stay as they are."""
        self._learn_all(
            (one.slot, one.uid, one.channel, one.metric)
            for one in found
            if one.slot >= len(self._series) or self._series["row"][one.slot] < 0
        )

    def table(self) -> SeriesTable:
        """What the rules need of each slot. The same object until something changes.

        Growing costs nothing per known slot: the arrays are views of columns that only get longer; a reload
        of the registry puts new columns in place and leaves tables given out before as they were.
        """
        if self._table is None:
            columns = self._series
            self._table = SeriesTable(
                self._table_generation,
                columns["metric"],
                columns["device"],
                columns["dwelling"],
                columns["reference"],
            )
        return self._table

    def name_of(self, slot: int) -> tuple[str, str]:
        """Device uid and channel of a slot; two empty strings for a slot nobody uses."""
        if not 0 < slot < len(self._series) or self._series["row"][slot] < 0:
            return NO_SERIES
        return self._names[int(self._series["row"][slot])]

    def __len__(self) -> int:
        """The number of slots, the unused slot 0 included."""
        return len(self._series)

    @property
    def rows(self) -> int:
        """How many sensing points have a row."""
        return len(self._names)

    def reload(self, connection: Connection) -> None:
        """Takes the registry as it is now. Rows and slots stay; who they belong to may change.

        Cost: a pass over all devices and rows (about 1 µs each), so it is for changes, not for ticks.
        """
        self._read_registry(connection)
        self.generation += 1
        self._points = self._points.copy()
        for row, (uid, _channel) in enumerate(self._names):
            self._describe(row, uid)
        self._series = self._series.copy()
        used = np.flatnonzero(self._series["row"] >= 0).astype(np.int32)
        self._fill(used, self._series["row"][used])
        owners = (self._names[row][0] for row in self._series["row"][used].tolist())
        self._strangers = sum(map(self._is_stranger, owners))
        self._changed()

    def _read_registry(self, connection: Connection) -> None:
        self.registry_version = connection.scalar(select(func.max(registry_change.c.id))) or 0
        rows = connection.execute(
            select(
                device.c.id, device.c.uid, device.c.dwelling_id,
                device.c.breaker_a, device.c.cable_a, device.c.retired_us,
            )
        ).all()  # fmt: skip
        self._devices = {
            row.uid: _Registered(row.id, row.dwelling_id or 0, _reference(row.breaker_a, row.cable_a))
            for row in rows
            if row.retired_us is None
        }
        self._retired = frozenset(row.uid for row in rows if row.retired_us is not None)

    def _is_stranger(self, uid: str) -> bool:
        return uid not in self._devices and uid not in self._retired and uid != OVERFLOW_UID

    def _row_of(self, uid: str, channel: str) -> int:
        row = self._rows.get((uid, channel))
        if row is None:
            row = self._rows[uid, channel] = len(self._names)
            self._names.append((uid, channel))
            self._points.grow(row + 1)
            self._slot_table.grow(row + 1)
            self._describe(row, uid)
        return row

    def _describe(self, row: int, uid: str) -> None:
        known = self._devices.get(uid)
        self._points["device"][row] = known.id if known else 0
        self._points["dwelling"][row] = known.dwelling if known else 0
        self._points["reference"][row] = known.reference_a if known else np.nan

    def _learn_all(self, found: Iterable[tuple[int, str, str, int]]) -> None:
        placed = [(slot, self._row_of(uid, channel), metric) for slot, uid, channel, metric in found]
        if placed:
            self._place(*zip(*placed, strict=True))

    def _place(self, slots: Sequence[int], rows: Sequence[int], metrics: Sequence[int]) -> None:
        unused = len(self._series)
        if min(slots) < unused:
            self._series = self._series.copy()  # tables given out before must not change under their holders
        self._series.grow(max(slots) + 1)
        self._series["row"][unused:] = -1
        self._series["reference"][unused:] = np.nan
        slot, row = np.asarray(slots, np.int32), np.asarray(rows, np.int32)
        self._slot_table["slot"][row, np.asarray(metrics)] = slot
        self._series["row"][slot] = row
        self._series["metric"][slot] = metrics
        self._fill(slot, row)
        self._strangers += sum(self._is_stranger(self._names[one][0]) for one in rows)
        self._changed()

    def _fill(self, slots: Int32, rows: Int32) -> None:
        for name in ("device", "dwelling", "reference"):
            self._series[name][slots] = self._points[name][rows]

    def _changed(self) -> None:
        self._table_generation += 1
        self._table = None


def _reference(breaker_a: float | None, cable_a: float | None) -> float:
    """I_ref = min(breaker, cable) in amperes of those that are known; NaN where neither is."""
    known = [limit for limit in (breaker_a, cable_a) if limit is not None]
    return min(known) if known else float("nan")
