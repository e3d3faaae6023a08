"""What devices put on the wire."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from devices.model import METRIC_BY_NAME, Metric
from simulators.formats import SmokeState, own_payload, own_topic, smoke_payload, smoke_topic

finite = st.floats(-1e9, 1e9)
measured = st.dictionaries(st.sampled_from([metric for metric in Metric if not metric.is_flag]), finite)


def test_a_detector_reports_its_whole_state_in_the_vendors_words() -> None:
    state = SmokeState(smoke=True, battery=96.5, linkquality=92, temperature=21.5)
    assert json.loads(smoke_payload(state)) == {
        "smoke": True,
        "battery": 96.5,
        "battery_low": False,
        "linkquality": 92,
        "tamper": False,
        "temperature": 21.5,
        "test": False,
    }
    assert smoke_topic("0x0267660000000001") == "zigbee2mqtt/0x0267660000000001"


@given(st.integers(0, 2**42), st.integers(0, 2**53), measured, st.dictionaries(st.text(max_size=8), measured))
def test_our_own_format_carries_every_value_under_its_public_name(
    at_ms: int, seq: int, values: dict[Metric, float], channels: dict[str, dict[Metric, float]]
) -> None:
    told = json.loads(own_payload(at_ms, seq, values, channels))
    assert set(told) == {"at", "seq", "values", "channels"}
    assert (told["at"], told["seq"]) == (at_ms, seq)
    assert {METRIC_BY_NAME[name]: value for name, value in told["values"].items()} == values
    assert {
        channel: {METRIC_BY_NAME[name]: value for name, value in each.items()}
        for channel, each in told["channels"].items()
    } == channels


def test_flags_are_true_or_false() -> None:
    payload = own_payload(1, 1, {Metric.SMOKE_ALARM: 1.0, Metric.BATTERY_LOW: 0.0}, {})
    assert b'"values":{"smoke.alarm":true,"battery.low":false}' in payload


def test_each_device_has_a_topic_of_its_own() -> None:
    assert own_topic("gm-000001") == "gengfu/gm-000001/readings"
