"""The place kernel: alarms of two kinds that meet in one dwelling or stair within a time.

It is fed with the engine's own transitions in arrival order, so it sees what the other kernels decided and
nothing else; docs/rules.md, `place`, says when two alarms meet.

State: a row for each place that ever had such an alarm (about 1.4 kB with its sentences), none for others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, NamedTuple

import numpy as np
from msgspec import UNSET, Meta, UnsetType
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.pairs import State
from rules.quantity import Span
from rules.rule import BaseRule, Name
from rules.transition import Mark, Subject, To, Transition, Why


class PlaceScope(StrEnum):
    """What place the alarms must have in common."""

    DWELLING = "dwelling"
    STAIR = "stair"

    @property
    def subject(self) -> Subject:
        """What an alarm of this scope is about."""
        return Subject(self.value)

    def column(self, table: SeriesTable) -> Int32:
        """The registry id of that place, of each series."""
        return table.stair if self is PlaceScope.STAIR else table.dwelling


class PlaceRule(BaseRule, frozen=True, kw_only=True, tag="place"):
    """An alarm on a place where an alarm of `anchor` and one of `partner` meet `within` a time.

    `apart`: they must be of two different devices, and the same rule may stand on both sides. `across`: the
    devices must not be in one dwelling. `standing`: an alarm counts as long as it is active as well; without
    it, only when it was raised counts. `mark` is what the transition tells people besides.
    """

    numbers: ClassVar[tuple[str, ...]] = ("within",)

    anchor: Annotated[tuple[Name, ...], Meta(min_length=1)]
    partner: Annotated[tuple[Name, ...], Meta(min_length=1)]
    within: Span
    scope: PlaceScope = PlaceScope.DWELLING
    apart: bool = False
    across: bool = False
    standing: bool = True
    mark: Mark | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        both = set(self.anchor) & set(self.partner)
        if both and not self.apart:
            names = ", ".join(sorted(both))
            raise ValueError(f"key `partner`: {names} cannot be on both sides without `apart = true`")
        if self.across and self.scope is PlaceScope.DWELLING:
            raise ValueError('key `across`: devices of one dwelling are in one; `scope = "stair"` is allowed')

    def group(self, device: int, dwelling: int) -> int:
        """A number that two alarms which cannot meet have in common; 0 is no such number."""
        if self.across and dwelling:
            return -dwelling
        return device if self.apart or self.across else 0


_NEVER: Final = -(2**62)
_KEPT: Final = 2
"""The newest alarms of this many groups are remembered: one of them is always of another group."""


class _Note(NamedTuple):
    """The newest alarm of one group: when, of which rule, and why."""

    group: int
    at_us: int
    rule: str
    why: Why


@dataclass(slots=True)
class _Side:
    """One kind of alarm in one place: which are active, each with its group, and the newest that count."""

    active: dict[tuple[str, int], int] = field(default_factory=dict)
    notes: list[_Note] = field(default_factory=list)
    """Of different groups, the newest first."""

    def note(self, group: int, at_us: int, rule: str, said: Why) -> None:
        """An alarm of this group; the newest time counts and the sentence of the last to arrive."""
        before = [one.at_us for one in self.notes if one.group == group]
        others = [one for one in self.notes if one.group != group]
        self.notes = [_Note(group, max(at_us, *before) if before else at_us, rule, said), *others]
        self.notes.sort(key=lambda one: -one.at_us)
        del self.notes[_KEPT:]

    def forget_times(self) -> None:
        """What was noted counts no more; only what is active does."""
        self.notes = [one._replace(at_us=_NEVER) for one in self.notes]

    def other(self, group: int) -> _Note | None:
        """The newest alarm that one of this group can meet."""
        return next((one for one in self.notes if not group or one.group != group), None)

    def stands(self, group: int) -> bool:
        """Whether an alarm that one of this group can meet is active."""
        return any(not group or one != group for one in self.active.values())


@dataclass(slots=True)
class _Meeting:
    """One place rule in one place; `slot` is the series that raised it."""

    anchor: _Side = field(default_factory=_Side)
    partner: _Side = field(default_factory=_Side)
    raised: bool = False
    slot: int = 0


class PlaceKernel:
    """All place rules of a catalogue. Alarms outside places (id 0) never meet."""

    def __init__(self, rules: Sequence[BaseRule], table: SeriesTable) -> None:
        self._table = table
        self._all = {rule.name: rule for rule in rules}
        self._rules = {rule.name: rule for rule in rules if isinstance(rule, PlaceRule)}
        self._naming: dict[str, list[PlaceRule]] = {}
        for rule in self._rules.values():
            for name in {*rule.anchor, *rule.partner}:
                self._naming.setdefault(name, []).append(rule)
        self._meetings: dict[tuple[str, int], _Meeting] = {}
        self._where: dict[tuple[str, int], dict[PlaceScope, int]] = {}
        """In which places each active (rule, slot) counts."""

    def goes_on(self, rules: Sequence[BaseRule]) -> bool:
        """Whether its rules, and those they name, are among `rules` as they are; then it is of all these."""
        own = [rule for rule in rules if isinstance(rule, PlaceRule)]
        now = {rule.name: rule for rule in rules}
        same = own == list(self._rules.values())
        if same and all(now.get(name) == self._all.get(name) for name in self._naming):
            self._all = now
            return True
        return False

    def adopt(
        self, table: SeriesTable, active: Iterable[tuple[str, int]], changed: Int32 | None = None
    ) -> None:
        """Takes a changed series table and the (rule, slot) of the active alarms on `changed` slots.

        Without `changed` the alarms are all there are, and places that are in the table no more are
        forgotten. Otherwise those stay until then: they hold a line each and meet nothing.
        """
        self._table = table
        if changed is None:
            self._start_over(table)
        else:
            self._leave(changed)
        for name, slot in active:
            for rule in self._naming.get(name, ()):
                self._count_in(rule, name, slot)

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more."""
        self._leave(slots)

    def alarms(self) -> Iterator[tuple[PlaceRule, int, int]]:
        """Rule, place and triggering slot of every alarm of a place that is active."""
        for (name, place), meeting in self._meetings.items():
            if meeting.raised:
                yield self._rules[name], place, meeting.slot

    def leave(self, rules: Collection[str]) -> None:
        """What is known of places by these rules is let go, without a transition. Call `adopt` then."""
        self._meetings = {key: one for key, one in self._meetings.items() if key[0] not in rules}

    def raised_by(self) -> list[int]:
        """The slots that raised the alarms of places that are active."""
        return [meeting.slot for meeting in self._meetings.values() if meeting.raised]

    def _count_in(self, rule: PlaceRule, name: str, slot: int) -> None:
        """An alarm that is active counts where its series is now."""
        place = self._place(rule, slot)
        if not place:
            return
        group = self._group(rule, slot)
        for side in self._sides(rule, place, name):
            side.active[name, slot] = group
            if not any(one.group == group for one in side.notes):
                # the device moved here with its alarm: the numbers stayed behind
                side.note(group, _NEVER, name, why.still_active(self._all[name].title))
        self._where.setdefault((name, slot), {})[rule.scope] = place

    def _start_over(self, table: SeriesTable) -> None:
        known = {scope: np.unique(scope.column(table)) for scope in PlaceScope}
        self._meetings = {
            (name, place): meeting
            for (name, place), meeting in self._meetings.items()
            if _is_in(known[self._rules[name].scope], place)
        }
        self._where.clear()
        for meeting in self._meetings.values():
            meeting.anchor.active.clear()
            meeting.partner.active.clear()

    def _leave(self, slots: Int32) -> None:
        """The alarms on these slots count nowhere, until somebody says where."""
        if not self._where:
            return
        gone = set(slots.tolist())
        for name, slot in [key for key in self._where if key[1] in gone]:
            places = self._where.pop((name, slot))
            for rule in self._naming[name]:
                for side in self._sides(rule, places.get(rule.scope, 0), name):
                    side.active.pop((name, slot), None)

    def feed(self, transition: Transition) -> list[Transition]:
        """What one transition of another kernel raises here. A visit is no alarm and meets nothing."""
        name = transition.rule
        rules = self._naming.get(name)
        if rules is None or transition.severity is not self._all[name].severity:
            return []
        raised = []
        for rule in rules:
            place = self._place(rule, transition.slot)
            if place and transition.to is To.RAISED:
                raised += self._raise(rule, place, transition)
            elif place:
                self._clear(rule, place, transition)
        if transition.to is not To.RAISED:
            self._where.pop((name, transition.slot), None)
        return raised

    def _raise(self, rule: PlaceRule, place: int, trigger: Transition) -> list[Transition]:
        name, slot = trigger.rule, trigger.slot
        group = self._group(rule, slot)
        for side in self._sides(rule, place, name):
            side.active[name, slot] = group
            side.note(group, trigger.at_us, name, trigger.why)
        self._where.setdefault((name, slot), {})[rule.scope] = place
        return self._meet(rule, place, group, trigger)

    def _clear(self, rule: PlaceRule, place: int, transition: Transition) -> None:
        """Where standing counts, a partner counts from its end as well."""
        name, slot = transition.rule, transition.slot
        for side in self._sides(rule, place, name):
            side.active.pop((name, slot), None)
        if name in rule.partner and rule.standing:
            side = self._meetings[rule.name, place].partner
            group = self._group(rule, slot)
            for one in [one for one in side.notes if one.group == group]:
                side.note(group, transition.at_us, one.rule, one.why)

    def _place(self, rule: PlaceRule, slot: int) -> int:
        return int(rule.scope.column(self._table)[slot]) if slot < len(self._table) else 0

    def _group(self, rule: PlaceRule, slot: int) -> int:
        return rule.group(int(self._table.device[slot]), int(self._table.dwelling[slot]))

    def _sides(self, rule: PlaceRule, place: int, name: str) -> list[_Side]:
        meeting = self._meetings.setdefault((rule.name, place), _Meeting())
        sides = [meeting.anchor] if name in rule.anchor else []
        return [*sides, meeting.partner] if name in rule.partner else sides

    def _meet(self, rule: PlaceRule, place: int, group: int, trigger: Transition) -> list[Transition]:
        meeting = self._meetings[rule.name, place]
        if meeting.raised:
            return []
        mine = (trigger.rule, trigger.why)
        if trigger.rule in rule.anchor and (met := _met(rule, meeting.partner, group, trigger.at_us)):
            said = self._say(rule, trigger.rule, met.rule, met.why)
        elif trigger.rule in rule.partner and (met := _met(rule, meeting.anchor, group, trigger.at_us)):
            said = self._say(rule, met.rule, *mine)
        else:
            return []
        meeting.raised, meeting.slot = True, trigger.slot
        own = () if isinstance(rule.mark, UnsetType) else (rule.mark,)
        marks = [mark for mark in trigger.marks if mark is not Mark.SECOND_FIRE and mark not in own]
        return [
            replace(
                trigger,
                rule=rule.name,
                severity=rule.severity,
                place=place,
                why=said,
                marks=(*own, *marks),
                subject=rule.scope.subject,
            )
        ]

    def _say(self, rule: PlaceRule, anchor: str, partner: str, evidence: Why) -> Why:
        titles = self._all[anchor].title, self._all[partner].title
        return why.met_in_place(*titles, rule.within, evidence, rule.scope.subject, rule.apart)

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset or close: the alarm clears and may be raised again.

        What led to it is forgotten, but where standing counts an alarm that is still active goes on counting.
        """
        meeting = self._meetings.get((given.rule, given.place))
        if meeting is None or not meeting.raised:
            return None
        meeting.raised = False
        meeting.anchor.forget_times()
        meeting.partner.forget_times()
        rule, said = self._rules[given.rule], why.by_person(given.kind)
        return cleared_by_input(
            rule, given, slot=meeting.slot, place=given.place, table=self._table, now_us=now_us, why=said,
            subject=rule.scope.subject,
        )  # fmt: skip

    def snapshot(self) -> State:
        """All state but the active alarms, which the other kernels know."""
        meetings = list(self._meetings.values())
        return {
            "rule": np.array([rule for rule, _ in self._meetings], np.str_),
            "place": np.array([place for _, place in self._meetings], np.int64),
            "raised": np.array([meeting.raised for meeting in meetings], np.bool_),
            "slot": np.array([meeting.slot for meeting in meetings], np.int64),
            **_columns("anchor", [meeting.anchor for meeting in meetings]),
            **_columns("partner", [meeting.partner for meeting in meetings]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, rules that are gone left out; `adopt` must follow with the active alarms."""
        keys = [(str(rule), int(place)) for rule, place in zip(state["rule"], state["place"], strict=True)]
        anchors, partners = _restored("anchor", state), _restored("partner", state)
        self._meetings = {
            key: _Meeting(anchors[n], partners[n], bool(state["raised"][n]), int(state["slot"][n]))
            for n, key in enumerate(keys)
            if key[0] in self._rules
        }
        for meeting in self._meetings.values():
            for side in (meeting.anchor, meeting.partner):
                side.notes = [one for one in side.notes if one.rule in self._all]


