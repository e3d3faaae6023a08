"""What `gengfu bench decode` says to profiles: messages of their own test vectors, by a thousand devices."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from devices.model import Metric
from devices.profiles.checking.vectors import Anybody, Octets, messages_of
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import TICKS_BETWEEN, WORTH_A_FORM, FastWay
from devices.profiles.language.file import Vector
from devices.profiles.own import own_profile as own
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Profile
from devices.profiles.shipped import shipped_compiled

DEVICES: Final = 1000
VECTORS_MAX: Final = 8
"""Of a profile, the first that yield values (chosen, for the time it takes)."""
FIRST: Final = 500
"""Devices of a tick that nobody has heard before."""
_NUMBER: Final = re.compile(rb"(?<=[:\[,\s])(?:-?[0-9]+\.[0-9]+|[1-9][0-9]{0,8})(?=[,\]}\s])")
_HEX: Final = re.compile(r"[0-9a-fA-F]{6,}")
_OWN: Final = (
    {
        "at": 1_790_000_000_000,
        "seq": 7,
        "values": {"smoke.alarm": False, "battery.pct": 88, "temperature": 21.5, "smoke.density": 0.25},
    },
    {
        "seq": 7,
        "channels": {"l1": {"current": 3.25, "power.active": 700.25, "voltage": 231.5, "energy.import": 51}},
    },
)
"""Our own format has no file: four values of a smoke detector, and of one phase."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A vector as messages: what comes before, and the topic and payload that the devices repeat with
    other numbers.

    `device`: the part of both by which one device differs from the next, "" where there is none.
    """

    name: str
    before: tuple[Octets, ...]
    topic: str
    payload: bytes
    device: str

    def messages(self, count: int, seed: int, first: int = 0) -> tuple[list[str], list[bytes]]:
        """So many messages of the thousand devices in turn, beginning with the device `first`."""
        return self._said([n % DEVICES for n in range(first, first + count)], seed)

    def newcomers(self, round_: int) -> tuple[list[str], list[bytes]]:
        """A message each of `FIRST` devices beyond the thousand, others in each round."""
        first = DEVICES + round_ * FIRST
        return self._said(range(first, first + FIRST), seed=round_)

    def _said(self, devices: Sequence[int], seed: int) -> tuple[list[str], list[bytes]]:
        chance = random.Random(seed)  # noqa: S311 - numbers, not secrets
        topics, payloads = [], []
        for n in devices:
            topic, payload = self._of_device(n)
            topics.append(topic)
            payloads.append(varied(payload, chance))
        return topics, payloads

    def _of_device(self, n: int) -> tuple[str, bytes]:
        if not self.device:
            return self.topic, self.payload
        named = f"{self.device[:-4]}{n:04x}" if _HEX.fullmatch(self.device) else f"{self.device}{n}"
        payload = self.payload.replace(self.device.encode(), named.encode())
        payload = payload.replace(self.device.upper().encode(), named.upper().encode())
        return self.topic.replace(self.device, named), payload


def fresh(name: str, *, watches: bool = True) -> Profile:
    """A profile that has heard nothing yet. `watches`: False for one that does not look for names of fires in
    what no column reads."""
    if name == own.NAME:
        return OwnProfile()
    compiled = shipped_compiled()
    (one,) = [one for one in compiled if one.name == name]
    profile = DescribedProfile(one, [thing for other in compiled for thing in other.objects])
    profile.fast = fast = FastWay(profile.carrying, profile.memory, watches=watches)
    fast.answers = False  # as on a site that does not allow them
    return profile


def own_spoken() -> list[Spoken]:
    """Messages of our own format."""
    return [
        Spoken(f"own {n + 1}", (), "gengfu/flat/readings", msgspec.json.encode(said), "flat")
        for n, said in enumerate(_OWN)
    ]


def spoken_of(name: str, vectors: Sequence[Vector]) -> list[Spoken]:
    """The vectors that yield values, as messages."""
    found: list[Spoken] = []
    for vector in vectors:
        *before, (topic, payload) = messages_of(vector)
        profile, points = fresh(name), Anybody()
        assert isinstance(profile, DescribedProfile)
        for octets in before:
            profile.decode([octets[0]], [octets[1]], points)
        decoded = profile.decode([topic], [payload], points)
        if decoded.rejected or set(decoded.metric.tolist()) <= {int(Metric.DEVICE_ONLINE)}:
            continue
        captures = [str(text) for one in profile.candidates(topic)[:1] for text in one.captures.values()]
        uids = "\0".join(uid.lower() for uid, _ in points.places)
        varying = [text for text in captures if _may_vary(text, topic) and text.lower() in uids]
        device = max(varying, key=len, default="")
        if len(found) == VECTORS_MAX:
            break
        found.append(Spoken(vector.name, tuple(before), topic, payload, device))
    return found


def _may_vary(text: str, topic: str) -> bool:
    return len(text) > 2 and topic.count(text) == 1 and f"/{text}/" in f"/{topic}/"


def warm(name: str, spoken: Sequence[Spoken], *, watches: bool = True) -> tuple[Profile, Anybody]:
    """A profile that has heard every device, and each vector often enough to know its form; `watches` as for
    `fresh`."""
    profile, points = fresh(name, watches=watches), Anybody()
    for one in spoken:
        for topic, payload in one.before:
            profile.decode([topic], [payload], points)
        for _ in range(3):
            profile.decode(*one.messages(2 * WORTH_A_FORM, seed=0), points)
            for _ in range(TICKS_BETWEEN):
                profile.decode([], [], points)
    for one in spoken:
        for start in (*range(0, DEVICES, WORTH_A_FORM), *range(0, DEVICES, WORTH_A_FORM)):
            profile.decode(*one.messages(WORTH_A_FORM, seed=0, first=start), points)
    return profile, points


def varied(payload: bytes, chance: random.Random) -> bytes:
    """The payload with numbers that are up to a hundredth off, as many digits as they had; a lone number
    as well."""

    def other(match: re.Match[bytes]) -> bytes:
        text = match[0]
        point = text.find(b".")
        number = float(text) * chance.uniform(0.99, 1.01)
        return b"%d" % round(number) if point < 0 else b"%.*f" % (len(text) - point - 1, number)

    return _NUMBER.sub(other, b" " + payload + b" ")[1:-1]
