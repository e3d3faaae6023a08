"""From raw messages to arrays: which profile speaks for a topic, and one combined result per tick."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

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
from devices.profiles.searching import TICK_OCTETS, Searching
from ingest.answers import together
from ingest.asking import Asking, Heard
from ingest.doubles import Doubles
from ingest.record import StrangerTopic
from ingest.series import SeriesIndex
from ingest.sightings import Sighting, Sightings

MAX_REMEMBERED_TOPICS: Final = 200_000
"""Then all are forgotten: garbage topics cost a fresh look at each good one, but no memory (chosen)."""
LONGEST_REMEMBERED_TOPIC: Final = 256
"""Longer topics are matched anew each time; MQTT allows 64 KiB each (chosen)."""
SHORT_US: Final = 3_600_000_000
"""How long it is said that messages were too long to be searched, after the last (chosen)."""
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

    A profile that raises or returns nonsense (a bug) costs only the messages it cannot take (`Asking`).
    """

    def __init__(self, profiles: Sequence[Profile], index: SeriesIndex, *, max_payload_bytes: int) -> None:
        self._index = index
        self._max_payload_bytes = max_payload_bytes
        self._profile_of: dict[str, int] = {}
        self._sightings = Sightings()
        self._asking = Asking(index)
        self._searching = Searching(TICK_OCTETS)
        self._short_us = 0
        self.replace(profiles)

    @property
    def remembered_topics(self) -> int:
        """How many topics the decoder holds in memory."""
        return len(self._profile_of)

    @property
    def profile_errors(self) -> int:
        """How often a profile raised; each is a bug to report."""
        return self._asking.errors

    @property
    def unsearched(self) -> int:
        """How many refused messages were too long to be searched whole for life flags, beside others of their
        tick."""
        return self._searching.short

    def is_short(self, now_us: int) -> bool:
        """Whether that happened within `SHORT_US`: somebody floods, or a device sends what is too long."""
        return bool(self.unsearched) and now_us - self._short_us < SHORT_US

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """Those that are asked, first match first."""
        return self._profiles

    def replace(self, profiles: Sequence[Profile]) -> None:
        """Other profiles from the next tick on. They must have met no topic yet: one that recalls a topic
        keeps it before any other."""
        self._profiles = tuple(profiles)
        for profile in self._profiles:
            if isinstance(profile, Rescuing):
                profile.searching = self._searching
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
        raises for bad input, nor for a bad profile."""
        self._searching.start_tick()
        unsearched = self._searching.short
        heard = Heard(topics, payloads, received_us, retained)
        grouped = self._group(topics, payloads)
        if self._doubles and (copies := self._doubles.copies(topics, payloads, received_us)):
            grouped = grouped.without(copies)
        groups, long, rejected = grouped
        parts: list[Decoded] = []
        sightings: list[Sighting] = []
        for number, messages in groups.items():
            profile = self._profiles[number]
            part = self._asking.ask(profile, heard, messages)
            parts.append(part)
            rejected += part.rejected
            refused = {one.message for one in part.rejected}
            rejected += [one for one in part.asides.unread if one.message not in refused]
            sightings += self._sightings.of(profile.name, part, topics)
        for profile, part in self._rescued(heard, long):
            parts.append(part)
            sightings += self._sightings.of(profile.name, part, topics)
        if self._searching.short != unsearched:
            self._short_us = received_us
        strangers = [s for part in parts for s in part.strangers]
        extra, stranger_rows = self._strangers(strangers, topics)
        if extra is not None:
            parts.append(extra)
        decoded = together(parts, len(topics), rejected, strangers)
        asides = decoded.asides
        if sightings:
            said = (*asides.said, *self._sightings.said(sightings))
            asides = asides._replace(said=said, strangers=())
        asides = asides._replace(unread=()) if asides.unread else asides
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
            self._asking.report(profile)
            return False

    def _rescued(self, heard: Heard, long: dict[int, Sequence[int]]) -> Iterator[tuple[Profile, Decoded]]:
        """What is found in the beginnings of messages that are too long, which are refused already."""
        if not long:
            return
        beginnings = heard.beginnings(self._max_payload_bytes)
        for number, messages in long.items():
            profile = self._profiles[number]
            if isinstance(profile, Rescuing):
                yield profile, self._asking.ask(profile, beginnings, messages)

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
