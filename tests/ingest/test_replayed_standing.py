"""What devices say of themselves counts in the same tick, and a replay sees every fact as it was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from devices.database import reading, writing
from devices.model import EngineInput, Int32, ReadingBatch, SeriesTable
from devices.profiles.profile import Asides, Decoded, Points, Said
from devices.schema import area, building, device, dwelling, registry_change, stair
from ingest.heard import Heard
from ingest.registered import read_changes
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.plain import Alarm, PlainProfile, PlainRules

COLUMNS = [one.name for one in fields(SeriesTable) if one.name != "generation"]
Seen = dict[tuple[int, int], list[str]]
"""By tick time and seat: each column of the series as the rules saw it."""


class Talking(PlainProfile):
    """Beside its readings a device says `{"silence": s}` and, as a number, `{"parent": n}` for `dn`."""

    def decode(
        self, topics: Sequence[str], payloads: Sequence[bytes], points: Points, **more: Any
    ) -> Decoded:
        decoded = super().decode(topics, payloads, points, **more)
        said = []
        for topic, payload in zip(topics, payloads, strict=True):
            for key, form in ((b"silence", "max_silence"), (b"parent", "parent")):
                before, _, text = payload.partition(b'"%s": ' % key)
                number = text.rstrip(b"}").split(b",")[0].decode()
                if before != payload:
                    said.append(Said(topic[2:], form, number if form == "max_silence" else f"d{number}"))
        return replace(decoded, asides=Asides(said=tuple(said)))


class Witness(PlainRules):
    """Rules that note how the series of each reading stood when it was evaluated.

    They look where `adopt` told them to, as the engine does: what nobody tells is not seen.
    """

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(fuse)
        self.seen: Seen = {}
        self._held: dict[str, list[str]] = {}

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        super().adopt(table, changed)
        for name in COLUMNS:
            column, held = getattr(table, name), self._held.setdefault(name, [])
            at = (
                range(len(column)) if changed is None else {*changed.tolist(), *range(len(held), len(column))}
            )
            held += [""] * (len(column) - len(held))
            for seat in at:
                held[seat] = repr(column[seat].item())

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Alarm]:
        for seat in batch.slot.tolist():
            self.seen[now_us, seat] = [self._held[name][seat] for name in COLUMNS]
        return super().evaluate(batch, inputs, now_us, source)


class Talked(House):
    rules_type = Witness
    profile_type = Talking

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with writing(self.engine) as connection:
            for number in (1, 2):
                connection.execute(insert(area).values(id=number, level="grid", code=f"g{number}", name="g"))
            connection.execute(insert(building).values(id=3, area_id=1, code="b", name="b", floors=6))
            connection.execute(insert(stair).values(id=4, building_id=3, code="s", name="s"))
            connection.execute(insert(dwelling).values(id=5, stair_id=4, floor=1, flat="1", code="d"))

    def heard(self) -> Heard:
        return Heard(self.engine, self.index.knows)

    def alter(self, uid: str, **values: object) -> None:
        with writing(self.engine) as connection:
            change = connection.execute(
                insert(registry_change).values(at_us=1, by="t", what="device").returning(registry_change.c.id)
            ).scalar_one()
            connection.execute(update(device).where(device.c.uid == uid).values(**values, change_id=change))
        with reading(self.engine) as connection:
            for part in list(read_changes(connection, self.index.registry_version)):
                self.index.apply(part)

    @property
    def seen(self) -> Seen:
        assert isinstance(self.rules, Witness)
        return self.rules.seen

    def column(self, name: str, seat: int) -> float:
        found: float = getattr(self.index.table(), name)[seat].item()
        return found


def test_what_a_device_says_counts_for_the_readings_of_the_same_tick(tmp_path: Path) -> None:
    house = Talked(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"amps": 1, "silence": 7200, "parent": 2}')
    house.run(tick)
    [seen] = house.seen.values()
    assert dict(zip(COLUMNS, seen, strict=True))["silence_s"] == "7200.0"
    assert dict(zip(COLUMNS, seen, strict=True))["parent"] == "2"
    before = house.journal.next_seq
    for _ in range(5):  # the same again, and what a stranger says, changes nothing
        house.broker.publish("t/d1", b'{"silence": 7200, "parent": 2}')
        house.broker.publish("t/x", b'{"silence": 7200, "parent": 2}')
        house.run(tick)
    assert not house.index.has_changed
    assert house.journal.next_seq == before + 5
    house.stop()


def test_what_was_said_is_known_after_a_restart(tmp_path: Path) -> None:
    house = Talked(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"amps": 1, "silence": 7200, "parent": 2}')
    house.run(tick)
    for _ in range(3):
        tick.run_once(0.0)  # seconds in which it is written
    house.stop()
    house.start()
    assert (house.column("silence_s", 1), house.column("parent", 1)) == (7200.0, 2)
    assert not house.index.has_changed
    house.stop()


STORY: list[tuple[str, Any]] = [
    ("t/d1", b'{"amps": 1}'),
    ("d1", {"dwelling_id": 5, "breaker_a": 16.0, "insulation": "pvc"}),
    ("t/d1", b'{"amps": 2, "silence": 7200}'),
    ("t/d2", b'{"amps": 3, "parent": 3}'),
    ("d1", {"earthing": "tt", "max_silence_s": 600}),
    ("t/d1", b'{"amps": 4, "parent": 3, "silence": 90000}'),
    ("d3", {"retired_us": 9}),
    ("t/d2", b'{"amps": 5}'),
    ("d3", {"retired_us": None}),
    ("d2", {"building_id": 3, "cable_a": 20.0}),
    ("t/d1", b'{"amps": 6}'),
    ("t/d2", b'{"amps": 7}'),
    ("t/d2", b'{"amps": 8, "parent": 3}'),  # said again: what was said just before a death may be lost
]


@pytest.mark.parametrize("snapshot_s", [1e9, 3.0])
@pytest.mark.parametrize("step", ["journal.after", "evaluate", "ledger.before", "ack.before"])
@pytest.mark.parametrize("after", range(1, 8))
def test_a_replay_sees_every_fact_as_it_was_seen(
    tmp_path: Path, step: str, after: int, snapshot_s: float
) -> None:
    house = Talked(tmp_path)
    tick = house.start(Fuse(step, after), snapshot_s=snapshot_s)
    seen: Seen = {}
    for what, how in STORY:
        if isinstance(how, dict):
            house.alter(what, **how)
            continue
        house.broker.publish(what, how)
        try:
            house.run(tick)
        except Killed:
            seen |= house.seen
            clock = house.line.now_us
            house.stop()
            house.alter("d1", label="while nobody ran", cable_a=6.0)
            tick = house.start(snapshot_s=snapshot_s)
            house.line.now_us = clock
            for at, stood in house.seen.items():
                assert seen.setdefault(at, stood) == stood
            house.run(tick)
    seen |= house.seen
    house.stop()
    assert len(seen) >= 8
    house.start(snapshot_s=1e9)
    assert all(seen[at] == stood for at, stood in house.seen.items())
    stands = [house.column(name, 2) for name in ("device", "building", "area", "parent", "reference_a")]
    assert stands == [2, 3, 1, 3, 20.0]
    house.stop()
