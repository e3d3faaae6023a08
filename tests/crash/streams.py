"""Streams for a house: what Hypothesis chooses, and what must be in the store for it, worked out apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from hypothesis import strategies as st

from alerts.case import Input
from devices.model import InputKind, Metric
from tests.crash.composed import DEVICES
from tests.crash.scripted import Group, Message

START_US: Final = 1_790_000_000_000_000
APART_US: Final = 20_000_000
"""Between groups: an overload held for a minute raises within a stream, and snapshots come due."""

Point = tuple[str, str, int, float]
"""uid, channel, metric, value."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one message says: `kind` smoke, quiet, load, plain, odd or stranger, of device number `who`."""

    kind: str
    who: int
    retain: bool = False


KINDS: Final = ("smoke", "load", "over", "plain", "quiet", "over", "odd", "stranger", "load", "over")
said = st.builds(
    Said,
    st.sampled_from(KINDS),
    st.integers(0, len(DEVICES) - 1),
    st.sampled_from([False, False, False, True]),
)
acts = st.builds(
    lambda kind, rule, slot: Input(START_US, kind, rule, slot, 0),
    st.sampled_from([InputKind.RESET, InputKind.CLOSE, InputKind.UNFOUNDED]),
    st.sampled_from(["S1", "O3"]),
    st.integers(1, 6),
)


@st.composite
def groups(draw: st.DrawFn, *, least: int = 8, most: int = 16) -> list[Group]:
    """A stream; every message has a packet id and, but for smoke, a value of its own."""
    made, number = [], 0
    for index in range(draw(st.integers(least, most))):
        received_us = START_US + index * APART_US
        messages = []
        for one in draw(st.lists(said, min_size=1, max_size=5)):
            number += 1
            messages.append(message(one, number, received_us))
        inputs = tuple(draw(st.lists(acts, max_size=2))) if draw(st.integers(0, 3)) == 0 else ()
        made.append(Group(received_us, tuple(messages), inputs))
    return made


def every_kind(groups: int) -> list[Group]:
    """A stream in which each device says everything in turn."""
    made = []
    for index in range(groups):
        received_us = START_US + index * APART_US
        numbers = range(3 * index + 1, 3 * index + 4)
        each = [message(Said(KINDS[n % len(KINDS)], n % len(DEVICES)), n, received_us) for n in numbers]
        made.append(Group(received_us, tuple(each)))
    return made


def message(one: Said, number: int, received_us: int) -> Message:
    """Message `number` of the stream."""
    name = "nobody" if one.kind == "stranger" else DEVICES[one.who]
    return Message(f"gengfu/{name}/readings", _payload(one, number, received_us), number, one.retain)


def _payload(one: Said, number: int, received_us: int) -> bytes:
    if one.kind in ("smoke", "quiet", "stranger"):
        return msgspec.json.encode({"values": {"smoke.alarm": one.kind != "quiet"}})
    if one.kind == "odd":
        return b'{"values": {"temperature": %d' % number
    if one.kind == "plain":
        return msgspec.json.encode({"channels": {"l1": {"voltage": 200 + number}}})
    current = number / 1000 + (60 if one.kind == "over" else 2)
    at_ms = received_us // 1000 - number  # a little apart, and not always in order
    return msgspec.json.encode({"at": at_ms, "seq": number, "channels": {"l1": {"current": current}}})


def points_of(stream: Sequence[Group]) -> Counter[Point]:
    """What must be stored of it, each as often as said."""
    points: Counter[Point] = Counter()
    for group in stream:
        for one in group.messages:
            uid = f"own:{one.topic.split('/')[1]}"
            try:
                body = msgspec.json.decode(one.payload)
            except msgspec.DecodeError:
                continue
            for channel, values in {"": body.get("values", {}), **body.get("channels", {})}.items():
                for name, value in values.items():
                    points[uid, channel, int(METRICS[name]), float(value)] += 1
    return points


METRICS: Final = {metric.name_on_wire: metric for metric in Metric}
