"""Sensing points in memory: a row for each channel of a device, and in it a cell for each metric's seat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import DETECTORS, METRIC_LIMIT, Bool, Int16, Int32, names_no_conductor, phase_of
from ingest.columns import Columns
from ingest.known_devices import Devices
from ingest.registered import Known

_NONE: Final = -1
_OF_ROW: Final = frozenset(("device", "reference", "breaker", "insulation", "phase"))
_DETECTORS: Final = np.isin(np.arange(METRIC_LIMIT), list(DETECTORS))
_FIRST_WIDTH: Final = 8
"""Cells a row at the start: one that stays empty and seven metrics; doubled when a site measures more."""


class Cells:
    """The seat of every (row, metric), 0 for none: as many cells a row as metrics were ever heard.

    Half a dozen metrics make 32 bytes a row where a cell for every possible metric would make 256: less
    memory, and a message's series lie in one cache line.
    """

    def __init__(self) -> None:
        self._column = np.zeros(METRIC_LIMIT, np.int64)
        self._columns = 0
        self._width = _FIRST_WIDTH
        self._flat = np.zeros(_FIRST_WIDTH, np.int32)
        self._rows = 0

    def grow(self, rows: int) -> None:
        """Makes room for so many rows."""
        self._rows = max(self._rows, rows)
        if rows * self._width > len(self._flat):
            flat = np.zeros(max(rows, 2 * len(self._flat) // self._width) * self._width, np.int32)
            flat[: len(self._flat)] = self._flat
            self._flat = flat

    def look(self, row: Int32, metric: Int16) -> Int32:
        """The seats of a batch. Raises IndexError where a row or metric is beyond what there is."""
        at = self._column.take(metric)
        at += np.multiply(row, self._width, dtype=np.int64)
        found: Int32 = self._flat.take(at)
        return found

    def get(self, row: int, metric: int) -> int:
        """The seat of one."""
        return int(self._flat[row * self._width + int(self._column[metric])])

    def put(self, row: Int32, metric: Int16, seat: Int32) -> None:
        """Writes seats."""
        for one in np.unique(metric[self._column[metric] == 0]).tolist():
            self._add_column(one)
        self._flat[row.astype(np.int64) * self._width + self._column[metric]] = seat

    def clear(self, row: Int32, metric: Int16, seat: Int32) -> None:
        """Empties cells that hold these seats; one that another seat has taken over stays."""
        at = row.astype(np.int64) * self._width + self._column[metric]
        self._flat[at[self._flat[at] == seat]] = 0

    def seats_in(self, rows: Int32) -> tuple[Int32, Int32]:
        """All seats of these rows, and the row of each."""
        cells = self._flat[: self._rows * self._width].reshape(self._rows, self._width)[rows]
        n, column = np.nonzero(cells)
        return cells[n, column], rows[n]

    def _add_column(self, metric: int) -> None:
        self._columns += 1
        if self._columns == self._width:
            wide = np.zeros((len(self._flat) // self._width, 2 * self._width), np.int32)
            wide[:, : self._width] = self._flat.reshape(-1, self._width)
            self._width *= 2
            self._flat = wide.reshape(-1)
        self._column[metric] = self._columns


class Points:
    """The rows: which device's which channel each is, and how it stands in the registry.

    34 bytes a row and its cells: what can differ between the channels of a device is held by row, all else by
    device. Rows are never taken back.
    """

    def __init__(self) -> None:
        self.devices = Devices()
        self.cells = Cells()
        self._channels: list[str] = [""]
        self._channel_numbers: dict[str, int] = {"": 0}
        self._first = Columns({"row": np.int32, "watches": np.bool_})
        self._rows = Columns(
            {
                "owner": np.int32,
                "channel": np.int32,
                "next": np.int32,
                "device": np.int32,
                "reference": np.float64,
                "breaker": np.float32,
                "insulation": np.uint8,
                "phase": np.uint8,
            }
        )

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, number: int, channel: str) -> int:
        """The row of a device's channel, -1 without one."""
        if number >= len(self._first):
            return _NONE
        wanted = self._channel_numbers.get(channel, _NONE)
        row = int(self._first["row"][number]) - 1
        while row >= 0 and self._rows["channel"][row] != wanted:
            row = int(self._rows["next"][row]) - 1
        return row

    def row(self, number: int, channel: str) -> int:
        """The row of a device's channel, made where there is none."""
        row = self.find(number, channel)
        return row if row >= 0 else self._add(number, channel)

    def name(self, row: int) -> tuple[str, str]:
        """Uid and channel."""
        rows = self._rows
        return self.devices.uids[rows["owner"][row]], self._channels[rows["channel"][row]]

    def device_of(self, row: Int32) -> Int32:
        """The registry id of each row's device, 0 where it is not in service."""
        found: Int32 = self._rows["device"].take(row)
        return found

    def facts(self, name: str, row: Int32) -> NDArray[Any]:
        """Column `name` of these rows: device, reference, breaker, insulation, phase, or one of
        `Devices.fact`."""
        if name in _OF_ROW:
            return self._rows[name].take(row)
        return self.devices.fact(name, self._rows["owner"].take(row))

    def in_room(self, row: Int32) -> Bool:
        """Which rows are guessed to be of the air of a room: see `SeriesTable.room`."""
        watches: Bool = self._first["watches"].take(self._rows["owner"].take(row))
        return watches & names_no_conductor(self._rows["phase"].take(row))

    def watch(self, row: Int32, metric: Int16) -> Int32:
        """Notes which devices have a series of a detector; all rows of those of which it was not known. It is
        never forgotten: who has hung in a room does so still."""
        owner = np.unique(self._rows["owner"][row[_DETECTORS[metric]]])
        owner = owner[~self._first["watches"][owner]]
        self._first["watches"][owner] = True
        return self._all_rows(owner)

    def take(self, changed: Sequence[Known]) -> Int32:
        """Notes changed devices; the rows that stand otherwise now."""
        rows = self.rows_of(self.devices.take(changed))
        for row in rows.tolist():
            self._describe(row)
        return rows

    def rows_of(self, numbers: Sequence[int]) -> Int32:
        """All rows of these devices."""
        self._first.grow(len(self.devices))
        heads = self._first["row"].take(numbers) if len(numbers) else np.empty(0, np.int32)
        rows = [row for n in np.flatnonzero(heads).tolist() for row in self._rows_of(numbers[n])]
        return np.array(rows, np.int32)

    def seats_of(self, number: int) -> Int32:
        """All seats of a device."""
        return self.cells.seats_in(np.array(self._rows_of(number), np.int32))[0]

    def strangers_among(self, rows: Int32, but: str) -> int:
        """How many of these rows belong to devices nobody ever registered, `but` left out."""
        if not len(rows):
            return 0
        nobodys = rows[self._rows["device"].take(rows) == 0]
        devices, owner = self.devices, self._rows["owner"]
        return sum(
            devices.is_stranger(number) and devices.uids[number] != but for number in owner[nobodys].tolist()
        )

    def _all_rows(self, numbers: Int32) -> Int32:
        """All rows of these devices, the newest of each first."""
        found = [np.empty(0, np.int32)]
        rows = self._first["row"].take(numbers) - 1
        while len(rows := rows[rows >= 0]):
            found.append(rows)
            rows = self._rows["next"].take(rows) - 1
        return np.concatenate(found)

    def _rows_of(self, number: int) -> list[int]:
        row = int(self._first["row"][number]) - 1 if number < len(self._first) else _NONE
        rows = []
        while row >= 0:
            rows.append(row)
            row = int(self._rows["next"][row]) - 1
        return rows

    def _add(self, number: int, channel: str) -> int:
        chosen = self._channel_numbers.get(channel)
        if chosen is None:
            chosen = self._channel_numbers[channel] = len(self._channels)
            self._channels.append(channel)
        row = len(self._rows)
        self._rows.grow(row + 1)
        self.cells.grow(row + 1)
        self._first.grow(number + 1)
        self._rows["owner"][row] = number
        self._rows["channel"][row] = chosen
        self._rows["phase"][row] = phase_of(channel)
        first = self._first["row"]
        self._rows["next"][row] = first[number]
        first[number] = row + 1
        self._stand(row, number, channel)
        return row

    def _describe(self, row: int) -> None:
        rows = self._rows
        number = int(rows["owner"][row])
        self._stand(row, number, self._channels[rows["channel"][row]])

    def _stand(self, row: int, number: int, channel: str) -> None:
        rows = self._rows
        circuit = self.devices.circuit(number, channel)
        rows["device"][row] = self.devices.id_of(number)
        rows["reference"][row], rows["breaker"][row], rows["insulation"][row] = circuit
