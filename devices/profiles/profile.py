"""What a profile promises: messages of one tick in, arrays out; refusals are values, not exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from devices.model import Bool, Float64, Int16, Int32, Int64, Metric, UInt32


class Reason(StrEnum):
    """Why a message was refused; the label of the counter and of the dead letter."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    WRONG_TYPE = "wrong_type"
    NOTHING_KNOWN = "nothing_known"
    TOO_LARGE = "too_large"
    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_DEVICE = "unknown_device"
    PROFILE_ERROR = "profile_error"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused message: its index in the input, why, and where exactly.

    True life flags that were found in its bytes are readings all the same, flagged SUSPECT.
    """

    message: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class StrangerReading:
    """A reading of a device nobody registered. Only true life flags are alarmed; the rest shows it exists.

    `observed_us` 0 means that the payload carried no time.
    """

    message: int
    uid: str
    channel: str
    metric: Metric
    value: float
    observed_us: int
    quality: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one call of `Profile.decode` found, in message order.

    Readings are parallel arrays: `row` (of `Points`), `metric` code, `observed_us` (0: the payload carried
    no time), `value` (NaN with a hard quality flag), `quality` bits, `message` (index in the input).
    `seq` has one entry per input message: the device's sequence number, -1 where it sends none.
    """

    row: Int32
    metric: Int16
    observed_us: Int64
    value: Float64
    quality: UInt32
    message: Int32
    seq: Int64
    rejected: list[Rejected]
    strangers: list[StrangerReading]


class Points(Protocol):
    """Where a profile asks for the row of a sensing point (device and channel)."""

    def row(self, uid: str, channel: str) -> int:
        """The row of a registered device's channel, made on first sight; -1 when nobody registered `uid`.

        A row is the same point's for ever, whoever the registry says it belongs to.
        """

    def registered(self, row: Int32) -> Bool:
        """Whether each row's device is registered now: a profile may remember rows, but not that."""


class Profile(Protocol):
    """One vendor's way of speaking. Stateless but for what it remembers of topics (bounded)."""

    name: str
    version: int
    filters: tuple[str, ...]
    """MQTT topic filters to subscribe to."""

    def matches(self, topic: str) -> bool:
        """Whether a message on `topic` is this profile's."""

    def decode(self, topics: Sequence[str], payloads: Sequence[bytes], points: Points) -> Decoded:
        """All messages of one tick at once. Never raises for bad input, whatever the bytes."""


@runtime_checkable
class Remembering(Profile, Protocol):
    """A profile that can say for a whole tick which topics it has taken before."""

    def recall(self, topics: Sequence[str]) -> Int32:
        """Per topic a number that is not negative where it was this profile's and somebody's."""
