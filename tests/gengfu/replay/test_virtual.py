"""A recording in virtual time, without the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from devices.model import Metric
from gengfu.replay.recorded import Book, Recorded
from gengfu.replay.virtual import VirtualTime
from tests.gengfu.replay.files import EIGHT_S
from tests.rules.story import shipped


def test_a_detector_that_speaks_late_in_a_recording_is_known_from_then_on(tmp_path: Path) -> None:
    book = Book()
    warm, flag = book.slot("own:s", "", Metric.TEMPERATURE), 2
    rules = VirtualTime(shipped(), book)
    assert [one.rule for one in rules.run([readings(warm, [0, 30], 90)])] == ["T3"]
    assert book.slot("own:s", "", Metric.SMOKE_ALARM) == flag
    assert list(rules.run([readings(flag, [60], 0), readings(warm, [90, 120, 150], 90)])) == []


def readings(slot: int, times: list[int], value: float) -> Recorded:
    """Of one series, at so many seconds."""
    n = len(times)
    return Recorded(
        np.full(n, slot, np.int32),
        np.array([(EIGHT_S + at) * 1_000_000 for at in times], np.int64),
        np.zeros(n, np.uint16),
        np.full(n, value, np.float64),
        np.zeros(n, np.uint32),
    )
