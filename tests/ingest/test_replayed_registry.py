"""A batch is evaluated under the registry it met, live and replayed, whatever happened to it in between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, update

from devices.database import reading, writing
from devices.model import EngineInput, Int32, ReadingBatch, SeriesTable
from devices.schema import device, registry_change
from ingest.registered import read_changes
from tests.ingest.fuse import Fuse
from tests.ingest.house import House
from tests.ingest.plain import Alarm, PlainRules

Seen = tuple[int, float, int, float]
"""Slot (by seat), value, device, I_ref of a reading as the rules saw it."""


class Witness(PlainRules):
    """Rules that note how the series of each reading stood."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(fuse)
        self.seen: list[Seen] = []

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        super().adopt(table, changed)
        self._held = [column.copy() for column in (table.device, table.reference_a)]

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Alarm]:
        device, reference = self._held
        for seat, value in zip(batch.slot.tolist(), batch.value.tolist(), strict=True):
            self.seen.append((seat, value, int(device[seat]), float(reference[seat])))
        return super().evaluate(batch, inputs, now_us, source)


class Watched(House):
    rules_type = Witness

    def alter(self, uid: str, **values: object) -> None:
        with writing(self.engine) as connection:
            change = connection.execute(
                insert(registry_change).values(at_us=1, by="t", what="device").returning(registry_change.c.id)
            ).scalar_one()
            connection.execute(update(device).where(device.c.uid == uid).values(**values, change_id=change))
        if hasattr(self, "index"):
            with reading(self.engine) as connection:
                for part in list(read_changes(connection, self.index.registry_version)):
                    self.index.apply(part)

    def seen(self) -> list[Seen]:
        assert isinstance(self.rules, Witness)
        return self.rules.seen


def say(house: Watched, *values: int) -> None:
    for value in values:
        house.broker.publish("t/d1", b'{"amps": %d}' % value)
        house.broker.publish("t/d2", b'{"amps": %d}' % value)


@pytest.mark.parametrize("snapshot_after", [None, 0, 1, 2])
def test_a_replay_sees_what_was_seen(tmp_path: Path, snapshot_after: int | None) -> None:
    house = Watched(tmp_path)
    house.alter("d1", breaker_a=10.0)
    tick = house.start(snapshot_s=1e9)
    kept = 0
    for part, breaker in enumerate((16.0, 20.0, 25.0)):
        say(house, part)
        house.run(tick)
        if part == snapshot_after:
            tick.save_snapshot()
            kept = len(house.seen())
        house.alter("d1", breaker_a=breaker)
    live = house.seen()
    assert [seen[3] for seen in live if seen[2] == 1] == [10.0, 16.0, 20.0]
    house.stop()
    house.alter("d1", breaker_a=63.0)
    house.alter("d2", retired_us=5)
    tick = house.start(snapshot_s=1e9)
    assert repr(house.seen()) == repr(live[kept:])
    say(house, 9)
    house.run(tick)
    assert house.seen()[-1] == (1, 9.0, 1, 63.0)
    assert house.index.table().device[2] == 0
    house.stop()
    house.start(snapshot_s=1e9)
    assert house.seen()[-1] == (1, 9.0, 1, 63.0), "what differed after the replay was journalled"
    house.stop()


def test_a_device_registered_while_a_batch_waits_to_be_replayed_stays_a_stranger_in_it(
    tmp_path: Path,
) -> None:
    house = Watched(tmp_path)
    tick = house.start()
    house.broker.publish("t/ghost", b'{"smoke": 1}')
    house.run(tick)
    house.stop()
    house.register("ghost")
    house.alter("ghost", breaker_a=10.0)
    house.start()
    assert [(seen[0], seen[2]) for seen in house.seen()] == [(1, 0)]
    assert house.index.table().device[1] == 4
    assert house.index.has_changed
    house.stop()


def test_a_change_is_journalled_even_when_nothing_is_heard(tmp_path: Path) -> None:
    house = Watched(tmp_path)
    tick = house.start()
    say(house, 1)
    house.run(tick)
    before = house.journal.next_seq
    house.alter("d1", breaker_a=10.0)
    assert tick.run_once(0.0)
    assert house.journal.next_seq == before + 1
    assert not tick.run_once(0.0)
    assert np.isfinite(house.index.table().reference_a[1])
    house.stop()
