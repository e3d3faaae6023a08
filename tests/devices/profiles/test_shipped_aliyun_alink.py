"""What Alink devices wait for, and events that nobody takes back."""

from __future__ import annotations

import json

from devices.model import Metric
from tests.devices.profiles.describing import decode
from tests.devices.profiles.shipping import shipped

BASE = "/sys/a1Block7/smoke2/thing/event/"


def test_a_post_is_answered_with_its_own_number() -> None:
    message = BASE + "property/post", {"id": "77", "params": {"SmokeSensorState": 0}}
    (reply,) = decode(shipped("aliyun-alink"), message).asides.replies
    assert reply.topic == BASE + "property/post_reply"
    answer = json.loads(reply.payload)
    assert (answer["id"], answer["code"], answer["method"]) == ("77", 200, "thing.event.property.post")


def test_an_event_is_answered_under_its_own_name() -> None:
    message = BASE + "SmokeAlarm/post", {"id": "78", "params": {"value": {}}}
    (reply,) = decode(shipped("aliyun-alink"), message).asides.replies
    assert reply.topic == BASE + "SmokeAlarm/post_reply"
    assert json.loads(reply.payload)["method"] == "thing.event.SmokeAlarm.post"


def test_a_post_without_a_number_is_not_answered() -> None:
    message = BASE + "property/post", {"params": {"SmokeSensorState": 0}}
    assert decode(shipped("aliyun-alink"), message).asides.replies == ()


def test_an_alarm_event_is_held_for_ten_minutes() -> None:
    message = BASE + "SmokeAlarm/post", {"id": "79", "params": {"value": {}}}
    (hold,) = decode(shipped("aliyun-alink"), message).asides.holds
    assert (hold.metric, hold.until_us_after) == (Metric.SMOKE_ALARM, 600_000_000)
