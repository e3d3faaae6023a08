"""From raw messages to arrays: which profile speaks for a topic, and one combined result per tick."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import structlog
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Int16, Int32
from devices.profiles.own.alike import joined_asides
from devices.profiles.profile import (
    NO_ASIDES,
    Asides,
    Decoded,
    Profile,
    Reason,
    Rejected,
    Remembering,
    Rescuing,
    StrangerReading,
)
from ingest.doubles import Doubles
from ingest.record import StrangerTopic
from ingest.series import SeriesIndex
from ingest.sightings import Sighting, Sightings

log = structlog.get_logger()

MAX_REMEMBERED_TOPICS: Final = 200_000
"""Then all are forgotten: garbage topics cost a fresh look at each good one, but no memory (chosen)."""
LONGEST_REMEMBERED_TOPIC: Final = 256
"""Longer topics are matched anew each time; MQTT allows 64 KiB each (chosen)."""
_NOBODY: Final = -1
_NOT_YET: Final = -2
_NO_VERSIONS: Final[dict[str, int]] = {}


@dataclass(frozen=True, slots=True)
class DecodedTick:
    """All readings of a tick in message order, strangers' life flags among them, and what else was heard.

    `stranger_topics` pairs rows and metrics of true stranger flags with their topic, in `stranger_rows`.
    """

    decoded: Decoded
    sightings: list[Sighting]
    stranger_rows: list[tuple[int, int, str]]
    asides: Asides = NO_ASIDES


class _Heard(NamedTuple):
    """Messages that came together."""

    topics: Sequence[str]
    payloads: Sequence[bytes]
    received_us: int
    retained: Sequence[bool] | None
    cut: bool = False
    """Whether the payloads are only the beginnings of theirs."""

    def only(self, messages: Sequence[int]) -> _Heard:
        """Some of them, by number."""
        if len(messages) == len(self.topics):
            return self
        kept = None if self.retained is None else [self.retained[n] for n in messages]
        topics = [self.topics[n] for n in messages]
        return _Heard(topics, [self.payloads[n] for n in messages], self.received_us, kept, self.cut)

    def beginnings(self, limit: int) -> _Heard:
        """All of them, cut to so many octets."""
        return self._replace(payloads=[payload[:limit] for payload in self.payloads], cut=True)


class _Grouped(NamedTuple):
    """Message numbers by profile, those that are too long apart from the others, and who is refused."""

    groups: dict[int, Sequence[int]]
    long: dict[int, Sequence[int]]
    rejected: list[Rejected]

    def without(self, copies: Collection[int]) -> _Grouped:
        """The same but for some messages."""
        rejected = [one for one in self.rejected if one.message not in copies]
        return _Grouped(_without(self.groups, copies), _without(self.long, copies), rejected)


class Decoder:
    """Hands each message to the profile that matches its topic, first match first.

    A profile that raises or returns nonsense (a bug) is asked again by halves, so that it costs only the
    messages it cannot take: they are rejected as `profile_error`.
    """

    def __init__(self, profiles: Sequence[Profile], index: SeriesIndex, *, max_payload_bytes: int) -> None:
        self._index = index
        self._max_payload_bytes = max_payload_bytes
        self._profile_of: dict[str, int] = {}
        self._sightings = Sightings()
        self.profile_errors = 0
        """How often a profile raised; each is a bug to report."""
        self.replace(profiles)

    @property
    def remembered_topics(self) -> int:
        """How many topics the decoder holds in memory."""
        return len(self._profile_of)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Those that are asked, first match first."""
        return self._profiles

    def replace(self, profiles: Sequence[Profile]) -> None:
        """Other profiles from the next tick on. They must have met no topic yet: one that recalls a topic
        keeps it before any other."""
        self._profiles = tuple(profiles)
        self._profile_of.clear()
        self._doubles = Doubles(self._profiles)
        self._usual = 0
        self._remembering = {
            number: profile
            for number, profile in enumerate(self._profiles)
            if isinstance(profile, Remembering)
        }
        self._unsaid = {profile.name: profile.version for profile in self._profiles}

    def take_versions(self) -> dict[str, int]:
        """The profiles' versions by name, where they were not taken since they changed; else none."""
        taken, self._unsaid = self._unsaid, _NO_VERSIONS
        return taken

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> DecodedTick:
        """Everything one tick brought; `received_us` and `retained` as `Profile.decode` takes them. Never
        raises
        for bad input, nor for a bad profile."""
        heard = _Heard(topics, payloads, received_us, retained)
        grouped = self._group(topics, payloads)
        if self._doubles and (copies := self._doubles.copies(topics, payloads, received_us)):
            grouped = grouped.without(copies)
        groups, long, rejected = grouped
        parts: list[Decoded] = []
        sightings: list[Sighting] = []
        for number, messages in groups.items():
            profile = self._profiles[number]
            part = self._ask(profile, heard, messages)
            parts.append(part)
            rejected += part.rejected
            sightings += self._sightings.of(profile.name, part, topics)
        for profile, part in self._rescued(heard, long):
            parts.append(part)
            sightings += self._sightings.of(profile.name, part, topics)
        strangers = [s for part in parts for s in part.strangers]
        extra, stranger_rows = self._strangers(strangers, topics)
        if extra is not None:
            parts.append(extra)
        decoded = _join(parts, len(topics), rejected, strangers)
        asides = decoded.asides
        if sightings:
            said = (*asides.said, *self._sightings.said(sightings))
            asides = asides._replace(said=said, strangers=())
        return DecodedTick(decoded, sightings, stranger_rows, asides)

    def topics_of(self, tick: DecodedTick) -> list[StrangerTopic]:
        """The topics of strangers in alarm, by slot. Call it after the stamps have numbered the series."""
        if not tick.stranger_rows:
            return []
        rows, metrics, topics = zip(*tick.stranger_rows, strict=True)
        seats = self._index.seats_for(np.array(rows, np.int32), np.array(metrics, np.int16))
        slots = self._index.slots_of(seats)
        return [
            StrangerTopic(slot, topic)
            for slot, topic in dict(zip(slots.tolist(), topics, strict=True)).items()
        ]

    def _group(self, topics: Sequence[str], payloads: Sequence[bytes]) -> _Grouped:
        """Message indices by profile, and what no profile is asked about."""
        if not topics:
            return _Grouped({}, {}, [])
        usual = self._remembering.get(self._usual)
        if usual and max(map(len, payloads)) <= self._max_payload_bytes and (usual.recall(topics) >= 0).all():
            return _Grouped(
                {self._usual: range(len(topics))}, {}, []
            )  # the usual tick: one profile, nothing odd
        return self._group_one_by_one(topics, payloads, self._recall(topics))

    def _recall(self, topics: Sequence[str]) -> list[int]:
        """The profile of each topic that one has taken before, -1 for others; the most frequent is usual."""
        found = np.full(len(topics), _NOBODY, np.int32)
        for number, profile in self._remembering.items():
            found[(found == _NOBODY) & (profile.recall(topics) >= 0)] = number
        some = found[found != _NOBODY]
        if len(some):
            self._usual = int(np.bincount(some).argmax())
        remembered: list[int] = found.tolist()
        return remembered

    def _group_one_by_one(
        self, topics: Sequence[str], payloads: Sequence[bytes], remembered: list[int]
    ) -> _Grouped:
        groups: dict[int, list[int]] = {}
        long: dict[int, list[int]] = {}
        rejected = []
        known, limit = self._profile_of, self._max_payload_bytes
        for message, (topic, taken) in enumerate(zip(topics, remembered, strict=True)):
            number = known.get(topic, _NOT_YET) if taken == _NOBODY else taken
            if number == _NOT_YET:
                number = self._look_up(topic)
            if number == _NOBODY:
                rejected.append(Rejected(message, Reason.UNKNOWN_TOPIC, "no profile matches this topic"))
            elif len(payloads[message]) > limit:
                detail = f"{len(payloads[message])} bytes, at most {limit} are read"
                rejected.append(Rejected(message, Reason.TOO_LARGE, detail))
                long.setdefault(number, []).append(message)
            elif number in groups:
                groups[number].append(message)
            else:
                groups[number] = [message]
        return _Grouped(dict(groups), dict(long), rejected)

    def _look_up(self, topic: str) -> int:
        number = next(
            (i for i, profile in enumerate(self._profiles) if self._matches(profile, topic)), _NOBODY
        )
        if len(topic) <= LONGEST_REMEMBERED_TOPIC:
            if len(self._profile_of) >= MAX_REMEMBERED_TOPICS:
                self._profile_of.clear()
            self._profile_of[topic] = number
        return number

    def _matches(self, profile: Profile, topic: str) -> bool:
        try:
            return profile.matches(topic)
        except Exception:
            self._report(profile)
            return False

    def _rescued(self, heard: _Heard, long: dict[int, Sequence[int]]) -> Iterator[tuple[Profile, Decoded]]:
        """What is found in the beginnings of messages that are too long, which are refused already."""
        if not long:
            return
        beginnings = heard.beginnings(self._max_payload_bytes)
        for number, messages in long.items():
            profile = self._profiles[number]
            if isinstance(profile, Rescuing):
                yield profile, self._ask(profile, beginnings, messages)

    def _ask(self, profile: Profile, heard: _Heard, messages: Sequence[int]) -> Decoded:
        """The profile's answer with message indices of the tick."""
        asked = heard.only(messages)
        try:
            part = self._checked(profile, asked)
        except Exception as error:  # a bug in a profile must cost its own message only
            self._report(profile)
            return self._halved(profile, heard, messages, error)
        return part if asked is heard else _renumber(part, messages)

    def _checked(self, profile: Profile, heard: _Heard) -> Decoded:
        topics, payloads, received_us, retained, cut = heard
        ask = profile.rescued if cut and isinstance(profile, Rescuing) else profile.decode
        part = ask(topics, payloads, self._index, received_us=received_us, retained=retained)
        columns = (part.row, part.metric, part.observed_us, part.value, part.quality, part.message)
        if len({len(column) for column in columns}) != 1 or len(part.seq) != len(topics):
            raise ValueError("arrays of different length")
        if len(part.row) and not (
            _within(part.row, 0, self._index.rows)
            and _within(part.metric, 1, METRIC_LIMIT)
            and _within(part.message, 0, len(topics))
        ):
            raise ValueError("row, metric or message out of range")
        named = [one.message for one in part.rejected] + [one.message for one in part.strangers]
        if not all(0 <= message < len(topics) for message in named):
            raise ValueError("rejected or stranger message out of range")
        return part

    def _halved(
        self,
        profile: Profile,
        heard: _Heard,
        messages: Sequence[int],
        error: Exception,
    ) -> Decoded:
        """The answer for messages of which one at least makes the profile fail, with `error`.

        The halves are asked again, so that one such message costs about as much as the whole tick once more.
        """
        if len(messages) == 1:
            detail = f"profile {profile.name} failed: {type(error).__name__}"
            return _join([], len(heard.topics), [Rejected(messages[0], Reason.PROFILE_ERROR, detail)], [])
        middle = len(messages) // 2
        parts = []
        for half in (messages[:middle], messages[middle:]):
            try:
                parts.append(_renumber(self._checked(profile, heard.only(half)), half))
            except Exception as found:
                parts.append(self._halved(profile, heard, half, found))
        rejected = [one for part in parts for one in part.rejected]
        strangers = [stranger for part in parts for stranger in part.strangers]
        return _join(parts, len(heard.topics), rejected, strangers)

    def _report(self, profile: Profile) -> None:
        self.profile_errors += 1
        if (
            self.profile_errors & (self.profile_errors - 1) == 0
        ):  # the 1st, 2nd, 4th, ...: no flood of tracebacks
            log.exception("profile_failed", profile=profile.name, times=self.profile_errors)

    def _strangers(
        self, strangers: list[StrangerReading], topics: Sequence[str]
    ) -> tuple[Decoded | None, list[tuple[int, int, str]]]:
        """Strangers' life flags as readings, and rows, metrics and topics of the true ones."""
        placed = [(self._index.stranger_row(one), one) for one in strangers]
        kept = [(row, one) for row, one in placed if row >= 0]
        if not kept:
            return None, []
        found = [one for _, one in kept]
        extra = Decoded(
            np.array([row for row, _ in kept], np.int32),
            np.array([one.metric for one in found], np.int16),
            np.array([one.observed_us for one in found], np.int64),
            np.array([one.value for one in found], np.float64),
            np.array([one.quality for one in found], np.uint32),
            np.array([one.message for one in found], np.int32),
            np.full(len(topics), -1, np.int64),
            [],
            [],
        )
        return extra, [(row, int(one.metric), topics[one.message]) for row, one in kept if one.value == 1.0]


