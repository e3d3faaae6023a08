"""The series and the sensing points they belong to, in memory: names to numbers and back.

A row is a sensing point (device and channel) and a seat is a series (a metric of a point), both numbered
for this process only. A slot is a series' number for ever: it stands in the journal, the store and table
`series`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from devices.model import LIFE_FLAGS, Bool, Int16, Int32
from devices.profiles.profile import Said, StrangerReading
from devices.schema import series
from ingest.points import Points
from ingest.record import NewSeries
from ingest.registered import NOTHING_READ, Slice, read_changes
from ingest.seated import FACTS, Seated

MAX_STRANGER_SERIES: Final = 10_000
"""How many series devices nobody registered may have; beyond it all share one (chosen)."""
OVERFLOW_UID: Final = "stranger:overflow"
_READ_AT_ONCE: Final = 20_000


class SeriesName(NamedTuple):
    """What a seat stands for; slot 0 and empty strings for a seat nobody sits on."""

    slot: int
    uid: str
    channel: str


NO_SERIES: Final = SeriesName(0, "", "")


class SeriesIndex(Seated):
    """Implements `devices.profiles.profile.Points`; built from the registry, grown by what is heard.

    A retired device is one nobody registered: its values are ignored, its life flags alarm as a stranger's.
    `slot_of_seat` is the seating of a snapshot (`index.slot`); without it the series sit by their slots.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        max_strangers: int = MAX_STRANGER_SERIES,
        slot_of_seat: Int32 | None = None,
    ) -> None:
        self.registry_version = NOTHING_READ
        """The `registry_change` up to which everything is applied."""
        super().__init__(slot_of_seat)
        self._new_series: list[NewSeries] = []
        self._max_strangers = max_strangers
        self._strangers = 0
        self._points = Points()
        for part in read_changes(connection, NOTHING_READ, size=_READ_AT_ONCE):
            self.apply(part)
        for found in _stored(connection):
            self._learn(found)
        self._changed.clear()

    def row(self, uid: str, channel: str) -> int:
        """The row of a registered device's channel, made on first sight; -1 when nobody registered `uid`."""
        devices = self._points.devices
        number = devices.number(uid)
        if number < 0 or not devices.in_service(number):
            return -1
        return self._points.row(number, channel)

    def registered(self, row: Int32) -> Bool:
        """Whether each row's device is registered now."""
        registered: Bool = self._points.device_of(row) != 0
        return registered

    def stranger_row(self, reading: StrangerReading) -> int:
        """The row to evaluate a stranger's reading under, -1 where it is only worth a note.

        Only life flags are evaluated: a true one always, a false one where the stranger already has the
        series. Beyond the bound true flags share the overflow series, which no single device's 0 may clear.
        """
        if reading.metric not in LIFE_FLAGS:
            return -1
        points = self._points
        number = points.devices.number(reading.uid)
        row = points.find(number, reading.channel) if number >= 0 else -1
        if row >= 0 and points.cells.get(row, reading.metric):
            return row
        if reading.value != 1.0:
            return -1
        if self._strangers < self._max_strangers:
            return points.row(points.devices.meet(reading.uid), reading.channel)
        return points.row(points.devices.meet(OVERFLOW_UID), "")

    def seats_for(self, row: Int32, metric: Int16) -> Int32:
        """The seat of each (row, metric); unknown series are numbered on the spot (`take_new_series`)."""
        cells = self._points.cells
        seats = cells.look(row, metric)
        if seats.all():
            return seats
        missing = np.flatnonzero(seats == 0)
        wanted = list(dict.fromkeys(zip(row[missing].tolist(), metric[missing].tolist(), strict=True)))
        first = self._seats.next_slot
        slots = range(first, first + len(wanted))
        for slot, (one_row, one_metric) in zip(slots, wanted, strict=True):
            self._new_series.append(NewSeries(slot, *self._points.name(one_row), one_metric))
        rows, metrics = zip(*wanted, strict=True)
        self._place(slots, rows, metrics)
        return cells.look(row, metric)

    def device_of(self, row: Int32) -> Int32:
        """The registry id of each row's device, 0 for strangers."""
        return self._points.device_of(row)

    def take_new_series(self) -> list[NewSeries]:
        """What was allocated since the last call: the tick puts it in its record and its transaction."""
        taken, self._new_series = self._new_series, []
        return taken

    def learn(self, found: list[NewSeries]) -> None:
        """Series of a journal record, under the slots they have there. Known ones stay as they are."""
        unknown = [one for one in found if not self._seats.seat(one.slot)]
        self._learn([(one.slot, one.uid, one.channel, one.metric) for one in unknown])

    def follow(self) -> None:
        """After a replay: every series stands as the registry says now. What differs is `take_changed`'s."""
        columns = self._series
        used = np.flatnonzero(columns["row"] >= 0).astype(np.int32)
        rows = columns["row"][used]
        differs = np.zeros(len(used), np.bool_)
        for name in FACTS:
            differs |= _differ(columns[name][used], self._points.facts(name, rows))
        self._changed.clear()
        if differs.any():
            self._describe(used[differs], rows[differs])

    def free(self, slots: Sequence[int]) -> Int32:
        """The series with these slots are gone; gives the seats they leave. Unknown slots are passed over.

        Whoever keeps state by seat forgets it before the next reading.
        """
        seats = self._seats.seats(np.array(slots, np.int32))
        return self._leave(seats[seats > 0])

    def leave_ghosts(self) -> Int32:
        """After a restore: frees the seats of a snapshot whose series the database does not know any more."""
        rows = self._series["row"]
        taken = self._seats.snapshot() > 0
        return self._leave(np.flatnonzero(taken & (rows < 0)).astype(np.int32))

    def retired_before(self, before_us: int) -> list[int]:
        """The numbers of devices that were retired before this time and still have series."""
        points = self._points
        return [n for n, at in points.devices.retired.items() if at < before_us and points.seats_of(n).size]

    def seats_of_device(self, number: int, before_us: int) -> Int32:
        """The seats of a device that is retired since before this time; none otherwise."""
        if self._points.devices.retired.get(number, before_us) >= before_us:
            return np.empty(0, np.int32)
        return self._points.seats_of(number)

    def name_of(self, seat: int) -> SeriesName:
        """Slot, device uid and channel of a seat."""
        if not 0 < seat < len(self._series) or self._series["row"][seat] < 0:
            return NO_SERIES
        slot = int(self._seats.slots(np.array([seat]))[0])
        return SeriesName(slot, *self._points.name(int(self._series["row"][seat])))

    def uid_of(self, slot: int) -> str:
        """The device of a series' slot; empty for a series that is gone."""
        return self.name_of(int(self.seats_of(np.array([slot], np.int32))[0])).uid

    def knows(self, uid: str) -> bool:
        """Whether a device of this uid is registered and in service."""
        devices = self._points.devices
        number = devices.number(uid)
        return number >= 0 and devices.in_service(number)

    @property
    def rows(self) -> int:
        """How many sensing points have a row."""
        return len(self._points)

    def apply(self, changed: Slice) -> None:
        """Takes changed devices. Rows and seats stay; who they belong to may change.

        Cost: about 2 µs a device and what its series are; nothing for the others.
        """
        points = self._points
        self._strangers -= sum(
            self._stranger_series(points.devices.number(one.uid)) for one in changed.devices
        )
        self._describe_rows(points.take(changed.devices))
        if changed.version is not None:
            self.registry_version = changed.version

    def hear(self, said: Sequence[Said]) -> None:
        """Takes what devices say of themselves, in a tick: their series may stand otherwise from its readings
        on. Of strangers nothing is taken."""
        devices = self._points.devices
        numbers = [number for one in said if (number := devices.hear(one)) >= 0]
        if numbers:
            self._describe_rows(self._points.rows_of(numbers))

    def _describe_rows(self, rows: Int32) -> None:
        if len(rows):
            seats, owner = self._points.cells.seats_in(rows)
            if len(seats):
                self._describe(seats, owner)

    def _stranger_series(self, number: int) -> int:
        """How many series count against the strangers' bound for this device."""
        devices = self._points.devices
        if number < 0 or not devices.is_stranger(number) or devices.uids[number] == OVERFLOW_UID:
            return 0
        return len(self._points.seats_of(number))

    def _learn(self, found: Sequence[tuple[int, str, str, int]]) -> None:
        if not found:
            return
        points, rows = self._points, []
        last_uid, last_channel, row = "", "", -1
        slots, uids, channels, metrics = zip(*found, strict=True)
        for uid, channel in zip(uids, channels, strict=True):
            if uid != last_uid or channel != last_channel or row < 0:  # a message's series come together
                row = points.row(points.devices.meet(uid), channel)
                last_uid, last_channel = uid, channel
            rows.append(row)
        self._place(slots, rows, metrics)

    def _place(self, slots: Sequence[int], rows: Sequence[int], metrics: Sequence[int]) -> None:
        """Lines for series that have none: on the seat that a snapshot gave them, or another."""
        slot, row = np.asarray(slots, np.int32), np.asarray(rows, np.int32)
        metric = np.asarray(metrics, np.int16)
        seats = self._seats.seats(slot)
        homeless = np.flatnonzero(seats == 0)
        if len(homeless):
            seats[homeless] = self._seats.take(slot[homeless].tolist())
        self._grow()
        self._points.cells.put(row, metric, seats)
        self._series["row"][seats] = row
        self._series["metric"][seats] = metric
        self._series["phase"][seats] = self._points.facts("phase", row)
        self._place_in_room(seats, row, metric)
        self._strangers += self._points.strangers_among(row, OVERFLOW_UID)
        self._describe(seats, row)

    def _place_in_room(self, seats: Int32, row: Int32, metric: Int16) -> None:
        """Which of these are of the air of a room; with the first series of a detector the others of its
        device stand otherwise too. How they stand in the registry does not change by that."""
        others, row_of = self._points.cells.seats_in(self._points.watch(row, metric))
        for of, at in ((seats, row), (others, row_of)):
            self._series["room"][of] = self._points.in_room(at)
        if len(others):
            self._changed.append(others)

    def _leave(self, seats: Int32) -> Int32:
        if not len(seats):
            return seats
        columns = self._series
        rows, metrics = columns["row"][seats], columns["metric"][seats]
        named = np.flatnonzero(rows >= 0)
        self._points.cells.clear(rows[named], metrics[named], seats[named])
        self._strangers -= self._points.strangers_among(rows[named], OVERFLOW_UID)
        self._wipe(seats)
        return seats

    def _describe(self, seats: Int32, rows: Int32) -> None:
        self._fill(seats, [self._points.facts(name, rows) for name in FACTS])


def _differ(here: NDArray[Any], now: NDArray[Any]) -> Bool:
    """Where two columns differ; one NaN is as good as another."""
    differs: Bool = here != now
    if here.dtype.kind == "f":
        differs &= ~(np.isnan(here) & np.isnan(now))
    return differs


def _stored(connection: Connection) -> Iterator[Sequence[Any]]:
    """Table `series` in bites: slot, uid, channel, metric."""
    query = select(series.c.slot, series.c.uid, series.c.channel, series.c.metric).order_by(series.c.slot)
    result = connection.execution_options(yield_per=_READ_AT_ONCE).execute(query)
    yield from result.partitions(_READ_AT_ONCE)
