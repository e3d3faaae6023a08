"""`gengfu bench decode`: microseconds to make readings of a message, profile by profile.

The messages are those of a profile's own test vectors: each vector that yields readings is said over and over
by a thousand devices, with other numbers each time, in ticks of two thousand messages. A tick holds messages
of one vector, which is the best case, or of all of them in turn (`mixed`). Everything is registered. Times
are CPU time of the thread.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from benchmarks.errors import CannotMeasure
from benchmarks.spoken import DEVICES, FIRST, Spoken, fresh, own_spoken, spoken_of, warm
from benchmarks.watch_cost import WatchFigures, watch_figures
from devices.model import Int32
from devices.profiles.checking.vectors import Anybody
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast import Fast
from devices.profiles.own import own_profile as own
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Decoded, Points, Profile
from devices.profiles.shipped import shipped_files
from devices.profiles.sources import Sources

MESSAGES: Final = 2000
"""Of a tick."""
ROUNDS: Final = 5
"""Ticks that are measured; the fastest counts, so that what else the machine does is left out (chosen)."""
_GENERAL: Final = 200
"""Messages that the general way is measured with: it costs the same for each."""


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
    watch: dict[str, WatchFigures]
    vectors: dict[str, list[VectorFigures]]
    devices: int = DEVICES
    messages: int = MESSAGES


def run_bench(names: Sequence[str] = ()) -> DecodeFigures:
    """The whole measurement, a minute for all profiles. Raises CannotMeasure where a name is of no
    profile."""
    files = shipped_files()
    unknown = [name for name in names if name != own.NAME and name not in files]
    if unknown:
        raise CannotMeasure(f"no profile {unknown[0]}; there are {', '.join([own.NAME, *files])}")
    vectors: dict[str, list[VectorFigures]] = {}
    mixed: dict[str, float] = {}
    read_by_form: list[tuple[str, Spoken]] = []
    for name in names or [own.NAME, *files]:
        spoken = own_spoken() if name == own.NAME else spoken_of(name, files[name].test)
        if spoken:
            vectors[name] = [_measured(name, one) for one in spoken]
            mixed[name] = _mixed(name, spoken)
            pairs = zip(spoken, vectors[name], strict=True)
            read_by_form += [(name, one) for one, figures in pairs if figures.fast == 1]
    return DecodeFigures(
        {name: _mean([one.us_per_message for one in some]) for name, some in vectors.items()},
        mixed,
        {name: _mean([one.general_us_per_message for one in some]) for name, some in vectors.items()},
        {name: _mean(first) for name, some in vectors.items() if (first := _first_of(some))},
        {name: _mean([one.points_per_message for one in some]) for name, some in vectors.items()},
        watch_figures(read_by_form, MESSAGES, ROUNDS),
        vectors,
    )


def _measured(name: str, spoken: Spoken) -> VectorFigures:
    profile, points = warm(name, [spoken])
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
    profile, points = warm(name, spoken)
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
    profile, points = fresh(name), Anybody()
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
    lines += ["", "watched for names of fires in what no column reads"] if of.watch else []
    for name, one in of.watch.items():
        costs = f"{one.us_per_message:.2f} us, unwatched {one.unwatched_us_per_message:.2f}"
        lines.append(f"  {one.vectors} vectors {name.replace('_', ' ')}: {costs}")
    for name, some in of.vectors.items():
        slow = [one for one in some if one.fast < 1]
        lines += ["", f"{name}: not (always) read by form"] if slow else []
        lines += [f"  {one.name[:60]:<60} {one.us_per_message:>8.2f} {one.fast:>6.1%}" for one in slow]
    return "\n".join(lines)
