"""Who came and went in one tick, in the order of its messages: as if each had come alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Metric
from devices.profiles.general.presence import Attendance, Notice, quality_of
from devices.profiles.profile import Points


class Line(NamedTuple):
    """A reading that comes of others: somebody came or went."""

    message: int
    row: int
    value: float
    quality: int
    observed_us: int


class Presence(NamedTuple):
    """What a message says of whether the device of a place is there."""

    message: int
    place: int
    notice: Notice
    observed_us: int
    quality: int


@dataclass(slots=True)
class Comings:
    """What messages say of who is there. `uids`: the device of each place, which fills up meanwhile;
    `retained` per message, None for none."""

    uids: list[str]
    retained: Sequence[bool] | None
    presences: list[Presence] = field(default_factory=list)
    parents: list[tuple[int, int, str]] = field(default_factory=list)
    """(message, place, uid of what it is heard through)."""

    def noticed(self, attendance: Attendance) -> set[str]:
        """The devices that somebody said something about: whether they are there, or what they are heard
        through."""
        uids = {self.uids[one.place] for one in self.presences}
        new = {self.uids[place] for _, place, parent in self.parents if parent in uids}
        return uids.union(new, *(attendance.children_present(uid) for uid in uids))

    def lines(
        self, heard: set[tuple[int, int]], attendance: Attendance, registered: Bool, points: Points
    ) -> list[Line]:
        """What is said, who is absent with their parent, and who is back because they are heard. `heard`:
        message and place of readings. Who is heard through whom counts from the message behind the one that
        says it."""
        if not (self.presences or self.parents or attendance.anybody_absent):
            return []
        said = {(one.message, one.place): one for one in self.presences}
        added: list[Line] = []
        families = deque(sorted((one for one in self.parents if registered[one[1]]), key=itemgetter(0)))
        for message, place in sorted({*said, *heard}):
            self._heard_through(attendance, families, before=message)
            uid, presence = self.uids[place], said.get((message, place))
            if presence is not None:
                found = _said_of(attendance, uid, presence, points, known=bool(registered[place]))
                added += [Line(message, points.row(one, ""), *reading) for one, reading in found]
            elif registered[place] and attendance.is_absent(uid) and not self._is_retained(message):
                attendance.marked(uid, online=True)
                added.append(Line(message, points.row(uid, ""), 1.0, 0, 0))
        self._heard_through(attendance, families, before=None)
        return added

    def _is_retained(self, message: int) -> bool:
        """Whether the broker kept the message: nobody can say that its device is there now."""
        return self.retained is not None and bool(self.retained[message])

    def _heard_through(
        self, attendance: Attendance, families: deque[tuple[int, int, str]], *, before: int | None
    ) -> None:
        """Takes from `families` what messages before one (None: all) said of who is heard through whom."""
        while families and (before is None or families[0][0] < before):
            _, place, parent = families.popleft()
            attendance.heard_through(self.uids[place], parent)


def _said_of(
    attendance: Attendance, uid: str, said: Presence, points: Points, *, known: bool
) -> list[tuple[str, tuple[float, int, int]]]:
    """Whom a presence message means, each with value, quality and time.

    A gateway that nobody has registered (not `known`) has no series of its own; what is heard through it is
    absent all the same.
    """
    online, added = said.notice.online, []
    if known:
        attendance.marked(uid, online=online)
        added.append((uid, (float(online), said.quality, said.observed_us)))
    if said.notice.children and not online:
        quality = said.quality | quality_of(by_parent=True)
        for child in attendance.children_present(uid):
            if points.row(child, "") >= 0:
                attendance.marked(child, online=False)
                added.append((child, (0.0, quality, said.observed_us)))
    return added


def with_lines(columns: list[NDArray[Any]], lines: Sequence[Line]) -> list[NDArray[Any]]:
    """The readings with those of comings and goings, each behind the others of its message."""
    if not lines:
        return columns
    message, row, value, quality, observed_us = zip(*lines, strict=True)
    online, none = [int(Metric.DEVICE_ONLINE)] * len(lines), [0] * len(lines)
    more = (row, message, online, value, quality, observed_us, none)
    whole = [
        np.append(column, np.array(one, column.dtype)) for column, one in zip(columns, more, strict=True)
    ]
    order = np.argsort(whole[1], kind="stable")
    return [column[order] for column in whole]
