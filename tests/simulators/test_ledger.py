"""Ranges say exactly what went out."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from simulators.ledger import Range, ranges_of, read_ledger, write_ledger


@given(st.integers(0, 500), st.integers(0, 1000), st.integers(1, 60), st.integers(10**9, 10**9 + 50))
def test_ranges_hold_each_message_once(
    messages: int, first_device: int, devices: int, first_seq: int
) -> None:
    ranges = ranges_of("published", messages, first_device, devices, first_seq, 0)
    listed = sorted(pair for each in ranges for pair in each)
    sent = sorted((first_device + k % devices, first_seq + k // devices) for k in range(messages))
    assert listed == sent
    assert sum(len(each) for each in ranges) == messages
    assert len(ranges) <= 2
    assert {(each.what, each.qos) for each in ranges} <= {("published", 0)}


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ranges = [Range("published", 0, 9, 5, 7), Range("refused", 3, 3, 6, 6)]
    write_ledger(tmp_path / "ledger", ranges)
    assert read_ledger(tmp_path / "ledger") == ranges


def test_an_empty_run_has_an_empty_ledger(tmp_path: Path) -> None:
    write_ledger(tmp_path / "ledger", [])
    assert read_ledger(tmp_path / "ledger") == []