def _without(groups: dict[int, Sequence[int]], copies: Collection[int]) -> dict[int, Sequence[int]]:
    kept = {number: [n for n in some if n not in copies] for number, some in groups.items()}
    return {number: some for number, some in kept.items() if some}


def _within(values: Int32 | Int16, low: int, high: int) -> bool:
    return bool(values.min() >= low and values.max() < high)


def _renumber(part: Decoded, messages: Sequence[int]) -> Decoded:
    """`part` of some messages, with the tick's numbers; its `seq` stays one per asked message."""
    number = np.array(messages, np.int32)
    seq = np.full(max(messages) + 1, -1, np.int64)
    seq[number] = part.seq
    return Decoded(
        part.row,
        part.metric,
        part.observed_us,
        part.value,
        part.quality,
        number[part.message],
        seq,
        [Rejected(messages[one.message], one.reason, one.detail) for one in part.rejected],
        [
            StrangerReading(
                messages[one.message],
                one.uid,
                one.channel,
                one.metric,
                one.value,
                one.observed_us,
                one.quality,
            )
            for one in part.strangers
        ],
        part.asides._replace(
            holds=tuple(hold._replace(message=messages[hold.message]) for hold in part.asides.holds)
        ),
    )


def _join(
    parts: list[Decoded], count: int, rejected: list[Rejected], strangers: list[StrangerReading]
) -> Decoded:
    """One result in message order. Each part's `seq` is numbered by the tick's messages, -1 for others'."""
    if len(parts) == 1 and len(parts[0].seq) == count:
        one = parts[0]
        return Decoded(
            one.row,
            one.metric,
            one.observed_us,
            one.value,
            one.quality,
            one.message,
            one.seq,
            rejected,
            strangers,
            one.asides,
        )
    seq = np.full(count, -1, np.int64)
    for part in parts:
        np.maximum(seq[: len(part.seq)], part.seq, out=seq[: len(part.seq)])
    message = _column(parts, "message", np.int32)
    order = np.argsort(message, kind="stable")
    return Decoded(
        _column(parts, "row", np.int32)[order],
        _column(parts, "metric", np.int16)[order],
        _column(parts, "observed_us", np.int64)[order],
        _column(parts, "value", np.float64)[order],
        _column(parts, "quality", np.uint32)[order],
        message[order],
        seq,
        rejected,
        strangers,
        joined_asides([part.asides for part in parts]),
    )


def _column(parts: list[Decoded], name: str, dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, dtype)]).astype(
        dtype, copy=False
    )
