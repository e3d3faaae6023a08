"""Seats change hands, slots never do: whatever happens, no series gets another's state, points or alarms."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from devices.database import reading, writing
from devices.model import EngineInput, InputKind, Metric
from devices.schema import device, registry_change, series
from ingest.freeing import DAY_US, may_go, quarantine_us
from ingest.journal_reader import JournalReader
from ingest.record import Record
from ingest.registered import read_changes
from ingest.tick import Tick
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.plain import Alarm
from tests.ingest.redelivering import NOW_US

KEEP_DAYS = 2.0
LONG_US = 40 * DAY_US


class Site(House):
    """A house whose registry changes and whose clock can leap; it remembers every record ever journalled."""

    def __init__(self, folder: Path, devices: int = 4) -> None:
        super().__init__(folder, devices=devices, segment_bytes=1 << 20)
        self.clock_us = NOW_US
        self.tick: Tick[Alarm] | None = None
        self.freeing = quarantine_us(KEEP_DAYS)

    def up(self, fuse: Fuse | None = None) -> Tick[Alarm]:
        tick = self.start(fuse, batch=3, snapshot_s=1e9, quarantine=self.freeing)
        self.line.now_us = self.clock_us
        self.tick = tick
        return tick

    def go(self) -> None:
        """Ticks until nothing is left to do; comes back up, at the same time, where it died on the way."""
        for _ in range(4):
            tick = self.tick or self.up()
            with suppress(Killed):
                self.follow()
                self.run(tick)
                break
            self.clock_us = max(self.clock_us, self.line.now_us)
            self.down()
        self.clock_us = max(self.clock_us, self.line.now_us)

    def down(self) -> None:
        if self.tick is not None:
            self.stop()
            self.tick = None

    def follow(self) -> None:
        with reading(self.engine) as connection:
            parts = list(read_changes(connection, self.index.registry_version))
        for part in parts:
            self.index.apply(part)

    def alter(self, uid: str, **values: object) -> None:
        with writing(self.engine) as connection:
            change = connection.execute(
                insert(registry_change).values(at_us=1, by="t", what="device").returning(registry_change.c.id)
            ).scalar_one()
            connection.execute(update(device).where(device.c.uid == uid).values(**values, change_id=change))

    def pass_time(self, by_us: int) -> None:
        self.clock_us += by_us
        if self.tick is not None:
            self.line.now_us = self.clock_us

    def records(self) -> list[Record]:
        reader = JournalReader(self.folder / "journal")
        found = []
        while batch := reader.read():
            found += [one for one in batch if isinstance(one, Record)]
        reader.close()
        return found

    def slots(self) -> dict[tuple[str, int], int]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(series.c.uid, series.c.metric, series.c.slot)).all()
        return {(uid, metric): slot for uid, metric, slot in rows}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def amps(value: float) -> bytes:
    return b'{"amps": %g}' % value


def hear(site: Site, uid: str, body: bytes) -> None:
    site.broker.publish(f"t/{uid}", body)
    site.go()


def test_a_seat_is_taken_over_by_another_series_and_the_slot_is_not(site: Site) -> None:
    for uid in ("d1", "d2"):
        hear(site, uid, b'{"smoke": 0, "amps": 3}')
    before = site.slots()
    site.alter("d1", retired_us=site.clock_us)
    site.pass_time(LONG_US)
    site.go()
    assert set(site.slots()) == {("d2", Metric.SMOKE_ALARM), ("d2", Metric.CURRENT)}
    seats = len(site.index)
    hear(site, "d3", amps(5))
    assert len(site.index) == seats
    assert site.slots()["d3", Metric.CURRENT] == 5
    assert site.index.seats_of(np.array([5], np.int32)).tolist() == [1]
    hear(site, "d4", amps(5))
    assert [one.freed for one in site.records() if one.freed] == [
        sorted(slot for (uid, _), slot in before.items() if uid == "d1")
    ]
    site.down()


@pytest.mark.parametrize(
    ("last_word", "kept"), [(b'{"smoke": 1}', True), (b'{"smoke": 0}', False)], ids=["alarm", "quiet"]
)
def test_a_detector_retired_in_alarm_keeps_its_series_until_the_alarm_is_over(
    site: Site, last_word: bytes, *, kept: bool
) -> None:
    hear(site, "d1", last_word)
    hear(site, "d2", amps(1))
    site.alter("d1", retired_us=site.clock_us)
    site.pass_time(LONG_US)
    site.go()
    assert (("d1", Metric.SMOKE_ALARM) in site.slots()) is kept
    site.down()


def test_a_retired_detector_that_was_freed_and_burns_is_a_strangers_alarm_under_a_new_slot(
    site: Site,
) -> None:
    hear(site, "d1", b'{"smoke": 0}')
    hear(site, "d2", amps(1))
    site.alter("d1", retired_us=site.clock_us)
    site.pass_time(LONG_US)
    site.go()
    assert site.alarms() == []
    hear(site, "d1", b'{"smoke": 1}')
    assert len(site.alarms()) == 1
    assert site.slots()["d1", Metric.SMOKE_ALARM] == 3
    site.down()


def test_a_device_heard_lately_is_not_freed_however_long_it_is_retired(site: Site) -> None:
    hear(site, "d1", b'{"smoke": 0}')
    hear(site, "d2", amps(1))
    site.alter("d1", retired_us=site.clock_us)
    for _ in range(4):
        site.pass_time(9 * DAY_US)
        hear(site, "d1", b'{"smoke": 0}')
    assert ("d1", Metric.SMOKE_ALARM) in site.slots()
    site.pass_time(11 * DAY_US)
    site.go()
    assert ("d1", Metric.SMOKE_ALARM) not in site.slots()
    site.down()


def test_the_newest_slot_stays_so_that_no_number_comes_twice(site: Site) -> None:
    hear(site, "d1", amps(1))
    site.alter("d1", retired_us=site.clock_us)
    site.pass_time(LONG_US)
    site.go()
    assert site.slots() == {("d1", Metric.CURRENT): 1}
    hear(site, "d2", amps(1))
    site.pass_time(DAY_US)
    site.go()
    assert site.slots() == {("d2", Metric.CURRENT): 2}
    site.down()


def test_an_act_on_a_series_that_is_gone_does_not_touch_who_sits_there_now(site: Site) -> None:
    hear(site, "d1", b'{"smoke": 0}')
    hear(site, "d2", amps(1))
    site.alter("d1", retired_us=site.clock_us)
    site.pass_time(LONG_US)
    site.go()
    hear(site, "d3", b'{"smoke": 1}')
    acts = [EngineInput(n, 1, InputKind.RESET, "S1", slot, 0) for n, slot in ((1, 1), (2, 3))]
    assert [(one.id, one.slot) for one in site.index.seated_inputs(acts)] == [(2, 1)]
    site.down()


def test_silence_takes_a_week_more_than_the_quarantine_to_prove() -> None:
    quarantine, now = quarantine_us(2), NOW_US
    assert quarantine == 3 * DAY_US
    quiet = np.zeros(2, np.bool_)
    just = now - quarantine - 7 * DAY_US
    assert may_go(np.array([0, just - 1]), quiet, now, quarantine)
    assert not may_go(np.array([0, just]), quiet, now, quarantine)
    assert not may_go(np.array([0, 0]), np.array([False, True]), now, quarantine)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), st.integers(1, 4), st.sampled_from(["amps", "smoke", "temp"])),
        st.tuples(st.just("retire"), st.integers(1, 4), st.just("")),
        st.tuples(st.just("return"), st.integers(1, 4), st.just("")),
        st.tuples(st.just("pass"), st.integers(0, 20), st.just("")),
        st.tuples(st.just("restart"), st.just(0), st.sampled_from(["", "snapshot"])),
        st.tuples(
            st.just("die"),
            st.integers(1, 3),
            st.sampled_from(["journal.before", "journal.after", "evaluate", "ledger.before", "ledger.after"]),
        ),
    ),
    max_size=25,
)


GONE = [("hear", 1, "amps"), ("hear", 1, "smoke"), ("hear", 2, "amps"), ("retire", 1, ""), ("pass", 20, "")]
NEXT = [("hear", 3, "temp"), ("hear", 4, "amps"), ("return", 1, ""), ("hear", 1, "amps")]


@given(ACTS)
@example(GONE)
@example([*GONE, *NEXT])
@example([*GONE[:-1], ("restart", 0, "snapshot"), GONE[-1], ("restart", 0, ""), *NEXT, ("restart", 0, "")])
@example([*GONE[:-1], ("die", 1, "ledger.before"), GONE[-1], *NEXT, ("restart", 0, "snapshot")])
@settings(max_examples=50, deadline=None)
def test_no_series_ever_gets_anothers_slot_state_or_points(acts: list[tuple[str, int, str]]) -> None:
    with TemporaryDirectory() as folder:
        site = Site(Path(folder))
        sent: dict[tuple[str, int], list[float]] = defaultdict(list)
        value, in_service = 1.0, {1, 2, 3, 4}
        for act, n, what in acts:
            uid = f"d{n}"
            if act == "hear":
                if what == "smoke" and n not in in_service:
                    continue  # a stranger's flag is read where its series is still there: a story of its own
                value += 1
                said = 0.0 if what == "smoke" else value
                site.broker.publish(f"t/{uid}", b'{"%s": %g}' % (what.encode(), said))
                site.go()
                if n in in_service:
                    metric = {"amps": Metric.CURRENT, "smoke": Metric.SMOKE_ALARM, "temp": Metric.TEMPERATURE}
                    sent[uid, metric[what]].append(said)
            elif act in {"retire", "return"}:
                in_service = in_service - {n} if act == "retire" else in_service | {n}
                site.alter(uid, retired_us=site.clock_us if act == "retire" else None)
                site.go()
            elif act == "pass":
                site.pass_time(n * DAY_US)
                site.go()
            elif act == "restart":
                if what == "snapshot" and site.tick is not None:
                    site.tick.save_snapshot()
                site.down()
            else:
                site.down()
                try:
                    site.up(Fuse(what, n))
                except Killed:  # it died while it recovered
                    site.stop()
        site.go()
        owners, heard = _history(site)
        assert {name: values for name, values in heard.items() if values} == {
            name: values for name, values in sent.items() if values
        }
        assert set(site.slots().items()) <= {(name, slot) for slot, name in owners.items()}
        assert _states_of_none_but_their_own(site)
        site.down()
        site.engine.dispose()


def _history(site: Site) -> tuple[dict[int, tuple[str, int]], dict[tuple[str, int], list[float]]]:
    """Who each slot ever belonged to, and the values under each name, from the journal alone."""
    owners: dict[int, tuple[str, int]] = {}
    heard: dict[tuple[str, int], list[float]] = defaultdict(list)
    for record in site.records():
        for one in record.new_series:
            assert owners.setdefault(one.slot, (one.uid, one.metric)) == (one.uid, one.metric)
        for slot, value in zip(record.batch.slot.tolist(), record.batch.value.tolist(), strict=True):
            heard[owners[slot]].append(value)
    return owners, heard


def _states_of_none_but_their_own(site: Site) -> bool:
    """What is remembered on each seat is the last word of who sits there, and nothing on a free one."""
    last: dict[int, float] = {}
    for record in site.records():
        for slot in record.freed:
            last.pop(slot, None)
        last |= dict(zip(record.batch.slot.tolist(), record.batch.value.tolist(), strict=True))
    memory = site.intake.stamps.snapshot()["series.last_value"]
    seats = np.arange(1, min(len(site.index), len(memory)), dtype=np.int32)
    slots = site.index.slots_of(seats)
    return all(
        memory[seat] == last.get(slot, 0.0) for seat, slot in zip(seats.tolist(), slots.tolist(), strict=True)
    )
