"""What `gengfu decode` prints: payloads to readings as the service would see them, without a registry."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from devices.model import Bool, Int32, Metric, Quality
from devices.profiles.profile import Decoded, Profile, Reason
from devices.profiles.shipped import choose, shipped_profiles

Line = dict[str, Any]
"""One JSON object of the output."""

EARLIEST_US: Final = 1_577_836_800_000_000
"""2020-01-01: a clock before it was never set (chosen; reference captures start in 2020)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_US: Final = 253_402_300_799_000_000


class _Message(msgspec.Struct, frozen=True):
    """An item of a capture; the payload as text, or as the JSON value it was."""

    topic: str
    payload: Any
    retain: bool = False
    qos: int = 0

    def octets(self) -> bytes:
        return self.payload.encode() if isinstance(self.payload, str) else msgspec.json.encode(self.payload)


@dataclass(slots=True)
class _Everybody:
    """Points of a world in which every device is registered."""

    places: list[tuple[str, str]]

    def row(self, uid: str, channel: str) -> int:
        """A row for whoever asks."""
        if (uid, channel) not in self.places:
            self.places.append((uid, channel))
        return self.places.index((uid, channel))

    def registered(self, row: Int32) -> Bool:
        """All of them."""
        return np.ones(len(row), np.bool_)


def decode_lines(payload: bytes, *, topic: str = "", profile: str = "", received_us: int) -> Iterator[Line]:
    """A line per reading, and one `{"rejected": …, "detail": …}` for a message that was refused.

    A refused message has readings only where a true life flag was rescued from it.

    `payload` is one payload that came on `topic`, or a JSON list of `{topic, payload, retain?, qos?}`.
    The profile is chosen by topic unless named. `received_us` stands in where the payload has no time;
    a time before 2020 is replaced by it and flagged. The clock window of the service is not applied:
    captures are old. Never raises for bad input.
    """
    profiles = shipped_profiles()
    for message in _messages(payload, topic):
        if isinstance(message, str):
            yield _refused(Reason.WRONG_TYPE, message)
        else:
            yield from _one(message, _profile(profiles, profile, message[0]), received_us)


def _messages(payload: bytes, topic: str) -> Iterator[tuple[str, bytes, bool] | str]:
    if topic:
        yield topic, payload, False
        return
    try:
        for item in msgspec.json.decode(payload, type=list[_Message]):
            yield item.topic, item.octets(), item.retain
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield f"without --topic a list of {{topic, payload}} is expected: {error}"


def _profile(profiles: list[Profile], name: str, topic: str) -> Profile | str:
    if not name:
        return choose(topic, profiles) or f"no profile listens to {topic!r}"
    named = [profile for profile in profiles if profile.name == name]
    return named[0] if named else f"no profile {name!r}; there are {', '.join(p.name for p in profiles)}"


def _one(message: tuple[str, bytes, bool], profile: Profile | str, received_us: int) -> Iterator[Line]:
    if isinstance(profile, str):
        yield _refused(Reason.UNKNOWN_TOPIC, profile)
        return
    topic, payload, retained = message
    everybody = _Everybody([])
    decoded = profile.decode([topic], [payload], everybody)
    for n in range(len(decoded.row)):
        yield _reading(decoded, n, everybody.places[decoded.row[n]], received_us, retained=retained)
    for rejected in decoded.rejected:
        yield _refused(rejected.reason, rejected.detail)


def _reading(decoded: Decoded, n: int, place: tuple[str, str], received_us: int, *, retained: bool) -> Line:
    metric = Metric(int(decoded.metric[n]))
    value = float(decoded.value[n])
    quality = Quality(int(decoded.quality[n])) | (Quality.RETAINED if retained else Quality(0))
    observed_us = int(decoded.observed_us[n])
    if observed_us and not EARLIEST_US <= observed_us <= _LATEST_US:
        quality |= Quality.CLOCK_INVALID
        observed_us = 0
    return {
        "device": place[0],
        "metric": metric.name_on_wire,
        "channel": place[1],
        "value": None if math.isnan(value) else bool(value) if metric.is_flag else value,
        "unit": metric.unit,
        "observed_at": _text(observed_us or received_us),
        "quality": quality.names,
    }


def _text(us: int) -> str:
    instant = _EPOCH + timedelta(microseconds=us)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refused(reason: Reason, detail: str) -> Line:
    return {"rejected": str(reason), "detail": detail}