def _met(rule: PlaceRule, side: _Side, group: int, at_us: int) -> _Note | None:
    """What on the other side an alarm of this group, raised at `at_us`, meets."""
    other = side.other(group)
    if other is None:
        return None
    near = abs(at_us - other.at_us) <= rule.within
    return other if near or (rule.standing and side.stands(group)) else None


def _is_in(ordered: Int32, place: int) -> bool:
    at = int(np.searchsorted(ordered, place))
    return at < len(ordered) and int(ordered[at]) == place


def _columns(name: str, sides: list[_Side]) -> State:
    """Lines of notes, with the number of the meeting each belongs to."""
    lines = [(n, note) for n, side in enumerate(sides) for note in side.notes]
    return {
        f"{name}_of": np.array([n for n, _ in lines], np.int64),
        f"{name}_group": np.array([note.group for _, note in lines], np.int64),
        f"{name}_us": np.array([note.at_us for _, note in lines], np.int64),
        f"{name}_rule": np.array([note.rule for _, note in lines], np.str_),
        f"{name}_why_en": np.array([note.why.en for _, note in lines], np.str_),
        f"{name}_why_zh_cn": np.array([note.why.zh_cn for _, note in lines], np.str_),
    }


def _restored(name: str, state: Mapping[str, NDArray[Any]]) -> list[_Side]:
    sides = [_Side() for _ in state["rule"]]
    columns = (state[f"{name}_{part}"] for part in ("of", "group", "us", "rule", "why_en", "why_zh_cn"))
    for of, group, at, rule, en, zh_cn in zip(*columns, strict=True):
        sides[int(of)].notes.append(_Note(int(group), int(at), str(rule), Why(str(en), str(zh_cn))))
    return sides
