"""How devices speak: the two wire formats of the demonstration, written from the formats' descriptions.

zigbee2mqtt: topic `zigbee2mqtt/<IEEE address>`, a JSON object with the vendor's own keys and no time.
Our own: topic `gengfu/<device id>/readings`, `{"at": epoch ms, "seq": n, "values": {metric: value},
"channels": {channel: {metric: value}}}` with the metric names of `devices.model` and flags as true or false.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from devices.model import Metric
from simulators.places import OWN, ZIGBEE2MQTT

Values = Mapping[Metric, float]
"""Readings of one channel at one time, in canonical units; flags are 0.0 or 1.0."""


@dataclass(frozen=True, slots=True)
class SmokeState:
    """The state a zigbee2mqtt smoke detector reports whole each time. `battery` in percent, `temperature`
    in degC, `linkquality` 0..255."""

    smoke: bool
    battery: float
    linkquality: int
    temperature: float
    battery_low: bool = False
    tamper: bool = False
    test: bool = False


def smoke_topic(ieee: str) -> str:
    """Where zigbee2mqtt publishes the state of a detector that nobody gave another name."""
    return f"{ZIGBEE2MQTT}/{ieee}"


def smoke_payload(state: SmokeState) -> bytes:
    """The state as zigbee2mqtt writes it: UTF-8 JSON, no time, no identity."""
    return msgspec.json.encode(
        {
            "battery": state.battery,
            "battery_low": state.battery_low,
            "linkquality": state.linkquality,
            "smoke": state.smoke,
            "tamper": state.tamper,
            "temperature": state.temperature,
            "test": state.test,
        }
    )


def own_topic(device_id: str) -> str:
    """Where a device of our own format publishes its readings."""
    return f"{OWN}/{device_id}/readings"


def own_payload(at_ms: int, seq: int, values: Values, channels: Mapping[str, Values]) -> bytes:
    """One report: `values` belong to the device as a whole, `channels` to its sensing points.

    `at_ms` is the device's clock, milliseconds since 1970 UTC. Values must be finite.
    """
    return msgspec.json.encode(
        {
            "at": at_ms,
            "seq": seq,
            "values": _named(values),
            "channels": {channel: _named(each) for channel, each in channels.items()},
        }
    )


def _named(values: Values) -> dict[str, float | bool]:
    return {metric.name_on_wire: bool(value) if metric.is_flag else value for metric, value in values.items()}
