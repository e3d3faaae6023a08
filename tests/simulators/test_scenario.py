"""The story of an evening, read from the messages alone."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from simulators.block import plan_block
from simulators.places import Block
from simulators.scenario import STRANGER_ID, Message, evening, quiet

START_MS = 1_700_000_000_000
SECONDS = 240.0


@pytest.fixture(scope="module")
def block() -> Block:
    return plan_block(24, 1)


@pytest.fixture(scope="module")
def messages(block: Block) -> list[Message]:
    return list(evening(block, START_MS, SECONDS))


def reports(messages: list[Message]) -> list[tuple[Message, str, dict[str, Any]]]:
    """Messages of our own format that are sound: message, device, payload."""
    return [
        (message, message.topic.split("/")[1], json.loads(message.payload))
        for message in messages
        if message.topic.startswith("gengfu/") and message.payload.endswith(b"}")
    ]


def states(messages: list[Message], topic: str) -> list[tuple[float, bool]]:
    return [(m.at_s, json.loads(m.payload)["smoke"]) for m in messages if m.topic == topic]


def test_an_evening_is_told_the_same_way_twice(block: Block, messages: list[Message]) -> None:
    assert list(evening(block, START_MS, SECONDS)) == messages


def test_messages_come_in_order_of_time_and_end_in_time(messages: list[Message]) -> None:
    times = [message.at_s for message in messages]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert SECONDS - 10 < times[-1] < SECONDS


def test_the_scene_overloads_every_second_for_longer_than_the_hold(
    block: Block, messages: list[Message]
) -> None:
    _, monitor = block.devices_of(block.scene)
    over = [
        message.at_s
        for message, device, told in reports(messages)
        if device == monitor.native_id and told["channels"]["l1"]["current"] >= 1.45 * monitor.reference_a
    ]
    assert over == [float(second) for second in range(100)]


def test_the_overload_ends_far_enough_below_to_clear(block: Block, messages: list[Message]) -> None:
    _, monitor = block.devices_of(block.scene)
    after = [
        told["channels"]["l1"]["current"]
        for message, device, told in reports(messages)
        if device == monitor.native_id and message.at_s >= 100
    ]
    assert len(after) > 10
    assert max(after) < 0.9 * monitor.reference_a


def test_the_scene_smokes_from_20_to_150_seconds(block: Block, messages: list[Message]) -> None:
    detector, _ = block.devices_of(block.scene)
    told = states(messages, f"zigbee2mqtt/{detector.native_id}")
    assert told[:2] == [(1.0, False), (20.0, True)]
    assert {at_s for at_s, smoke in told if smoke} == {float(at) for at in range(20, 150, 10)}


def test_nothing_is_wrong_anywhere_else(block: Block, messages: list[Message]) -> None:
    rated = {device.native_id: device.reference_a for device in block.current_monitors}
    scene = {device.native_id for device in block.devices_of(block.scene)}
    heard = set()
    for _, device, told in reports(messages):
        if device not in scene and device != STRANGER_ID:
            heard.add(device)
            assert told["channels"]["l1"]["current"] < 0.9 * rated[device]
    for ieee in {detector.native_id for detector in block.smoke_detectors} - scene:
        heard.add(ieee)
        assert not any(smoke for _, smoke in states(messages, f"zigbee2mqtt/{ieee}"))
    assert heard == {device.native_id for device in block.devices} - scene


def test_a_quiet_evening_has_no_smoke_and_no_high_current(block: Block) -> None:
    messages = list(quiet(block, START_MS, SECONDS))
    rated = {device.native_id: device.reference_a for device in block.current_monitors}
    currents = [(device, told["channels"]["l1"]["current"]) for _, device, told in reports(messages)]
    assert all(current < 0.9 * rated[device] for device, current in currents)
    assert not any(b'"smoke":true' in message.payload for message in messages)
    assert {message.topic.split("/")[1] for message in messages} == {
        device.native_id for device in block.devices
    }


def test_no_payload_is_back_dated(messages: list[Message]) -> None:
    for message, _, told in reports(messages):
        assert told["at"] == START_MS + round(message.at_s * 1000)


def test_sequences_grow_and_never_overlap_a_later_run(block: Block, messages: list[Message]) -> None:
    seen: dict[str, list[int]] = defaultdict(list)
    for _, device, told in reports(messages):
        seen[device].append(told["seq"])
    later = min(
        told["seq"] for _, _, told in reports(list(evening(block, START_MS + int(SECONDS) * 1000, SECONDS)))
    )
    for seqs in seen.values():
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert seqs[-1] < later


def test_oddities_come_now_and_then(block: Block, messages: list[Message]) -> None:
    broken = []
    for message in messages:
        try:
            json.loads(message.payload)
        except ValueError:
            broken.append(message.at_s)
    strangers = [message.at_s for message, device, _ in reports(messages) if device == STRANGER_ID]
    assert broken == [8.0, 53.0, 98.0, 143.0, 188.0, 233.0]
    assert strangers == [12.0, 52.0, 92.0, 132.0, 172.0, 212.0]
    assert [message.at_s for message in messages if message.retain] == [5.0]
    assert STRANGER_ID not in {device.native_id for device in block.devices}


def test_an_endless_evening_costs_nothing_until_it_is_heard(block: Block) -> None:
    assert next(iter(evening(block, START_MS, 1e12))).at_s == 0.0
