"""Messages of one reading each, and the stamps they get."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from sqlalchemy import Engine, create_engine, insert

from devices.database import reading, writing
from devices.model import Metric, Quality
from devices.profiles.profile import Decoded
from devices.schema import device, metadata
from ingest.series import SeriesIndex
from ingest.stamps import Arrivals, Stamped, Stamps

NOW = 1_790_000_000_000_000

SECOND = 1_000_000

DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Sent:
    """One message of one reading: device number, value, device time (0: none), sequence (-1: none)."""

    device: int = 1
    value: float = 1.0
    at: int = 0
    seq: int = -1
    metric: int = Metric.CURRENT
    retained: bool = False
    again: int = 0
    """Part of the payload: tells apart messages that are otherwise equal."""

    @property
    def checksum(self) -> int:
        return hash((self.device, self.value, self.at, self.seq, self.metric, self.again)) & 0xFFFFFFFF


def new_index(devices: int = 3) -> SeriesIndex:
    with reading(_registry(devices)) as connection:
        return SeriesIndex(connection)


@cache
def _registry(devices: int) -> Engine:
    """Made once: making it costs a hundred times what reading it does."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        for n in range(1, devices + 1):
            row = {"uid": f"d{n}", "kind": "smoke", "profile": "p", "registered_us": 1, "registered_by": "t"}
            connection.execute(insert(device).values(**row))
    return engine


def stamp(
    stamps: Stamps, index: SeriesIndex, sent: list[Sent], now: int = NOW, queued: bool = False
) -> Stamped:
    n = len(sent)
    decoded = Decoded(
        np.array([index.row(f"d{s.device}", "") for s in sent], np.int32),
        np.array([s.metric for s in sent], np.int16),
        np.array([s.at for s in sent], np.int64),
        np.array([s.value for s in sent], np.float64),
        np.zeros(n, np.uint32),
        np.arange(n, dtype=np.int32),
        np.array([s.seq for s in sent], np.int64),
        [],
        [],
    )
    checksum = np.array([s.checksum for s in sent], np.uint32)
    retained = np.array([s.retained for s in sent], np.bool_)
    return stamps.stamp(decoded, Arrivals(now, np.zeros(n, np.uint16), checksum, retained, queued))


def fresh() -> tuple[Stamps, SeriesIndex]:
    index = new_index()
    return Stamps(index), index


def one(sent: Sent, now: int = NOW) -> tuple[int, Quality]:
    batch = stamp(*fresh(), [sent], now).batch
    return int(batch.observed_us[0]), Quality(int(batch.quality[0]))


def smoke(seq: int, value: float, at: int = 0) -> Sent:
    return Sent(value=value, seq=seq, at=at, metric=Metric.SMOKE_ALARM)
