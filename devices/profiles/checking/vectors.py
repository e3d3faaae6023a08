"""A profile's own tests: its vectors go through the real decoder, and what comes out is held against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from devices.decode_command import EARLIEST_US
from devices.model import Bool, Int32, Metric, Quality
from devices.profiles.language.file import Expected, ProfileFile, Vector
from devices.profiles.profile import Decoded, Profile, Reason

RELATIVE: Final = 1e-9
"""How far a value may be off, for decimal numbers in binary; around 0 the same as a distance (chosen)."""
TIME_US: Final = 1_000
"""How far a time may be off: `gengfu decode` prints milliseconds."""
_BEFORE: Final = ("topic", "payload", "hex")

Octets = tuple[str, bytes]
"""A topic, and the payload that came on it."""


class Shown(NamedTuple):
    """A reading in the words of `gengfu decode`, or what a device said of itself (label, vendor, …).

    `name` is the metric's own name where `metric` is shared by several. `observed_us` 0: the payload had no
    time.
    """

    device: str
    metric: str
    name: str
    role: str
    channel: str
    value: float | bool | str | None
    unit: str
    observed_us: int
    quality: frozenset[str]


class Discord(NamedTuple):
    """Where a vector and the decoder differ: `where` in the file, and how."""

    where: str
    problem: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one vector; without discords it has passed."""

    name: str
    where: str
    discords: tuple[Discord, ...]


def run_vectors(profile: ProfileFile, fresh: Callable[[], Profile]) -> list[Outcome]:
    """Every vector of a profile, each in a decoder of its own that `fresh` makes, without memories.

    A vector passes when its message yields the readings it expects and no others, in any order. Never raises
    for what stands in the file.
    """
    return [
        Outcome(vector.name, f"test[{n}]", tuple(_discords(vector, f"test[{n}]", fresh)))
        for n, vector in enumerate(profile.test)
    ]


def messages_of(vector: Vector) -> list[Octets]:
    """The messages of a vector in order, the last the one that is looked at. ValueError: not a vector."""
    before = [
        (one.get("topic", ""), _octets(one.get("payload", ""), one.get("hex", ""))) for one in vector.before
    ]
    return [*before, (vector.topic, _octets(vector.payload, vector.hex))]


def _octets(payload: str, octets: str) -> bytes:
    if octets and payload:
        raise ValueError("payload and hex are both given")
    try:
        return bytes.fromhex(octets) if octets else payload.encode()
    except ValueError:
        raise ValueError("hex: not hexadecimal digits in pairs") from None


def _discords(vector: Vector, where: str, fresh: Callable[[], Profile]) -> Iterator[Discord]:
    wrong = list(_malformed(vector, where))
    if wrong:
        yield from wrong
        return
    *before, last = messages_of(vector)
    profile, anybody = fresh(), Anybody()
    for topic, payload in before:
        profile.decode([topic], [payload], anybody)
    decoded = profile.decode([last[0]], [last[1]], anybody, retained=[vector.retain])
    yield from _refusals(decoded, vector, where)
    shown = list(shown_of(decoded, anybody, retained=vector.retain))
    said = [
        Shown(one.uid, one.key, one.key, "", "", one.text, "", 0, frozenset()) for one in decoded.asides.said
    ]
    yield from _differences(vector, where, shown, said)


def _malformed(vector: Vector, where: str) -> Iterator[Discord]:
    """What is wrong with the vector itself."""
    for n, one in enumerate(vector.before):
        for key in one.keys() - set(_BEFORE):
            yield Discord(f"{where}.before[{n}].{key}", f"unknown key; allowed are {', '.join(_BEFORE)}")
    try:
        messages_of(vector)
    except ValueError as error:
        yield Discord(where, str(error))
    if vector.rejected and vector.rejected not in set(Reason):
        yield Discord(f"{where}.rejected", f"no such reason; there are {', '.join(Reason)}")
    for n, wanted in enumerate(vector.expect):
        if wanted.observed_at and _instant_us(wanted.observed_at) is None:
            yield Discord(
                f"{where}.expect[{n}].observed_at", "not a time with its zone, such as 2026-01-01T08:00:00Z"
            )


def _refusals(decoded: Decoded, vector: Vector, where: str) -> Iterator[Discord]:
    found = [f"{one.reason} ({one.detail})" for one in decoded.rejected]
    reasons = {str(one.reason) for one in decoded.rejected}
    if vector.rejected and vector.rejected not in reasons:
        yield Discord(f"{where}.rejected", f"expected to be refused, got {', '.join(found) or 'no refusal'}")
    elif not vector.rejected and found:
        yield Discord(where, f"refused: {', '.join(found)}")


def _differences(
    vector: Vector, where: str, shown: Sequence[Shown], said: Sequence[Shown]
) -> Iterator[Discord]:
    """What was expected and did not come, and what came and was not expected."""
    found = [*shown, *said]
    taken = matched(vector.expect, found)
    left = [one for n, one in enumerate(shown) if n not in taken]
    for n, one in enumerate(vector.expect):
        if n in taken.values():
            continue
        near = next((other for other in left if _near(one, other)), None)
        place = f"{where}.expect[{n}]"
        if near is None:
            yield Discord(place, f"not found: {_expected_text(one)}")
        else:
            left.remove(near)
            yield Discord(place, f"expected {_expected_text(one)}, got {_shown_text(near)}")
    if not vector.partly:
        for other in left:
            yield Discord(where, f"not expected: {_shown_text(other)}")


