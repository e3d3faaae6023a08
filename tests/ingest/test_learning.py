"""What profiles learn survives any death with its message, and never without it; flags that are said once end
once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.database import reading
from devices.profiles.profile import Note
from ingest.notes import stored_notes
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.learning import HOLD_US, LearningHouse, LearningProfile, records, smoke
from tests.ingest.plain import PlainProfile
from tests.ingest.redelivering import NOW_US
from tests.ingest.test_crashes import STEPS


def known(house: LearningHouse) -> dict[str, str]:
    """What the database knows that the profile has learnt."""
    with reading(house.engine) as connection:
        return {one.key: one.value for one in stored_notes(connection, PlainProfile.name, "learnt")}


def holds(house: LearningHouse) -> list[Note]:
    with reading(house.engine) as connection:
        return stored_notes(connection, "", "hold")


def teach(house: LearningHouse, count: int) -> dict[str, str]:
    """Each message teaches something of its device, and every fifth that it is to be forgotten; what is known
    then."""
    expected = {}
    for n in range(count):
        uid, number = f"d{n % 3 + 1}", 0 if n % 5 == 4 else n + 1
        house.broker.publish(f"t/{uid}", b'{"amps": 1, "learn": %d}' % number)
        expected[uid] = str(number) if number else ""
    return {uid: value for uid, value in expected.items() if value}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [1, 3])
def test_a_death_at_any_step_loses_nothing_that_was_learnt(tmp_path: Path, step: str, after: int) -> None:
    house = LearningHouse(tmp_path)
    expected = teach(house, 14)
    with suppress(Killed):
        house.run(house.start(Fuse(step, after), batch=2, snapshot_s=3.0))
    house.stop()
    house.run(house.start(batch=2, snapshot_s=3.0))
    assert isinstance(house.profile, LearningProfile)
    assert known(house) == house.profile.known == expected
    house.stop()


@pytest.mark.parametrize("step", ["inputs", "journal.before", "journal.torn"])
def test_what_a_message_taught_that_was_never_journalled_is_not_known(tmp_path: Path, step: str) -> None:
    house = LearningHouse(tmp_path)
    house.broker.publish("t/d1", b'{"learn": 1}', qos=0)
    with pytest.raises(Killed):
        house.run(house.start(Fuse(step)))
    house.stop()
    house.run(house.start())
    assert isinstance(house.profile, LearningProfile)
    assert known(house) == house.profile.known == {}
    house.stop()


@pytest.mark.parametrize("step", ["journal.after", "evaluate", "ledger.before", "ledger.after", "ack.before"])
def test_what_a_journalled_message_taught_is_known_though_it_comes_no_more(tmp_path: Path, step: str) -> None:
    house = LearningHouse(tmp_path)
    house.broker.publish("t/d1", b'{"learn": 1}', qos=0)
    with pytest.raises(Killed):
        house.run(house.start(Fuse(step)))
    house.stop()
    house.start()
    assert isinstance(house.profile, LearningProfile)
    assert known(house) == house.profile.known == {"d1": "1"}
    house.stop()


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 6)), min_size=1, max_size=6), st.integers(1, 5)
)
@settings(max_examples=15, deadline=None)
def test_any_chain_of_deaths_leaves_what_was_learnt_last(deaths: list[tuple[str, int]], batch: int) -> None:
    with TemporaryDirectory() as folder:
        house = LearningHouse(Path(folder))
        expected = teach(house, 12)
        for death in deaths:
            with suppress(Killed):
                house.run(house.start(Fuse(*death), batch, snapshot_s=3.0))
            house.stop()
        house.run(house.start(batch=batch, snapshot_s=3.0))
        assert isinstance(house.profile, LearningProfile)
        assert known(house) == house.profile.known == expected
        house.stop()
        house.engine.dispose()


def test_a_flag_that_is_said_once_is_false_again_when_it_is_due_and_the_alarm_knows(tmp_path: Path) -> None:
    house = LearningHouse(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"smoke": 1, "hold": 1}')
    tick.run_once(0.0)
    heard_us = house.line.now_us
    assert holds(house) == [Note("", "hold", "1", str(heard_us + HOLD_US))]
    house.line.now_us = heard_us + HOLD_US - 3_000_000
    house.broker.publish("t/d2", b'{"amps": 1}')
    tick.run_once(0.0)
    assert not tick.run_once(0.0)
    for _ in range(3):  # ticks without messages
        tick.run_once(0.0)
    due_us = heard_us + HOLD_US - NOW_US
    assert smoke(house) == [(1, 1.0, heard_us - NOW_US), (1, 0.0, due_us)]
    assert not house.rules.snapshot()["on"].any()
    assert holds(house) == []
    house.stop()


def test_a_new_true_moves_the_end_and_comes_behind_an_end_that_is_due_already(tmp_path: Path) -> None:
    house = LearningHouse(tmp_path)
    tick = house.start()
    publish = house.broker.publish
    publish("t/d1", b'{"smoke": 1, "hold": 1}')
    tick.run_once(0.0)
    first_us = house.line.now_us
    house.line.now_us = first_us + HOLD_US - 5_000_000
    publish("t/d1", b'{"smoke": 1, "hold": 1}')
    tick.run_once(0.0)
    second_us = house.line.now_us
    house.line.now_us = second_us + HOLD_US + 1_000_000
    publish("t/d1", b'{"smoke": 1, "hold": 1}')
    tick.run_once(0.0)
    third_us = house.line.now_us
    assert smoke(house) == [
        (1, 1.0, first_us - NOW_US),
        (1, 1.0, second_us - NOW_US),
        (1, 0.0, second_us + HOLD_US - NOW_US),
        (1, 1.0, third_us - NOW_US),
    ]
    assert house.rules.snapshot()["on"].any()
    house.stop()


def test_a_flag_that_is_said_again_without_a_hold_is_waited_for_no_more(tmp_path: Path) -> None:
    house = LearningHouse(tmp_path)
    tick = house.start()
    house.broker.publish("t/d1", b'{"smoke": 1, "hold": 1}')
    tick.run_once(0.0)
    first_us = house.line.now_us
    assert holds(house)
    house.broker.publish("t/d1", b'{"smoke": 1}')
    tick.run_once(0.0)
    assert holds(house) == []
    house.stop()
    tick = house.start()
    house.line.now_us = first_us + 2 * HOLD_US
    house.broker.publish("t/d2", b'{"amps": 1}')
    house.run(tick)
    assert [value for _, value, _ in smoke(house)] == [1.0, 1.0]
    assert house.rules.snapshot()["on"].any()
    house.broker.publish("t/d1", b'{"smoke": 0}')
    house.run(tick)
    assert not house.rules.snapshot()["on"].any()
    house.stop()


@pytest.mark.parametrize(
    ("second", "waits"),
    [
        (b'{"smoke": 0}', False),
        (b'{"smoke": 1}', False),
        (b'{"smoke": 1, "at": %d}' % (NOW_US - 60_000_000), False),  # late, and true all the same
        (b'{"smoke": 0, "at": %d}' % (NOW_US - 60_000_000), True),  # late: not what is so now
        (b'{"smoke": 1, "hold": 1}', True),
        (b'{"amps": 1}', True),
        (b'{"smoke": 1, "at": %d}' % NOW_US, False),  # the same reading, said without a hold
        (b'{"smoke": 1, "hold": 1, "at": %d}' % NOW_US, True),
    ],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_the_newest_word_says_whether_an_end_is_waited_for(
    tmp_path: Path, second: bytes, waits: bool, batch: int
) -> None:
    house = LearningHouse(tmp_path)
    tick = house.start(batch=batch)
    for body in (b'{"smoke": 1, "hold": 1, "at": %d}' % NOW_US, second):
        house.broker.publish("t/d1", body)
    house.run(tick)
    assert bool(holds(house)) == (len(house.intake.holds) > 0) == waits
    house.broker.publish("t/d1", b'{"smoke": 1, "hold": 1}')
    house.run(tick)
    assert len(holds(house)) == len(house.intake.holds) == 1
    house.stop()


@pytest.mark.parametrize("step", STEPS)
def test_an_end_that_is_waited_for_no_more_stays_so_whatever_step_the_process_died_at(
    tmp_path: Path, step: str
) -> None:
    house = LearningHouse(tmp_path)
    house.broker.publish("t/d1", b'{"smoke": 1, "hold": 1}')
    house.run(house.start(snapshot_s=1000.0))
    house.stop()
    replayed = step in ("evaluate", "ledger.before", "ledger.after")  # by the replay first
    tick = house.start(Fuse(step, 1 + replayed), snapshot_s=1000.0)
    house.broker.publish("t/d1", b'{"smoke": 1}')
    with suppress(Killed):
        for _ in range(3):
            tick.run_once(0.0)
    house.stop()
    tick = house.start(snapshot_s=1000.0)
    house.run(tick)
    house.line.now_us += 2 * HOLD_US
    house.run(tick)
    assert [value for _, value, _ in smoke(house)] == [1.0, 1.0]
    assert holds(house) == []
    house.stop()


@pytest.mark.parametrize("step", STEPS)
def test_an_end_that_is_due_comes_once_whatever_step_the_process_died_at(tmp_path: Path, step: str) -> None:
    house = LearningHouse(tmp_path)
    house.broker.publish("t/d1", b'{"smoke": 1, "hold": 1}')
    house.run(house.start(snapshot_s=1000.0))
    due_us = house.line.now_us - 1_000_003 + HOLD_US
    house.stop()
    replayed = step in ("evaluate", "ledger.before", "ledger.after")  # by the replay first
    tick = house.start(Fuse(step, 1 + replayed), snapshot_s=1000.0)
    house.line.now_us = due_us + 60_000_000
    house.broker.publish("t/d2", b'{"amps": 1}')
    with suppress(Killed):
        for _ in range(3):
            tick.run_once(0.0)
    house.stop()
    tick = house.start(snapshot_s=1000.0)
    house.line.now_us = due_us + 90_000_000
    house.run(tick)
    assert [value for _, value, _ in smoke(house)] == [1.0, 0.0]
    assert smoke(house)[1][2] == due_us - NOW_US
    assert holds(house) == []
    house.stop()


def test_the_state_after_a_replay_of_ends_is_the_state_that_never_died(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = LearningHouse(tmp_path / "a"), LearningHouse(tmp_path / "b")
    ticks = {id(house): house.start(batch=3, snapshot_s=1000.0) for house in (one, other)}
    for house in (one, other):
        house.line.step_us = 7_000_001
        for i in range(40):
            body = {0: b'{"smoke": 1, "hold": 1}', 8: b'{"smoke": 1}'}.get(i % 14, b'{"amps": 1}')
            house.broker.publish(f"t/d{i % 3 + 1}", body)
        house.run(ticks[id(house)])
    other.stop()
    other.start(batch=3)
    a, b = one.intake.stamps.snapshot(), other.intake.stamps.snapshot()
    for name, array in a.items():
        assert array.tobytes() == b[name].tobytes(), name
    assert one.rules.snapshot()["on"].tolist() == other.rules.snapshot()["on"].tolist()
    assert [value for _, value, _ in smoke(one) if not value]  # ends among them
    one.stop()
    other.stop()


def test_records_say_which_versions_read_from_here_on_and_only_then(tmp_path: Path) -> None:
    house = LearningHouse(tmp_path)
    tick = house.start(batch=1)
    for _ in range(3):
        house.broker.publish("t/d1", b'{"amps": 1}')
    tick.run_once(0.0)
    tick.run_once(0.0)
    newer = LearningProfile()
    newer.version = 2
    house.intake.decoder.replace([newer])
    tick.run_once(0.0)

    assert [one.versions for one in records(house)] == [{"plain": 1}, {}, {"plain": 2}]
    house.stop()
