"""What `gengfu decode` prints: payloads to readings as the service would see them, without a registry."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np

from devices.model import Bool, Int32, Metric, Quality
from devices.profiles.checking.explain import Explanation, explain
from devices.profiles.compiling.compiled import Compiled
from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Decoded, Profile, Reason
from devices.profiles.shipped import choose, shipped_faults, shipped_profiles

Line = dict[str, Any]
"""One JSON object of the output."""

EARLIEST_US: Final = 978_307_200_000_000
"""2001-01-01: a clock before it was never set (chosen; reference captures are up to ten years old)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN: Final = frozenset({"label", "vendor", "model", "firmware"})
"""Texts that a device says of itself."""
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

    places: dict[tuple[str, str], int]
    everybody: bool = True

    def row(self, uid: str, channel: str) -> int:
        """A row for whoever asks."""
        return self.places.setdefault((uid, channel), len(self.places))

    def registered(self, row: Int32) -> Bool:
        """All of them."""
        return np.ones(len(row), np.bool_)

    def place(self, row: int) -> tuple[str, str]:
        """Whose row it is."""
        return next(place for place, number in self.places.items() if number == row)


def decode_lines(
    payload: bytes,
    *,
    topic: str = "",
    profile: str = "",
    received_us: int,
    site: Sequence[Compiled] = (),
    explained: Callable[[Explanation], None] | None = None,
) -> Iterator[Line]:
    """A line per reading, and one `{"rejected": …, "detail": …}` for a message that was refused.

    A refused message has readings only where a true life flag was rescued from it.

    `payload` is one payload that came on `topic`, or a JSON list of `{topic, payload, retain?, qos?}`.
    The profile is chosen by topic unless named; one that is named is also asked about topics that are not
    its own, as far as its file allows. What a device said as text is a line with the metric `label`,
    `vendor` and so on. `received_us` stands in where the payload has no time; a time before 2001 is replaced
    by it and flagged. The clock window of the service is not applied: captures are old. Never raises for bad
    input.

    `site` are the site's own profiles. `explained` is told of each message, before its lines, why it means
    what it means.
    """
    profiles = shipped_profiles(site=site)
    everybody = _Everybody({})
    for message in _messages(payload, topic):
        if isinstance(message, str):
            yield _refused(Reason.WRONG_TYPE, message)
        else:
            chosen = _profile(profiles, profile, message[0])
            if explained is not None and not isinstance(chosen, str):
                explained(explain(message[0], message[1], chosen, profiles, named=bool(profile)))
            yield from _one(message, chosen, everybody, received_us)


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
    for n, profile in enumerate(profiles):
        if profile.name == name:
            if isinstance(profile, DescribedProfile) and not profile.matches(topic):
                profiles[n] = profile.at_any_topic()
            return profiles[n]
    fault = next((str(one) for one in shipped_faults() if one.file == f"{name}.toml"), "")
    return fault or f"no profile {name!r}; there are {', '.join(p.name for p in profiles)}"


def _one(
    message: tuple[str, bytes, bool], profile: Profile | str, everybody: _Everybody, received_us: int
) -> Iterator[Line]:
    if isinstance(profile, str):
        yield _refused(Reason.UNKNOWN_TOPIC, profile)
        return
    topic, payload, retained = message
    decoded = profile.decode([topic], [payload], everybody, received_us=received_us, retained=[retained])
    for n in range(len(decoded.row)):
        yield _reading(decoded, n, everybody.place(int(decoded.row[n])), received_us, retained=retained)
    for said in decoded.asides.said:
        if said.key in _SHOWN:
            yield {"device": said.uid, "metric": said.key, "value": said.text}
    for proposal in decoded.asides.proposals:
        yield {"device": proposal.uid, "proposed": proposal.topic, **proposal.detail}
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
        "metric": metric.quantity,
        **({"role": metric.role} if metric.role else {}),
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
