"""What a place remembers of two kinds of alarms that may meet there: which are active, and when the newest of
each series was raised.

Two times count: when an alarm's reading was observed, and when we received it. A device whose clock is slow,
and an alarm that came late, meet by the second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.pairs import State
from rules.transition import Mark, Transition, Why

NEVER: Final = -(2**62)


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

    @property
    def heard_us(self) -> int:
        """When it was received, or else observed."""
        return self.at_us if self.received_us == NEVER else self.received_us


NO_MOMENT: Final = Moment(NEVER, NEVER)


class Act(NamedTuple):
    """A person's act: when it was made and when it is heeded, both by our clock. It is about what was before
    it was made. What came after `now_us` came before too: our clock was put back since."""

    made_us: int
    now_us: int

    def is_before(self, time_us: int) -> bool:
        """Whether what came then is no matter of the act."""
        return self.made_us < time_us <= self.now_us


class Who(NamedTuple):
    """Whose alarm it is: its series, its device, and the number that it has in common with alarms it cannot
    meet; 0 for what is not known, and for an alarm that meets any."""

    slot: int
    device: int
    group: int

    def is_of(self, other: Who) -> bool:
        """Whether both are alarms of one device, whatever the registry called it in between."""
        same = self.slot == other.slot != 0
        return same or self.device == other.device != 0

    def meets(self, other: Who) -> bool:
        """Whether the two can meet: never a device itself, where devices count."""
        return not self.group or not (self.is_of(other) or self.group == other.group)


class Note(NamedTuple):
    """The newest alarm of one series: whose, when, of which rule, and why. `heard_us` is when the last of it
    came, whichever time `moment` has of which alarm."""

    who: Who
    moment: Moment
    rule: str
    why: Why
    heard_us: int


@dataclass(slots=True)
class Side:
    """One kind of alarm in one place: which (rule, slot) are active, and the newest of each series."""

    active: set[tuple[str, int]] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    """Of different series, the newest to arrive first."""

    def note(self, who: Who, moment: Moment, rule: str, said: Why, now_us: int) -> None:
        """An alarm of this series that came at `now_us`; the newest times count and the sentence of the last
        to arrive. Times that were heard later than now are of before our clock was put back, and go."""
        known, heard_us = self.of(who.slot), moment.heard_us
        if known and known.heard_us <= now_us:
            moment, heard_us = moment.newest(known.moment), max(heard_us, known.heard_us)
        others = [one for one in self.notes if one is not known]
        self.notes = [Note(who, moment, rule, said, heard_us), *others]

    def of(self, slot: int) -> Note | None:
        """The note of a series."""
        return next((one for one in self.notes if one.who.slot == slot), None)

    def leave(self, slot: int) -> None:
        """Nothing is active on this series here any more, and what was noted of it counts no more."""
        self.rest(slot)
        self.notes = [one for one in self.notes if one.who.slot != slot]

    def rest(self, slot: int) -> None:
        """Nothing is active on this series here any more; what was noted of it stays."""
        self.active = {one for one in self.active if one[1] != slot}

    def rename(self, who: Who) -> None:
        """The registry calls the device of this series otherwise now."""
        self.notes = [one._replace(who=who) if one.who.slot == who.slot else one for one in self.notes]

    def forget_times(self, act: Act, slot: int = 0) -> None:
        """What was noted before the act, or what of it was of this series, counts no more; only what is
        active does."""
        active = {of for _, of in self.active}
        over = [slot in (0, one.who.slot) and not act.is_before(one.heard_us) for one in self.notes]
        self.notes = [
            one._replace(moment=NO_MOMENT, heard_us=NEVER) if ends else one
            for one, ends in zip(self.notes, over, strict=True)
            if not ends or one.who.slot in active
        ]

    def met(
        self, who: Who, moment: Moment, within_us: int, *, standing: bool, besides: Sequence[Who] = ()
    ) -> Note | None:
        """What this alarm, raised then, meets here: the newest of those that by either time are not more
        than `within_us` from it, or with `standing` the newest that is active. None of the devices
        `besides`. One further away hides none that is near: its device's clock may be fast, and ours may have
        been put back."""
        others = [one for one in self.notes if who.meets(one.who)]
        others = [one for one in others if not any(one.who.is_of(known) for known in besides)]
        for time in (0, 1):
            near = [one for one in others if abs(moment[time] - one.moment[time]) <= within_us]
            if near and moment[time] != NEVER:
                return _newest(near, time)
        active = {slot for _, slot in self.active} if standing else ()
        stand = [one for one in others if one.who.slot in active]
        return _newest(stand, 0) if stand else None


class Part(NamedTuple):
    """Whose alarm a meeting was raised by, and when that was told last, by our clock."""

    who: Who
    told_us: int


@dataclass(slots=True)
class Meeting:
    """One place rule in one place; `slot` is the series that raised it last, and `told_us` when, by our
    clock; `members` whose alarms it was raised by."""

    anchor: Side = field(default_factory=Side)
    partner: Side = field(default_factory=Side)
    raised: bool = False
    slot: int = 0
    told_us: int = NEVER
    members: list[Part] = field(default_factory=list)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return self.anchor, self.partner

    def leave(self, slot: int) -> None:
        """Nothing is known here of this series any more."""
        self.members = [one for one in self.members if one.who.slot != slot]
        for side in self.sides:
            side.leave(slot)

    def tell(self, slot: int, whose: Sequence[Who], told_us: int) -> None:
        """It is raised by the alarms of these devices, the last of them that of `slot`."""
        self.raised, self.slot, self.told_us = True, slot, told_us
        others = [one for one in self.members if not any(one.who.is_of(who) for who in whose)]
        self.members = [*others, *(Part(who, told_us) for who in whose)]

    def end(self, act: Act) -> bool:
        """Ends the parts that the act is about, and what was noted before counts no more; what is active goes
        on counting. Whether it is over: it was not told since."""
        self.members = [one for one in self.members if act.is_before(one.told_us)]
        for side in self.sides:
            side.forget_times(act)
        self.raised = act.is_before(self.told_us)
        return not self.raised

    def stands_since(self, told_us: int, whose: Sequence[Who]) -> None:
        """It stands by what these devices told then; what it was raised by stays what it is."""
        self.tell(self.slot, whose, told_us)

    def end_part(self, who: Who, act: Act) -> None:
        """This device has no part in it any more, and what was noted of its series counts no more; what is
        active goes on counting. So does what came after the act was made."""
        self.members = [one for one in self.members if not who.is_of(one.who) or act.is_before(one.told_us)]
        for side in self.sides:
            side.forget_times(act, who.slot)

    def besides(self, who: Who) -> list[Who]:
        """The devices that raised it, where this is one of them: what is told already."""
        known = [one.who for one in self.members]
        return known if any(who.is_of(one) for one in known) else []


def _newest(notes: list[Note], time: int) -> Note:
    """Of equals the last to arrive."""
    return max(notes, key=lambda one: one.moment[time])


def columns_of(name: str, sides: list[Side]) -> State:
    """Lines of notes, with the number of the meeting each belongs to; names begin with `name`."""
    lines = [(n, note) for n, side in enumerate(sides) for note in side.notes]
    return {
        f"{name}_of": np.array([n for n, _ in lines], np.int64),
        f"{name}_slot": np.array([note.who.slot for _, note in lines], np.int64),
        f"{name}_device": np.array([note.who.device for _, note in lines], np.int64),
        f"{name}_group": np.array([note.who.group for _, note in lines], np.int64),
        f"{name}_us": np.array([note.moment.at_us for _, note in lines], np.int64),
        f"{name}_received_us": np.array([note.moment.received_us for _, note in lines], np.int64),
        f"{name}_heard_us": np.array([note.heard_us for _, note in lines], np.int64),
        f"{name}_rule": np.array([note.rule for _, note in lines], np.str_),
        f"{name}_why_en": np.array([note.why.en for _, note in lines], np.str_),
        f"{name}_why_zh_cn": np.array([note.why.zh_cn for _, note in lines], np.str_),
    }


def sides_of(name: str, state: Mapping[str, NDArray[Any]]) -> list[Side]:
    """The sides of a snapshot, in the order of its column `rule`. One of an earlier release does not say when
    alarms were received, nor of which series they are: they meet by what was observed, and stay."""
    sides = [Side() for _ in state["rule"]]
    unknown, nobody = np.full(len(state[f"{name}_of"]), NEVER), np.zeros(len(state[f"{name}_of"]), np.int64)
    columns = [state[f"{name}_{part}"] for part in ("of", "group", "us", "rule", "why_en", "why_zh_cn")]
    columns.append(state.get(f"{name}_received_us", unknown))
    columns += [state.get(f"{name}_{part}", nobody) for part in ("slot", "device")]
    columns.append(state.get(f"{name}_heard_us", unknown))
    for of, group, at, rule, en, zh_cn, received, slot, device, heard in zip(*columns, strict=True):
        who, moment = Who(int(slot), int(device), int(group)), Moment(int(at), int(received))
        heard_us = max(int(heard), moment.heard_us)
        sides[int(of)].notes.append(Note(who, moment, str(rule), Why(str(en), str(zh_cn)), heard_us))
    return sides


def member_columns(meetings: list[Meeting]) -> State:
    """Lines of members, with the number of the meeting each belongs to."""
    lines = [(n, part) for n, meeting in enumerate(meetings) for part in meeting.members]
    return {
        "member_of": np.array([n for n, _ in lines], np.int64),
        "member_slot": np.array([part.who.slot for _, part in lines], np.int64),
        "member_device": np.array([part.who.device for _, part in lines], np.int64),
        "member_told_us": np.array([part.told_us for _, part in lines], np.int64),
    }


def members_of(state: Mapping[str, NDArray[Any]]) -> list[list[Part]]:
    """The members of the meetings of a snapshot, in the order of its column `rule`. One of an earlier release
    does not say when they were told, nor, still earlier, more than the series that raised each."""
    if "member_of" not in state:
        raised = zip(state["raised"], state["slot"], strict=True)
        return [[Part(Who(int(slot), 0, 0), NEVER)] if up else [] for up, slot in raised]
    members: list[list[Part]] = [[] for _ in state["rule"]]
    unknown = np.full(len(state["member_of"]), NEVER)
    columns = [state[f"member_{part}"] for part in ("of", "slot", "device")]
    for of, slot, device, told in zip(*columns, state.get("member_told_us", unknown), strict=True):
        members[int(of)].append(Part(Who(int(slot), int(device), 0), int(told)))
    return members
