"""The dark kernel: a building of which many devices fell silent at once is one alarm, not one for each.

docs/rules.md, `dark`, says what it means. State: 30 bytes a building, by registry id; how many devices a
building has and how many are silent is counted along, so that nothing but buildings in question is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, Int64, SeriesTable
from rules.heard import ABSENT, FAR, KNOWN, NEVER, SILENT, Heard
from rules.kernels.dark_rule import DarkRule
from rules.kernels.dark_told import Dark, ended_by, fell_silent, few_silent, told
from rules.pairs import State
from rules.standing import Standing
from rules.transition import Subject, To, Transition

_BLANK: Final[Mapping[str, np.generic]] = {
    "since_us": np.int64(NEVER),
    "told": np.bool_(False),
    "active": np.bool_(False),
    "covers": np.bool_(False),
    "below_us": np.int64(NEVER),
    "device": np.int32(0),
    "members": np.int32(0),
    "silent": np.int32(0),
}
_COUNTED: Final = ("members", "silent")
"""Counted from the devices, and in no snapshot."""


Often = Callable[[Int32], Bool]
"""Which of some devices report often, by the limit that the registry or their profile gives them."""


class DarkKernel:
    """The dark rule of a catalogue, if it has one, over the devices of `heard` that report often.

    `since_us`: the share was reached; `told`: it has been told; `covers`: as long as it does, nothing is told
    of the building's devices; `below_us`: the look from which on fewer than `raise` were silent.
    """

    since_us: Int64
    told: Bool
    active: Bool
    covers: Bool
    below_us: Int64
    device: Int32
    members: Int32
    silent: Int32

    def __init__(self, rule: DarkRule | None, heard: Heard) -> None:
        self.rule = rule
        self.heard = heard
        self._wipe(1)

    def take(self, ids: Int32, often: Bool, sign: int) -> None:
        """Counts these devices in (1) or out (-1), as they stand now: out before they change, in after."""
        if self.rule is None:
            return
        building, status = self.heard.building[ids], self.heard.status[ids]
        part = often & (building > 0) & ((status & KNOWN) != 0)
        building, status = building[part], status[part]
        self._grow(int(building.max(initial=0)) + 1)
        self._add(self.members, building, sign)
        self._add(self.silent, building[(status & ABSENT) != 0], sign)

    def take_silent(self, ids: Int32, often: Bool) -> None:
        """Counts in these devices, which have just fallen silent, or are lost."""
        if self.rule is not None:
            building = self.heard.building[ids[often]]
            self._add(self.silent, building[building > 0], 1)

    @contextmanager
    def recounted(self, ids: Int32, often: Often) -> Iterator[None]:
        """What their buildings count of these is counted anew after what is done with them."""
        self.take(ids, often(ids), -1)
        yield
        self.take(ids, often(ids), 1)

    @staticmethod
    def _add(column: Int32, building: Int32, sign: int) -> None:
        if len(building) < len(column):
            np.add.at(column, building, sign)
        else:
            column += sign * np.bincount(building, minlength=len(column)).astype(np.int32)

    def silent_in(self, buildings: Int32) -> Int32:
        """The silent devices of these buildings. Cost: a glance at all devices."""
        ids = self.heard.having(SILENT)
        found: Int32 = ids[np.isin(self.heard.building[ids], buildings)]
        return found

    def recount(self, ids: Int32, often: Bool) -> None:
        """All devices there are."""
        self.members[:] = 0
        self.silent[:] = 0
        self.take(ids, often, 1)

    def covered(self, ids: Int32, often: Bool) -> Bool:
        """Which of these belong to a building whose alarm covers them."""
        building = np.where(often, self.heard.building[ids], 0)
        covered: Bool = self.covers[np.where(building < len(self.covers), building, 0)]
        return covered

    def due_us(self, now_us: int) -> int:
        """From when on time alone may change something: at once where a share has been reached that may
        become an alarm by lasting, else when an alarm ceases to cover."""
        if ((self.since_us > NEVER) & ~self.active).any():
            return now_us
        ending = self.below_us[self.covers & (self.below_us > NEVER)]
        return int(ending.min()) + int(self._rule.cover) if len(ending) else FAR

    def turn_back(self, now_us: int) -> None:
        """The clock has been ahead: what is kept as later than now counts as now."""
        np.minimum(self.since_us, now_us, out=self.since_us)
        np.minimum(self.below_us, now_us, out=self.below_us)

    def judge(self, often: Often, now_us: int) -> tuple[list[Transition], Int32]:
        """What has been raised and cleared by now, in the order of the buildings; and those whose devices are
        covered no more."""
        if self.rule is None:
            return [], np.empty(0, np.int32)
        few = self.silent * 100.0 < self.rule.clear_below.value * self.members
        cleared = np.flatnonzero(self.active & (few | (self.members == 0))).astype(np.int32)
        found = [self._clear(int(one), now_us) for one in cleared]
        found += self._raise(often, now_us)
        return sorted(found, key=lambda one: one.place), self._cover(now_us)

    def _cover(self, now_us: int) -> Int32:
        """Which alarms cover from here on; those that do no more."""
        many = self.silent * 100.0 >= self._rule.raise_at.value * self.members
        below = self.active & ~many
        self.below_us[~below] = NEVER
        self.below_us[below & (self.below_us == NEVER)] = now_us
        covers = self.active & (many | (now_us < self.below_us + self._rule.cover))
        over = np.flatnonzero(self.covers & ~covers).astype(np.int32)
        self.covers[:] = covers
        return over

    def _raise(self, often: Often, now_us: int) -> list[Transition]:
        rule = self._rule
        asked = self._enough(self.silent) | (self.since_us > NEVER)
        if not (asked & ~self.active).any():
            return []
        ids = self.heard.having(ABSENT)
        ids = ids[often(ids) & (self.heard.building[ids] > 0)]
        ids = ids[self.heard.fell_us[ids] > now_us - rule.within]
        building = self.heard.building[ids]
        fresh = np.bincount(building, minlength=len(self.members))
        reached = self._enough(fresh)
        in_question = (reached & ~self.active)[building]
        reached &= self.active | (self._households(ids[in_question]) >= rule.households)
        over = ~reached & ~self.active
        self.since_us[over], self.told[over] = NEVER, False
        news = np.flatnonzero(reached & (self.since_us == NEVER))
        if len(news):
            ids = ids[np.argsort(building, kind="stable")]
            ends = np.cumsum(fresh)
            for one in news.tolist():
                self._reach(one, ids[ends[one] - fresh[one] : ends[one]])
        due = reached & ~self.told & (now_us >= self.since_us + rule.hold) & (self.since_us > NEVER)
        return [self._tell_raised(one, int(fresh[one]), now_us) for one in np.flatnonzero(due).tolist()]

    def _enough(self, devices: Int32 | Int64) -> Bool:
        big = self.members >= self._rule.least
        enough: Bool = big & (devices * 100.0 >= self._rule.raise_at.value * self.members)
        return enough

    def _households(self, ids: Int32) -> Int64:
        """Of how many dwellings these are, by building."""
        building = self.heard.building[ids].astype(np.int64) << 32
        pairs = np.sort(building | self.heard.household(ids).astype(np.uint32))  # a tenth of np.unique's time
        first = np.ones(len(pairs), np.bool_)
        np.not_equal(pairs[1:], pairs[:-1], out=first[1:])
        return np.bincount(pairs[first] >> 32, minlength=len(self.members))

    def _reach(self, building: int, ids: Int32) -> None:
        """The share has been reached: since the deadline of the device with which it was."""
        ids = ids[np.argsort(self.heard.fell_us[ids], kind="stable")]
        need = np.arange(1, len(ids) + 1) * 100.0 >= self._rule.raise_at.value * self.members[building]
        first = np.zeros(len(ids), np.int64)
        first[np.unique(self.heard.household(ids), return_index=True)[1]] = 1
        need &= np.cumsum(first) >= self._rule.households
        self.since_us[building] = self.heard.fell_us[ids[int(np.argmax(need))]]
        self.device[building] = ids.min()

    def _tell_raised(self, building: int, fresh: int, now_us: int) -> Transition:
        rule, members = self._rule, int(self.members[building])
        self.told[building] = self.active[building] = True
        at_us = int(self.since_us[building] + rule.hold)
        said = fell_silent(fresh, members, rule.raise_at, rule.within, rule.hold)
        return told(rule, To.RAISED, self._dark(building), at_us, now_us, said)

    def _clear(self, building: int, now_us: int) -> Transition:
        self.active[building] = self.told[building] = False
        self.since_us[building] = NEVER
        silent, members = int(self.silent[building]), int(self.members[building])
        said = few_silent(silent, members, self._rule.clear_below)
        return told(self._rule, To.CLEARED, self._dark(building), now_us, now_us, said)

    def _dark(self, building: int) -> Dark:
        return Dark(building, self.slot_of(building), int(self.device[building]))

    def slots(self) -> list[int]:
        """The series that stand for the alarms that are active."""
        return [self.slot_of(one) for one in np.flatnonzero(self.active).tolist()]

    def slot_of(self, building: int) -> int:
        """The series that stands for the alarm: that of its first device by id, 0 if it is gone."""
        return max(0, int(self.heard.first[self.device[building]]))

    def apply(self, given: EngineInput, now_us: int, table: SeriesTable) -> Transition | None:
        """A reset or close: it clears, and comes back only when the share has been lower in between."""
        if not 0 < given.place < len(self.active) or not self.active[given.place]:
            return None
        self.active[given.place] = self.covers[given.place] = False
        return ended_by(self._rule, given, self._dark(given.place), now_us, table)

    def alarms(self) -> Iterator[Standing]:
        """Every alarm that is active."""
        for building in np.flatnonzero(self.active).tolist() if self.rule is not None else ():
            yield Standing(self._name, Subject.BUILDING, building, self.slot_of(building))

    @property
    def _name(self) -> str:
        return self.rule.name if self.rule else ""

    @property
    def _rule(self) -> DarkRule:
        assert self.rule is not None
        return self.rule

    def snapshot(self) -> State:
        """Copies of all state, of the buildings of which there is any."""
        some = np.flatnonzero((self.since_us > NEVER) | self.active).astype(np.int32)
        kept = [name for name in _BLANK if name not in _COUNTED]
        return {
            "building": some,
            "building_rule": np.array([self._name], np.str_),
            **{f"building_{name}": getattr(self, name)[some] for name in kept},
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; `recount` must follow."""
        some = state["building"]
        self._wipe(int(some.max(initial=0)) + 1)
        for name in _BLANK:
            if name not in _COUNTED and f"building_{name}" in state:
                getattr(self, name)[some] = state[f"building_{name}"]
        if str(state["building_rule"][0]) != self._name:
            self._wipe(len(self.active))

    def _wipe(self, n: int) -> None:
        for name, blank in _BLANK.items():
            setattr(self, name, np.full(n, blank, blank.dtype))

    def _grow(self, n: int) -> None:
        if n > len(self.members):
            room = max(n, 2 * len(self.members)) - len(self.members)
            for name, blank in _BLANK.items():
                column = np.full(room, blank, blank.dtype)
                setattr(self, name, np.concatenate((getattr(self, name), column)))
