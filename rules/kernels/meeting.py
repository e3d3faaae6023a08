"""What a place remembers of two kinds of alarms that may meet there: which are active, and when the newest of
each were raised.

Two times count: when an alarm's reading was observed, and when we received it. A device whose clock is slow,
and an alarm that came late, meet by the second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.pairs import State
from rules.transition import Mark, Transition, Why

NEVER: Final = -(2**62)
_KEPT: Final = 2
"""The newest alarms of this many groups are remembered, by either time: one of them is always of another
group."""


class Moment(NamedTuple):
    """When something was observed and when it was received; NEVER for a time that says nothing."""

    at_us: int
    received_us: int

    @classmethod
    def of(cls, transition: Transition) -> Moment:
        """That of a transition. A reading of unknown age may have been received long after it was true, and
        those that waited for us were all received when we came back: of neither does that time count."""
        untold = math.isnan(transition.age_s) or Mark.QUEUED in transition.marks
        return cls(transition.at_us, NEVER if untold else transition.received_us)

    def newest(self, other: Moment) -> Moment:
        """The later of either time."""
        return Moment(max(self.at_us, other.at_us), max(self.received_us, other.received_us))


NO_MOMENT: Final = Moment(NEVER, NEVER)


class Note(NamedTuple):
    """The newest alarm of one group: when, of which rule, and why."""

    group: int
    moment: Moment
    rule: str
    why: Why


@dataclass(slots=True)
class Side:
    """One kind of alarm in one place: which are active, each with its group, and the newest that count."""

    active: dict[tuple[str, int], int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    """Of different groups, the newest to arrive first."""

    def note(self, group: int, moment: Moment, rule: str, said: Why) -> None:
        """An alarm of this group; the newest times count and the sentence of the last to arrive."""
        for one in self.notes:
            if one.group == group:
                moment = moment.newest(one.moment)
        others = [one for one in self.notes if one.group != group]
        notes = [Note(group, moment, rule, said), *others]
        kept = {one.group for time in (0, 1) for one in _newest_first(notes, time)[:_KEPT]}
        self.notes = [one for one in notes if one.group in kept]

    def of(self, group: int) -> Note | None:
        """The note of a group."""
        return next((one for one in self.notes if one.group == group), None)

    def forget_times(self) -> None:
        """What was noted counts no more; only what is active does."""
        self.notes = [one._replace(moment=NO_MOMENT) for one in self.notes]

    def met(self, group: int, moment: Moment, within_us: int, *, standing: bool) -> Note | None:
        """What an alarm of this group, raised then, meets here: the newest by either time that is not more
        than `within_us` from it, or with `standing` any, if one is active."""
        others = [one for one in self.notes if not group or one.group != group]
        for time in (0, 1):
            if others and moment[time] != NEVER:
                newest = _newest_first(others, time)[0]
                if abs(moment[time] - newest.moment[time]) <= within_us:
                    return newest
        stands = standing and any(not group or one != group for one in self.active.values())
        return _newest_first(others, 0)[0] if others and stands else None


@dataclass(slots=True)
class Meeting:
    """One place rule in one place; `slot` is the series that raised it."""

    anchor: Side = field(default_factory=Side)
    partner: Side = field(default_factory=Side)
    raised: bool = False
    slot: int = 0


def _newest_first(notes: list[Note], time: int) -> list[Note]:
    return sorted(notes, key=lambda one: -one.moment[time])


def columns_of(name: str, sides: list[Side]) -> State:
    """Lines of notes, with the number of the meeting each belongs to; names begin with `name`."""
    lines = [(n, note) for n, side in enumerate(sides) for note in side.notes]
    return {
        f"{name}_of": np.array([n for n, _ in lines], np.int64),
        f"{name}_group": np.array([note.group for _, note in lines], np.int64),
        f"{name}_us": np.array([note.moment.at_us for _, note in lines], np.int64),
        f"{name}_received_us": np.array([note.moment.received_us for _, note in lines], np.int64),
        f"{name}_rule": np.array([note.rule for _, note in lines], np.str_),
        f"{name}_why_en": np.array([note.why.en for _, note in lines], np.str_),
        f"{name}_why_zh_cn": np.array([note.why.zh_cn for _, note in lines], np.str_),
    }


def sides_of(name: str, state: Mapping[str, NDArray[Any]]) -> list[Side]:
    """The sides of a snapshot, in the order of its column `rule`. One of an earlier release does not say when
    alarms were received: they meet by what was observed."""
    sides = [Side() for _ in state["rule"]]
    unknown = np.full(len(state[f"{name}_of"]), NEVER)
    columns = [state[f"{name}_{part}"] for part in ("of", "group", "us", "rule", "why_en", "why_zh_cn")]
    received = state.get(f"{name}_received_us", unknown)
    for of, group, at, rule, en, zh_cn, heard in zip(*columns, received, strict=True):
        moment = Moment(int(at), int(heard))
        sides[int(of)].notes.append(Note(int(group), moment, str(rule), Why(str(en), str(zh_cn))))
    return sides
