"""The tick: its order, what it does when a step cannot be done, and what it hands on."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from devices.model import EngineInput, InputKind, Quality
from ingest.journal_files import list_segments
from ingest.journal_reader import JournalReader
from ingest.record import Record
from tests.ingest.house import House
from tests.ingest.journalled import disk_full_after
from tests.ingest.redelivering import Message


def journalled(house: House) -> list[Record]:
    reader = JournalReader(house.folder / "journal")
    found = [one for one in reader.read(1000) if isinstance(one, Record)]
    reader.close()
    return found


def test_a_locked_database_holds_the_line_and_the_order_and_says_so_once(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start(batch=1)
    house.ledger.refuse = 5
    for n in range(4):
        house.broker.publish(f"t/d{n % 3 + 1}", b'{"smoke": 1}')
    with capture_logs() as logs:
        assert not tick.run_once(0.0)
        assert tick.stalled == "OperationalError"
        assert len(house.broker.inflight) == 1
        for _ in range(3):
            tick.run_once(10.0)
        assert len(house.broker.waiting) == 3  # nothing is read while a batch waits
        house.run(tick, 2000)
    assert tick.stalled == ""
    assert [one["event"] for one in logs] == ["ingest_stalled", "ingest_goes_on"]
    assert tick.stalls == 5
    assert [record.batch.value.tolist() for record in journalled(house)] == [[1.0]] * 4
    assert len(house.alarms()) == 3
    assert not house.broker.inflight
    house.stop()


def test_tries_are_spaced_out_although_ticks_are_short(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.ledger.refuse = 1_000
    house.broker.publish("t/d1", b'{"smoke": 1}')
    for _ in range(1_000):
        tick.run_once(0.005)  # five seconds of ticks
    assert tick.stalls <= 10
    house.stop()


def test_a_full_disk_acknowledges_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"amps": 1}')
    tick.run_once(0.0)
    size = list_segments(tmp_path / "journal")[-1].path.stat().st_size
    house.broker.publish("t/d1", b'{"amps": 2}')
    with capture_logs() as logs, disk_full_after(size + 60):
        assert not tick.run_once(0.0)
        assert not tick.run_once(1.0)
    assert [one["event"] for one in logs] == ["ingest_stalled"]
    assert len(house.broker.inflight) == 1
    with capture_logs():
        house.run(tick)
    assert [record.batch.value.tolist() for record in journalled(house)] == [[1.0], [2.0]]
    assert not house.broker.inflight
    house.stop()


@pytest.mark.parametrize("waits_for", ["database", "disk"])
def test_stopping_while_a_batch_waits_loses_neither_its_points_nor_its_alarm(
    tmp_path: Path, waits_for: str
) -> None:
    house = House(tmp_path)
    tick = house.start()
    tick.save_snapshot()
    house.broker.publish("t/d1", b'{"smoke": 1, "seq": 4}')
    house.ledger.refuse = 100 if waits_for == "database" else 0
    with capture_logs(), disk_full_after(10**9 if waits_for == "database" else 10):
        assert not tick.run_once(0.0)
    tick.save_snapshot()
    house.stop()
    house.run(house.start())
    assert [record.batch.value.tolist() for record in journalled(house)] == [[1.0]]
    assert len(house.alarms()) == 1
    house.stop()


def test_a_full_journal_leaves_messages_with_the_broker(tmp_path: Path) -> None:
    house = House(tmp_path, max_bytes=1_000)
    tick = house.start(batch=1)
    for n in range(50):
        house.broker.publish("t/d1", b'{"amps": %d}' % n)
    with capture_logs() as logs:
        for _ in range(100):
            tick.run_once(1.0)
    assert [one["kind"] for one in logs] == ["JournalFull"]
    assert tick.stalled == "JournalFull"
    assert len(house.broker.waiting) + len(house.broker.inflight) + len(journalled(house)) == 50
    house.stop()


def test_acts_of_people_are_journalled_and_taken_once_over_a_restart(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.inputs += [
        EngineInput(3, 1, InputKind.RESET, "S1", 1, 0),
        EngineInput(4, 1, InputKind.CLOSE, "S1", 1, 0),
    ]
    house.broker.publish("t/d1", b'{"amps": 1}')
    house.run(tick)
    house.inputs.append(EngineInput(5, 1, InputKind.RESET, "X1", 0, 7))
    house.run(tick)
    assert [[one.id for one in record.inputs] for record in journalled(house)] == [[3, 4], [5]]
    house.stop()
    tick = house.start()
    house.run(tick)
    assert house.rules.inputs == [3, 4, 5]
    assert len(journalled(house)) == 2
    tick.save_snapshot()
    house.stop()
    house.run(house.start())
    assert house.rules.inputs == [3, 4, 5]
    assert house.recovered.last_input_id == 5
    house.stop()


def test_a_message_sent_again_is_acknowledged_and_not_journalled_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    for n in range(3):
        house.broker.publish("t/d1", b'{"amps": %d}' % n)
    tick.run_once(0.0)
    for packet_id, body in ((1, b'{"amps": 0}'), (2, b'{"amps": 8}')):
        house.broker.inflight[packet_id] = Message("t/d1", body)
        house.broker.again.append(packet_id)
    house.run(tick)
    assert tick.redelivered == 1  # the second one has the same packet id and other content: it is new
    assert [record.batch.value.tolist() for record in journalled(house)] == [[0.0, 1.0, 2.0], [8.0]]
    assert not house.broker.inflight
    house.stop()


def test_a_stranger_in_alarm_reaches_the_ledger_with_its_topic(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.broker.publish("t/ghost", b'{"smoke": 1, "amps": 3}', retain=True)
    house.run(tick)
    (record,) = journalled(house)
    assert [(one.slot, one.topic) for one in record.strangers] == [(1, "t/ghost")]
    assert house.ledger.strangers == record.strangers
    assert record.batch.quality.tolist() == [Quality.RETAINED]
    assert house.index.name_of(1) == (1, "ghost", "")
    assert len(house.alarms()) == 1
    house.stop()


def test_figures_count_what_happened(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start(batch=10)
    for body in (b'{"amps": 1, "seq": 1}', b'{"amps": 1, "seq": 1}', b"{", b'{"amps": 2, "smoke": 1}'):
        house.broker.publish("t/d1", body)
    house.broker.publish("nowhere", b"")
    house.run(tick)
    figures = house.intake.figures
    assert (figures.messages, figures.readings, figures.duplicates) == (5, 3, 1)
    assert figures.rejected == {"not_json": 1, "unknown_topic": 1}
    assert (tick.ticks, tick.transitions) == (1, 1)
    house.stop()


def test_a_connection_lost_during_a_stall_brings_the_batch_again_and_it_is_known(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start(batch=2)
    house.ledger.refuse = 3
    for n in range(4):
        house.broker.publish("t/d1", b'{"smoke": %d}' % (n % 2))
    with capture_logs():
        assert not tick.run_once(0.0)
        house.broker.connect()  # the broker dropped us; what it had sent comes again
        house.run(tick)
    assert house.line.tended > 0
    assert tick.redelivered == 2
    assert [record.batch.value.tolist() for record in journalled(house)] == [[0.0, 1.0], [0.0, 1.0]]
    assert len(house.alarms()) == 2
    assert not house.broker.inflight
    house.stop()


def test_a_fire_found_in_a_refused_message_is_journalled_and_the_message_counted_as_refused(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    tick = house.start()
    for topic in ("t/d1", "t/ghost", "t/d2"):
        house.broker.publish(topic, b'{"smoke": 1, "amps": 1')
    house.broker.publish("t/d2", b'{"amps": 2}')
    house.run(tick)
    (record,) = journalled(house)
    assert record.batch.value.tolist() == [1.0, 1.0, 1.0, 2.0]
    assert record.batch.quality.tolist() == [Quality.SUSPECT] * 3 + [0]
    assert record.rejected == {"not_json": 3}
    assert [one.topic for one in record.strangers] == ["t/ghost"]
    assert (house.intake.figures.readings, house.intake.figures.rejected) == (4, {"not_json": 3})
    assert len(house.alarms()) == 3
    assert not house.broker.inflight
    house.stop()
