"""SIGSTOP: the ingest process stands still for longer than the broker waits, and goes on by itself."""

from __future__ import annotations

import signal
import time

import pytest

from benchmarks.service import eventually
from tests.crash.rig import KEEP_ALIVE_S, Rig

DROPPED_S = 1.5 * KEEP_ALIVE_S + 1.0
"""After one and a half keep-alives without a word the broker drops us (MQTT 5, 3.1.2.10)."""


def stands_still(crashes: Rig, seconds: float) -> None:
    """Stopped amid traffic for so long, while more comes; then everything is there, once."""
    crashes.start()
    crashes.load(80)
    crashes.fire()
    crashes.balances()
    crashes.signal(signal.SIGSTOP)
    try:
        until = time.monotonic() + seconds
        crashes.fire(2)
        while time.monotonic() < until:
            crashes.load(80, rate=100)
    finally:
        crashes.signal(signal.SIGCONT)
    crashes.balances()
    for uid in crashes.fires[-2:]:
        assert all(crashes.queued(uid))  # the broker or the socket held them while we did not look
    eventually(lambda: live_again(crashes), "what comes now is live")
    crashes.balances()
    crashes.kill()


def live_again(crashes: Rig) -> bool:
    """Whether a message published now is taken for what it is."""
    crashes.fire()
    crashes.drains()
    return not any(crashes.queued(crashes.fires[-1]))


def test_stopped_until_the_broker_dropped_us_we_lose_double_and_imagine_nothing(crashes: Rig) -> None:
    stands_still(crashes, DROPPED_S)


@pytest.mark.slow
def test_stopped_for_a_minute_we_lose_double_and_imagine_nothing(crashes: Rig) -> None:
    stands_still(crashes, 60.0)
