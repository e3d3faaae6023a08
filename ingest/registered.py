"""Every device there is a uid for, in memory: registered, retired, or only heard; and how it is read.

One code path reads everything at the start and what changed later: rows whose `change_id` is above what is
known, in the order of `change_id`. Ids become visible in the order of commits (one writer at a time), so what
is above the newest known id is all there is to read.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select

from devices.schema import device, device_channel, registry_change
from ingest.columns import Columns

SLICE: Final = 500
"""Devices that are read, and applied, at once (chosen: about a millisecond of a tick)."""
NOTHING_READ: Final = -1
"""Known version before the first read; rows written before `change_id` existed have 0."""
NAN: Final = float("nan")


class Known(NamedTuple):
    """What is held of one device. `channels` are the reference currents of channels that have their own."""

    id: int
    uid: str
    dwelling: int
    reference_a: float
    retired_us: int
    channels: dict[str, float]


class Slice(NamedTuple):
    """Some changed devices. `version` is given with the last: all up to it is applied with this slice."""

    devices: Sequence[Known]
    version: int | None


class Point(NamedTuple):
    """What the rules need of a sensing point: registry ids, 0 for none, and I_ref in amperes or NaN."""

    device: int
    dwelling: int
    reference_a: float


NOBODYS: Final = Point(0, 0, NAN)
_NO_CHANNELS: Final[dict[str, float]] = {}


def registry_version(connection: Connection) -> int:
    """The newest id of `registry_change`, 0 without any."""
    return int(connection.scalar(select(func.max(registry_change.c.id))) or 0)


def read_changes(connection: Connection, known: int, *, size: int = SLICE) -> Generator[Slice, None, None]:
    """The devices changed after version `known`, in slices; the last slice carries the version.

    Read in one transaction; close it where it is not read to the end. What is committed while it is read may
    be in it or not; it is newer than the version told and comes with the next read. Raises what the database
    raises; then start over from `known`.
    """
    version = registry_version(connection)
    channels = _channels(connection, known)
    changed = (
        select(
            device.c.id, device.c.uid, device.c.dwelling_id,
            device.c.breaker_a, device.c.cable_a, device.c.retired_us,
        )
        .where(device.c.change_id > known)
        .order_by(device.c.change_id, device.c.id)
    )  # fmt: skip
    held: list[Known] | None = None
    with connection.execution_options(yield_per=size).execute(changed) as result:
        for rows in result.partitions(size):
            if held is not None:
                yield Slice(held, None)
            held = [
                Known(
                    id_, uid, dwelling or 0, reference_of(breaker, cable), retired or 0,
                    _own_references(channels[id_], breaker, cable) if id_ in channels else _NO_CHANNELS,
                )
                for id_, uid, dwelling, breaker, cable, retired in rows
            ]  # fmt: skip
    yield Slice(held or [], version)


def reference_of(breaker_a: float | None, cable_a: float | None) -> float:
    """I_ref = min(breaker, cable) in amperes of those that are known; NaN where neither is."""
    if breaker_a is None:
        return NAN if cable_a is None else cable_a
    return breaker_a if cable_a is None else min(breaker_a, cable_a)


_Ratings = dict[str, tuple[float | None, float | None]]


def _channels(connection: Connection, known: int) -> dict[int, _Ratings]:
    """Breaker and cable of each channel that says one, by device."""
    found: dict[int, _Ratings] = {}
    query = (
        select(
            device_channel.c.device_id,
            device_channel.c.channel,
            device_channel.c.breaker_a,
            device_channel.c.cable_a,
        )
        .join(device, device_channel.c.device_id == device.c.id)
        .where(device.c.change_id > known)
    )
    for device_id, channel, breaker, cable in connection.execute(query):
        if breaker is not None or cable is not None:
            found.setdefault(device_id, {})[channel] = breaker, cable
    return found


def _own_references(ratings: _Ratings, breaker_a: float | None, cable_a: float | None) -> dict[str, float]:
    """What a channel does not say holds as for the device."""
    return {
        channel: reference_of(breaker_a if breaker is None else breaker, cable_a if cable is None else cable)
        for channel, (breaker, cable) in ratings.items()
    }


class Devices:
    """Devices by uid and by a number of this process. A device that was only heard has registry id 0.

    About 200 bytes a device. Nothing is ever forgotten here: a retired device keeps its line.
    """

    def __init__(self) -> None:
        self.uids: list[str] = []
        self.retired: dict[int, int] = {}
        """When each retired device was retired, by number."""
        self._numbers: dict[str, int] = {}
        self._channels: dict[int, dict[str, float]] = {}
        self._facts = Columns(
            {"id": np.int32, "dwelling": np.int32, "reference": np.float64, "served": np.bool_}
        )

    def __len__(self) -> int:
        return len(self.uids)

    def number(self, uid: str) -> int:
        """The number of a uid, -1 where nothing is known of it."""
        return self._numbers.get(uid, -1)

    def meet(self, uid: str) -> int:
        """The number of a uid; one that nobody registered gets one here."""
        number = self._numbers.get(uid)
        if number is None:
            number = self._numbers[uid] = len(self.uids)
            self.uids.append(uid)
            self._facts.grow(number + 1)
        return number

    def in_service(self, number: int) -> bool:
        """Whether the device is registered and not retired."""
        return bool(self._facts["served"][number])

    def is_stranger(self, number: int) -> bool:
        """Whether the registry never heard of it."""
        return not self._facts["id"][number]

    def point(self, number: int, channel: str) -> Point:
        """What holds for a channel of the device; of one not in service nothing does."""
        facts = self._facts
        if not facts["served"][number]:
            return NOBODYS
        own = self._channels.get(number)
        reference = own.get(channel) if own else None
        if reference is None:
            reference = float(facts["reference"][number])
        return Point(int(facts["id"][number]), int(facts["dwelling"][number]), reference)

    def take(self, changed: Sequence[Known]) -> list[int]:
        """Notes what is now held of these devices; their numbers, in order."""
        if not changed:
            return []
        meet = self.meet
        numbers = [meet(one.uid) for one in changed]
        ids, _, dwellings, references, retired, _ = zip(*changed, strict=True)
        facts = self._facts
        facts["id"][numbers] = ids
        facts["dwelling"][numbers] = dwellings
        facts["reference"][numbers] = references
        facts["served"][numbers] = np.array(retired, np.int64) == 0
        for number, one in zip(numbers, changed, strict=True):
            if one.channels or number in self._channels:
                self._channels[number] = one.channels
            if one.retired_us:
                self.retired[number] = one.retired_us
            elif self.retired:
                self.retired.pop(number, None)
        return numbers
