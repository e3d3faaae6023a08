"""The place kernel: alarms of two kinds that meet in one dwelling, stair or building within a time.

It is fed with the engine's own transitions in arrival order, so it sees what the other kernels decided and
nothing else; docs/rules.md, `place`, says when two alarms meet, and `rules.kernels.meeting` keeps what that
takes.

State: a row for each place that ever had such an alarm (about 1.4 kB with its sentences), none for others.
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
from rules.kernels.meeting import NO_MOMENT, Meeting, Moment, Side, columns_of, sides_of
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
            if side.of(group) is None:
                # the device moved here with its alarm: the numbers stayed behind
                side.note(group, NO_MOMENT, name, why.still_active(self._all[name].title))
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
        if transition.to is not To.RAISED:
            self._where.pop((name, transition.slot), None)
        return raised

    def _raise(self, rule: PlaceRule, place: int, trigger: Transition, moment: Moment) -> list[Transition]:
        name, slot = trigger.rule, trigger.slot
        group = self._group(rule, slot)
        for side in self._sides(rule, place, name):
            side.active[name, slot] = group
            side.note(group, moment, name, trigger.why)
        self._where.setdefault((name, slot), {})[rule.scope] = place
        return self._meet(rule, place, group, trigger, moment)

    def _clear(self, rule: PlaceRule, place: int, transition: Transition, moment: Moment) -> None:
        """Where standing counts, a partner counts from its end as well."""
        name, slot = transition.rule, transition.slot
        for side in self._sides(rule, place, name):
            side.active.pop((name, slot), None)
        if name in rule.partner and rule.standing:
            side, group = self._meetings[rule.name, place].partner, self._group(rule, slot)
            known = side.of(group)
            told = (known.rule, known.why) if known else (name, transition.why)
            side.note(group, moment, *told)

    def _place(self, rule: PlaceRule, slot: int) -> int:
        return rule.scope.place(self._table, slot) if slot < len(self._table) else 0

    def _group(self, rule: PlaceRule, slot: int) -> int:
        return rule.group(int(self._table.device[slot]), int(self._table.dwelling[slot]))

    def _sides(self, rule: PlaceRule, place: int, name: str) -> list[Side]:
        meeting = self._meetings.setdefault((rule.name, place), Meeting())
        sides = [meeting.anchor] if name in rule.anchor else []
        return [*sides, meeting.partner] if name in rule.partner else sides

    def _meet(
        self, rule: PlaceRule, place: int, group: int, trigger: Transition, now: Moment
    ) -> list[Transition]:
        meeting = self._meetings[rule.name, place]
        if meeting.raised:
            return []
        within, standing = int(rule.within), rule.standing
        name, partner, anchor = trigger.rule, meeting.partner, meeting.anchor
        if name in rule.anchor and (met := partner.met(group, now, within, standing=standing)):
            said = self._say(rule, name, met.rule, met.why)
        elif name in rule.partner and (met := anchor.met(group, now, within, standing=standing)):
            said = self._say(rule, met.rule, name, trigger.why)
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
            **columns_of("anchor", [meeting.anchor for meeting in meetings]),
            **columns_of("partner", [meeting.partner for meeting in meetings]),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, rules that are gone left out; `adopt` must follow with the active alarms."""
        keys = [(str(rule), int(place)) for rule, place in zip(state["rule"], state["place"], strict=True)]
        anchors, partners = sides_of("anchor", state), sides_of("partner", state)
        self._meetings = {
            key: Meeting(anchors[n], partners[n], bool(state["raised"][n]), int(state["slot"][n]))
            for n, key in enumerate(keys)
            if key[0] in self._rules
        }
        for meeting in self._meetings.values():
            for side in (meeting.anchor, meeting.partner):
                side.notes = [one for one in side.notes if one.rule in self._all]


def _is_in(ordered: Int32, place: int) -> bool:
    at = int(np.searchsorted(ordered, place))
    return at < len(ordered) and int(ordered[at]) == place
