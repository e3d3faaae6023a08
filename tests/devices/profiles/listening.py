"""Reading what a profile decoded, as plain tuples; and a registry for it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from devices.model import LIFE_FLAGS, Bool, Int32, Metric, Quality
from devices.profiles.profile import Decoded, Profile, Reason

Reading = tuple[str, str, str, float | None, list[str]]
"""Device, channel, metric, value (None: NaN), names of quality flags."""


@dataclass
class Registry:
    """Points of which `unknown` devices nobody registered."""

    unknown: set[str] = field(default_factory=set)
    places: list[tuple[str, str]] = field(default_factory=list)
    asked: int = 0

    @property
    def everybody(self) -> bool:
        return not self.unknown

    def row(self, uid: str, channel: str) -> int:
        self.asked += 1
        if uid in self.unknown:
            return -1
        if (uid, channel) not in self.places:
            self.places.append((uid, channel))
        return self.places.index((uid, channel))

    def registered(self, row: Int32) -> Bool:
        return np.array([self.places[one][0] not in self.unknown for one in row.tolist()], np.bool_)


def readings(decoded: Decoded, registry: Registry) -> list[Reading]:
    found = []
    for n in range(len(decoded.row)):
        uid, channel = registry.places[decoded.row[n]]
        value = float(decoded.value[n])
        metric = Metric(int(decoded.metric[n])).name_on_wire
        quality = Quality(int(decoded.quality[n])).names
        found.append((uid, channel, metric, None if math.isnan(value) else value, quality))
    return found


def hear(profile: Profile, topic: str, payload: Any, registry: Registry | None = None) -> list[Reading]:
    """The readings of one message, which must not be refused; `payload` as bytes or as a JSON value."""
    registry = registry or Registry()
    octets = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    decoded = profile.decode([topic], [octets], registry)
    assert decoded.rejected == []
    return readings(decoded, registry)


def hear_refused(profile: Profile, topic: str, payload: Any) -> list[Reading]:
    """The readings of one message that must be refused all the same, for its types."""
    registry = Registry()
    octets = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    decoded = profile.decode([topic], [octets], registry)
    assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE]
    return readings(decoded, registry)


def short(found: list[Reading]) -> dict[str, float | None]:
    """Values by `metric` or `channel/metric`, for messages of good quality."""
    assert all(not quality for *_, quality in found)
    return {f"{channel}/{metric}" if channel else metric: value for _, channel, metric, value, _ in found}


def check_rescued(decoded: Decoded) -> None:
    """What is suspect in a refused message is a true life flag that was looked for in its octets."""
    refused = {one.message for one in decoded.rejected}
    for n, message in enumerate(decoded.message.tolist()):
        if message in refused and decoded.quality[n] & Quality.SUSPECT:
            assert decoded.metric[n] in LIFE_FLAGS
            assert decoded.value[n] == 1.0
            assert decoded.quality[n] == Quality.SUSPECT
            assert decoded.observed_us[n] == 0


def check_form(decoded: Decoded, messages: int) -> None:
    """What every `Decoded` promises, whatever came in."""
    n = len(decoded.row)
    for column in (decoded.metric, decoded.observed_us, decoded.value, decoded.quality, decoded.message):
        assert len(column) == n
    assert len(decoded.seq) == messages
    assert (decoded.row >= 0).all()
    hard = Quality.FAULT | Quality.SENTINEL | Quality.TYPE_MISMATCH | Quality.INCOMPLETE
    for value, quality in zip(decoded.value.tolist(), decoded.quality.tolist(), strict=True):
        assert math.isnan(value) == bool(quality & hard)
        assert not math.isinf(value)
    for metric, value in zip(decoded.metric.tolist(), decoded.value.tolist(), strict=True):
        assert not Metric(metric).is_flag or math.isnan(value) or value in {0.0, 1.0}
    assert decoded.message.tolist() == sorted(decoded.message.tolist())
    refused = [one.message for one in decoded.rejected]
    assert refused == sorted(set(refused))
    check_rescued(decoded)
    assert all(len(one.detail) <= 300 for one in decoded.rejected)
