"""Which message is due when, and how a plan is shared out over connections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.load import LoadError, LoadPlan, share_out
from simulators.publisher import Share


@given(st.floats(0, 1), st.floats(1e-5, 1), st.integers(0, 1000))
def test_a_message_is_due_from_its_intended_time_on(offset_s: float, interval_s: float, k: int) -> None:
    share = Share(0, 1, 0, count=10_000, offset_s=offset_s, interval_s=interval_s)
    assert share.due(offset_s + k * interval_s + 1e-9) >= k + 1
    assert share.due(offset_s + (k + 0.5) * interval_s) == k + 1
    assert share.due(offset_s - 1e-9) == 0


def test_no_more_is_due_than_there_is() -> None:
    assert Share(0, 1, 0, count=7, offset_s=0, interval_s=0.001).due(1e6) == 7
    assert Share(0, 1, 0, count=7, offset_s=0, interval_s=0).due(0) == 7


@given(st.integers(1, 50), st.integers(0, 1000), st.integers(1, 10_000), st.integers(1, 5000))
def test_connections_share_devices_and_messages_without_a_rest(
    connections: int, more_devices: int, rate: int, count: int
) -> None:
    plan = LoadPlan(
        rate=float(rate),
        seconds=1e4,
        count=count,
        devices=connections + more_devices,
        connections=connections,
    )
    shares = share_out(plan)
    devices = [
        each for share in shares for each in range(share.first_device, share.first_device + share.devices)
    ]
    assert devices == list(range(plan.devices))
    assert sum(share.count for share in shares) == plan.total


def test_together_the_connections_keep_the_rate() -> None:
    shares = share_out(LoadPlan(rate=100, seconds=10, connections=3, devices=3))
    intended = sorted(share.offset_s + k * share.interval_s for share in shares for k in range(share.count))
    assert intended == pytest.approx([n / 100 for n in range(1000)])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", -1.0),
        ("seconds", 0.0),
        ("seconds", 1e9),
        ("devices", 1_000_001),
        ("devices", 0),
        ("first_device", 999_999),
        ("first_seq", 5),
        ("connections", 0),
        ("qos", 2),
        ("window", 70_000),
        ("batch", 0),
        ("tick_ms", 0.0),
    ],
)
def test_a_plan_out_of_bounds_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(LoadError, match=field):
        LoadPlan(**{field: value}).check()  # type: ignore[arg-type]
