from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.formats.format import Unreadable
from devices.profiles.profile import Reason

decode = CODECS["milesight"]
NO_ALARM = {
    "current_threshold_alarm": "no",
    "current_threshold_alarm_release": "no",
    "current_over_range_alarm": "no",
    "current_over_range_alarm_release": "no",
}


def smoke(event: int, battery: int = 90, concentration: int = 5, temperature: int = 21) -> bytes:
    body = bytes((0x31, 0x10 | event, battery, concentration, temperature & 0xFF))
    return body + bytes(((-sum(body)) & 0xFF,))


def test_a_smoke_detector_says_all_in_six_octets() -> None:
    assert decode(smoke(1, 77, 40, -7), 85) == {
        "version": 3,
        "protocol": 1,
        "type": "smoke sensor",
        "event": "alarm",
        "battery": 77,
        "concentration": 40,
        "temperature": -7,
    }


@pytest.mark.parametrize(
    ("code", "event"),
    [
        (2, "silent"),
        (4, "low battery"),
        (5, "failover"),
        (7, "normal"),
        (10, "removed"),
        (11, "installed"),
        (14, "testing alarm with normal battery"),
        (15, "testing alarm with low battery"),
        (9, "unknown"),
    ],
)
def test_every_event_has_its_words(code: int, event: str) -> None:
    assert decode(smoke(code), None)["event"] == event


def test_a_wrong_checksum_is_refused_but_an_alarm_is_told() -> None:
    broken = bytearray(smoke(7))
    broken[2] ^= 1
    with pytest.raises(Unreadable) as caught:
        decode(bytes(broken), 85)
    assert caught.value.reason is Reason.UNREADABLE
    alarm = bytearray(smoke(1))
    alarm[2] ^= 1
    assert decode(bytes(alarm), 85) == {"type": "smoke sensor", "event": "alarm", "checksum": "wrong"}


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("0175 5a 0367 f1ff 0468 51", {"battery": 90, "temperature": -1.5, "humidity": 40.5}),
        ("0498 7b00", {"current": 1.23}),
        ("0498 ffff", {"current_sensor_status": "read failed"}),
        ("0397 e8030000", {"total_current": 10}),
        (
            "0499 7b00 0699 0a00 0899 ffff",
            {"current_chn1": 12.3, "current_chn2": 1, "current_chn3_sensor_status": "read failed"},
        ),
        ("0397 e8030000 0499 0a00", {"current_chn1_total": 10, "current_chn1": 1}),
        ("0597 64000000 0797 c8000000", {"current_chn2_total": 1, "current_chn3_total": 2}),
        ("0967 fdff", {"temperature_sensor_status": "over range alarm"}),
        ("8967 9001 01", {"temperature": 40, "temperature_alarm": "temperature threshold alarm"}),
        ("8967 9001 07", {"temperature": 40, "temperature_alarm": "unknown"}),
        (
            "8498 e803 f401 2003 05",
            {
                "current_max": 10,
                "current_min": 5,
                "current": 8,
                "current_alarm": NO_ALARM
                | {"current_threshold_alarm": "yes", "current_over_range_alarm": "yes"},
            },
        ),
        (
            "8699 e803 f401 2003 02",
            {
                "current_chn2_max": 100,
                "current_chn2_min": 50,
                "current_chn2": 80,
                "current_chn2_alarm": NO_ALARM | {"current_threshold_alarm_release": "yes"},
            },
        ),
        (
            "ff0101 ff090310 ff0a0112 ff0bff ff0f02 ff16 0011223344556677 fffe01 ffff0203",
            {
                "ipso_version": "v0.1",
                "hardware_version": "v3.1",
                "firmware_version": "v1.12",
                "device_status": "on",
                "lorawan_class": "Class C",
                "sn": "0011223344556677",
                "reset_event": "reset",
                "tsl_version": "v2.3",
            },
        ),
    ],
)
def test_a_chain_is_read_item_by_item(octets: str, said: dict[str, Any]) -> None:
    assert decode(bytes.fromhex(octets), 85) == said


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("0175 64 2233 0367 0a00", {"battery": 100, "unread": "223303670a00"}),
        ("0175 64 0367 0a", {"battery": 100, "unread": "03670a"}),
        ("0175 64 03", {"battery": 100, "unread": "03"}),
        ("2233", {"unread": "2233"}),
    ],
)
def test_what_is_not_understood_ends_the_reading_and_keeps_the_rest(
    octets: str, said: dict[str, Any]
) -> None:
    assert decode(bytes.fromhex(octets), None) == said


@pytest.mark.parametrize("octets", [b"", b"\x01\x75\x64" * 100])
def test_no_octets_and_too_many_are_refused(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(octets, None)


chains = st.lists(
    st.sampled_from(
        [b"\x01\x75", b"\x03\x97", b"\x84\x98", b"\x84\x99", b"\x89\x67", b"\xff\x16", b"\xff\x0f"]
    )
    | st.binary(max_size=8)
).map(b"".join)


@given(st.binary() | chains, st.none() | st.integers())
def test_any_octets_are_an_object_or_refused(octets: bytes, port: int | None) -> None:
    try:
        said = decode(octets, port)
    except Unreadable as error:
        assert error.detail
    else:
        assert said
