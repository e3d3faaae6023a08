"""A device whose clock is behind, through the whole of a tick and over a crash."""

from __future__ import annotations

import json
from pathlib import Path

from devices.model import Quality
from ingest.journal_reader import JournalReader
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House

MINUTE = 60_000_000
SLOW = 40 * MINUTE


def journalled(house: House) -> list[tuple[int, int]]:
    """How long before it was received each reading was observed, and its quality."""
    reader, found = JournalReader(house.folder / "journal", 0), []
    while records := reader.read():
        for record in records:
            batch = getattr(record, "batch", None)
            if batch is not None:
                ages = batch.received_us - batch.observed_us
                found += list(zip(ages.tolist(), batch.quality.tolist(), strict=True))
    reader.close()
    return found


def say(house: House, **said: float) -> None:
    """The next message of device 1; its clock is forty minutes slow."""
    at = house.line.now_us + house.line.step_us - SLOW
    house.broker.publish("t/d1", json.dumps({"at": at, **said}).encode())


def test_what_is_being_learnt_of_a_clock_outlives_a_restart(tmp_path: Path) -> None:
    """A detector that reports once a day, and a service that is started again each day."""
    house = House(tmp_path)
    now_us = 0
    for n in range(4):
        tick = house.start()
        house.line.now_us = now_us or house.line.now_us
        house.line.step_us = MINUTE
        say(house, amps=float(n))
        house.run(tick)
        tick.save_snapshot()
        now_us = house.line.now_us
        house.stop()
    assert journalled(house) == [(SLOW, 0)] * 3 + [(0, int(Quality.CLOCK_SKEW))]


def test_what_was_learnt_of_a_clock_outlives_the_process(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start(Fuse("ack.before", 3))
    house.line.step_us = MINUTE
    try:
        for n in range(3):
            say(house, amps=float(n))
            house.run(tick)
    except Killed:
        house.stop()
    assert journalled(house) == [(SLOW, 0)] * 3

    now_us = house.line.now_us
    tick = house.start()
    house.line.now_us, house.line.step_us = now_us, MINUTE
    house.run(tick)  # the third comes again, and is known
    say(house, smoke=1)
    house.run(tick)
    assert journalled(house)[3:] == [(0, int(Quality.CLOCK_SKEW))]
    house.stop()
