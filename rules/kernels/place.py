"""The place kernel: alarms of two kinds that meet in one dwelling, stair or building within a time.

It is fed with the engine's own transitions in arrival order, so it sees what the other kernels decided and
nothing else; docs/rules.md, `place`, says when two alarms meet. `rules.kernels.meeting` keeps what that takes
in one place, `rules.kernels.meetings` in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import UnsetType
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.kernels.meeting import NEVER, NO_MOMENT, Act, Meeting, Moment, Note, Who
from rules.kernels.meetings import Meetings
from rules.kernels.place_rule import PlaceRule, PlaceScope
from rules.pairs import State
from rules.rule import BaseRule
from rules.transition import Mark, To, Transition, Why


class PlaceKernel:
    """All place rules of a catalogue. Alarms outside places (id 0) never meet."""

    def __init__(self, rules: Sequence[BaseRule], table: SeriesTable) -> None:
        self._all = {rule.name: rule for rule in rules}
        self._rules = {rule.name: rule for rule in rules if isinstance(rule, PlaceRule)}
        self._naming: dict[str, list[PlaceRule]] = {}
        for rule in self._rules.values():
            for name in {*rule.anchor, *rule.partner}:
                self._naming.setdefault(name, []).append(rule)
        self._meetings = Meetings(self._rules, table)

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
        self._meetings.adopt(table, changed)
        for name, slot in active:
            for rule in self._naming.get(name, ()):
                self._count_in(rule, name, slot)

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more, and who has one next is another."""
        self._meetings.forget(slots)

    def alarms(self) -> Iterator[tuple[PlaceRule, int, int]]:
        """Rule, place and triggering slot of every alarm of a place that is active."""
        for rule, place, meeting in self._meetings.raised():
            yield rule, place, meeting.slot

    def leave(self, rules: Collection[str]) -> None:
        """What is known of places by these rules is let go, without a transition. Call `adopt` then."""
        self._meetings.leave(rules)

    def raised_by(self) -> list[int]:
        """The slots that raised the alarms of places that are active."""
        return [slot for _, _, slot in self.alarms()]

    def _count_in(self, rule: PlaceRule, name: str, slot: int) -> None:
        """An alarm that is active counts where its series is now."""
        place = self._meetings.place(rule, slot)
        if not place:
            return
        for side in self._meetings.sides(rule, place, name):
            side.active.add((name, slot))
            if side.of(slot) is None:
                # the device moved here with its alarm: the numbers stayed behind
                said = NO_MOMENT, name, why.still_active(self._all[name].title)
                self._meetings.note(side, rule, place, slot, said, NEVER)

    def feed(self, transition: Transition, moment: Moment | None = None) -> list[Transition]:
        """What one transition of another kernel raises here. A visit is no alarm and meets nothing. `moment`
        is the alarm's own time, where that is not the transition's."""
        name = transition.rule
        rules = self._naming.get(name)
        if rules is None or transition.severity is not self._all[name].severity:
            return []
        raised, moment = [], moment or Moment.of(transition)
        for rule in rules:
            place = self._meetings.place(rule, transition.slot)
            if place and transition.to is To.RAISED:
                raised += self._raise(rule, place, transition, moment)
            elif place:
                self._clear(rule, place, transition, moment)
        return raised

    def _raise(self, rule: PlaceRule, place: int, trigger: Transition, moment: Moment) -> list[Transition]:
        name, slot = trigger.rule, trigger.slot
        for side in self._meetings.sides(rule, place, name):
            side.active.add((name, slot))
            self._meetings.note(side, rule, place, slot, (moment, name, trigger.why), trigger.received_us)
        meeting = self._meetings.at(rule.name, place)
        return self._meet(rule, place, meeting, trigger, moment) if meeting else []

    def _clear(self, rule: PlaceRule, place: int, transition: Transition, moment: Moment) -> None:
        """Where standing counts, a partner counts from its end as well."""
        name, slot = transition.rule, transition.slot
        for side in self._meetings.sides(rule, place, name):
            side.active.discard((name, slot))
        meeting = self._meetings.at(rule.name, place)
        if meeting and name in rule.partner and rule.standing:
            known = meeting.partner.of(slot)
            told = (known.rule, known.why) if known else (name, transition.why)
            said, now_us = (moment, *told), transition.received_us
            self._meetings.note(meeting.partner, rule, place, slot, said, now_us)

    def _meet(
        self, rule: PlaceRule, place: int, meeting: Meeting, trigger: Transition, now: Moment
    ) -> list[Transition]:
        """Outside dwellings an alarm that stands is raised again by devices that had no part in it: they may
        be in another flat, or at the other end of the building."""
        again, who = meeting.raised, self._meetings.who(rule, trigger.slot)
        if again and rule.scope is PlaceScope.DWELLING:
            return []
        pair = self._pair(rule, meeting, trigger, now, meeting.besides(who) if again else ())
        if pair is None:
            return []
        met, said = pair
        meeting.tell(trigger.slot, (who, met.who), trigger.received_us)
        return [self._told(rule, place, trigger, said, again=again)]

    def _pair(
        self, rule: PlaceRule, meeting: Meeting, trigger: Transition, now: Moment, besides: Sequence[Who]
    ) -> tuple[Note, Why] | None:
        """What the trigger meets, and what is said of the two."""
        name, who = trigger.rule, self._meetings.who(rule, trigger.slot)
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
        One that names a series besides the place ends only the part of its device: the alarm stands, for
        the others. What came after the act was made stays: an alarm that was told since by other devices is
        another, and so is one that they would have raised had the act come first.
        """
        meeting, rule = self._meetings.at(given.rule, given.place), self._rules[given.rule]
        act = Act(given.at_us, now_us)
        if meeting is None or not meeting.raised:
            return None
        if given.slot:
            if given.slot < len(self._meetings.table):
                meeting.end_part(self._meetings.who(rule, given.slot), act)
            return None
        if not meeting.end(act) or self._has_met_since(rule, meeting, act):
            return None
        return cleared_by_input(
            rule, given, slot=meeting.slot, place=given.place, table=self._meetings.table, now_us=now_us,
            why=why.by_person(given.kind), subject=rule.scope.subject,
        )  # fmt: skip

    def _has_met_since(self, rule: PlaceRule, meeting: Meeting, act: Act) -> bool:
        """Whether what came after the act was made meets what the act left: nothing was told of it, for the
        alarm stood, so the alarm goes on by that."""
        sides = (meeting.anchor, meeting.partner), (meeting.partner, meeting.anchor)
        met = [
            (note.heard_us, note.who, other.who)
            for side, across in sides
            for note in side.notes
            if act.is_before(note.heard_us)
            if (other := across.met(note.who, note.moment, int(rule.within), standing=rule.standing))
        ]
        for heard_us, *whose in sorted(met):
            meeting.stands_since(heard_us, whose)
        return bool(met)

    def snapshot(self) -> State:
        """All state but the active alarms, which the other kernels know."""
        return self._meetings.snapshot()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, rules that are gone left out; `adopt` must follow with the active alarms."""
        self._meetings.restore(state, self._all)
