"""Where the active alarms of judged rules were told, so that one whose device is registered at another place
goes on there.

What was measured was measured, whoever's circuit it was thought to be. So people of the right place hear of
it, and what happens there meets it by its own times (kind `place`). Where the rule has another level there
(another breaker, an override, a rule that does not hold there), what was measured says nothing yet: the alarm
is cleared where it was, and judged anew. Life flags do the same by themselves
(`rules.kernels.flag_told`).

State: a line for each alarm that is active, with its sentences; none for others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import EngineInput, Int32, SeriesTable
from rules import why
from rules.found import which_metric
from rules.judged import JudgedKernel
from rules.kernel import ACTIVE
from rules.kernels.flag_state import dwelling_of, places
from rules.kernels.meeting import NEVER, NO_MOMENT, Moment
from rules.pairs import State
from rules.transition import Mark, To, Transition, Why


class Alarm(NamedTuple):
    """An active alarm as it was told last: when, at which place (`places`), and by which level of its rule.
    `at_us` and `received_us` are those of the reading that raised it; NEVER where that is not known."""

    place: int
    level: float
    at_us: int
    received_us: int
    why: Why
    told_us: int


class GoesOn(NamedTuple):
    """An alarm cleared where it was, and raised where it is; None where it is judged anew there. `moment` is
    its own time, by which it meets others."""

    cleared: Transition
    raised: Transition | None
    moment: Moment


Key = tuple[int, str]
"""The slot of an alarm and its rule."""


class Whereabouts:
    """The active alarms of these kernels, by the names of their rules; `order` is that of the catalogue."""

    def __init__(
        self, kernels: Mapping[str, JudgedKernel[Any]], order: Mapping[str, int], table: SeriesTable
    ) -> None:
        self._kernels, self._order, self._table = kernels, order, table
        self._alarms: dict[Key, Alarm] = {}
        self._moved: set[Key] = set()

    def note(self, transition: Transition) -> None:
        """A transition that the engine tells, whichever it is."""
        kernel, key = self._kernels.get(transition.rule), (transition.slot, transition.rule)
        if kernel is None:
            return
        if transition.to is not To.RAISED:
            self._alarms.pop(key, None)
            return
        times = transition.at_us, transition.received_us
        level = kernel.stands_by(self._pair(kernel, key))
        said = transition.why, transition.received_us
        self._alarms[key] = Alarm(self._place(key), level, *times, *said)

    def is_newer(self, given: EngineInput, now_us: int) -> bool:
        """Whether the alarm that an act names was told (raised, or told where its device is registered now)
        after the act was made: then the act is about another. A telling after `now_us` says nothing, for our
        clock was put back since: an alarm that nobody can end would hide the next."""
        alarm = self._alarms.get((given.slot, given.rule))
        return alarm is not None and given.at_us < alarm.told_us <= now_us

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table, when the kernels have; `changed` as for them."""
        self._table = table
        if self._alarms:
            self._note_moved(None if changed is None else {*changed.tolist()})

    def forget(self, slots: Int32) -> None:
        """No alarm is active on these slots any more."""
        gone = {*slots.tolist()} if self._alarms else set()
        for key in [key for key in self._alarms if key[0] in gone]:
            del self._alarms[key]

    @property
    def has_moved(self) -> bool:
        """Whether `tell` may have something to tell."""
        return bool(self._moved)

    def tell(self, now_us: int) -> Iterator[GoesOn]:
        """The alarms that `adopt` or `restore` found elsewhere; by series, once."""
        moved, self._moved = self._moved, set()
        for key in sorted(moved, key=lambda one: (one[0], self._order[one[1]])):
            alarm, kernel = self._alarms.get(key), self._kernels[key[1]]
            pair = self._pair(kernel, key)
            if alarm is None or pair < 0 or not kernel.pairs.state["status"][pair] & ACTIVE:
                self._alarms.pop(key, None)  # told to be cleared already
            elif self._is_elsewhere(key, alarm):
                yield self._tell(key, alarm, kernel, pair, now_us)

    def _tell(self, key: Key, alarm: Alarm, kernel: JudgedKernel[Any], pair: int, now_us: int) -> GoesOn:
        level = kernel.stands_by(pair)
        goes_on = level == alarm.level or (math.isnan(level) and math.isnan(alarm.level))
        raised = self._raised(key, alarm, kernel, now_us)
        said = why.goes_on_elsewhere() if goes_on else why.judged_anew_elsewhere()
        marks = (Mark.ELSEWHERE,) if goes_on else ()
        cleared = replace(
            raised, to=To.CLEARED, dwelling=dwelling_of(alarm.place), at_us=now_us, nudge_ns=0, why=said,
            age_s=0.0, marks=marks,
        )  # fmt: skip
        if not goes_on:
            del self._alarms[key]
            kernel.end(pair)
            return GoesOn(cleared, None, NO_MOMENT)
        self._alarms[key] = alarm._replace(place=self._place(key), told_us=now_us)
        return GoesOn(cleared, raised, Moment(alarm.at_us, alarm.received_us))

    def _raised(self, key: Key, alarm: Alarm, kernel: JudgedKernel[Any], now_us: int) -> Transition:
        """As it is told now, where its device is registered now. `at_us` is still that of the reading that
        raised it; so that it is another alarm than the one told before, `nudge_ns` is the moment of telling,
        which is no reading's."""
        (slot, name), table = key, self._table
        rule = kernel.rules[kernel.number[name]]
        return Transition(
            rule=name,
            to=To.RAISED,
            severity=rule.severity,
            slot=slot,
            device=int(table.device[slot]),
            dwelling=int(table.dwelling[slot]),
            place=0,
            at_us=alarm.at_us,
            nudge_ns=now_us,
            received_us=now_us,
            why=why.registered_here_now(alarm.why),
            age_s=max(0, now_us - alarm.at_us) / 1e6,
            marks=rule.marks,
            metric=which_metric(rule, table, slot),
        )

    def _note_moved(self, slots: set[int] | None) -> None:
        self._moved |= {
            key
            for key, alarm in self._alarms.items()
            if (slots is None or key[0] in slots) and self._is_elsewhere(key, alarm)
        }

    def _is_elsewhere(self, key: Key, alarm: Alarm) -> bool:
        """At a known place where it was not told."""
        return self._place(key) not in (0, alarm.place)

    def _place(self, key: Key) -> int:
        slot = key[0]
        return int(places(self._table, np.array([slot], np.int32))[0]) if slot < len(self._table) else 0

    def _pair(self, kernel: JudgedKernel[Any], key: Key) -> int:
        return kernel.pairs.find(key[0], kernel.number[key[1]])

    def snapshot(self) -> State:
        """All state."""
        keys = sorted(self._alarms)
        alarms = [self._alarms[key] for key in keys]
        return {
            "slot": np.array([slot for slot, _ in keys], np.int64),
            "rule": np.array([rule for _, rule in keys], np.str_),
            "place": np.array([one.place for one in alarms], np.int64),
            "level": np.array([one.level for one in alarms], np.float64),
            "at_us": np.array([one.at_us for one in alarms], np.int64),
            "received_us": np.array([one.received_us for one in alarms], np.int64),
            "why_en": np.array([one.why.en for one in alarms], np.str_),
            "why_zh_cn": np.array([one.why.zh_cn for one in alarms], np.str_),
            "told_us": np.array([one.told_us for one in alarms], np.int64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, rules that are gone left out. One of an earlier release says nothing: its alarms,
        which the kernels know by now, were told where they are."""
        self._alarms = self._assumed() if "slot" not in state else dict(self._known(state))
        self._moved = set()
        self._note_moved(None)

    def _known(self, state: Mapping[str, NDArray[Any]]) -> Iterator[tuple[Key, Alarm]]:
        names = ("slot", "rule", "place", "level", "at_us", "received_us", "why_en", "why_zh_cn")
        told = state.get("told_us", state["received_us"])  # an earlier release does not say
        for row in zip(*(state[name].tolist() for name in names), told.tolist(), strict=True):
            slot, rule, place, level, at_us, received_us, en, zh_cn, told_us = row
            if rule in self._kernels:
                yield (slot, rule), Alarm(place, level, at_us, received_us, Why(en, zh_cn), told_us)

    def _assumed(self) -> dict[Key, Alarm]:
        """Of what the kernels say is active: observed with the last reading that was judged."""
        alarms = {}
        for kernel in {id(one): one for one in self._kernels.values()}.values():
            for name, slot in kernel.active():
                pair, said = kernel.pairs.find(slot, kernel.number[name]), kernel.rules[kernel.number[name]]
                at_us, level = int(kernel.pairs.state["last_us"][pair]), kernel.stands_by(pair)
                told = why.still_active(said.title)
                place = self._place((slot, name))
                alarms[slot, name] = Alarm(place, level, at_us, NEVER, told, NEVER)
        return alarms
