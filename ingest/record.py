"""One record of the journal: everything a tick knew. As bytes: ingest/record_bytes.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import EngineInput, Float32, Float64, Int32, Int64, ReadingBatch, UInt8, UInt16, UInt32
from devices.profiles.profile import Note


@dataclass(frozen=True, slots=True)
class NewSeries:
    """A series heard for the first time; `metric` is the code. Rows of table `series`."""

    slot: int
    uid: str
    channel: str
    metric: int


@dataclass(frozen=True, slots=True)
class StrangerTopic:
    """On which topic an unregistered device raised the flag of `slot`: all an operator has to find it."""

    slot: int
    topic: str


class Standing(NamedTuple):
    """How series stand in the registry from this record on, as parallel arrays: what `SeriesTable` says, but
    for what follows from the series' name. 47 bytes a series.

    It is journalled so that a replay sees what was seen, however the registry has changed since, or what
    devices say of themselves.
    """

    slot: Int32
    device: Int32
    dwelling: Int32
    reference_a: Float64
    stair: Int32
    building: Int32
    area: Int32
    parent: Int32
    breaker_a: Float32
    silence_s: Float32
    insulation: UInt8
    earthing: UInt8
    kind: UInt8

    @classmethod
    def unchanged(cls) -> Standing:
        """Of no series: nothing has changed."""
        return cls(*(np.empty(0, kind) for kind in STANDING))

    @classmethod
    def of(cls, columns: Sequence[NDArray[Any]]) -> Standing:
        """As a record says it; one of an earlier release has the first columns only, all else is unknown."""
        n = len(columns[0])
        more = (np.full(n, np.nan if kind in _FLOATS else 0, kind) for kind in STANDING[len(columns) :])
        return cls(*columns, *more)


STANDING: Final = (
    "<i4", "<i4", "<i4", "<f8", "<i4", "<i4", "<i4", "<i4", "<f4", "<f4", "<u1", "<u1", "<u1",
)  # fmt: skip
"""The dtypes of a `Standing`."""
_FLOATS: Final = frozenset(("<f4", "<f8"))


class Proof(IntEnum):
    """What the same number with the same content proves about a message. Journalled: never renumber.

    WITHIN_SECONDS: it has no believed time of its own, so a device that started again sends the same bytes;
    only what follows within seconds is a resend. SAME_INSTANT: content and checksum hold its time, so it is
    the same message. NOTHING: a true life flag without time, which is never taken for a resend.
    """

    WITHIN_SECONDS = 0
    SAME_INSTANT = 1
    NOTHING = 2


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of a tick in arrival order, as parallel arrays.

    `packet_id` is 0 at QoS 0. `checksum` is the CRC-32 of topic and payload. `device` is the registry id
    of the sender, 0 for none. `seq` is the device's own sequence number, -1 where it sends none; `proof` is
    what an equal one means (`Proof`).
    """

    packet_id: UInt16
    checksum: UInt32
    device: Int32
    seq: Int64
    proof: UInt8

    def __len__(self) -> int:
        return len(self.packet_id)

    @classmethod
    def empty(cls) -> Messages:
        """No messages: a tick of engine inputs or of time alone."""
        return cls(
            np.empty(0, np.uint16),
            np.empty(0, np.uint32),
            np.empty(0, np.int32),
            np.empty(0, np.int64),
            np.empty(0, np.uint8),
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One tick. `seq` grows by one per record; `batch.received_us` is the tick's time, `now` of its rules.

    `rejected` counts refused messages by reason, so that the exact counts survive a crash.
    `rules_version` and `registry_generation` say what it was evaluated under, for people who read journals.
    `freed` are slots of series that are gone from here on, before all else in the record; `standing` holds
    what the readings are evaluated under where it is new or was otherwise before.
    `source` is the name of the broker its messages came from, empty for that of `[broker]`: packet ids mean
    nothing without it.
    `shed`: its points are not for the series store; evaluation and replay make no difference of it.
    `notes` are what profiles, and ingest itself, have learnt in this tick and must know after a restart.
    `versions` are those of the profiles that read from this record on, by name; empty: as before.
    """

    seq: int
    batch: ReadingBatch
    messages: Messages
    inputs: list[EngineInput]
    new_series: list[NewSeries]
    strangers: list[StrangerTopic]
    rejected: dict[str, int]
    rules_version: int
    registry_generation: int
    freed: list[int] = field(default_factory=list)
    standing: Standing = field(default_factory=Standing.unchanged)
    shed: bool = False
    source: str = ""
    notes: list[Note] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def tick_us(self) -> int:
        """The time of the tick, microseconds UTC."""
        return self.batch.received_us
