"""What a profile passes over is silent but for a fire that it says by name; octets without a codec show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from devices.model import Metric
from devices.profiles.general.usual_names import USUAL
from devices.profiles.profile import Decoded, Reason
from tests.devices.profiles.describing import decode, described
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.shipping import shipped

ATTRIBUTES = "panel-4/v1/devices/me/attributes"
HUAWEI = "$oc/devices/d1/sys/messages/up"
BY_NAME = "smoke.alarm is true in a message that is passed over"


def hear(
    name: str, topic: str, said: Any, *, unknown: set[str] | None = None
) -> tuple[Decoded, list[tuple[str, str, float | None]]]:
    registry = Registry(unknown=unknown or set())
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    decoded = shipped(name).decode([topic], [payload], registry)
    return decoded, [(uid, metric, value) for uid, _, metric, value, _ in readings(decoded, registry)]


@pytest.mark.parametrize(
    ("name", "topic", "said", "uid"),
    [
        ("thingsboard", ATTRIBUTES, {"smoke": True}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"firmware": "1", "smokeAlarm": 1}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"FIRE_ALARM": "on"}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"settings": {"smoke": 1}, "smoke": 1}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"battery": {"smoke": True}}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"rssi": {"smoke": 1}, "test": {"smoke": 1}}, "thingsboard:panel-4"),
        ("thingsboard", "v1/gateway/attributes", {"Stair": {"smoke": "true"}}, "topic:v1/gateway/attributes"),
        ("huawei-iotda", HUAWEI, {"content": {"SmokeAlarm": True}}, "huawei:d1"),
        (
            "huawei-iotda",
            "$oc/devices/d1/sys/events/up",
            {"services": [{"paras": {"smoke": 1}}]},
            "huawei:d1",
        ),
        ("shelly-gen1", "shellies/shellysmoke-1/info", {"smoke": True}, "topic:shellies/shellysmoke-1"),
        ("chirpstack", "application/a/device/01/event/integration", {"object": {"smoke": 1}}, "lorawan:01"),
        (
            "thingsboard",
            ATTRIBUTES,
            {"hall": {"smoke": {"state": "ok", "alarm": True}}},
            "thingsboard:panel-4",
        ),
        ("thingsboard", ATTRIBUTES, {"all": [{"name": "hall/smoke", "alarm": 1}]}, "thingsboard:panel-4"),
        ("thingsboard", ATTRIBUTES, {"smoke": "有烟"}, "thingsboard:panel-4"),
    ],
)
def test_a_fire_by_name_is_heard_and_the_message_shown(name: str, topic: str, said: Any, uid: str) -> None:
    decoded, found = hear(name, topic, said)
    assert found == [(uid, "smoke.alarm", 1.0)]
    assert [(one.reason, one.detail) for one in decoded.rejected] == [(Reason.NOTHING_KNOWN, BY_NAME)]


def test_a_fire_below_sensors_is_heard_beside_what_the_profile_knows() -> None:
    _, found = hear("zigbee2mqtt", "zigbee2mqtt/hall", {"temperature": 3, "sensors": {"smoke": True}})
    uid = "topic:zigbee2mqtt/hall"
    assert sorted(found) == [(uid, "smoke.alarm", 1.0), (uid, "temperature", 3.0)]


@pytest.mark.parametrize(
    ("name", "topic", "said"),
    [
        ("thingsboard", ATTRIBUTES, {"smoke": False, "model": "smoke", "temperature": 90}),
        ("thingsboard", ATTRIBUTES, {"smoke": 12, "gas": 1500, "fire": "no", "smokeAlarm": None}),
        ("thingsboard", "v1/devices/me/rpc/request/4", {"smoke": True}),
        ("thingsboard", ATTRIBUTES, {"Battery_Low": {"smoke": True}, "online": [{"fire": 1}]}),
        ("thingsboard", ATTRIBUTES, {"tamper": {"hall": {"smoke_alarm": 1}}}),
        ("thingsboard", ATTRIBUTES, {"shared": {"capabilities": {"smoke_alarm": True}}, "smoke": False}),
        ("zigbee2mqtt", "zigbee2mqtt/hall/set", {"smoke": True}),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/logging", {"message": "payload '{\"smoke\":true}'"}),
        ("tasmota", "cmnd/hall/RuleTimer", b'{"smoke":1}'),
        ("shelly-gen2", "hall/status/flood:0", {"id": 0, "alarm": True, "mute": False}),
        ("esphome", "hall/binary_sensor/heat_pump/state", b"ON"),
        ("chirpstack", "application/a/device/01/event/ack", {"acknowledged": True}),
    ],
)
def test_what_says_no_fire_of_the_devices_own_stays_silent(name: str, topic: str, said: Any) -> None:
    decoded, found = hear(name, topic, said)
    assert (found, decoded.rejected, decoded.asides.unread) == ([], [], ())


def test_a_profiles_own_name_for_a_fire_is_known_where_it_is_passed_over() -> None:
    profile = described("""
