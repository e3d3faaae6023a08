from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.decode_command import decode_lines

RECEIVED_US = 1_763_755_200_000_000


def lines(payload: bytes, topic: str = "", profile: str = "") -> list[dict[str, object]]:
    return list(decode_lines(payload, topic=topic, profile=profile, received_us=RECEIVED_US))


def test_one_payload_becomes_a_line_per_reading() -> None:
    payload = b'{"at":1763755200123,"values":{"smoke.alarm":true},"channels":{"l1":{"current":null}}}'
    assert lines(payload, "gengfu/A1/readings") == [
        {
            "device": "own:a1",
            "metric": "smoke.alarm",
            "channel": "",
            "value": True,
            "unit": "",
            "observed_at": "2025-11-21T20:00:00.123Z",
            "quality": [],
        },
        {
            "device": "own:a1",
            "metric": "current",
            "channel": "l1",
            "value": None,
            "unit": "A",
            "observed_at": "2025-11-21T20:00:00.123Z",
            "quality": ["fault"],
        },
    ]


def test_a_list_is_decoded_in_order_with_its_retain_flags() -> None:
    capture = [
        {"topic": "zigbee2mqtt/a", "payload": '{"smoke":false}', "retain": True, "qos": 1},
        {"topic": "gengfu/b/readings", "payload": {"values": {"current": 2}}},
        {"topic": "zigbee2mqtt/a/availability", "payload": ""},
    ]
    found = lines(json.dumps(capture).encode())
    assert [(line["device"], line["quality"]) for line in found] == [
        ("topic:zigbee2mqtt/a", ["retained"]),
        ("own:b", []),
    ]
    assert found[0]["observed_at"] == "2025-11-21T20:00:00.000Z"


def test_a_clock_that_was_never_set_is_replaced_and_flagged() -> None:
    [line] = lines(b'{"at":12000,"values":{"current":1}}', "gengfu/b/readings")
    assert (line["observed_at"], line["quality"]) == ("2025-11-21T20:00:00.000Z", ["clock_invalid"])


@pytest.mark.parametrize(
    ("payload", "topic", "profile", "reason"),
    [
        (b"{", "gengfu/b/readings", "", "not_json"),
        (b"{}", "elsewhere/b", "", "unknown_topic"),
        (b"{}", "gengfu/b/readings", "nobody", "unknown_topic"),
        (b"{}", "", "", "wrong_type"),
        (b'{"values":{"current":1}}', "elsewhere/b", "own", "unknown_topic"),
    ],
)
def test_what_is_refused_says_why(payload: bytes, topic: str, profile: str, reason: str) -> None:
    [line] = lines(payload, topic, profile)
    assert line["rejected"] == reason
    assert line["detail"]


def test_a_life_flag_heard_in_a_refused_message_is_printed_before_the_refusal() -> None:
    heard, refused = lines(b'{"values":{"smoke.alarm":true,"temperature":NaN}}', "gengfu/b/readings")
    assert (heard["metric"], heard["value"], heard["quality"]) == ("smoke.alarm", True, ["suspect"])
    assert heard["observed_at"] == "2025-11-21T20:00:00.000Z"
    assert refused["rejected"] == "not_json"


@given(payload=st.binary(max_size=80), topic=st.sampled_from(["", "gengfu/b/readings", "zigbee2mqtt/x"]))
def test_any_bytes_give_lines_and_never_an_exception(payload: bytes, topic: str) -> None:
    assert all("rejected" in line or "device" in line for line in lines(payload, topic))


def test_a_line_names_the_quantity_and_the_role_that_is_not_the_usual() -> None:
    payload = b'{"values":{"temperature.device":40.5,"smoke.density_ppm":3,"temperature":21}}'
    assert [
        (line["metric"], line.get("role"), line["unit"]) for line in lines(payload, "gengfu/A1/readings")
    ] == [("temperature", "device", "degC"), ("smoke.density", None, "ppm"), ("temperature", None, "degC")]