def matched(expected: Sequence[Expected], found: Sequence[Shown]) -> dict[int, int]:
    """Found → expected, as many pairs as there can be: what fits several goes where it must."""
    fits = [[n for n, one in enumerate(found) if _fits(wanted, one)] for wanted in expected]
    taken: dict[int, int] = {}
    for start in sorted(range(len(expected)), key=lambda n: len(fits[n])):
        _place(start, fits, taken)
    return taken


def _place(start: int, fits: Sequence[Sequence[int]], taken: dict[int, int]) -> None:
    """Finds a place for one expectation, moving others where needed."""
    came_from: dict[int, int] = {}
    queue = [start]
    for wanted in queue:
        for one in fits[wanted]:
            if one in came_from:
                continue
            came_from[one] = wanted
            if one in taken:
                queue.append(taken[one])
                continue
            while True:  # the end of a path: everybody on it moves up
                mover = came_from[one]
                before = next((n for n, owner in taken.items() if owner == mover), None)
                taken[one] = mover
                if before is None:
                    return
                one = before  # noqa: PLW2901 - walks the path back


def _fits(expected: Expected, one: Shown) -> bool:
    return (
        expected.metric in (one.metric, one.name)
        and expected.device in ("", one.device)
        and expected.channel in ("", one.channel)
        and expected.unit in ("", one.unit)
        and expected.role in ("", one.role)
        and frozenset(expected.quality) == one.quality
        and _same_value(expected.value, one.value)
        and _same_time(expected.observed_at, one.observed_us)
    )


def _near(expected: Expected, one: Shown) -> bool:
    """Whether it is likely that this reading was meant."""
    return expected.metric in (one.metric, one.name) and expected.channel in ("", one.channel)


def _same_value(expected: float | bool | str | None, got: float | bool | str | None) -> bool:
    if isinstance(expected, str) or isinstance(got, str) or expected is None or got is None:
        return expected == got
    return math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=RELATIVE)


def _same_time(expected: str, got_us: int) -> bool:
    wanted_us = _instant_us(expected) if expected else got_us
    return wanted_us is not None and abs(wanted_us - got_us) < TIME_US


def _instant_us(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if instant.tzinfo is None else round(instant.timestamp() * 1e6)


def shown_of(decoded: Decoded, anybody: Anybody, *, retained: bool) -> Iterator[Shown]:
    """The readings of one message as `gengfu decode` says them."""
    for n in range(len(decoded.row)):
        metric = Metric(int(decoded.metric[n]))
        value = float(decoded.value[n])
        quality = Quality(int(decoded.quality[n])) | (Quality.RETAINED if retained else Quality(0))
        observed_us = int(decoded.observed_us[n])
        if observed_us and observed_us < EARLIEST_US:
            quality, observed_us = quality | Quality.CLOCK_INVALID, 0
        device, channel = anybody.places[decoded.row[n]]
        yield Shown(
            device,
            metric.quantity,
            metric.name_on_wire,
            metric.role,
            channel,
            None if math.isnan(value) else bool(value) if metric.is_flag else value,
            metric.unit,
            observed_us,
            frozenset(quality.names),
        )


def _expected_text(one: Expected) -> str:
    at = f" at {one.observed_at}" if one.observed_at else ""
    return _text(one.device, one.metric, one.role, one.channel, one.value, one.unit, one.quality) + at


def _shown_text(one: Shown) -> str:
    instant = datetime.fromtimestamp(one.observed_us / 1e6, UTC).isoformat(timespec="milliseconds")
    at = f" at {instant.replace('+00:00', 'Z')}" if one.observed_us else ""
    quality = sorted(one.quality)
    return _text(one.device, one.metric, one.role, one.channel, one.value, one.unit, quality) + at


def _text(
    device: str,
    metric: str,
    role: str,
    channel: str,
    value: float | bool | str | None,
    unit: str,
    quality: Sequence[str],
) -> str:
    """A reading on one line: `acme:1 current l1 = 4.2 A (retained)`."""
    if value is None or isinstance(value, bool):
        number = {None: "nothing", True: "true", False: "false"}[value]
    else:
        number = value if isinstance(value, str) else f"{value:.12g}"
    flags = f"({', '.join(quality)})" if quality else ""
    return " ".join(part for part in (device, metric, role, channel, "=", number, unit, flags) if part)


@dataclass(slots=True)
class Anybody:
    """Points of a world in which every device is registered; `places` says whose each row is."""

    places: list[tuple[str, str]] = field(default_factory=list)
    everybody: bool = True
    _rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def row(self, uid: str, channel: str) -> int:
        """A row for whoever asks."""
        place = (uid, channel)
        if place not in self._rows:
            self._rows[place] = len(self.places)
            self.places.append(place)
        return self._rows[place]

    def registered(self, row: Int32) -> Bool:
        """All of them."""
        return np.ones(len(row), np.bool_)
