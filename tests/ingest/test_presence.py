"""Who was away: told once it has lasted, and known to a replay."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, ReadingBatch
from ingest.presence import LOOK_S, SETTLED_S, Presence
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House
from tests.ingest.plain import Alarm, PlainRules
from tests.ingest.redelivering import NOW_US
from tests.ingest.test_tick import journalled

Told = tuple[str, str, int]
"""Kind, broker, at_us."""


class Room:
    """Clocks and brokers that a test turns."""

    def __init__(self, **brokers: bool) -> None:
        self.brokers = dict(brokers)
        self.formerly: set[str] = set()
        self.now_s = 100.0
        self.wall_us = NOW_US
        self.lived: list[int] = [0]
        """What is answered to who asks when the former process lived, one after another."""
        self.presence = Presence(
            lambda: self.brokers, lambda: self.formerly, lambda: self.now_s, self.lived.pop
        )

    def after(self, seconds: float) -> list[Told]:
        self.now_s += seconds
        self.wall_us += round(seconds * 1e6)
        return told(self.presence.take(self.wall_us))

    def during(self, seconds: float, step_s: float = 0.5) -> list[Told]:
        """Looking all the time."""
        return [one for _ in range(round(seconds / step_s)) for one in self.after(step_s)]


def told(inputs: Sequence[EngineInput]) -> list[Told]:
    assert all((one.id, one.slot, one.place) == (0, 0, 0) for one in inputs)
    return [(str(one.kind), one.rule, one.at_us) for one in inputs]


def test_the_first_word_is_that_we_returned() -> None:
    room = Room(main=True)
    assert room.after(0.0) == [("returned", "", NOW_US)]
    assert room.after(0.0) == []
    assert room.during(9.5) == []


def test_each_broker_is_told_once_after_a_start_as_it_is_then() -> None:
    room = Room(main=True, north=False)
    room.after(0.0)
    assert room.during(SETTLED_S) == [("back", "main", NOW_US), ("away", "north", NOW_US)]
    assert room.during(60) == []


def test_a_broker_that_is_lost_or_there_again_for_long_is_told_with_when_it_began() -> None:
    room = Room(main=True)
    room.after(0.0)
    room.during(20)
    room.brokers["main"] = False
    lost_us = room.wall_us + 500_000
    assert room.during(SETTLED_S) == []
    assert room.during(1) == [("away", "main", lost_us)]
    assert room.during(600) == []
    room.brokers["main"] = True
    back_us = room.wall_us + 500_000
    assert room.during(SETTLED_S + 1) == [("back", "main", back_us)]


def test_a_connection_that_comes_and_goes_is_told_only_as_it_settles() -> None:
    room = Room(main=True)
    room.after(0.0)
    room.during(20)
    for _ in range(10):
        for connected in (False, True):
            room.brokers["main"] = connected
            assert room.during(5) == []
    assert room.during(60) == []


def test_a_broker_of_a_former_process_that_is_there_no_more_is_called_back_once() -> None:
    room = Room(main=True)
    room.formerly = {"west", "main", "south"}
    assert room.after(0.0)[1:] == [("back", "south", NOW_US), ("back", "west", NOW_US)]
    assert room.during(SETTLED_S) == [("back", "main", NOW_US)]
    assert room.during(60) == []


def test_whoever_did_not_look_for_long_was_away() -> None:
    room = Room(main=True)
    room.after(0.0)
    room.during(20)
    assert room.after(SETTLED_S - 0.5) == []
    assert room.after(SETTLED_S) == [("returned", "", room.wall_us)]
    assert room.after(0.5) == []


def test_a_machine_that_slept_was_away_although_its_clock_of_seconds_stood() -> None:
    room = Room(main=True)
    room.after(0.0)
    room.during(20)
    room.wall_us += 3_600_000_000
    assert room.after(0.0) == [("returned", "", room.wall_us)]


def test_a_wall_clock_that_is_set_back_makes_nobody_away() -> None:
    room = Room(main=True)
    room.after(0.0)
    room.during(20)
    room.wall_us -= 3_600_000_000
    assert room.during(60) == []


def away_from(room: Room, seconds: float) -> list[int]:
    """Since when we say that we were away, after so long without a look."""
    room.now_s += seconds
    room.wall_us += round(seconds * 1e6)
    return [one.from_us for one in room.presence.take(room.wall_us) if one.kind is InputKind.RETURNED]


def test_we_say_when_the_former_process_lived_last_and_ask_for_it_once() -> None:
    room = Room(main=True)
    room.lived[:] = [NOW_US - 3_000_000]
    assert away_from(room, 0) == [NOW_US - 3_000_000]
    assert away_from(room, 1) == []
    there_us = room.wall_us
    assert away_from(room, 3600) == [there_us]


def test_a_former_process_that_is_not_known_to_have_lived_leaves_it_open() -> None:
    assert away_from(Room(main=True), 0) == [0]


def test_a_former_process_that_lived_by_a_clock_that_was_ahead_lived_until_now() -> None:
    room = Room(main=True)
    room.lived[:] = [NOW_US + 3_600_000_000]
    assert away_from(room, 0) == [NOW_US]


def test_it_looks_only_now_and_then() -> None:
    room = Room(main=True)
    asked: list[float] = []

    def connected() -> dict[str, bool]:
        asked.append(room.now_s)
        return room.brokers

    room.presence = Presence(connected, tuple, lambda: room.now_s)
    room.during(10, step_s=LOOK_S / 5)
    assert len(asked) <= 10 / LOOK_S + 1


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=20))
def test_away_and_back_take_turns(changes: list[tuple[bool, int]]) -> None:
    room = Room(main=True)
    room.after(0.0)
    words = []
    for connected, seconds in changes:
        room.brokers["main"] = connected
        words += [kind for kind, *_ in room.during(seconds)]
    assert "returned" not in words
    assert all(one != other for one, other in pairwise(words))


class Attending(PlainRules):
    """Rules that note what they are told, when, and of whom; and that wait for time when `due_us` says so."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(fuse)
        self.told: list[tuple[int, list[Told]]] = []
        self.advanced: list[int] = []

    def advance(self, now_us: int) -> list[Alarm]:
        assert self.told[-1][0] == now_us
        self.advanced.append(now_us)
        if now_us < self.due_us:
            return []
        self.due_us = now_us + 3_600_000_000
        return [(0, now_us, 999)]

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Alarm]:
        self.told.append((now_us, told([one for one in inputs if one.id == 0])))
        return super().evaluate(batch, [one for one in inputs if one.id], now_us, source)


