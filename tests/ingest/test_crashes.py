"""The process dies at every step of a tick; a fresh one over the same folder must make it good."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from devices.database import reading
from devices.model import EngineInput, InputKind, Metric
from devices.schema import series
from ingest.deadletters import count_dead_letters
from ingest.store.embedded import EmbeddedStore
from ingest.store.writer import StoreWriter
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.redelivering import Message

STEPS = [
    "poll", "inputs", "journal.before", "journal.torn", "journal.after", "evaluate",
    "ledger.before", "ledger.after", "ack.before", "ack.after",
]  # fmt: skip


def stored(house: House) -> Counter[tuple[str, float]]:
    """Every point of the store by device and value, as often as it is there."""
    store = EmbeddedStore(house.folder / "points.db", keep_days=30)
    writer = StoreWriter(house.folder / "journal", store)
    while writer.run_once():
        pass
    writer.close()
    with reading(house.engine) as connection:
        rows = connection.execute(select(series.c.slot, series.c.uid)).all()
    found: Counter[tuple[str, float]] = Counter()
    for slot, uid in rows:
        found.update((uid, value) for value in store.read(slot, 0, 2**62, limit=10**6).value.tolist())
    store.close()
    return found


def fill(house: House, messages: int) -> Counter[tuple[str, float]]:
    """Publishes messages without time or number, the hardest to tell apart; gives what must be stored."""
    expected: Counter[tuple[str, float]] = Counter()
    for i in range(messages):
        uid = f"d{i % 3 + 1}"
        house.broker.publish(f"t/{uid}", b'{"amps": %d}' % (i + 10))
        expected[uid, i + 10.0] += 1
    for uid in ("d1", "d2"):
        house.broker.publish(f"t/{uid}", b'{"smoke": 1}')
        expected[uid, 1.0] += 1
    house.broker.publish("t/d3", b"not json")
    house.inputs.append(EngineInput(len(house.inputs) + 1, 1, InputKind.RESET, "S1", 1, 0))
    return expected


def die_and_come_back(house: House, fuses: list[Fuse], batch: int) -> None:
    for fuse in fuses:
        with suppress(Killed):
            house.run(house.start(fuse, batch, snapshot_s=3.0))
        house.stop()
    house.run(house.start(batch=batch, snapshot_s=3.0))
    house.stop()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_death_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path, step: str, after: int) -> None:
    house = House(tmp_path)
    expected = fill(house, 15)
    die_and_come_back(house, [Fuse(step, after)], batch=4)
    assert stored(house) == expected
    assert len(house.alarms()) == 2
    assert not house.broker.inflight
    assert house.rules.inputs == [1]


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 6)), min_size=1, max_size=6),
    st.integers(1, 9),
    st.integers(0, 40),
)
@settings(max_examples=40, deadline=None)
def test_any_chain_of_deaths_ends_with_everything_once(
    deaths: list[tuple[str, int]], batch: int, messages: int
) -> None:
    with TemporaryDirectory() as folder:
        house = House(Path(folder))
        expected = fill(house, messages)
        die_and_come_back(house, [Fuse(*death) for death in deaths], batch)
        assert stored(house) == expected
        assert len(house.alarms()) == 2
        assert house.rules.inputs == [1]
        house.engine.dispose()


def test_state_after_recovery_is_the_state_that_never_died(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = House(tmp_path / "a"), House(tmp_path / "b")
    for house in (one, other):
        for i in range(60):
            at = 1_790_000_000_000_000 + (i * 37 % 23) * 1_000_000
            body = b'{"amps": %d, "smoke": %d, "at": %d, "seq": %d}' % (i % 5, i % 2, at, i * 7 % 30)
            house.broker.publish(f"t/d{i % 3 + 1}", body)
    one.run(one.start(batch=3))
    tick = other.start(batch=3)
    for _ in range(9):
        tick.run_once(0.0)
    other.stop()
    tick = other.start(batch=3)
    other.line.now_us += 9 * 1_000_003  # the clock did not stop for our restart
    other.run(tick)
    a, b = one.intake.stamps.snapshot(), other.intake.stamps.snapshot()
    assert a.keys() == b.keys()
    for name, array in a.items():
        assert array.tobytes() == b[name].tobytes(), name
    assert one.rules.snapshot()["on"].tolist() == other.rules.snapshot()["on"].tolist()
    assert one.alarms() == other.alarms()
    one.stop()
    other.stop()


def test_an_acknowledgement_that_never_arrived_stores_nothing_twice_even_after_a_snapshot(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"amps": 5}')
    tick.run_once(0.0)
    house.broker.inflight[1] = Message("t/d1", b'{"amps": 5}')
    tick.save_snapshot()
    house.stop()
    tick = house.start()
    house.run(tick)
    assert tick.redelivered == 1
    assert stored(house) == Counter({("d1", 5.0): 1})
    house.stop()


def test_refusals_are_counted_exactly_over_a_death(tmp_path: Path) -> None:
    house = House(tmp_path)
    for _ in range(5):
        house.broker.publish("t/d1", b"{")
        house.broker.publish("elsewhere", b"{}")
    tick = house.start(batch=2)
    house.line.step_us = 5_000
    for _ in range(3):
        tick.run_once(0.0)
    house.stop()  # up to a second of counts is in memory only
    tick = house.start(batch=2)
    house.run(tick)
    house.line.now_us += 2_000_000
    tick.run_once(0.0)
    with reading(house.engine) as connection:
        assert count_dead_letters(connection) == {"not_json": 5, "unknown_topic": 5}
    house.stop()


def test_series_journalled_but_never_committed_keep_their_numbers(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.broker.publish("t/d1", b'{"amps": 5}')
    house.broker.publish("t/d2", b'{"amps": 6, "smoke": 1}')
    with pytest.raises(Killed):
        house.run(house.start(Fuse("ledger.before"), batch=1))
    house.stop()
    house.run(house.start(batch=1))
    names = {house.index.name_of(slot)[1:]: slot for slot in range(1, len(house.index))}
    with reading(house.engine) as connection:
        rows = connection.execute(select(series.c.slot, series.c.uid, series.c.metric)).all()
    assert sorted(rows) == [
        (1, "d1", Metric.CURRENT),
        (2, "d2", Metric.SMOKE_ALARM),
        (3, "d2", Metric.CURRENT),
    ]
    assert names[("d1", "")] == 1
    house.stop()


def test_a_second_fire_of_a_detector_that_started_again_is_heard_also_over_our_restart(
    tmp_path: Path,
) -> None:
    for restarts in (False, True):
        folder = tmp_path / str(restarts)
        folder.mkdir()
        house = House(folder)
        tick = house.start()
        for seq, smoke in ((0, 0), (1, 1), (2, 0)):
            house.broker.publish("t/d1", b'{"seq": %d, "smoke": %d}' % (seq, smoke))
        house.run(tick)
        heard_us = house.line.now_us
        if restarts:
            house.stop()
            tick = house.start()
        house.line.now_us = heard_us + 62_000_000
        for seq, smoke in ((0, 0), (1, 1)):
            house.broker.publish("t/d1", b'{"seq": %d, "smoke": %d}' % (seq, smoke))
        house.run(tick)
        assert len(house.alarms()) == 2
        house.stop()


def test_thirty_thousand_flags_of_one_time_are_thirty_thousand_points_also_over_our_restart(
    tmp_path: Path,
) -> None:
    house = House(tmp_path, segment_bytes=1 << 20)
    for i in range(30_000):
        house.broker.publish("t/d1", b'{"smoke": %d}' % (i % 2), qos=0)
    for _ in range(4):
        tick = house.start(batch=8_000)
        house.line.step_us = 0
        tick.run_once(0.0)
        house.stop()
    assert stored(house) == Counter({("d1", 0.0): 15_000, ("d1", 1.0): 15_000})
