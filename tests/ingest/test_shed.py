"""Room for alarms where there is none for history: what is shed, how it is counted, and what goes on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from devices.database import reading
from ingest.ballast import Ballast, finds_no_room
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.shed import list_shed, shed_total
from ingest.tick import Tick
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.journalled import disk_full_after
from tests.ingest.plain import Alarm

STEPS = ["journal.before", "journal.after", "evaluate", "ledger.before", "ledger.after", "ack.before"]


class FullHouse(House):
    """A house whose store is away, with a reserve."""

    reserve_bytes = 8 * 4096


def journalled(house: House) -> list[Record]:
    reader = JournalReader(house.folder / "journal")
    found: list[Record] = []
    while some := reader.read():
        found += [one for one in some if isinstance(one, Record)]
    reader.close()
    return found


def publish(house: House, count: int) -> None:
    for n in range(count):
        smoke = f', "smoke": {n % 2}' if n % 7 < 2 else ""
        house.broker.publish(f"t/d{n % 3 + 1}", f'{{"amps": {n}{smoke}, "seq": {n}}}'.encode())


def stored_and_shed(house: House, seen: dict[int, Record]) -> tuple[Counter[str], Counter[str]]:
    """Points by device that the store would take, and those it would not, of every record ever journalled."""
    kept: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for record in seen.values():
        for slot in record.batch.slot.tolist():
            (gone if record.shed else kept)[house.index.uid_of(slot)] += 1
    return kept, gone


def is_whole(ballast: Ballast) -> bool:
    """Asked anew each time: another step may have changed it."""
    return ballast.is_whole


def waits_for(tick: Tick[Alarm]) -> str:
    return tick.stalled


def counted(house: House) -> dict[str, int]:
    with reading(house.engine) as connection:
        return {row.device: row.points for row in list_shed(connection)}


def write_counts(house: House, tick: Tick[Alarm]) -> None:
    """Lets a second pass twice, so that all counts are in the database."""
    for _ in range(3):
        house.line.now_us += 2_000_000
        tick.run_once(0.0)


def test_alarms_go_on_when_the_store_is_away_and_only_points_are_shed(tmp_path: Path) -> None:
    house = FullHouse(tmp_path, max_bytes=1_000)
    tick = house.start(batch=1, snapshot_s=1e9)
    publish(house, 30)
    with capture_logs() as logs:
        house.run(tick)
        write_counts(house, tick)
    assert "points_are_shed" in [one["event"] for one in logs]
    assert "ingest_stalled" not in [one["event"] for one in logs]
    assert not house.broker.inflight
    seen = {one.seq: one for one in journalled(house)}
    kept, gone = stored_and_shed(house, seen)
    assert sum(kept.values()) + sum(gone.values()) == house.intake.figures.readings
    assert gone == counted(house)
    assert sum(gone.values()) > 0 < sum(kept.values())
    assert len(house.alarms()) > 0
    with reading(house.engine) as connection:
        assert shed_total(connection) == sum(gone.values())
    house.stop()


def test_with_a_dead_store_and_a_disk_that_works_it_never_ends(tmp_path: Path) -> None:
    house = FullHouse(tmp_path, max_bytes=1_000)
    tick = house.start(batch=1, snapshot_s=1e9)
    publish(house, 400)
    with capture_logs():
        for _ in range(6_000):
            tick.run_once(1.0)
            if tick.stalled:
                house.parts.snapshots.wait()
            if not house.broker.waiting and not house.broker.inflight:
                break
    assert not house.broker.waiting
    assert not house.broker.inflight
    assert house.journal.next_seq > 300
    house.stop()


def test_where_no_snapshot_can_be_made_it_stops_at_the_brim_with_nothing_in_hand_and_goes_on(
    tmp_path: Path,
) -> None:
    house = FullHouse(tmp_path, max_bytes=1_000)
    tick = house.start(batch=1, snapshot_s=1e9)
    publish(house, 400)
    snapshots = house.folder / "snapshots"
    snapshots.rename(house.folder / "elsewhere")
    with capture_logs():
        for _ in range(1_000):
            tick.run_once(1.0)
            house.parts.snapshots.wait()
        assert waits_for(tick) == "JournalFull"
        assert tick.at_rest
        waiting = len(house.broker.waiting)
        assert waiting
        (house.folder / "elsewhere").rename(snapshots)
        for _ in range(3_000):
            tick.run_once(1.0)
            house.parts.snapshots.wait()
    assert not house.broker.waiting
    assert waits_for(tick) == ""
    house.stop()


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 9)), max_size=4),
    st.integers(1, 5),
    st.integers(0, 60),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_whenever_it_dies_in_the_reserve_state_alarms_and_counts_are_those_of_an_undisturbed_run(
    deaths: list[tuple[str, int]], batch: int, messages: int, often: bool
) -> None:
    with TemporaryDirectory() as folder, capture_logs():
        one, other = Path(folder) / "one", Path(folder) / "other"
        one.mkdir()
        other.mkdir()
        house = FullHouse(one, max_bytes=1_500)
        publish(house, messages)
        seen: dict[int, Record] = {}
        for death in [*deaths, None]:
            fuse = Fuse(*death) if death else Fuse()
            with suppress(Killed):
                tick = house.start(fuse, batch, snapshot_s=3.0 if often else 1e9)
                for _ in range(400):
                    tick.run_once(1.0)
                    if tick.stalled:
                        house.parts.snapshots.wait()
                    seen |= {r.seq: r for r in journalled(house)}
                    if not (house.broker.waiting or house.broker.inflight or tick.stalled):
                        break
            if death:
                house.stop()
        seen |= {r.seq: r for r in journalled(house)}
        write_counts(house, tick)
        _, gone = stored_and_shed(house, seen)
        assert counted(house) == dict(gone)
        values = sorted(value for r in seen.values() for value in r.batch.value.tolist())
        house.stop()

        plain = House(other)
        publish(plain, messages)
        plain.run(plain.start(batch=batch))
        assert values == sorted(v for r in journalled(plain) for v in r.batch.value.tolist())
        assert [key.split(",")[0] for key in house.alarms()] == [key.split(",")[0] for key in plain.alarms()]
        assert house.rules.snapshot()["on"].tolist() == plain.rules.snapshot()["on"].tolist()
        plain.stop()
        house.engine.dispose()
        plain.engine.dispose()


def test_a_write_whose_answer_was_lost_is_not_counted_twice(tmp_path: Path) -> None:
    house = FullHouse(tmp_path, max_bytes=600)
    tick = house.start(batch=1, snapshot_s=1e9)
    house.line.step_us = 1_000
    publish(house, 9)
    lost: list[int] = []

    def commit(connection: Connection) -> None:
        if lost:
            lost.pop()
            dbapi: Any = connection.connection.dbapi_connection
            dbapi.execute("COMMIT")
            raise OperationalError("COMMIT", {}, Exception("the connection broke"))

    event.listen(house.engine, "commit", commit)
    with capture_logs() as logs:
        house.run(tick)
        lost.append(1)
        assert not house.shed.flush(house.line.now_us + 10_000_000)
        publish(house, 9)
        house.run(tick)
        write_counts(house, tick)
    assert "shed_counts_wait" in [one["event"] for one in logs]
    assert counted(house) == dict(stored_and_shed(house, {one.seq: one for one in journalled(house)})[1])
    house.stop()


def test_counts_in_memory_go_over_a_snapshot_and_a_kill(tmp_path: Path) -> None:
    house = FullHouse(tmp_path, max_bytes=600)
    tick = house.start(batch=1, snapshot_s=1e9)
    house.line.step_us = 1_000  # no second passes: nothing is flushed
    publish(house, 12)
    with capture_logs():
        house.run(tick)
        tick.save_snapshot()
        publish(house, 3)
        house.run(tick)
    expected = stored_and_shed(house, {one.seq: one for one in journalled(house)})[1]
    assert counted(house) != dict(expected)
    house.stop()
    with capture_logs():
        tick = house.start(batch=1)
        write_counts(house, tick)
    assert counted(house) == dict(expected)
    house.stop()
    with capture_logs():
        tick = house.start(batch=1)  # the old snapshot once more: all is in the database already
        write_counts(house, tick)
    assert counted(house) == dict(expected)
    house.stop()


def test_many_devices_are_counted_in_slices(tmp_path: Path) -> None:
    house = FullHouse(tmp_path, devices=1_200, max_bytes=600)
    house.reserve_bytes = 8 << 20
    tick = house.start(batch=100, snapshot_s=1e9)
    for n in range(1, 1_201):
        house.broker.publish(f"t/d{n}", b'{"amps": 1}')
    house.line.step_us = 1_000
    with capture_logs():
        house.run(tick)
        writes = 0
        house.line.now_us += 2_000_000
        while house.shed.waiting:
            house.line.now_us += 1_000_000
            before = house.shed.waiting
            tick.run_once(0.0)
            assert before - house.shed.waiting <= 500
            writes += 1
    assert writes >= 2
    assert sum(counted(house).values()) == house.shed.total
    house.stop()


def test_a_commit_that_finds_no_room_drops_the_ballast_and_the_alarm_waits_for_nothing_else(
    tmp_path: Path,
) -> None:
    house = FullHouse(tmp_path)
    house.ballast_bytes = 1 << 16
    tick = house.start(batch=1)
    assert is_whole(house.ballast)
    with house.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    for n in range(800):
        house.broker.publish("t/d1", b'{"smoke": %d}' % (n % 2))
    with capture_logs() as logs:
        while not tick.stalled:
            tick.run_once(0.0)
        assert "ballast_dropped" in [one["event"] for one in logs]
        assert not is_whole(house.ballast)
        assert tick.stalled == "OperationalError"
        with house.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=100000")
        house.run(tick)
    assert len(house.alarms()) == 400
    assert not house.broker.inflight
    house.stop()


def test_a_snapshot_that_finds_no_room_drops_the_ballast_too(tmp_path: Path) -> None:
    house = FullHouse(tmp_path)
    house.ballast_bytes = 1 << 16
    tick = house.start(snapshot_s=0.001)
    house.broker.publish("t/d1", b'{"amps": 1}')
    house.line.step_us = 10_000
    with capture_logs() as logs, disk_full_after(200):
        tick.run_once(0.0)
        house.parts.snapshots.wait()
        tick.run_once(0.0)
    assert "ballast_dropped" in [one["event"] for one in logs]
    assert not list((tmp_path / "snapshots").glob("*.new"))
    house.stop()


def test_the_ballast_is_dropped_only_for_want_of_room_and_comes_back_later(tmp_path: Path) -> None:
    now_s = [0.0]
    ballast = Ballast(tmp_path / "ballast", 1 << 20, lambda: now_s[0])
    assert not is_whole(ballast)
    ballast.keep()
    assert is_whole(ballast)
    with capture_logs() as logs:
        ballast.release(OSError(5, "I/O error"))
        assert is_whole(ballast)
        ballast.release(OSError(28, "no space"))
        ballast.release(OSError(28, "no space"))
    assert [one["event"] for one in logs] == ["ballast_dropped"]
    assert not is_whole(ballast)
    assert ballast.leaves_room  # this disk has more than it
    now_s[0] += 30
    ballast.keep()
    assert not is_whole(ballast)
    now_s[0] += 31
    ballast.keep()
    assert is_whole(ballast)


def test_a_ballast_that_has_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    with disk_full_after(1 << 16), capture_logs():
        Ballast(tmp_path / "ballast", 1 << 20).keep()
    assert list(tmp_path.iterdir()) == []


def test_a_full_sqlite_is_known_for_want_of_room_and_a_locked_one_is_not(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count=3")
    with pytest.raises(sqlite3.OperationalError) as full:
        for _ in range(100):
            connection.execute("INSERT INTO t VALUES (zeroblob(1000))")
    assert finds_no_room(full.value)
    connection.execute("BEGIN IMMEDIATE")
    other = sqlite3.connect(tmp_path / "x.db", isolation_level=None, timeout=0)
    with pytest.raises(sqlite3.OperationalError) as locked:
        other.execute("BEGIN IMMEDIATE")
    assert not finds_no_room(locked.value)
    other.close()
    connection.close()
