"""`gengfu bench decode`: microseconds to make readings of a message, profile by profile.

The messages are those of a profile's own test vectors: each vector that yields readings is said over and over
by a thousand devices, with other numbers each time, in ticks of two thousand messages. A tick holds messages
of one vector, which is the best case, or of all of them in turn (`mixed`). Everything is registered. Times
are CPU time of the thread.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.errors import CannotMeasure
from devices.model import Int32, Metric
from devices.profiles.checking.vectors import Anybody, Octets, messages_of
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast import Fast
from devices.profiles.fast.fast_way import TICKS_BETWEEN, WORTH_A_FORM, FastWay
from devices.profiles.language.file import Vector
from devices.profiles.own import own_profile as own
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Decoded, Points, Profile
from devices.profiles.shipped import shipped_compiled, shipped_files
from devices.profiles.sources import Sources

DEVICES: Final = 1000
MESSAGES: Final = 2000
"""Of a tick."""
ROUNDS: Final = 5
"""Ticks that are measured; the fastest counts, so that what else the machine does is left out (chosen)."""
VECTORS_MAX: Final = 8
"""Of a profile, the first that yield values (chosen, for the time it takes)."""
FIRST: Final = 500
"""Devices of a tick that nobody has heard before."""
_GENERAL: Final = 200
"""Messages that the general way is measured with: it costs the same for each."""
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


class VectorFigures(Struct, frozen=True):
    """One vector. `fast`: the share of its messages that are read by their form. `first_us_per_message` is
    None where its topic and payload name no device that could be another."""

    name: str
    points_per_message: float
    us_per_message: float
    general_us_per_message: float
    first_us_per_message: float | None
    fast: float


class DecodeFigures(Struct, frozen=True):
    """What `gengfu bench decode --json` prints; docs/benchmarks.md says what each key means."""

    us_per_message: dict[str, float]
    mixed_us_per_message: dict[str, float]
    general_us_per_message: dict[str, float]
    first_us_per_message: dict[str, float]
    points_per_message: dict[str, float]
    vectors: dict[str, list[VectorFigures]]
    devices: int = DEVICES
    messages: int = MESSAGES


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
            payloads.append(_varied(payload, chance))
        return topics, payloads

    def _of_device(self, n: int) -> tuple[str, bytes]:
        if not self.device:
            return self.topic, self.payload
        named = f"{self.device[:-4]}{n:04x}" if _HEX.fullmatch(self.device) else f"{self.device}{n}"
        payload = self.payload.replace(self.device.encode(), named.encode())
        payload = payload.replace(self.device.upper().encode(), named.upper().encode())
        return self.topic.replace(self.device, named), payload


def run_bench(names: Sequence[str] = ()) -> DecodeFigures:
    """The whole measurement, a minute for all profiles. Raises CannotMeasure where a name is of no
    profile."""
    files = shipped_files()
    unknown = [name for name in names if name != own.NAME and name not in files]
    if unknown:
        raise CannotMeasure(f"no profile {unknown[0]}; there are {', '.join([own.NAME, *files])}")
    vectors: dict[str, list[VectorFigures]] = {}
    mixed: dict[str, float] = {}
    for name in names or [own.NAME, *files]:
        spoken = _own_spoken() if name == own.NAME else _spoken(name, files[name].test)
        if spoken:
            vectors[name] = [_measured(name, one) for one in spoken]
            mixed[name] = _mixed(name, spoken)
    return DecodeFigures(
        {name: _mean([one.us_per_message for one in some]) for name, some in vectors.items()},
        mixed,
        {name: _mean([one.general_us_per_message for one in some]) for name, some in vectors.items()},
        {name: _mean(first) for name, some in vectors.items() if (first := _first_of(some))},
        {name: _mean([one.points_per_message for one in some]) for name, some in vectors.items()},
        vectors,
    )


def _fresh(name: str) -> Profile:
    """A profile that has heard nothing yet."""
    if name == own.NAME:
        return OwnProfile()
    compiled = shipped_compiled()
    (one,) = [one for one in compiled if one.name == name]
    profile = DescribedProfile(one, [thing for other in compiled for thing in other.objects])
    if isinstance(profile.fast, FastWay):
        profile.fast.answers = False  # as on a site that does not allow them
    return profile


def _own_spoken() -> list[Spoken]:
    return [
        Spoken(f"own {n + 1}", (), "gengfu/flat/readings", msgspec.json.encode(said), "flat")
        for n, said in enumerate(_OWN)
    ]


def _spoken(name: str, vectors: Sequence[Vector]) -> list[Spoken]:
    """The vectors that yield values, as messages."""
    found: list[Spoken] = []
    for vector in vectors:
        *before, (topic, payload) = messages_of(vector)
        profile, points = _fresh(name), Anybody()
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


def _measured(name: str, spoken: Spoken) -> VectorFigures:
    profile, points = _warm(name, [spoken])
    rest = _general_share(profile, *spoken.messages(_GENERAL, seed=0), points)
    size, rounds = (
        (MESSAGES, ROUNDS) if rest < 0.5 else (_GENERAL, 2)
    )  # what is slow need not be measured for long
    us, decoded = _fastest(profile, [spoken.messages(size, seed=1 + n) for n in range(rounds)], points)
    return VectorFigures(
        spoken.name,
        round(len(decoded.row) / size, 2),
        round(us / size, 2),
        round(_general_us(name, spoken), 2),
        _first_us(profile, spoken, points),
        round(1 - rest, 3),
    )


def _first_us(profile: Profile, spoken: Spoken, points: Anybody) -> float | None:
    """What the first message of a device costs when others have said the like."""
    if not spoken.device:
        return None
    us, _ = _fastest(profile, [spoken.newcomers(n) for n in range(ROUNDS)], points)
    return round(us / FIRST, 2)


def _first_of(some: Sequence[VectorFigures]) -> list[float]:
    return [one.first_us_per_message for one in some if one.first_us_per_message is not None]


def _mixed(name: str, spoken: Sequence[Spoken]) -> float:
    """A tick of all vectors, each device saying one of them."""
    profile, points = _warm(name, spoken)
    ticks = []
    for n in range(ROUNDS + 1):
        each = [
            one.messages(-(-MESSAGES // len(spoken)), seed=n, first=10 * at) for at, one in enumerate(spoken)
        ]
        pairs = [pair for some in each for pair in zip(*some, strict=True)]
        random.Random(n).shuffle(pairs)  # noqa: S311 - an order, no secret
        ticks.append(([topic for topic, _ in pairs], [payload for _, payload in pairs]))
    profile.decode(*ticks[0], points)
    us, _ = _fastest(profile, ticks[1:], points)
    return round(us / len(ticks[0][0]), 2)


def _warm(name: str, spoken: Sequence[Spoken]) -> tuple[Profile, Anybody]:
    """A profile that has heard every device, and each vector often enough to know its form."""
    profile, points = _fresh(name), Anybody()
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


def _fastest(
    profile: Profile, ticks: Sequence[tuple[list[str], list[bytes]]], points: Anybody
) -> tuple[float, Decoded]:
    """The least CPU time that one of the ticks took, in µs, and its readings."""
    best = float("inf")
    for topics, payloads in ticks:
        started = time.thread_time_ns()
        decoded = profile.decode(topics, payloads, points)
        best = min(best, (time.thread_time_ns() - started) / 1000)
    return best, decoded


def _general_us(name: str, spoken: Spoken) -> float:
    """What a message costs that no form takes."""
    profile, points = _fresh(name), Anybody()
    if isinstance(profile, DescribedProfile):
        profile.fast = None
    for topic, payload in spoken.before:
        profile.decode([topic], [payload], points)
    if isinstance(profile, DescribedProfile):
        profile.decode(*spoken.messages(_GENERAL, seed=0), points)
    us, _ = _fastest(profile, [spoken.messages(_GENERAL, seed=1)], points)
    return us / _GENERAL


def _general_share(profile: Profile, topics: list[str], payloads: list[bytes], points: Anybody) -> float:
    """The part of the messages that goes the general way."""
    if isinstance(profile, OwnProfile):
        return len(profile.shapes.take(profile.recall(topics), payloads)[1]) / len(topics)
    assert isinstance(profile, DescribedProfile)
    fast = profile.fast
    assert fast is not None
    counted = profile.fast = _Counted(fast)
    profile.decode(topics, payloads, points)
    profile.fast = fast
    return counted.rest / len(topics)


class _Counted:
    """A fast way that says how many messages it left to the general way in the last tick."""

    def __init__(self, fast: Fast) -> None:
        self._fast = fast
        self.learn = fast.learn
        self.forget = fast.forget
        self.recognise = fast.recognise
        self.met = fast.met
        self.answers = fast.answers
        self.rest = 0

    def take(
        self, source: Int32, payloads: Sequence[bytes], sources: Sources, points: Points
    ) -> tuple[list[Decoded], Sequence[int]]:
        """As `Fast.take`."""
        parts, rest = self._fast.take(source, payloads, sources, points)
        self.rest = len(rest)
        return parts, rest


def _varied(payload: bytes, chance: random.Random) -> bytes:
    """The payload with numbers that are up to a hundredth off, as many digits as they had; a lone number
    as well."""

    def other(match: re.Match[bytes]) -> bytes:
        text = match[0]
        point = text.find(b".")
        number = float(text) * chance.uniform(0.99, 1.01)
        return b"%d" % round(number) if point < 0 else b"%.*f" % (len(text) - point - 1, number)

    return _NUMBER.sub(other, b" " + payload + b" ")[1:-1]


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 2)


def describe(of: DecodeFigures) -> str:
    """A table for people: profiles, and the vectors of each that are not read by their form."""
    rows: list[tuple[str, ...]] = [("profile", "us", "mixed", "general", "first", "points")]
    for name, us in of.us_per_message.items():
        figures = (
            us,
            of.mixed_us_per_message[name],
            of.general_us_per_message[name],
            of.first_us_per_message.get(name, float("nan")),
            of.points_per_message[name],
        )
        rows.append((name, *(f"{figure:.2f}" for figure in figures)))
    lines = [f"{name:<24}" + "".join(f"{cell:>10}" for cell in cells) for name, *cells in rows]
    for name, some in of.vectors.items():
        slow = [one for one in some if one.fast < 1]
        lines += ["", f"{name}: not (always) read by form"] if slow else []
        lines += [f"  {one.name[:60]:<60} {one.us_per_message:>8.2f} {one.fast:>6.1%}" for one in slow]
    return "\n".join(lines)
