"""What it costs that no fire is passed over in what no column reads: vectors read by form, with and
without."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from benchmarks.spoken import Spoken, warm
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import FastWay
from devices.profiles.general.usual_names import may_tell
from devices.profiles.own import own_profile as own

_NAMED: Final = {False: "without_a_usual_name", True: "with_a_usual_name"}


class WatchFigures(Struct, frozen=True):
    """Means over vectors whose messages are watched (`fast.watched`), of the fastest tick of each."""

    vectors: int
    octets_per_message: float
    us_per_message: float
    unwatched_us_per_message: float


def watch_figures(
    vectors: Sequence[tuple[str, Spoken]], messages: int, rounds: int
) -> dict[str, WatchFigures]:
    """Of vectors, each of a profile: those that hold a usual name of a fire, and those that hold none.
    Vectors whose form leaves nothing unread are not watched, and are in neither."""
    found: dict[str, list[tuple[int, float, float]]] = {}
    for name, spoken in vectors:
        costs = _costs(name, spoken, messages, rounds)
        if costs is not None:
            found.setdefault(_NAMED[may_tell(spoken.payload)], []).append((len(spoken.payload), *costs))
    return {
        name: WatchFigures(
            len(some), *(round(sum(column) / len(some), 3) for column in zip(*some, strict=True))
        )
        for name, some in sorted(found.items())
    }


def _costs(name: str, spoken: Spoken, messages: int, rounds: int) -> tuple[float, float] | None:
    """CPU time of a message with and without the watch, in turn, so that both have the same machine."""
    if name == own.NAME:
        return None
    warmed = [warm(name, [spoken])]
    watching, _ = warmed[0]
    if not (isinstance(watching, DescribedProfile) and isinstance(watching.fast, FastWay)):
        return None
    if not watching.fast.watched:
        return None
    warmed.append(warm(name, [spoken], watches=False))
    best = [float("inf")] * 2
    for n in range(2 * rounds):
        topics, payloads = spoken.messages(messages, seed=1 + n)
        for which, (profile, points) in enumerate(warmed):
            started = time.thread_time_ns()
            profile.decode(topics, payloads, points)
            best[which] = min(best[which], (time.thread_time_ns() - started) / 1000 / messages)
    return best[0], best[1]