name = "acme"
[[message]]
name = "state"
topics = ["acme/{id}/state"]
device = ["acme:{id}"]
[message.values]
Rauchmelder = { metric = "smoke.alarm", true = ["brennt"], false = ["gut"] }
alarm = "smoke.alarm"
[[message]]
name = "rest"
topics = ["acme/{id}/rest"]
device = ["acme:{id}"]
format = "none"
""")
    said = [{"rauchmelder": "brennt"}, {"Rauchmelder": "gut"}, {"alarm": True}, {"Rauchmelder": True}]
    decoded = decode(profile, *(("acme/1/rest", one) for one in said))
    assert decoded.message.tolist() == [0, 3]
    assert decoded.metric.tolist() == [Metric.SMOKE_ALARM] * 2


def test_a_strangers_fire_in_what_is_passed_over_is_heard() -> None:
    decoded, _ = hear("thingsboard", ATTRIBUTES, {"smoke": True}, unknown={"thingsboard:panel-4"})
    assert [(one.uid, one.metric, one.value) for one in decoded.strangers] == [
        ("thingsboard:panel-4", Metric.SMOKE_ALARM, 1.0)
    ]


UPLINK: dict[str, Any] = {
    "end_device_ids": {"device_id": "hall", "dev_eui": "0004A30B00000001"},
    "uplink_message": {
        "f_port": 85,
        "frm_payload": "AQID",
        "rx_metadata": [{"gateway_ids": {"eui": "0004A30B000000AA"}, "rssi": -80, "snr": 5}],
    },
}
UP = "v3/app/devices/hall/up"


def uplink(**changes: Any) -> dict[str, Any]:
    return {**UPLINK, "uplink_message": {**UPLINK["uplink_message"], **changes}}


def test_octets_without_a_codec_are_shown_and_the_rest_of_the_message_stands() -> None:
    decoded, found = hear("the-things-stack", UP, UPLINK)
    assert [metric for _, metric, _ in found] == ["link.rssi", "link.snr"]
    assert decoded.rejected == []
    [unread] = decoded.asides.unread
    assert unread.reason is Reason.NO_CODEC
    assert unread.detail == "lorawan:0004a30b00000001: octets that no codec reads: AQID"
    assert ("lorawan:0004a30b00000001", "unread") in {(one.uid, one.key) for one in decoded.asides.said}


@pytest.mark.parametrize(
    "nothing", [{"f_port": 0}, {"frm_payload": ""}, {"decoded_payload": {"temperature": 5}}]
)
def test_an_uplink_that_was_read_or_carries_nothing_shows_nothing(nothing: dict[str, Any]) -> None:
    decoded, _ = hear("the-things-stack", UP, uplink(**nothing))
    assert decoded.asides.unread == ()
    assert decoded.rejected == []


def test_an_uplink_that_says_nothing_but_octets_is_refused() -> None:
    decoded, found = hear("the-things-stack", UP, uplink(rx_metadata=[]))
    assert found == []
    assert Reason.NO_CODEC in {one.reason for one in (*decoded.rejected, *decoded.asides.unread)}


@pytest.mark.parametrize(
    ("name", "topic", "uid"),
    [
        ("aliyun-alink", "/sys/pk/dn/thing/model/up_raw", "aliyun:pk/dn"),
        ("onenet", "$sys/p/d/dp/post/bin", "onenet:p/d"),
    ],
)
def test_a_stranger_that_sends_nothing_but_octets_is_listed(name: str, topic: str, uid: str) -> None:
    decoded, _ = hear(name, topic, b"\x01\x02\x03", unknown={uid})
    assert [one.reason for one in decoded.rejected] == [Reason.NO_CODEC]
    assert [(one.uid, one.topic, one.metrics) for one in decoded.asides.strangers] == [
        (uid, topic, frozenset())
    ]
    assert ("unread", "octets that no codec reads") in {(one.key, one.text) for one in decoded.asides.said}


def test_text_with_a_fire_where_octets_are_expected_is_heard() -> None:
    decoded, found = hear("onenet", "$sys/p/d/dp/post/bin", b'{"smoke": true}')
    assert found == [("onenet:p/d", "smoke.alarm", 1.0)]
    assert [one.reason for one in decoded.rejected] == [Reason.NO_CODEC]


RADIO = [{"rssi": -50, "snr": 7}]


def chirpstack(said: Any, radio: Any) -> tuple[str, str, Any]:
    received = {"rxInfo": radio} if radio else {}
    uplink = {"deviceInfo": {"devEui": "0004a30b00000001"}, "fCnt": 1, **received, "object": said}
    return "chirpstack", "application/1/device/0004a30b00000001/event/up", uplink


def things_stack(said: Any, radio: Any) -> tuple[str, str, Any]:
    received = {"rx_metadata": radio} if radio else {}
    ids = {"device_id": "hall", "dev_eui": "0004A30B00000001"}
    return (
        "the-things-stack",
        UP,
        {"end_device_ids": ids, "uplink_message": {**received, "decoded_payload": said}},
    )


@pytest.mark.parametrize("name", sorted(USUAL))
@pytest.mark.parametrize("server", [chirpstack, things_stack])
@pytest.mark.parametrize("radio", [RADIO, []])
def test_an_object_that_nobody_reads_says_a_fire_beside_what_the_radio_says(
    server: Any, name: str, radio: Any
) -> None:
    decoded, found = hear(*server({name: True}, radio))
    flags = [(uid, metric, value) for uid, metric, value in found if metric.endswith(".alarm")]
    assert flags == [("lorawan:0004a30b00000001", USUAL[name].name_on_wire, 1.0)]
    assert [one.reason for one in decoded.rejected] in ([], [Reason.NOTHING_KNOWN])
    silent, _ = hear(*server({name: False}, radio))
    assert not silent.value[silent.metric == USUAL[name]].any()


BESIDE = [
    ("thingsboard", "panel-4/v1/devices/me/telemetry", {"fire": 1, "temperature": 61}, "thingsboard:panel-4"),
    ("zigbee2mqtt", "zigbee2mqtt/hall", {"smoke_alarm": 1, "battery": 90}, "topic:zigbee2mqtt/hall"),
    ("tasmota", "tele/hall/SENSOR", {"Switch1": "ON", "MQ2": {"Smoke": 1}}, "topic:hall"),
    (
        "huawei-iotda",
        "$oc/devices/d1/sys/properties/report",
        {"services": [{"service_id": "Smoke", "properties": {"alarm": 1, "battery": 50}}]},
        "huawei:d1",
    ),
    (
        "aliyun-alink",
        "/sys/pk/d1/thing/event/property/post",
        {"params": {"fire": {"value": 1}, "BatteryPercentage": {"value": 3}}},
        "aliyun:pk/d1",
    ),
    (
        "onenet",
        "$sys/p/d1/thing/property/post",
        {"id": "1", "params": {"fire": {"value": 1}, "temperature": {"value": 3}}},
        "onenet:p/d1",
    ),
    (
        "sparkplug",
        "spBv1.0/g/DDATA/n/d",
        {
            "timestamp": 1486144502122,
            "metrics": [
                {"name": "fire", "timestamp": 1486144502122, "dataType": "Int32", "value": 1},
                {"name": "temperature", "timestamp": 1486144502122, "dataType": "Double", "value": 3},
            ],
        },
        "sparkplug:g/n/d",
    ),
]


@pytest.mark.parametrize(("name", "topic", "said", "uid"), BESIDE, ids=[one[0] for one in BESIDE])
def test_a_fire_by_a_usual_name_beside_known_keys_is_heard_and_a_quiet_one_said_once(
    name: str, topic: str, said: Any, uid: str
) -> None:
    decoded, found = hear(name, topic, said)
    assert (uid, "smoke.alarm", 1.0) in found
    assert len(found) > 1
    assert [one.reason for one in decoded.rejected] == [Reason.NOTHING_KNOWN]
    quiet = json.loads(json.dumps(said).replace("1,", "0,").replace("1}", "0}"))
    decoded, found = hear(name, topic, quiet)
    assert (decoded.rejected, [one for one in found if one[1] == "smoke.alarm"]) == ([], [])
    [text] = [one.text for one in decoded.asides.said if (one.uid, one.key) == (uid, "unread")]
    assert text.startswith("by a name that the profile does not read: ")


@pytest.mark.parametrize(
    "said",
    [
        {"fire": 12, "temperature": 20},
        {"temperature": 20, "capabilities": {"fire": True}},
        {"temperature": 20, "settings": {"smoke_detected": True}},
        {"temperature": 20, "lowBattery": {"smoke": True}, "RSSI": {"smoke": 1}},
        {"temperature": 20, "all": [{"name": "low_battery/smoke", "value": 1}]},
        {"temperature": 20, "all": [{"name": "battery", "alarm": True}]},
        {"temperature": 20, "all": [{"name": "battery_status", "alarm": True}, {"name": "lid", "alarm": 1}]},
        {"temperature": 20, "all": [{"name": "smoke/battery_status", "alarm": True}]},
        {"temperature": 20, "all": [{"name": "battery_status/smoke", "state": "low", "value": 1}]},
        {"temperature": 20, "all": [{"name": "config/smoke", "alarm": True}]},
        {"temperature": 20, "battery_status": {"smoke": {"alarm": True}}},
    ],
)
def test_a_density_or_a_setting_beside_known_keys_is_no_fire(said: Any) -> None:
    decoded, found = hear("thingsboard", "panel-4/v1/devices/me/telemetry", said)
    assert [metric for _, metric, _ in found] == ["temperature"]
    assert decoded.rejected == []


@pytest.mark.parametrize(
    "said",
    [
        {"temperature": 20, "all": [{"name": "hall/smoke", "value": 1}]},
        {"temperature": 20, "all": [{"name": "battery_status/smoke", "alarm": True}]},
        {"temperature": 20, "all": [{"name": "hall/Tamper/Smoke", "alarm": "on", "value": 0}]},
        {"temperature": 20, "all": [{"name": "rssi/fire_alarm", "values": {"alarm": 1}}]},
        {"temperature": 20, "hall": {"smoke": {"state": "ok", "alarm": True}}},
        {"temperature": 20, "battery": {"smoke": 1, "v": 3}},
        {"temperature": 20, "low_battery": {"smoke": False}, "hall": {"smoke": True}},
    ],
)
def test_a_fire_beside_how_its_detector_fares_is_heard(said: Any) -> None:
    decoded, found = hear("thingsboard", "panel-4/v1/devices/me/telemetry", said)
    assert ("thingsboard:panel-4", "smoke.alarm", 1.0) in found
    assert [one.reason for one in decoded.rejected] == [Reason.NOTHING_KNOWN]


@pytest.mark.parametrize("name", ["battery_status/smoke", "online/fire", "tamper/smoke_alarm"])
def test_a_quiet_alarm_of_how_a_detector_fares_is_said_and_no_fire(name: str) -> None:
    said = {"temperature": 20, "all": [{"name": name, "alarm": False, "value": 1}]}
    decoded, found = hear("thingsboard", "panel-4/v1/devices/me/telemetry", said)
    assert ([metric for _, metric, _ in found], decoded.rejected) == (["temperature"], [])
    assert [one.key for one in decoded.asides.said] == ["unread"]


TELEMETRY = "panel-4/v1/devices/me/telemetry"
ITEM = {"name": "hall/smoke", "alarm": True}


@pytest.mark.parametrize(
    ("name", "topic", "said"),
    [
        ("thingsboard", TELEMETRY, {"temperature": 20, "smoke": {"alarm": True}}),
        ("thingsboard", TELEMETRY, {"temperature": 20, "smoke": {"state": "ok", "alarm": True}}),
        ("thingsboard", TELEMETRY, {"temperature": 20, "smoke": {"values": {"alarm": 1}}}),
        ("thingsboard", TELEMETRY, {"smoke_alarm": {"alarm": 1}}),
        ("thingsboard", TELEMETRY, {"fire": {"alarm": True}}),
        ("thingsboard", TELEMETRY, {"hall": {"smoke": {"alarm": True}}}),
        ("thingsboard", TELEMETRY, ITEM),
        ("thingsboard", TELEMETRY, {"all": [ITEM, {"name": "x", "value": 1}]}),
        ("thingsboard", TELEMETRY, {"all": [{"name": "battery_status/smoke", "alarm": True}]}),
        ("thingsboard", "v1/devices/me/telemetry", [{"deviceName": "a", "smoke": {"alarm": True}}]),
        ("zigbee2mqtt", "zigbee2mqtt/hall", {"smoke": {"alarm": True}, "battery": 3}),
        ("zigbee2mqtt", "zigbee2mqtt/hall", {"smoke": {"state": "ok", "alarm": True}}),
    ],
)
def test_an_alarm_of_a_usual_name_is_heard_though_its_message_is_refused(
    name: str, topic: str, said: Any
) -> None:
    decoded, found = hear(name, topic, said)
    assert [value for _, metric, value in found if metric == "smoke.alarm" and value == 1.0] == [1.0]
    assert len(decoded.rejected) == 1
    quiet = json.loads(json.dumps(said).replace("true", "false").replace('"alarm": 1', '"alarm": 0'))
    decoded, found = hear(name, topic, quiet)
    assert [one for one in found if one[1].endswith(".alarm") and one[2] == 1.0] == []


@pytest.mark.parametrize(
    "said",
    [
        {"settings": {"fire": {"alarm": True}}},
        {"all": [{"name": "config/smoke", "alarm": True}]},
        {"all": [{"name": "battery_status/smoke", "value": 1}]},
        {"smokeAlarm": {"unit": 1}, "fire": 12},
        {"fire": 10**400},
    ],
)
def test_a_refused_message_that_says_no_alarm_raises_none(said: Any) -> None:
    decoded, found = hear("thingsboard", TELEMETRY, said)
    assert [one for one in found if one[2] == 1.0] == []
    assert len(decoded.rejected) == 1
