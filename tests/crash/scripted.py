"""A broker by script, behind the source's seam: it hands a group over until it is acknowledged whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from alerts.case import Input
from ingest.source import Progress, RawBatch
from tests.ingest.fuse import Fuse


@dataclass(frozen=True, slots=True)
class Message:
    """One PUBLISH at QoS 1; the broker gives it `packet_id`, which no other message of the stream has."""

    topic: str
    payload: bytes
    packet_id: int
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What one poll gives, received at `received_us`, and what people had decided by then."""

    received_us: int
    messages: tuple[Message, ...]
    inputs: tuple[Input, ...] = ()


@dataclass
class Script:
    """The broker: it outlives every process."""

    groups: Sequence[Group]
    acknowledged: set[int] = field(default_factory=set)
    delivered: set[int] = field(default_factory=set)
    decided: int = 0
    epoch: int = 0

    @property
    def done(self) -> bool:
        """Whether everything is acknowledged."""
        return all(self.left(group) == [] for group in self.groups)

    def left(self, group: Group) -> list[Message]:
        """The messages of a group that are not acknowledged."""
        return [one for one in group.messages if one.packet_id not in self.acknowledged]


class Outside(Protocol):
    """What a source sees of its house: the broker, the clock it moves, and people's acts."""

    script: Script
    now_us: int
    skew_us: int

    def decide(self, number: int) -> None:
        """People's acts up to that of this group are in the database."""


class ScriptedSource:
    """One process's `TickSource`."""

    def __init__(self, house: Outside, fuse: Fuse) -> None:
        self._house, self._fuse, self._script = house, fuse, house.script
        self._commits = self._confirmed = 0
        self._script.epoch += 1

    @property
    def progress(self) -> Progress:
        return Progress(0, self._commits, self._confirmed)

    def poll(self, timeout_s: float) -> RawBatch | None:
        self._fuse.pass_by("poll.before")
        script = self._script
        self._confirmed = self._commits
        found = next(((n, g) for n, g in enumerate(script.groups) if script.left(g)), None)
        if found is None:
            return None
        number, group = found
        messages = script.left(group)
        now_us = self._house.now_us = group.received_us + self._house.skew_us
        self._house.decide(number)
        dup = [one.packet_id in script.delivered for one in messages]
        script.delivered.update(one.packet_id for one in messages)
        self._fuse.pass_by("poll.after")
        return RawBatch(
            received_us=now_us,
            epoch=script.epoch,
            topics=[one.topic for one in messages],
            payloads=[one.payload for one in messages],
            packet_ids=[one.packet_id for one in messages],
            retain=[one.retain for one in messages],
            dup=dup,
            queued=False,
        )

    def commit(self, raw: RawBatch) -> None:
        self._fuse.pass_by("acknowledge.before")
        self._commits += 1
        half = len(raw) // 2
        self._script.acknowledged.update(raw.packet_ids[:half])
        self._fuse.pass_by("acknowledge.half")
        self._script.acknowledged.update(raw.packet_ids[half:])
        self._fuse.pass_by("acknowledge.after")

    def tend(self) -> None:
        pass

    def close(self) -> None:
        pass
