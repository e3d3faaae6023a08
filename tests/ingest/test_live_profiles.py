"""Changed profiles take over between two ticks with all that was learnt, also what is learnt meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from devices.database import reading
from devices.profiles.profile import Profile
from ingest.lineup import Lineup
from ingest.live_profiles import FORMER, LiveProfiles, left_behind
from ingest.notes import filters_held, stored_notes
from tests.ingest.learning import LearningHouse, LearningProfile

PATIENCE_S = 20.0


class Files:
    """Lineups by version; where `version` is not usable, the one before goes on."""

    def __init__(self) -> None:
        self.version, self.fails, self.asked = 1, 0, 0

    def stamps(self) -> dict[str, tuple[int, int]]:
        return {"plain.toml": (self.version, 0)}

    def line_up(self) -> Lineup:
        self.asked += 1
        if self.fails:
            self.fails -= 1
            raise OperationalError("SELECT", {}, Exception("database is locked"))
        if self.version < 0:
            return Lineup((), (), (), {"plain.toml": "plain.toml:3: n: no metric"}, changed=False)
        profile = LearningProfile()
        profile.version = self.version
        profiles: tuple[Profile, ...] = (profile,)
        return Lineup(profiles, ("t/#", f"v{self.version}/#"), (), {})


class Subscribed:
    """What is asked of brokers."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, ...]] = {"": ("t/#",)}

    def want(self, filters: tuple[str, ...]) -> None:
        self.held = {"": filters}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LearningHouse]:
    found = LearningHouse(tmp_path)
    yield found
    found.stop()


def newest(house: LearningHouse) -> LearningProfile:
    [profile] = house.intake.decoder.profiles
    assert isinstance(profile, LearningProfile)
    return profile


def test_a_new_version_knows_what_was_learnt_up_to_the_tick_before_it(house: LearningHouse) -> None:
    tick, files, source = house.start(batch=1), Files(), Subscribed()
    live = LiveProfiles(
        house.engine, files, house.intake, source, files.line_up(), files.stamps(), look_s=0.001
    )
    live.start()
    until, number = time.monotonic() + PATIENCE_S, 0
    for version in range(2, 6):
        files.version = version
        while newest(house).version != version:
            assert time.monotonic() < until
            number += 1
            house.broker.publish(f"t/d{number % 3 + 1}", b'{"learn": %d}' % (number % 50))
            live.step()
            tick.run_once(0.0)
        with reading(house.engine) as connection:
            stored = {one.key: one.value for one in stored_notes(connection, "plain")}
        assert newest(house).known == stored
    live.stop()
    assert live.changes == 4
    assert number > 4
    with reading(house.engine) as connection:
        assert {"t/#", "v5/#"} <= set(filters_held(connection)[""])


def test_what_fails_is_tried_again_and_what_is_refused_changes_nothing(house: LearningHouse) -> None:
    house.start()
    files, source = Files(), Subscribed()
    live = LiveProfiles(
        house.engine, files, house.intake, source, files.line_up(), files.stamps(), look_s=0.001
    )
    live.start()
    before, until = newest(house), time.monotonic() + PATIENCE_S
    files.version = -1
    while not live.refused:
        assert time.monotonic() < until
        live.step()
    assert newest(house) is before
    files.fails, files.version = 3, 7
    while newest(house).version != 7:
        assert time.monotonic() < until
        live.step()
    live.stop()
    assert (files.fails, live.changes, live.refused) == (0, 1, {})


def test_it_ends_also_while_it_waits_for_a_tick_that_never_comes(house: LearningHouse) -> None:
    house.start()
    files, source = Files(), Subscribed()
    live = LiveProfiles(
        house.engine, files, house.intake, source, files.line_up(), files.stamps(), look_s=0.001
    )
    live.start()
    files.version = 2
    until = time.monotonic() + PATIENCE_S
    while files.asked < 2:
        assert time.monotonic() < until
        time.sleep(0.001)
    live.stop()
    assert live.changes == 0


def test_a_session_of_which_nothing_is_noted_may_hold_what_former_releases_asked_for(
    house: LearningHouse,
) -> None:
    assert left_behind(house.engine, ["", "north"], ("gengfu/#", "a/#")) == {
        "": ("zigbee2mqtt/#",),
        "north": ("zigbee2mqtt/#",),
    }
    assert FORMER == ("gengfu/#", "zigbee2mqtt/#")
    gone = left_behind(house.engine, [""], ("b/#",))[""]
    assert set(gone) == {"gengfu/#", "a/#", "zigbee2mqtt/#"}  # none of them is known to be let go of
    house.start()
