"""What takes several messages, or a profile of the site: presence, holds, names, and the ways to extend."""

from __future__ import annotations

from typing import Any

from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.language.load import load_profile
from devices.profiles.shipped import shipped_files
from tests.devices.profiles.describing import ZONE, decode, heard
from tests.devices.profiles.shipping import shipped

MAC = "mac:0200a5c1d2e6"
FULL = {
    "src": "hall",
    "method": "NotifyFullStatus",
    "params": {"ts": 1779178831.25, "sys": {"mac": "0200A5C1D2E6"}},
}


def extended(text: str) -> DescribedProfile:
    file = load_profile(text, file="mine.toml", known=shipped_files())
    return DescribedProfile(compile_profile(file, site_tz=ZONE), ())


def online(profile: DescribedProfile, topic: str, payload: Any) -> dict[str, float | None]:
    found = heard(profile, (topic, payload))
    return {uid: value for uid, _, metric, value, _ in found if metric == "device.online"}


def test_a_shelly_with_a_prefix_of_its_own_is_its_mac_also_after_a_restart() -> None:
    first = shipped("shelly-gen2")
    notes = decode(first, ("hall/events/rpc", FULL)).asides.notes
    second = shipped("shelly-gen2")
    second.remember(notes)
    for profile in (first, second):
        [(uid, *_)] = heard(profile, ("hall/status/humidity:0", {"id": 0, "rh": 40}))
        assert uid == MAC


def test_a_shelly_notification_without_anything_we_know_is_no_refusal() -> None:
    changed = {
        "src": "hall",
        "method": "NotifyStatus",
        "params": {"ts": 1779178831.25, "cloud": {"connected": True}},
    }
    assert heard(shipped("shelly-gen2"), ("hall/events/rpc", changed)) == []


def test_what_a_shelly_leaves_out_is_unchanged() -> None:
    profile = shipped("shelly-gen2")
    part = {"method": "NotifyStatus", "params": {"ts": 1779178831.25, "smoke:0": {"id": 0, "mute": True}}}
    assert [metric for _, _, metric, *_ in heard(profile, ("hall/events/rpc", part))] == ["smoke.muted"]


def test_a_shellys_test_is_over_after_a_minute() -> None:
    event = {"component": "smoke:0", "id": 0, "event": "alarm_test", "ts": 1779178830.5}
    payload = {"src": "hall", "method": "NotifyEvent", "params": {"ts": 1779178831.25, "events": [event]}}
    [hold] = decode(shipped("shelly-gen2"), ("hall/events/rpc", payload)).asides.holds
    assert hold.until_us_after == 60_000_000


def test_a_sleeping_shellys_goodbye_means_nothing_and_a_mains_devices_does() -> None:
    first, second = shipped("shelly-gen1"), shipped("shelly-gen2")
    assert online(first, "shellies/shellysmoke-A5C1D2/online", b"false") == {}
    assert online(second, "shellyplussmoke-0200a5c1d2e6/online", b"false") == {}
    assert online(second, "shellyplussmoke-0200a5c1d2e6/online", b"true") == {MAC: 1.0}
    assert online(first, "shellies/shellyem3-0200A5C1D2E6/online", b"false") == {MAC: 0.0}
    assert online(second, "shellypro3em-0200a5c1d2e6/online", b"false") == {MAC: 0.0}


def test_what_an_esphome_node_carries_goes_with_it() -> None:
    profile = shipped("esphome")
    heard(
        profile, ("hall/binary_sensor/kitchen_smoke/state", b"OFF"), ("hall/sensor/temperature/state", b"20")
    )
    assert online(profile, "hall/status", b"offline") == {"topic:hall": 0.0, "topic:hall/kitchen_smoke": 0.0}
    assert online(profile, "hall/binary_sensor/kitchen_smoke/state", b"ON") == {
        "topic:hall/kitchen_smoke": 1.0
    }


