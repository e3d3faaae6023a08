"""The place kernel: alarms of two kinds that meet in one dwelling, stair or building within a time.

It is fed with the engine's own transitions in arrival order, so it sees what the other kernels decided and
nothing else; docs/rules.md, `place`, says when two alarms meet, and `rules.kernels.meeting` keeps what that
takes.

State: a row for each place that ever had such an alarm, with a note for each series that raised one there
(about 0.7 kB with its sentences), none for others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from msgspec import UnsetType
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.kernels.meeting import (
    NO_MOMENT,
    Meeting,
    Moment,
    Note,
    Side,
    Who,
    columns_of,
    member_columns,
    members_of,
    sides_of,
)
from rules.kernels.place_rule import PlaceRule, PlaceScope
from rules.pairs import State
from rules.rule import BaseRule
from rules.transition import Mark, To, Transition, Why


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
        self._meetings: dict[tuple[str, int], Meeting] = {}
        self._noted: dict[int, set[tuple[str, int]]] = {}
        """By slot the rules and places in which something is noted of it."""

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

        What was noted of a series where it hangs no more goes. Without `changed` the alarms are all there
        are, and places that are in the table no more are forgotten. Otherwise those stay until then: they
        hold a line each and meet nothing.
        """
        self._table = table
        if changed is None:
            self._start_over(table)
        for slot in list(self._noted) if changed is None else changed.tolist():
            self._follow(slot)
        for name, slot in active:
            for rule in self._naming.get(name, ()):
                self._count_in(rule, name, slot)

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more, and who has one next is another."""
        for slot in slots.tolist():
            for key in self._noted.pop(slot, ()):
                self._meetings[key].leave(slot)

    def alarms(self) -> Iterator[tuple[PlaceRule, int, int]]:
        """Rule, place and triggering slot of every alarm of a place that is active."""
        for (name, place), meeting in self._meetings.items():
            if meeting.raised:
                yield self._rules[name], place, meeting.slot

    def leave(self, rules: Collection[str]) -> None:
        """What is known of places by these rules is let go, without a transition. Call `adopt` then."""
        self._meetings = {key: one for key, one in self._meetings.items() if key[0] not in rules}
        self._index()

    def raised_by(self) -> list[int]:
        """The slots that raised the alarms of places that are active."""
        return [meeting.slot for meeting in self._meetings.values() if meeting.raised]

    def _count_in(self, rule: PlaceRule, name: str, slot: int) -> None:
        """An alarm that is active counts where its series is now."""
        place = self._place(rule, slot)
        if not place:
            return
        for side in self._sides(rule, place, name):
            side.active.add((name, slot))
            if side.of(slot) is None:
                # the device moved here with its alarm: the numbers stayed behind
                self._note(
                    side, rule, place, slot, (NO_MOMENT, name, why.still_active(self._all[name].title))
                )

    def _start_over(self, table: SeriesTable) -> None:
        known = {scope: np.unique(scope.column(table)) for scope in PlaceScope}
        self._meetings = {
            (name, place): meeting
            for (name, place), meeting in self._meetings.items()
            if _is_in(known[self._rules[name].scope], place)
        }
        self._index()
        for meeting in self._meetings.values():
            for side in meeting.sides:
                side.active.clear()

    def _index(self) -> None:
        self._noted = {}
        for key, meeting in self._meetings.items():
            for side in meeting.sides:
                for one in side.notes:
                    self._noted.setdefault(one.who.slot, set()).add(key)

    def _follow(self, slot: int) -> None:
        """The alarms on this slot count nowhere, until somebody says where, and nothing is noted of it in
        places where it is known not to hang. Of a device that hangs nowhere what it said stays."""
        for key in list(self._noted.get(slot, ())):
            rule, place, meeting = self._rules[key[0]], key[1], self._meetings[key]
            now = self._place(rule, slot)
            if self._is_elsewhere(slot, now, place):
                meeting.leave(slot)
                self._noted[slot].discard(key)
                continue
            for side in meeting.sides:
                side.rest(slot)
                if now == place:
                    side.rename(self._who(rule, slot))

    def _is_elsewhere(self, slot: int, now: int, place: int) -> bool:
        """Whether a series hangs at a known place, and not at this one (any more)."""
        table = self._table
        hangs = slot < len(table) and (table.dwelling[slot] or table.stair[slot] or table.building[slot])
        return now != place and bool(hangs)

    def feed(self, transition: Transition, moment: Moment | None = None) -> list[Transition]:
        """What one transition of another kernel raises here. A visit is no alarm and meets nothing. `moment`
        is the alarm's own time, where that is not the transition's."""
        name = transition.rule
        rules = self._naming.get(name)
        if rules is None or transition.severity is not self._all[name].severity:
            return []
        raised, moment = [], moment or Moment.of(transition)
        for rule in rules:
            place = self._place(rule, transition.slot)
            if place and transition.to is To.RAISED:
                raised += self._raise(rule, place, transition, moment)
            elif place:
                self._clear(rule, place, transition, moment)
        return raised

    def _raise(self, rule: PlaceRule, place: int, trigger: Transition, moment: Moment) -> list[Transition]:
        name, slot = trigger.rule, trigger.slot
        for side in self._sides(rule, place, name):
            side.active.add((name, slot))
            self._note(side, rule, place, slot, (moment, name, trigger.why))
        return self._meet(rule, place, trigger, moment)

    def _clear(self, rule: PlaceRule, place: int, transition: Transition, moment: Moment) -> None:
        """Where standing counts, a partner counts from its end as well."""
        name, slot = transition.rule, transition.slot
        for side in self._sides(rule, place, name):
            side.active.discard((name, slot))
        if name in rule.partner and rule.standing:
            side = self._meetings[rule.name, place].partner
            known = side.of(slot)
            told = (known.rule, known.why) if known else (name, transition.why)
            self._note(side, rule, place, slot, (moment, *told))

    def _note(
        self, side: Side, rule: PlaceRule, place: int, slot: int, said: tuple[Moment, str, Why]
    ) -> None:
        side.note(self._who(rule, slot), *said)
        self._noted.setdefault(slot, set()).add((rule.name, place))

    def _place(self, rule: PlaceRule, slot: int) -> int:
        return rule.scope.place(self._table, slot) if slot < len(self._table) else 0

    def _who(self, rule: PlaceRule, slot: int) -> Who:
        device = int(self._table.device[slot])
        return Who(slot, device, rule.group(device, int(self._table.dwelling[slot])))

    def _sides(self, rule: PlaceRule, place: int, name: str) -> list[Side]:
        meeting = self._meetings.setdefault((rule.name, place), Meeting())
        sides = [meeting.anchor] if name in rule.anchor else []
        return [*sides, meeting.partner] if name in rule.partner else sides

    def _meet(self, rule: PlaceRule, place: int, trigger: Transition, now: Moment) -> list[Transition]:
        """Outside dwellings an alarm that stands is raised again by devices that had no part in it: they may
        be in another flat, or at the other end of the building."""
        meeting, who = self._meetings[rule.name, place], self._who(rule, trigger.slot)
        again = meeting.raised
        if again and rule.scope is PlaceScope.DWELLING:
            return []
        besides = meeting.members if again and meeting.is_member(who) else ()
        pair = self._pair(rule, meeting, trigger, now, besides)
        if pair is None:
            return []
        met, said = pair
        meeting.raised, meeting.slot = True, trigger.slot
        meeting.members += [one for one in (who, met.who) if not meeting.is_member(one)]
        return [self._told(rule, place, trigger, said, again=again)]

    def _pair(
        self, rule: PlaceRule, meeting: Meeting, trigger: Transition, now: Moment, besides: Sequence[Who]
    ) -> tuple[Note, Why] | None:
        """What the trigger meets, and what is said of the two."""
        name, who = trigger.rule, self._who(rule, trigger.slot)
        within, standing = int(rule.within), rule.standing
        if name in rule.anchor:
            met = meeting.partner.met(who, now, within, standing=standing, besides=besides)
            if met:
                return met, self._say(rule, name, met.rule, met.why)
        if name in rule.partner:
            met = meeting.anchor.met(who, now, within, standing=standing, besides=besides)
            if met:
                return met, self._say(rule, met.rule, name, trigger.why)
        return None

    def _told(
        self, rule: PlaceRule, place: int, trigger: Transition, said: Why, *, again: bool
    ) -> Transition:
        """As the trigger's. One that is raised `again` is an alarm of its own, though another device's
        reading of the same moment raised it before: its nudge says which series it was."""
        own = () if isinstance(rule.mark, UnsetType) else (rule.mark,)
        marks = [mark for mark in trigger.marks if mark is not Mark.SECOND_FIRE and mark not in own]
        return replace(
            trigger,
            rule=rule.name,
            severity=rule.severity,
            place=place,
            nudge_ns=trigger.nudge_ns + (trigger.slot if again else 0),
            why=said,
            marks=(*own, *marks),
            subject=rule.scope.subject,
        )

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
        meeting.members.clear()
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
            **columns_of("anchor", [meeting.anchor for meeting in meetings]),
            **columns_of("partner", [meeting.partner for meeting in meetings]),
            **member_columns(meetings),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, rules that are gone left out; `adopt` must follow with the active alarms."""
        keys = [(str(rule), int(place)) for rule, place in zip(state["rule"], state["place"], strict=True)]
        anchors, partners = sides_of("anchor", state), sides_of("partner", state)
        members = members_of(state)
        self._meetings = {
            key: Meeting(anchors[n], partners[n], bool(state["raised"][n]), int(state["slot"][n]), members[n])
            for n, key in enumerate(keys)
            if key[0] in self._rules
        }
        for meeting in self._meetings.values():
            for side in meeting.sides:
                side.notes = [one for one in side.notes if one.rule in self._all]
        self._index()


def _is_in(ordered: Int32, place: int) -> bool:
    at = int(np.searchsorted(ordered, place))
    return at < len(ordered) and int(ordered[at]) == place
