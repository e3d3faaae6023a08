"""Everything that places remember: for each rule and place a `Meeting`, and where each series is noted, so
that what was said of it goes along when its device is registered elsewhere.

State: a row for each place that ever had such an alarm, with a note for each series that raised one there
(about 0.7 kB with its sentences), none for others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32, SeriesTable
from rules.kernels.meeting import (
    NEVER,
    Meeting,
    Moment,
    Side,
    Who,
    columns_of,
    member_columns,
    members_of,
    sides_of,
)
from rules.kernels.place_rule import PlaceRule, PlaceScope
from rules.pairs import State
from rules.transition import Why

Key = tuple[str, int]
"""A rule and the place."""


class Meetings:
    """The meetings by these rules over one series table."""

    def __init__(self, rules: Mapping[str, PlaceRule], table: SeriesTable) -> None:
        self.table = table
        self._rules = rules
        self._meetings: dict[Key, Meeting] = {}
        self._noted: dict[int, set[Key]] = {}
        """By slot the rules and places in which something is noted of it."""

    def at(self, rule: str, place: int) -> Meeting | None:
        """What one place remembers by a rule; None for nothing."""
        return self._meetings.get((rule, place))

    def raised(self) -> Iterator[tuple[PlaceRule, int, Meeting]]:
        """Rule, place and meeting of every alarm of a place that is active."""
        for (name, place), meeting in self._meetings.items():
            if meeting.raised:
                yield self._rules[name], place, meeting

    def sides(self, rule: PlaceRule, place: int, name: str) -> list[Side]:
        """The sides on which alarms of the rule `name` count there."""
        meeting = self._meetings.setdefault((rule.name, place), Meeting())
        sides = [meeting.anchor] if name in rule.anchor else []
        return [*sides, meeting.partner] if name in rule.partner else sides

    def note(
        self, side: Side, rule: PlaceRule, place: int, slot: int, said: tuple[Moment, str, Why], now_us: int
    ) -> None:
        """An alarm of this series on a side of that place, which came at `now_us`."""
        side.note(self.who(rule, slot), *said, now_us)
        self._noted.setdefault(slot, set()).add((rule.name, place))

    def place(self, rule: PlaceRule, slot: int) -> int:
        """Where the series hangs now, as the rule sees it; 0 for nowhere."""
        return rule.scope.place(self.table, slot) if slot < len(self.table) else 0

    def who(self, rule: PlaceRule, slot: int) -> Who:
        """Whose alarms those of this series are now."""
        device = int(self.table.device[slot])
        return Who(slot, device, rule.group(device, int(self.table.dwelling[slot])))

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table: what was noted of a series where it hangs no more goes. Nothing of
        `changed` slots (None: of any) is active anywhere until somebody says so."""
        self.table = table
        if changed is None:
            self._start_over()
        for slot in list(self._noted) if changed is None else changed.tolist():
            self._follow(slot)

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more, and who has one next is another."""
        for slot in slots.tolist():
            for key in self._noted.pop(slot, ()):
                self._meetings[key].leave(slot)

    def leave(self, rules: Collection[str]) -> None:
        """What is known of places by these rules is let go."""
        self._meetings = {key: one for key, one in self._meetings.items() if key[0] not in rules}
        self._index()

    def _start_over(self) -> None:
        """Places that are in the table no more are forgotten."""
        known = {scope: np.unique(scope.column(self.table)) for scope in PlaceScope}
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
            now = self.place(rule, slot)
            if self._is_elsewhere(slot, now, place):
                meeting.leave(slot)
                self._noted[slot].discard(key)
                continue
            for side in meeting.sides:
                side.rest(slot)
                if now == place:
                    side.rename(self.who(rule, slot))

    def _is_elsewhere(self, slot: int, now: int, place: int) -> bool:
        """Whether a series hangs at a known place, and not at this one (any more)."""
        table = self.table
        hangs = slot < len(table) and (table.dwelling[slot] or table.stair[slot] or table.building[slot])
        return now != place and bool(hangs)

    def snapshot(self) -> State:
        """All state but the active alarms, which the other kernels know."""
        meetings = list(self._meetings.values())
        return {
            "rule": np.array([rule for rule, _ in self._meetings], np.str_),
            "place": np.array([place for _, place in self._meetings], np.int64),
            "raised": np.array([meeting.raised for meeting in meetings], np.bool_),
            "slot": np.array([meeting.slot for meeting in meetings], np.int64),
            "told_us": np.array([meeting.told_us for meeting in meetings], np.int64),
            **columns_of("anchor", [meeting.anchor for meeting in meetings]),
            **columns_of("partner", [meeting.partner for meeting in meetings]),
            **member_columns(meetings),
        }

    def restore(self, state: Mapping[str, NDArray[Any]], names: Collection[str]) -> None:
        """Takes a snapshot; left out is what was noted of rules whose names are not among these. One of an
        earlier release does not say when alarms were told: an act ends them whenever it was made."""
        keys = [(str(rule), int(place)) for rule, place in zip(state["rule"], state["place"], strict=True)]
        anchors, partners = sides_of("anchor", state), sides_of("partner", state)
        told = state.get("told_us", np.full(len(keys), NEVER))
        rows = zip(anchors, partners, *(each.tolist() for each in (state["raised"], state["slot"], told)),
                   members_of(state), strict=True)  # fmt: skip
        self._meetings = {
            key: Meeting(*row) for key, row in zip(keys, rows, strict=True) if key[0] in self._rules
        }
        for meeting in self._meetings.values():
            for side in meeting.sides:
                side.notes = [one for one in side.notes if one.rule in names]
        self._index()


def _is_in(ordered: Int32, place: int) -> bool:
    at = int(np.searchsorted(ordered, place))
    return at < len(ordered) and int(ordered[at]) == place