def test_two_sensors_of_an_esphome_node_never_mix() -> None:
    profile = shipped("esphome")
    found = heard(
        profile,
        ("hall/binary_sensor/kitchen_smoke/state", b"ON"),
        ("hall/binary_sensor/attic_smoke/state", b"OFF"),
    )
    assert {uid: value for uid, _, _, value, _ in found} == {
        "topic:hall/kitchen_smoke": 1.0,
        "topic:hall/attic_smoke": 0.0,
    }


def test_a_site_names_its_esphome_sensors_exactly() -> None:
    profile = extended(
        """
        name = "mine"
        extends = "esphome"

        [[message]]
        name = "attic"
        topics = ["attic/sensor/meter_total_energy/state"]
        format = "text"
        device = ["topic:attic"]
        values = { "$" = { metric = "energy.import", unit = "Wh", channel = "total" } }
        """
    )
    assert heard(profile, ("attic/sensor/meter_total_energy/state", b"512")) == [
        ("topic:attic", "total", "energy.import", 512.0, [])
    ]
    [(_, _, _, value, _)] = heard(profile, ("cellar/sensor/meter_total_energy/state", b"512"))
    assert value == 512_000.0


SENSOR = {"Time": "2026-05-19T16:20:31", "ENERGY": {"Power": 5}}
TIMED = 'name = "mine"\nextends = "tasmota"\nparameters = { local_time = "Time"%s }\n'


def test_a_tasmotas_local_time_counts_only_where_the_site_says_so() -> None:
    topics, payload = ("tele/plug/SENSOR", SENSOR), 1_779_178_831_000_000
    assert decode(shipped("tasmota"), topics).observed_us.tolist() == [0]
    zoned = extended(TIMED % ', local_tz = "Asia/Shanghai"')
    decoded = decode(zoned, topics)
    assert (decoded.observed_us.tolist(), decoded.quality.tolist()) == ([payload], [0])
    [(*_, quality)] = heard(extended(TIMED % ""), topics)
    assert quality == ["tz_assumed"]


def test_a_tasmotas_epoch_comes_before_its_local_time() -> None:
    zoned = extended(TIMED % ', local_tz = "America/New_York"')
    for payload in (SENSOR | {"Epoch": 1779178831}, {"StatusSNS": SENSOR | {"Epoch": 1779178831}}):
        decoded = decode(zoned, ("stat/plug/STATUS8", payload))
        assert decoded.observed_us.tolist() == [1_779_178_831_000_000]


def test_a_site_says_that_a_tasmota_sleeps_and_what_its_input_is() -> None:
    profile = extended(
        """
        name = "mine"
        extends = "tasmota"

        [[message]]
        name = "a node in deep sleep"
        topics = ["tele/mq2/LWT"]
        format = "text"
        device = ["topic:mq2"]
        presence = { online = ["Online"], offline = ["Offline"], sleepy = true }

        [[message]]
        name = "a detector at an input"
        topics = ["tele/mq2/SENSOR"]
        device = ["topic:mq2"]
        values = { "Switch1" = { metric = "smoke.alarm", true = ["ON"], false = ["OFF"] } }
        """
    )
    assert online(profile, "tele/mq2/LWT", b"Offline") == {}
    assert online(profile, "tele/mq2/LWT", b"Online") == {"topic:mq2": 1.0}
    [(uid, _, metric, value, _)] = heard(profile, ("tele/mq2/SENSOR", {"Switch1": "ON"}))
    assert (uid, metric, value) == ("topic:mq2", "smoke.alarm", 1.0)
    assert online(profile, "tele/other/LWT", b"Offline") == {"topic:other": 0.0}


def test_another_base_topic_is_a_parameter() -> None:
    profile = extended('name = "mine"\nextends = "zigbee2mqtt"\nparameters = { base = "house7/zigbee" }\n')
    [(uid, *_)] = heard(profile, ("house7/zigbee/hall", {"smoke": True}))
    assert uid == "topic:house7/zigbee/hall"
    assert not profile.matches("zigbee2mqtt/hall")
