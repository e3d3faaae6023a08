"""The place kernel: alarms of two kinds that meet in one dwelling within a time.

It is fed with the engine's own transitions in arrival order, so it sees what the other kernels decided and
nothing else. Two alarms meet when one is raised while the other is active, or within the rule's time of the
other. The anchor (smoke) counts from when it was raised; the partner (electrical) also from when it was
cleared, since a fire often ends the overload that started it.

State: a row for each dwelling that ever had such an alarm (about 1.4 kB with its sentences), none for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.pairs import State
from rules.quantity import Span
from rules.rule import BaseRule, Name
from rules.transition import Mark, Subject, To, Transition, Why


class PlaceRule(BaseRule, frozen=True, kw_only=True, tag="place"):
    """An alarm on a dwelling where an alarm of `anchor` and one of `partner` meet `within` a time.

    `mark` is what the transition tells people besides.
    """

    numbers: ClassVar[tuple[str, ...]] = ("within",)

    anchor: Annotated[tuple[Name, ...], Meta(min_length=1)]
    partner: Annotated[tuple[Name, ...], Meta(min_length=1)]
    within: Span
    mark: Mark

    def __post_init__(self) -> None:
        super().__post_init__()
        both = set(self.anchor) & set(self.partner)
        if both:
            raise ValueError(f"key `partner`: {', '.join(sorted(both))} cannot be on both sides")


_NEVER: Final = -(2**62)
_NO_WHY: Final = Why("", "")


@dataclass(slots=True)
class _Side:
    """One kind of alarm in one dwelling: which are active, and the newest that counts."""

    active: set[tuple[str, int]] = field(default_factory=set)
    at_us: int = _NEVER
    rule: str = ""
    why: Why = _NO_WHY

    def meets(self, at_us: int, within_us: int) -> bool:
        """Whether an alarm of the other kind, raised at `at_us`, meets this one."""
        return bool(self.active) or abs(at_us - self.at_us) <= within_us


@dataclass(slots=True)
class _Meeting:
    """One place rule in one dwelling; `slot` is the series that raised it."""

    anchor: _Side = field(default_factory=_Side)
    partner: _Side = field(default_factory=_Side)
    raised: bool = False
    slot: int = 0


class PlaceKernel:
    """All place rules of a catalogue. Alarms outside dwellings (dwelling 0) never meet."""

    def __init__(self, rules: Sequence[BaseRule], table: SeriesTable) -> None:
        self._table = table
        self._all = {rule.name: rule for rule in rules}
        self._rules = {rule.name: rule for rule in rules if isinstance(rule, PlaceRule)}
        self._meetings: dict[tuple[str, int], _Meeting] = {}
        self._where: dict[tuple[str, int], int] = {}
        """In which dwelling each active (rule, slot) counts."""

    def adopt(
        self, table: SeriesTable, active: Iterable[tuple[str, int]], changed: Int32 | None = None
    ) -> None:
        """Takes a changed series table and the (rule, slot) of the active alarms on `changed` slots.

        Without `changed` the alarms are all there are, and dwellings that are in the table no more are
        forgotten. Otherwise those stay until then: they hold a line each and meet nothing.
        """
        self._table = table
        if changed is None:
            self._start_over(table)
        else:
            self._leave(changed)
        for name, slot in active:
            place = int(table.dwelling[slot])
            for rule in self._concerned(name, place):
                side = self._side(rule, place, name)
                side.active.add((name, slot))
                self._where[name, slot] = place
                if not side.rule:  # the device moved here with its alarm: the numbers stayed behind
                    side.rule, side.why = name, why.still_active(self._all[name].title)

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more."""
        self._leave(slots)

    def raised_by(self) -> list[int]:
        """The slots that raised the alarms of places that are active."""
        return [meeting.slot for meeting in self._meetings.values() if meeting.raised]

    def _start_over(self, table: SeriesTable) -> None:
        keys = list(self._meetings)
        there = np.isin([place for _, place in keys], table.dwelling) if keys else ()
        self._meetings = {key: self._meetings[key] for key, kept in zip(keys, there, strict=True) if kept}
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
            place = self._where.pop((name, slot))
            for rule in self._concerned(name, place):
                self._side(rule, place, name).active.discard((name, slot))

    def feed(self, transition: Transition) -> list[Transition]:
        """What one transition of another kernel raises here. A visit is no alarm and meets nothing."""
        name, place = transition.rule, transition.dwelling
        if transition.severity is not self._all[name].severity:
            return []
        raised = []
        for rule in self._concerned(name, place):
            side = self._side(rule, place, name)
            if transition.to is To.RAISED:
                side.active.add((name, transition.slot))
                self._where[name, transition.slot] = place
                _note(side, transition)
                raised += self._meet(rule, place, transition)
                continue
            side.active.discard((name, transition.slot))
            self._where.pop((name, transition.slot), None)
            if name in rule.partner:
                side.at_us = max(side.at_us, transition.at_us)
        return raised

    def _concerned(self, name: str, place: int) -> list[PlaceRule]:
        if not place:
            return []
        return [rule for rule in self._rules.values() if name in rule.anchor or name in rule.partner]

    def _side(self, rule: PlaceRule, place: int, name: str) -> _Side:
        meeting = self._meetings.setdefault((rule.name, place), _Meeting())
        return meeting.anchor if name in rule.anchor else meeting.partner

    def _meet(self, rule: PlaceRule, place: int, trigger: Transition) -> list[Transition]:
        meeting = self._meetings[rule.name, place]
        other = meeting.partner if trigger.rule in rule.anchor else meeting.anchor
        if meeting.raised or not other.meets(trigger.at_us, rule.within):
            return []
        meeting.raised, meeting.slot = True, trigger.slot
        anchor, partner = self._all[meeting.anchor.rule], self._all[meeting.partner.rule]
        said = why.met_in_place(anchor.title, partner.title, rule.within, meeting.partner.why)
        marks = tuple(mark for mark in trigger.marks if mark is not Mark.SECOND_FIRE)
        return [
            replace(
                trigger,
                rule=rule.name,
                severity=rule.severity,
                place=place,
                why=said,
                marks=(rule.mark, *marks),
                subject=Subject.DWELLING,
            )
        ]

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset or close: the alarm clears and may be raised again.

        What led to it is forgotten, but an alarm that is still active goes on counting.
        """
        meeting = self._meetings.get((given.rule, given.place))
        if meeting is None or not meeting.raised:
            return None
        meeting.raised = False
        meeting.anchor.at_us = meeting.partner.at_us = _NEVER
        rule, said = self._rules[given.rule], why.by_person(given.kind)
        return cleared_by_input(
            rule, given, slot=meeting.slot, place=given.place, table=self._table, now_us=now_us, why=said,
            subject=Subject.DWELLING,
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
        anchors, partners = _sides("anchor", state), _sides("partner", state)
        self._meetings = {
            (str(rule), int(state["place"][n])): _Meeting(
                anchors[n], partners[n], bool(state["raised"][n]), int(state["slot"][n])
            )
            for n, rule in enumerate(state["rule"])
            if str(rule) in self._rules
        }


def _note(side: _Side, transition: Transition) -> None:
    side.at_us = max(side.at_us, transition.at_us)
    side.rule, side.why = transition.rule, transition.why


def _columns(name: str, sides: list[_Side]) -> State:
    return {
        f"{name}_us": np.array([side.at_us for side in sides], np.int64),
        f"{name}_rule": np.array([side.rule for side in sides], np.str_),
        f"{name}_why_en": np.array([side.why.en for side in sides], np.str_),
        f"{name}_why_zh_cn": np.array([side.why.zh_cn for side in sides], np.str_),
    }


def _sides(name: str, state: Mapping[str, NDArray[Any]]) -> list[_Side]:
    columns = (state[f"{name}_{part}"] for part in ("us", "rule", "why_en", "why_zh_cn"))
    return [
        _Side(set(), int(at), str(rule), Why(str(en), str(zh_cn)))
        for at, rule, en, zh_cn in zip(*columns, strict=True)
    ]