class Manned(House):
    """A house whose brokers come and go, on the line's clock."""

    rules_type = Attending

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.brokers = {"": True}

    def presence(self) -> Presence:
        return Presence(lambda: self.brokers, tuple, lambda: self.line.now_us / 1e6)

    @property
    def attending(self) -> Attending:
        assert isinstance(self.rules, Attending)
        return self.rules


def speak(house: House, number: int) -> None:
    house.broker.publish("t/d1", b'{"amps": %d, "smoke": %d}' % (number, number % 2))


def test_the_first_record_after_a_start_says_that_we_returned(tmp_path: Path) -> None:
    house = Manned(tmp_path)
    tick = house.start()
    assert not tick.run_once(0.0)  # that we are there is no news of its own
    speak(house, 0)
    house.inputs.append(EngineInput(3, 1, InputKind.RESET, "S1", 0, 0))
    house.run(tick)
    speak(house, 1)
    house.run(tick)
    kinds = [[str(one.kind) for one in record.inputs] for record in journalled(house)]
    assert kinds == [["returned", "reset"], []]
    house.stop()
    house.start()
    live = [[kind for kind, *_ in inputs] for _, inputs in house.attending.told]
    assert live == [["returned"], []], "a replay has it from the journal"
    assert house.recovered.last_input_id == 3
    house.stop()


