"""Messages that are refused although they have readings: a part of them must be seen by a person."""

from __future__ import annotations

import json

import pytest

from devices.profiles.profile import Reason
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.shipping import shipped, zigbee2mqtt

TOPIC = "zigbee2mqtt/0x00124B00AABBCC01"
OFTEN = 40
"""Messages of one form: more than the fast way needs to know it."""


@pytest.mark.parametrize("word", ["burning", "yes please", [True], {"value": 1}])
def test_a_life_flag_that_says_what_it_has_no_word_for_is_kept_without_a_value_and_shown(
    word: object,
) -> None:
    profile, registry = zigbee2mqtt(), Registry()
    usual, odd = ({"smoke": said, "battery": 50} for said in ("ON", word))
    for said in (usual, odd):
        for _ in range(OFTEN):
            decoded = profile.decode([TOPIC], [json.dumps(said).encode()], registry)
            assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE] * (said is odd)
            searched = said is odd and not isinstance(word, str)
            assert len(decoded.row) == 2 + searched  # what an object or a list holds is looked for
    assert (None, ["type_mismatch"]) in [one[3:] for one in readings(decoded, registry)]
    assert "smoke.alarm" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("Detected", 1.0),
        ("no alarm", 0.0),
        ("Cleared", 0.0),
        ("clear", 0.0),
        ("NONE", 0.0),
        ("ok", 0.0),
        ("no", 0.0),
        ("正常", 0.0),
        ("无烟", 0.0),
    ],
)
def test_the_usual_words_of_a_life_flag(word: str, value: float) -> None:
    registry = Registry()
    decoded = zigbee2mqtt().decode([TOPIC], [json.dumps({"smoke": word}).encode()], registry)
    assert decoded.value.tolist() == [value]
    assert decoded.rejected == []


@pytest.mark.parametrize("known", [True, False])
def test_a_metric_that_no_birth_explains_is_refused_beside_those_that_are_known(known: bool) -> None:
    metrics: list[dict[str, object]] = [{"alias": 3, "value": True, "dataType": "Boolean"}]
    if known:
        metrics.append({"name": "Smoke", "value": True})
    payload = json.dumps({"timestamp": 1_790_000_000_000, "metrics": metrics}).encode()
    decoded = shipped("sparkplug").decode(["spBv1.0/g/DDATA/n/d"], [payload], Registry())
    assert decoded.value.tolist() == [1.0] * known
    assert [one.reason for one in decoded.rejected] == [Reason.NOTHING_KNOWN]
    assert "birth" in decoded.rejected[0].detail


@pytest.mark.parametrize(
    "flag", [{"alarm": {"smoke": True}}, {"FireAlarm": "Alarm"}, {"status": {"smokeAlarm": 1}}]
)
def test_a_fire_in_an_unknown_vendors_object_is_heard_beside_the_radio(flag: dict[str, object]) -> None:
    payload = json.dumps({"object": flag, "rxInfo": [{"rssi": -70}]}).encode()
    topic = "application/a/device/ac1f09fffe00b001/event/up"
    registry = Registry()
    decoded = shipped("chirpstack").decode([topic], [payload], registry)
    assert {one[2]: one[3] for one in readings(decoded, registry)} == {
        "link.rssi": -70.0,
        "link.snr": 0.0,
        "smoke.alarm": 1.0,
    }
