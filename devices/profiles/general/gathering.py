"""One tick's readings of a described profile on their way from single values to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import LIFE_FLAGS, Bool, Float64, Int16, Int32, Int64, Metric
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.comings import Comings, Presence, with_lines
from devices.profiles.general.presence import Attendance, Notice
from devices.profiles.profile import (
    NO_ASIDES,
    STRANGERS_A_TICK,
    Asides,
    Decoded,
    Hold,
    Points,
    Reason,
    Rejected,
    Said,
    Stranger,
    StrangerReading,
)
from devices.profiles.sources import STRANGER, Sources

UNREAD: Final = "unread"
"""Under which it is said what a device sends that nobody reads."""
Numbers = NDArray[np.intp]
Reading = tuple[int, int, int, int, float, int, int, int]
"""Message, place, channel, metric, value, quality, observed_us, hold_us; a plain tuple, for there are
many."""


_COLUMNS: Final = (
    (0, np.int32),
    (3, np.int16),
    (4, np.float64),
    (5, np.uint32),
    (6, np.int64),
    (7, np.int64),
)
"""What becomes of a `Reading`: its place in it, and the type."""


@dataclass(slots=True)
class Gathering:
    """Fills up message by message; `finish` makes arrays of it.

    A *place* is a device under a topic: what the sources number. Texts that are said of a place (`said`),
    its notes (table, key, value) and its parents (`comings`) count only where somebody has registered the
    device.
    """

    sources: Sources
    seq: list[int]
    retained: Sequence[bool] | None = None
    """Per message; None: none of them."""
    rejected: dict[int, Rejected] = field(default_factory=dict)
    said: list[tuple[int, str, str]] = field(default_factory=list)
    notes: list[tuple[int, str, str, str]] = field(default_factory=list)
    heard_besides: list[tuple[int, int]] = field(default_factory=list)
    """(message, place) of messages that were read the fast way, where it matters who is heard."""
    present: list[int] = field(default_factory=list)
    """Places of registered devices of which a message was read the fast way."""
    readings: list[Reading] = field(default_factory=list)
    """Values that have been judged; `add` says what they are."""
    _unread: list[Rejected] = field(default_factory=list)
    _shown: list[int] = field(default_factory=list)
    """Places of devices that a person must see though they have no readings."""
    _keys: list[str] = field(default_factory=list)
    _uids: list[str] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)
    comings: Comings = field(init=False)

    def __post_init__(self) -> None:
        self.comings = Comings(self._uids, self.retained)

    def place(self, topic: str, uid: str, source: int) -> int:
        """The place of a device that a message on `topic` speaks of; `source` is what the topic was
        remembered as.

        A topic stands for the device it was first heard from; others have a key of their own below it.
        """
        key = topic
        known = self._places.get(topic)
        if known is not None:
            if self._uids[known] == uid:
                return known
            key = f"{topic}\0{uid}"
        else:  # as it was remembered, or met by form earlier in the tick
            stands_for = self.sources.uid(source) if source >= 0 else self.sources.met_as(topic)
            if stands_for not in (None, uid):
                key = f"{topic}\0{uid}"
        if key != topic:
            known = self._places.get(key)
            if known is not None:
                return known
        place = self._places[key] = len(self._keys)
        self._keys.append(key)
        self._uids.append(uid)
        self._numbers.append(source if key == topic else -1)
        return place

    def add(
        self,
        message: int,
        place: int,
        channel: str,
        metric: int,
        value: float,
        quality: int,
        observed_us: int = 0,
        hold_us: int = 0,
    ) -> None:
        """A value that has been judged. `hold_us` is 0 unless it is a flag that nobody takes back."""
        number = self.sources.channel_number(channel)
        self.readings.append((message, place, number, metric, value, quality, observed_us, hold_us))

    def notice(self, message: int, place: int, notice: Notice, observed_us: int, quality: int) -> None:
        """Somebody came or went."""
        self.comings.presences.append(Presence(message, place, notice, observed_us, quality))

    def refuse(self, message: int, reason: Reason, detail: str) -> None:
        """The message is refused; the first reason stays."""
        self.rejected.setdefault(message, Rejected(message, reason, detail[:300]))

    def unread(self, message: int, place: int, fault: Unreadable) -> None:
        """The device sends octets that nobody reads: a person must see it before it says a fire so."""
        self._unread.append(Rejected(message, fault.reason, f"{self._uids[place]}: {fault.detail}"[:300]))
        self._shown.append(place)
        self.said.append((place, UNREAD, "octets that no codec reads"))

    def finish(self, attendance: Attendance, points: Points) -> tuple[Decoded, Bool]:
        """The arrays, and which places are of registered devices (`said`, `notes` and `parents` of others
        mean nothing). Strangers' messages are refused, but for what they say about life."""
        read = list(zip(*self.readings, strict=True)) or [()] * 8
        number, place = self._numbered(), np.array(read[1], np.intp)
        row = self.sources.rows(number[place], np.array(read[2], np.intp), points)
        registered = self._registered(number, place, row, points)
        strange = row == STRANGER
        strangers = self._strangers(np.flatnonzero(strange)) if strange.any() else []
        asides = NO_ASIDES
        if strange.any() or self._shown:
            strangers_heard = self._who(np.flatnonzero(strange), registered)
            asides = asides._replace(strangers=strangers_heard, unread=tuple(self._unread))
        columns: list[Any] = [
            row,
            *(np.array(read[n], dtype) for n, dtype in _COLUMNS),
        ]
        if strange.any():
            columns = [column[~strange] for column in columns]
        heard = {(one[0], one[1]) for one in self.readings} if self._asks(attendance) else set()
        lines = self.comings.lines(heard | set(self.heard_besides), attendance, registered, points)
        columns = with_lines(columns, lines)
        of_row, message, metric, value, quality, observed_us, hold_us = columns
        return Decoded(
            row=of_row,
            metric=metric,
            observed_us=observed_us,
            value=value,
            quality=quality,
            message=message,
            seq=np.array(self.seq, np.int64),
            rejected=sorted(self.rejected.values(), key=lambda one: one.message),
            strangers=strangers,
            asides=_held(asides, message, of_row, metric, value, hold_us) if hold_us.any() else asides,
        ), registered

    def _asks(self, attendance: Attendance) -> bool:
        """Whether it matters who was heard."""
        return bool(self.comings.presences) or attendance.anybody_absent

    def uid(self, place: int) -> str:
        """The device of a place."""
        return self._uids[place]

    def said_of(self, registered: Sequence[bool]) -> list[Said]:
        """What was said of registered devices, and of strangers what they send that nobody reads."""
        return [
            Said(self._uids[place], key, text)
            for place, key, text in self.said
            if registered[place] or key == UNREAD
        ]

    def _numbered(self) -> Numbers:
        """The source number of each place; those not remembered are met."""
        unknown = [n for n, number in enumerate(self._numbers) if number < 0]
        if unknown:
            found = self.sources.find([self._keys[n] for n in unknown])
            for n, number in zip(unknown, found, strict=True):
                here = number >= 0 and self.sources.uid(number) == self._uids[n]
                self._numbers[n] = number if here else self.sources.meet(self._keys[n], self._uids[n])
        return np.array(self._numbers, np.intp)

    def _registered(
        self,
        number: Numbers,
        place: Numbers,
        row: Int32,
        points: Points,
    ) -> Bool:
        registered = np.zeros(len(self._keys), np.bool_)
        registered[place[row >= 0]] = True
        registered[self.present] = True
        asked = {one.place for one in self.comings.presences} | {one[1] for one in self.comings.parents}
        asked |= {*self._shown, *(place for _, place in self.heard_besides)}
        asked |= {place for place, *_ in self.said} | {place for place, *_ in self.notes}
        unsure = [one for one in sorted(asked) if not registered[one]]
        if unsure:
            rows = self.sources.rows(number[unsure], np.zeros(len(unsure), np.intp), points)
            registered[unsure] = rows >= 0
        return registered

    def _strangers(self, strange: Numbers) -> list[StrangerReading]:
        """What devices nobody registered say about life. Their message is refused in the name of the
        first."""
        found = []
        for n in strange.tolist():
            message, place, channel, metric, value, quality, observed_us, _ = self.readings[n]
            uid = self._uids[place]
            self.refuse(message, Reason.UNKNOWN_DEVICE, uid)
            if metric in LIFE_FLAGS:
                where = message, uid, self.sources.channel(channel), Metric(metric)
                found.append(StrangerReading(*where, value, observed_us, quality))
        return found

    def _who(self, strange: Numbers, registered: Bool) -> tuple[Stranger, ...]:
        """Who these readings are of, and who is shown without any."""
        found: dict[int, set[int]] = {}
        for place in self._shown[:STRANGERS_A_TICK]:
            if not registered[place]:
                found[place] = set()
        for n in strange.tolist():
            place, metric = self.readings[n][1], self.readings[n][3]
            if place in found or len(found) < STRANGERS_A_TICK:
                found.setdefault(place, set()).add(metric)
        return tuple(
            Stranger(self._uids[place], self._keys[place].partition("\0")[0], frozenset(metrics))
            for place, metrics in found.items()
        )


def _held(
    asides: Asides, message: Int32, row: Int32, metric: Int16, value: Float64, hold_us: Int64
) -> Asides:
    held = np.flatnonzero((hold_us > 0) & (value == 1.0))
    columns = (column[held].tolist() for column in (message, row, metric, hold_us))
    return asides._replace(holds=tuple(map(Hold, *columns)))
