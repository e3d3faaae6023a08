"""What a profile promises: messages of one tick in, arrays out; refusals are values, not exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol, runtime_checkable

from devices.model import Bool, Float64, Int16, Int32, Int64, Metric, UInt32
from devices.profiles.searching import Searching


class Reason(StrEnum):
    """Why a message was refused; the label of the counter and of the dead letter."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    WRONG_TYPE = "wrong_type"
    UNREADABLE = "unreadable"
    """Against the rules of a format that is neither text nor JSON, or of one made of JSON."""
    NOTHING_KNOWN = "nothing_known"
    TOO_LARGE = "too_large"
    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_DEVICE = "unknown_device"
    PROFILE_ERROR = "profile_error"
    NO_CODEC = "no_codec"
    """Octets that nobody reads: whatever the device says, a fire too, is not heard."""
    NOT_SEARCHED = "not_searched"
    """Refused, and with too many other long ones to be searched whole for life flags."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused message: its index in the input, why, and where exactly.

    True life flags found in its bytes are readings all the same, flagged SUSPECT. What could be read
    of it has readings too where a part could not be: an object, a life flag's word, an alias.
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


class Note(NamedTuple):
    """What a profile has learnt from its devices and must know after a restart; `value` "" means
    forgotten."""

    profile: str
    table: str
    key: str
    value: str


class Said(NamedTuple):
    """What a device said of itself, or was said of it, beside readings.

    `key`: `label`, `vendor`, `model`, `firmware`, `parent` (a uid), `max_silence` (seconds), `presence` with
    the text `removed`, or `unread` (what it sends that nobody reads, also of strangers).
    """

    uid: str
    key: str
    text: str


class Proposal(NamedTuple):
    """A device that announces itself on `topic` and which a person may register; `topic` "" where the
    announcement is
    withdrawn."""

    uid: str
    topic: str
    detail: dict[str, str]


class Reply(NamedTuple):
    """What a device waits for, where the site allows answers."""

    topic: str
    payload: bytes


class Hold(NamedTuple):
    """A flag that is said once and never taken back: (`row`, `metric`) counts as false again `until_us_after`
    microseconds after the readings of `message`."""

    message: int
    row: int
    metric: int
    until_us_after: int


class Stranger(NamedTuple):
    """A device that nobody has registered and that was heard: on which topic, and what it measures."""

    uid: str
    topic: str
    metrics: frozenset[int]


class Asides(NamedTuple):
    """What a tick's messages brought beside readings."""

    notes: tuple[Note, ...] = ()
    said: tuple[Said, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    replies: tuple[Reply, ...] = ()
    holds: tuple[Hold, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    """At most `STRANGERS_A_TICK` of each profile."""
    unread: tuple[Rejected, ...] = ()
    """Parts of messages that nobody can read though the messages are understood: to be shown as if they had
    been refused."""


BEGINNING: Final = "longer than is read: only its beginning was searched for life flags"
"""Why a message is refused that is too long."""
STRANGERS_A_TICK: Final = 256
"""Devices that nobody has registered of which a tick tells (chosen: who is heard at all is heard again)."""
NO_ASIDES: Final = Asides()


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
    asides: Asides = NO_ASIDES


class Points(Protocol):
    """Where a profile asks for the row of a sensing point (device and channel)."""

    def row(self, uid: str, channel: str) -> int:
        """The row of a registered device's channel, made on first sight; -1 when nobody registered `uid`.

        A row is the same point's for ever, whoever the registry says it belongs to.
        """

    def registered(self, row: Int32) -> Bool:
        """Whether each row's device is registered now: a profile may remember rows, but not that."""


class Everybody(Points, Protocol):
    """Points of a trial, in which whoever is heard is registered: nobody was under another name before."""

    everybody: bool
    """True."""


class Profile(Protocol):
    """One vendor's way of speaking. Stateless but for what it remembers of topics (bounded)."""

    name: str
    version: int
    filters: tuple[str, ...]
    """MQTT topic filters to subscribe to."""

    def matches(self, topic: str) -> bool:
        """Whether a message on `topic` is this profile's."""

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """All messages of one tick at once. Never raises for bad input, whatever the bytes.

        `received_us`: when they came, for times that are relative to it; 0 where nobody knows. `retained`:
        per
        message whether the broker had kept it, None for none of them; such a message says nothing of whether
        its device is there now.
        """


@runtime_checkable
class Remembering(Profile, Protocol):
    """A profile that can say for a whole tick which topics it has taken before."""

    def recall(self, topics: Sequence[str]) -> Int32:
        """Per topic a number that is not negative where it was this profile's and somebody's."""


@runtime_checkable
class Rescuing(Profile, Protocol):
    """A profile that finds life flags in messages that are too long to be read.

    `searching`: how much is searched in a tick; whoever asks several profiles gives all of them the same.
    """

    searching: Searching

    def rescued(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """The true life flags in the beginnings of messages, as `decode` finds them in what it cannot read;
        `payloads` are those beginnings. All are refused as too large."""


@runtime_checkable
class Learning(Profile, Protocol):
    """A profile that learns from its devices what it must know after a restart."""

    def remember(self, notes: Iterable[Note]) -> None:
        """Takes back what it noted before; called once, before the first message. Notes of other profiles and
        such as it cannot use are passed over."""
