"""Tens of thousands of devices fall silent within ten seconds, and in the middle of it a kitchen burns.

From readings to hand-overs, on virtual time: the shipped rules in the real engine, the ledger that ingest
writes with, and the turns of alerts on a real database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select

from alerts.handover import Handover
from alerts.schema import incident, notification, transition
from alerts.settings import Settings
from alerts.turn import run_turn
from devices import schema as registry
from devices.database import open_database, reading, writing
from devices.model import Carrier, Medium, Metric, ReadingBatch, Role, SeriesTable, Severity
from gengfu.ledger import SqlLedger
from ingest.schema import journal_position
from rules.engine import Engine as Rules
from tests.databases import TABLES_ONLY, sqlite_like
from tests.rules.story import START_US, shipped

assert journal_position is not None
SECOND = 1_000_000
PER_BUILDING = 50
PER_WORKER, PER_SECRETARY = 20, 5
"""Buildings that one grid worker and one secretary look after."""
QUIET_S = 600
"""Everybody is heard for the last time from then on, within ten seconds."""
BEAT_S = 60


@dataclass
class City:
    """Devices by number from 1, a series each: odd ones are smoke detectors, one of each kind in a home."""

    database: Engine
    devices: int
    rules: Rules
    now_s: float = 0.0
    handed: list[tuple[float, Handover]] = field(default_factory=list)
    contacts: dict[int, str] = field(default_factory=dict)
    _seq: int = 0
    _due_us: int | None = None

    @property
    def buildings(self) -> int:
        return self.devices // PER_BUILDING

    def hear(self, at_s: float, slots: Any, value: float = 0.0) -> None:
        """Readings of these, and what follows."""
        self.now_s = at_s
        now_us = START_US + round(at_s * SECOND)
        n = len(slots)
        zeros = np.zeros(n, np.uint16)
        batch = ReadingBatch(
            now_us,
            np.asarray(slots, np.int32),
            np.full(n, now_us),
            zeros,
            np.full(n, value),
            np.zeros(n, np.uint32),
        )
        found = self.rules.evaluate(batch, [], now_us, "") + self.rules.advance(now_us)
        self._seq += 1
        if found:
            ledger = SqlLedger(self.database, lambda slot: (slot, f"own:d{slot}", ""), lambda: now_us)
            ledger.commit(found, [], [], self._seq)
        if found or (self._due_us is not None and self._due_us <= now_us):
            self.turn(now_us)

    def turn(self, now_us: int) -> None:
        """As the process: until nothing waits. What is handed over counts as taken."""
        while True:
            result = run_turn(self.database, Settings(b"k" * 32, "http://a.example"), now_us)
            self.handed += [(self.now_s, one) for one in result.handovers]
            self._due_us = result.next_due_us
            if not result.more:
                break
        with writing(self.database) as connection:
            connection.execute(
                notification.update()
                .where(notification.c.state == "sending")
                .values(state="accepted", accepted_us=now_us)
            )

    def everybody(self) -> Any:
        return np.arange(1, self.devices + 1)

    def of_the_outage(self, first_s: float, last_s: float) -> Counter[str]:
        """How many messages each contact got of what is not the fire."""
        return Counter(
            self.contacts[one.contact_id]
            for at_s, one in self.handed
            if first_s <= at_s <= last_s and one.rank > Severity.P0.rank
        )


@contextmanager
def city(folder: Path, devices: int) -> Iterator[City]:
    database = open_database(sqlite_like(TABLES_ONLY, folder))
    number = np.arange(devices + 1, dtype=np.int32)
    metric = np.where(number % 2 == 1, Metric.SMOKE_ALARM, Metric.CURRENT).astype(np.int16)
    building = ((number - 1) // PER_BUILDING + 1).astype(np.int32)
    metric[0] = building[0] = 0
    plain = SeriesTable.plain(1, metric, number, (number + 1) // 2, np.full(devices + 1, np.nan))
    table = replace(plain, building=building, silence_s=np.full(devices + 1, BEAT_S, np.float32))
    here = City(database, devices, Rules(shipped(), table))
    here.contacts = build(database, devices)
    try:
        yield here
    finally:
        database.dispose()


def build(database: Engine, devices: int) -> dict[int, str]:
    """The registry; gives the contacts' codes by id."""
    rows: dict[Any, list[dict[str, Any]]] = {
        registry.area: [{"id": 1, "level": "grid", "code": "g", "name": "网格"}],
        registry.building: [], registry.stair: [], registry.dwelling: [], registry.device: [],
        registry.contact: [], registry.contact_channel: [], registry.binding: [],
    }  # fmt: skip
    buildings = range(1, devices // PER_BUILDING + 1)
    for n in buildings:
        rows[registry.building].append(
            {"id": n, "area_id": 1, "code": f"b{n}", "name": f"{n}号楼", "floors": 6}
        )
        rows[registry.stair].append({"id": n, "building_id": n, "code": f"b{n}-1", "name": "1单元"})
        if n % PER_WORKER == 1:
            bind(
                rows, f"worker-{n}", Role.GRID_WORKER, "building", list(buildings)[n - 1 : n - 1 + PER_WORKER]
            )
        if n % PER_SECRETARY == 1:
            places = list(buildings)[n - 1 : n - 1 + PER_SECRETARY]
            bind(rows, f"secretary-{n}", Role.BUILDING_SECRETARY, "building", places)
    for n in range(1, devices // 2 + 1):
        stair = (2 * n - 1) // PER_BUILDING + 1
        home = {"id": n, "stair_id": stair, "floor": 1, "flat": str(n), "code": f"b{stair}-{n}"}
        rows[registry.dwelling].append(home)
    for n in range(1, devices + 1):
        device = {"id": n, "uid": f"own:d{n}", "kind": "smoke" if n % 2 else "electrical", "profile": "own"}
        device |= {"dwelling_id": (n + 1) // 2, "registered_us": 1, "registered_by": "test"}
        rows[registry.device].append(device)
    bind(rows, "desk", Role.DUTY_DESK, "area", [1])
    bind(rows, "station", Role.MICRO_STATION, "area", [1])
    bind(rows, "family", Role.FAMILY, "dwelling", [burning(devices)])
    with writing(database) as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
    return {row["id"]: row["code"] for row in rows[registry.contact]}


def burning(devices: int) -> int:
    """The home in the middle; its detector is device 2 n - 1."""
    return devices // 4


def bind(rows: dict[Any, list[dict[str, Any]]], code: str, role: Role, kind: str, places: list[int]) -> None:
    number = len(rows[registry.contact]) + 1
    person = {"id": number, "code": code, "name_sealed": b"", "language": "en", "created_us": 1}
    rows[registry.contact].append(person)
    rows[registry.contact_channel].append(
        {
            "contact_id": number, "medium": str(Medium.PUSH), "carrier": str(Carrier.WEBHOOK), "rank": 1,
            "added_us": 1, "address_sealed": b"", "address_index": b"",
        }
    )  # fmt: skip
    rows[registry.binding].extend(
        {
            "contact_id": number,
            "role": str(role),
            "place_kind": kind,
            "place_id": place,
            "rank": 1,
            "bound_us": 1,
        }
        for place in places
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_thousand_devices_fall_silent_and_a_kitchen_burns(tmp_path: Path) -> None:
    everything_goes_dark_and_a_kitchen_burns(tmp_path, 50_000)


def test_two_thousand_devices_fall_silent_and_a_kitchen_burns(tmp_path: Path) -> None:
    everything_goes_dark_and_a_kitchen_burns(tmp_path, 2_000)


def everything_goes_dark_and_a_kitchen_burns(folder: Path, devices: int) -> None:
    """The fire comes in the very second in which the middle of the buildings is known to be dark."""
    with city(folder, devices) as here:
        for at_s in range(0, QUIET_S, BEAT_S):
            here.hear(at_s, here.everybody())
        everybody = here.everybody()
        building = (everybody - 1) // PER_BUILDING
        for second in range(10):  # the last words of all, within ten seconds
            here.hear(QUIET_S + second, everybody[building % 10 == second])
        assert here.handed == []
        fire_s = first_dark_s(here) + 5
        for at_s in (*range(QUIET_S + BEAT_S, fire_s - 10, BEAT_S), *range(fire_s - 10, fire_s)):
            here.hear(at_s, [])
        before = len(here.handed)
        here.hear(fire_s, [2 * burning(devices) - 1], value=1.0)
        told_of_the_fire(here, before)
        for at_s in (*range(fire_s + 1, fire_s + 30), *range(fire_s + 30, fire_s + 200, 10)):
            here.hear(at_s, [])
        told_of_the_outage(here, fire_s)


def first_dark_s(here: City) -> int:
    """Devices are missed after three beats, and a building is dark five minutes later (C1 and C3 of the
    catalogue)."""
    return QUIET_S + 3 * BEAT_S + 300


def told_of_the_fire(here: City, before: int) -> None:
    """First of all that is handed over, to everybody whom the table names."""
    worker = (burning(here.devices) * 2 - 2) // PER_BUILDING // PER_WORKER * PER_WORKER + 1
    secretary = (burning(here.devices) * 2 - 2) // PER_BUILDING // PER_SECRETARY * PER_SECRETARY + 1
    table = {"family", "desk", "station", f"worker-{worker}", f"secretary-{secretary}"}
    fresh = [one for _, one in here.handed[before:]]
    first = fresh[: len(table)]
    assert {here.contacts[one.contact_id] for one in first} == table
    assert {one.rank for one in first} == {Severity.P0.rank}


def told_of_the_outage(here: City, fire_s: int) -> None:
    """One message for each who looks after a building, whatever number of buildings; nothing is forgotten."""
    counts = here.of_the_outage(0, fire_s + 200)
    assert set(counts.values()) == {1}
    everyone = {code for code in here.contacts.values() if code.startswith(("worker", "secretary"))}
    assert counts.keys() == everyone
    with reading(here.database) as connection:
        rules = Counter(connection.scalars(select(transition.c.rule)))
        dark = connection.scalars(select(incident.c.building_id).where(incident.c.hazard == "fault")).all()
        states = Counter(connection.scalars(select(notification.c.state)))
    assert rules["C3"] == here.buildings and rules["S1"] == 1
    assert sorted(dark) == list(range(1, here.buildings + 1))
    assert states.keys() <= {"accepted", "rolled"}