def test_a_broker_that_is_lost_is_journalled_although_nothing_is_heard(tmp_path: Path) -> None:
    house = Manned(tmp_path)
    tick = house.start()
    for _ in range(30):
        tick.run_once(0.0)
    house.brokers[""] = False
    for _ in range(30):
        tick.run_once(0.0)
    kinds = [[str(one.kind) for one in record.inputs] for record in journalled(house)]
    assert kinds == [["returned", "back"], ["away"]]
    house.stop()


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize(
    "step", ["journal.before", "journal.torn", "journal.after", "evaluate", "ledger.before"]
)
def test_a_replay_is_told_what_was_told(tmp_path: Path, step: str, after: int) -> None:
    house = Manned(tmp_path)
    seen: dict[int, list[Told]] = {}
    tick = house.start(Fuse(step, after))
    starts = 1
    for number in range(60):
        house.brokers[""] = not 20 <= number < 40
        if number % 15 == 0:
            speak(house, number)
        try:
            tick.run_once(0.0)
        except Killed:
            seen |= dict(house.attending.told)
            clock = house.line.now_us
            house.stop()
            tick = house.start()
            house.line.now_us = clock
            starts += 1
            for now_us, inputs in house.attending.told:
                assert seen.setdefault(now_us, inputs) == inputs
    seen |= dict(house.attending.told)
    journal = {
        record.tick_us: told([one for one in record.inputs if not one.id]) for record in journalled(house)
    }
    assert seen == journal
    words = [kind for _, inputs in sorted(seen.items()) for kind, *_ in inputs]
    told_of_return = words.count("returned")
    assert told_of_return in (
        starts,
        starts - 1,
    )  # one of a process that died before its first record is lost
    assert [kind for kind in words if kind != "returned"][-2:] == ["away", "back"]
    house.stop()


def test_what_the_rules_wait_for_is_given_a_record_of_its_own_and_its_alarm_is_kept(tmp_path: Path) -> None:
    house = Manned(tmp_path)
    tick = house.start()
    speak(house, 0)
    house.run(tick)
    house.attending.due_us = house.line.now_us + 5_500_000
    before = len(journalled(house))
    for _ in range(20):
        tick.run_once(0.0)
    [record] = journalled(house)[before:][:1]
    assert len(record.batch) == 0
    assert house.alarms() == [repr((0, record.tick_us, 999))]
    assert house.attending.advanced[-1] >= record.tick_us
    house.stop()


def test_rules_that_always_wait_are_asked_once_a_second(tmp_path: Path) -> None:
    class Impatient(Attending):
        def advance(self, now_us: int) -> list[Alarm]:
            super().advance(now_us)
            self.due_us = 0
            return []

    class Hasty(Manned):
        rules_type = Impatient

    house = Hasty(tmp_path)
    tick = house.start()
    house.attending.due_us = 0
    house.line.step_us = 50_000
    for _ in range(200):  # ten seconds
        tick.run_once(0.0)
    records = journalled(house)
    assert 9 <= len(records) <= 11
    gaps = [later.tick_us - one.tick_us for one, later in pairwise(records)]
    assert min(gaps) >= 1_000_000
    assert [record.tick_us for record in records] == house.attending.advanced
    house.stop()


def test_after_the_clock_was_set_back_the_rules_are_asked_although_nothing_is_due(tmp_path: Path) -> None:
    house = Manned(tmp_path)
    tick = house.start()
    speak(house, 0)
    house.run(tick)
    house.run(tick)
    before = len(journalled(house))
    house.line.now_us -= 86_400_000_000
    for _ in range(3):
        tick.run_once(0.0)
    records = journalled(house)[before:]
    assert [len(one.batch) for one in records] == [0]
    assert house.attending.advanced[-1] == records[0].tick_us < house.attending.advanced[-2]
    house.stop()
