"""Where one message says a fire both ways of one series, the fire holds."""

from __future__ import annotations

import json

import pytest

from devices.profiles.fast.fast_way import WORTH_A_FORM
from tests.devices.profiles.listening import Registry
from tests.devices.profiles.shipping import shipped

ALIYUN = "/sys/pk/dn/thing/event/property/post"
HUAWEI = "$oc/devices/d/sys/properties/report"
ZIGBEE = "zigbee2mqtt/0x00158d0004c07fa8"
THINGSBOARD = "v1/devices/me/telemetry"


def services(*smoke: int) -> dict[str, object]:
    return {
        "services": [{"service_id": f"s{n}", "properties": {"smoke": one}} for n, one in enumerate(smoke)]
    }


@pytest.mark.parametrize(
    ("name", "topic", "quiet", "fire"),
    [
        ("huawei-iotda", HUAWEI, services(0, 0), services(1, 0)),
        (
            "aliyun-alink",
            ALIYUN,
            {"params": {"SmokeSensorState": 0, "FireAlarm": 0}},
            {"params": {"SmokeSensorState": 1, "FireAlarm": 0}},
        ),
        (
            "zigbee2mqtt",
            ZIGBEE,
            {"trouble": False, "fault_alarm": False},
            {"trouble": True, "fault_alarm": False},
        ),
    ],
)
@pytest.mark.parametrize("often", [0, 3 * WORTH_A_FORM])
def test_a_true_flag_is_not_taken_back_by_a_false_one_of_the_same_message(
    name: str, topic: str, quiet: object, fire: object, often: int
) -> None:
    profile, registry = shipped(name), Registry()
    for _ in range(often and 20):
        profile.decode([topic] * often, [json.dumps(quiet).encode()] * often, registry)
    decoded = profile.decode([topic], [json.dumps(fire).encode()], registry)
    assert decoded.value.tolist() == [1.0]
    assert decoded.rejected == []


def test_what_is_said_of_another_time_stays() -> None:
    said = [{"ts": 1_790_000_000_000 + n, "values": {"smoke": n == 0}} for n in range(2)]
    decoded = shipped("thingsboard").decode([THINGSBOARD], [json.dumps(said).encode()], Registry())
    assert decoded.value.tolist() == [1.0, 0.0]
