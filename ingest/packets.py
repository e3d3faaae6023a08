"""What comes out of `ingest/wire.py`: values that know nothing of the codec.

Errors:
* WireError: the bytes cannot be what they must be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


class WireError(Exception):
    """The peer sent what MQTT 5 does not allow it to send to us."""


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to CONNECT. `None` where the broker left our own value standing."""

    accepted: bool
    reason: str
    session_present: bool
    keep_alive_s: int | None
    session_expiry_s: int | None


@dataclass(frozen=True, slots=True)
class Suback:
    """For each filter asked for, why it did not get QoS 1; empty where it did."""

    packet_id: int
    reasons: tuple[str, ...]

    def refused(self, filters: Sequence[str]) -> list[tuple[str, str]]:
        """The filters that did not get QoS 1, each with the reason."""
        return [(name, reason) for name, reason in zip(filters, self.reasons, strict=False) if reason]


@dataclass(frozen=True, slots=True)
class Unsuback:
    """The broker's answer to UNSUBSCRIBE: what was asked for is subscribed no more, or never was."""

    packet_id: int


@dataclass(frozen=True, slots=True)
class Pong:
    """PINGRESP: the broker has handled all we sent before the PINGREQ."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The broker ended the connection and said why."""

    reason: str
    taken_over: bool


Control = Connack | Suback | Unsuback | Pong | Disconnected


@dataclass(slots=True)
class Received:
    """What one feed completed: PUBLISH packets as parallel lists in arrival order, and the rest apart.

    `packet_ids` is 0 for QoS 0.
    """

    topics: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    packet_ids: list[int] = field(default_factory=list)
    retain: list[bool] = field(default_factory=list)
    dup: list[bool] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.topics)

    def extend(self, other: Received) -> None:
        """Appends what came later."""
        self.topics += other.topics
        self.payloads += other.payloads
        self.packet_ids += other.packet_ids
        self.retain += other.retain
        self.dup += other.dup
        self.controls += other.controls
