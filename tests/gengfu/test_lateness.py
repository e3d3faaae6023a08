"""The alerts process is not well while something urgent waits for it, whatever it says of itself."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

from sqlalchemy import Engine

from alerts.agenda import URGENT_CURSOR, store_positions
from devices.database import open_database, writing
from devices.model import Severity
from gengfu.lateness import LATE_S, is_well, lateness_s
from gengfu.ledger import SqlLedger
from rules.transition import To, Transition, Why


def commit(engine: Engine, severity: Severity, received_us: int) -> None:
    ledger = SqlLedger(engine, lambda _: (1, "own:a", ""), itertools.count(1).__next__)
    why = Why(en="smoke flag set", zh_cn="烟雾信号触发")
    ledger.commit(
        [Transition("S1", To.RAISED, severity, 1, 0, 0, 0, received_us, 0, received_us, why, 0.0)], [], [], 1
    )


def test_nothing_waiting_is_well(engine: Engine) -> None:
    assert lateness_s(engine, 5_000_000) == 0.0
    assert is_well(0.0)


def test_a_fire_that_nobody_decides_is_not_well_and_is_again_when_decided(engine: Engine) -> None:
    commit(engine, Severity.P0, 1_000_000)
    assert lateness_s(engine, 4_000_000) == 3.0
    late_s = lateness_s(engine, 1_000_000 + round(LATE_S * 1e6) + 1)
    assert not is_well(late_s)
    with writing(engine) as connection:
        store_positions(connection, {URGENT_CURSOR: 1})
    assert lateness_s(engine, 60_000_000) == 0.0


def test_lesser_alarms_may_wait(engine: Engine) -> None:
    commit(engine, Severity.P2, 1_000_000)
    assert lateness_s(engine, 60_000_000) == 0.0


def test_a_database_that_cannot_be_read_is_not_well(tmp_path: Path) -> None:
    gone = open_database(f"sqlite:///{tmp_path / 'none' / 'gengfu.db'}")
    assert math.isnan(lateness_s(gone, 1))
    assert not is_well(math.nan)
    gone.dispose()
