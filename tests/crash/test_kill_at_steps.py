"""A real kill -9 at every step of a tick and of a recovery: what was published is stored and told once."""

from __future__ import annotations

import random
import time

import pytest

from tests.crash.dying import Death
from tests.crash.rig import Rig

APPEND, COMMIT, ACK, SAVE = "Journal.append", "SqlLedger.commit", "MqttSource.commit", "SnapshotFolder.save"
DEATHS = {
    "something was read": Death("return", "MqttSource.poll", after=3),
    "before the append": Death("call", APPEND, after=3),
    "written and not synced": Death("c_call", "fdatasync", APPEND, after=3),
    "synced and not said": Death("c_return", "fdatasync", APPEND, after=3),
    "appended": Death("return", APPEND, after=3),
    "before evaluating": Death("call", "Engine.evaluate", after=3),
    "evaluated": Death("return", "Engine.evaluate", after=3),
    "before the commit": Death("call", COMMIT),
    "written and before COMMIT": Death("c_call", "commit", COMMIT),
    "after COMMIT": Death("c_return", "commit", COMMIT),
    "committed": Death("return", COMMIT),
    "before acknowledging": Death("call", ACK, after=3),
    "before the PUBACKs leave": Death("c_call", "send", ACK, after=3),
    "after the PUBACKs left": Death("c_return", "send", ACK, after=3),
    "settled": Death("return", "Tail.settle", after=3),
    "a snapshot is due": Death("call", SAVE),
    "amid the snapshot": Death("c_return", "write", SAVE, after=2),
    "before its rename": Death("c_call", "replace", SAVE),
    "after its rename": Death("c_return", "replace", SAVE),
    "snapshot saved": Death("return", SAVE),
    "before a trim": Death("call", "Journal.trim"),
    "trimmed": Death("return", "Journal.trim"),
}
RECOVERIES = {
    "snapshot read": Death("return", "SnapshotFolder.load"),
    "journal opened": Death("return", "Journal.__init__"),
    "state restored": Death("return", "Engine.restore"),
    "one record replayed": Death("return", "Engine.evaluate"),
    "recovered": Death("return", "recover"),
}
RANDOM_KILLS = 200
SEED = 20_261_122


def some_traffic(crashes: Rig) -> None:
    """More than the broker sends before it wants acknowledgements, with a fire in the middle."""
    crashes.load(160)
    crashes.fire()
    crashes.load(160)


@pytest.mark.parametrize("place", DEATHS)
def test_killed_at_this_step_it_loses_and_doubles_nothing(crashes: Rig, place: str) -> None:
    some_traffic(crashes)
    crashes.dies(DEATHS[place])
    crashes.start()
    some_traffic(crashes)
    crashes.balances()
    crashes.kill()


@pytest.mark.parametrize("place", RECOVERIES)
def test_killed_amid_its_recovery_as_well_it_loses_and_doubles_nothing(crashes: Rig, place: str) -> None:
    some_traffic(crashes)
    crashes.dies(DEATHS["snapshot saved"])
    some_traffic(crashes)
    crashes.dies(DEATHS["appended"])
    crashes.dies(RECOVERIES[place])
    crashes.start()
    crashes.balances()
    crashes.kill()


def test_ended_in_order_after_all_of_this_it_has_nothing_left_to_say(crashes: Rig) -> None:
    crashes.start()
    some_traffic(crashes)
    crashes.balances()
    crashes.stop()
    crashes.start()
    time.sleep(1)
    crashes.balances()
    crashes.kill()


@pytest.mark.slow
def test_two_hundred_kills_at_random_moments_lose_and_double_nothing(crashes: Rig) -> None:
    dice = random.Random(SEED)
    print(f"seed {SEED}")
    for number in range(RANDOM_KILLS):
        crashes.start()
        if number % 2 == 0:
            crashes.fire()
        crashes.load(dice.randint(40, 400))
        time.sleep(dice.uniform(0.0, 0.8))
        crashes.kill()
    crashes.start()
    crashes.balances(300)
    print(f"kills {RANDOM_KILLS}, points {crashes.acknowledged.total()}, alarms {len(crashes.fires)}")
    crashes.kill()
