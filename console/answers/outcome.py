"""Waiting a moment for the alerts process to decide an act."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import Engine

from alerts.acts import ActOutcome, outcome_of
from devices.database import reading

WAIT_S: Final = 1.0
"""A turn takes some 20 ms; beyond a second the page says that the act waits (see docs/decisions)."""
_LOOK_S: Final = 0.02


def wait_for_outcome(engine: Engine, act_id: int, language: str, wait_s: float = WAIT_S) -> ActOutcome | None:
    """What became of the act, or None when nobody has decided it within `wait_s`. Blocks its thread."""
    deadline = time.monotonic() + wait_s
    while True:
        with reading(engine) as connection:
            outcome = outcome_of(connection, act_id, language)
        if outcome is not None or time.monotonic() >= deadline:
            return outcome
        time.sleep(_LOOK_S)
