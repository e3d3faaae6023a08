"""When a reading was observed: the device's own time where it can be believed, else ours (contract 11)."""

from __future__ import annotations

from typing import Final

import numpy as np

from devices.model import LIFE_FLAGS, METRIC_LIMIT, Bool, Int64, Quality, UInt8, UInt32
from devices.profiles.profile import Decoded
from ingest.record import Proof

BACK_US: Final = 7 * 86_400 * 1_000_000
"""How far behind receipt a device's time is believed (contract 11)."""
AHEAD_US: Final = 5 * 60 * 1_000_000
"""How far ahead of receipt a device's time is believed (contract 11)."""
FIRST_SANE_US: Final = 1_577_836_800_000_000
"""2020-01-01 UTC: a clock before it was never set (chosen: older than any device we know of)."""
_IS_LIFE: Final = np.isin(np.arange(METRIC_LIMIT), np.array(sorted(LIFE_FLAGS)))


def observe(decoded: Decoded, received_us: int) -> tuple[Int64, UInt32, Bool]:
    """Observed time, quality with the clock's flags, and whether the device's own time was believed."""
    given = decoded.observed_us
    if len(given):
        first_us, last_us = int(given.min()), int(given.max())
        if first_us >= max(received_us - BACK_US, FIRST_SANE_US) and last_us <= received_us + AHEAD_US:
            return given, decoded.quality.copy(), np.ones(len(given), np.bool_)
    has_time = given != 0
    timed = (
        has_time
        & (given >= received_us - BACK_US)
        & (given <= received_us + AHEAD_US)
        & (given >= FIRST_SANE_US)
    )
    quality = decoded.quality.copy()
    refused = has_time & ~timed
    quality[refused & (given < FIRST_SANE_US)] |= np.uint32(Quality.CLOCK_INVALID)
    quality[refused & (given >= FIRST_SANE_US)] |= np.uint32(Quality.CLOCK_SKEW)
    return np.where(timed, given, received_us), quality, timed


def proof_of(decoded: Decoded, timed: Bool) -> UInt8:
    """Per message what its sequence number proves (`Proof`); one untimed reading makes it untimed."""
    proof = np.full(len(decoded.seq), Proof.SAME_INSTANT, np.uint8)
    if not timed.all():
        proof[decoded.message[~timed]] = Proof.WITHIN_SECONDS
        life = ~timed & _IS_LIFE[decoded.metric] & (decoded.value > 0)
        proof[decoded.message[life]] = Proof.NOTHING
    return proof
