"""A block whose devices are registered and have said something: what the pages of values are tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from console.chart_limits import Limits, LooksAt
from console.settings import ConsoleSettings
from devices import schema as registry
from devices.database import writing
from devices.model import Metric, Quality
from gengfu.limits_here import LimitsHere
from ingest.store.embedded import EmbeddedStore
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.histories import Histories
from ingest.store.history import Series
from ingest.store.points import Points
from tests.console.block import Block, new

GOOD = Quality(0)
METER = "meter-501"
"""The device that `Block.overload("501")` speaks of."""
DETECTOR = "smoke-501-a"


class House(Block):
    """A meter of three channels and a detector in 501, with an embedded store."""

    def __init__(self, database: str, folder: Path, live: bool = False) -> None:
        super().__init__(database, live)
        self.path = folder / "points.db"
        self.series: dict[int, Series] = {}
        self.histories: Histories | None = Histories(lambda: EmbeddedHistory.open(self.path))
        here = LimitsHere(self.clock)
        self.limits: Limits = here
        self.looks_at: LooksAt = here.looks_at
        self._store = EmbeddedStore(self.path, keep_days=40_000)
        self._offset = 0
        self.device(METER, "electrical", breaker_a=32.0)
        self.device(DETECTOR, "smoke")
        for slot, (uid, channel, metric) in enumerate(
            [
                (METER, "l1", Metric.CURRENT),
                (METER, "l1", Metric.CURRENT_RESIDUAL),
                (METER, "l1", Metric.TEMPERATURE),
                (METER, "", Metric.ENERGY_IMPORT),
                (METER, "", Metric.LINK_RSSI),
                (METER, "", Metric.BREAKER_TRIP),
                (DETECTOR, "", Metric.SMOKE_ALARM),
                (DETECTOR, "", Metric.BATTERY_PCT),
                (DETECTOR, "", Metric.TEMPERATURE),
            ],
            start=1,
        ):
            self.hears(slot, uid, channel, metric)

    def close(self) -> None:
        self._store.close()
        self.engine.dispose()

    def device(self, uid: str, kind: str, flat: str = "501", **more: object) -> None:
        row = {"uid": uid, "kind": kind, "profile": "own", "dwelling_id": self.dwellings[flat]}
        with writing(self.engine) as connection:
            new(connection, registry.device, row | {"registered_us": 0, "registered_by": "test"} | more)

    def hears(self, slot: int, uid: str, channel: str, metric: Metric) -> None:
        self.series[slot] = Series(slot, uid, channel, metric)
        row = {"slot": slot, "uid": uid, "channel": channel, "metric": int(metric), "created_us": 0}
        with writing(self.engine) as connection:
            connection.execute(insert(registry.series), row)

    def says(self, slot: int, value: float, ago_s: float = 0, quality: Quality = GOOD) -> None:
        """One point."""
        self.keep(self.points(slot, [(ago_s, value)], quality))

    def draws(self, slot: int, seconds: int, step_s: int, value: Callable[[float], float]) -> None:
        """A point each `step_s` of the last so many seconds; `value` is of the seconds before now."""
        rows = [(ago, value(ago)) for ago in range(seconds, -1, -step_s)]
        self.keep(self.points(slot, rows))

    def points(self, slot: int, rows: Sequence[tuple[float, float]], quality: Quality = GOOD) -> Points:
        now_us = self.clock()
        return Points(
            np.full(len(rows), slot, np.int32),
            np.array([(now_us - round(ago * 1e6)) * 1000 for ago, _ in rows], np.int64),
            np.array([value for _, value in rows], float),
            np.full(len(rows), int(quality), np.uint32),
        )

    def keep(self, points: Points) -> None:
        self._offset += 1
        self._store.write(points, self._offset)

    def console_settings(self) -> ConsoleSettings:
        return replace(
            super().console_settings(),
            histories=self.histories,
            limits=self.limits,
            looks_at=self.looks_at,
        )
