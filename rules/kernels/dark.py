"""The dark kernel: a building of which many devices fell silent at once is one alarm, not one for each.

docs/rules.md, `dark`, says what it means. State: 21 bytes a building, by registry id; how many devices a
building has and how many are silent is counted along, so that nothing but buildings in question is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, ClassVar, Final, NamedTuple

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, Int64, SeriesTable
from rules import why
from rules.found import cleared_by_input
from rules.heard import KNOWN, NEVER, SILENT, Heard
from rules.pairs import State
from rules.quantity import Level, Span
from rules.rule import KEYS, BaseRule
from rules.transition import Subject, To, Transition, Why


class DarkRule(BaseRule, frozen=True, kw_only=True, tag="dark"):
    """An alarm on a building with at least `least` devices that report often.

    Raised when at least `raise` of them fell silent `within` a time, and that has lasted for `hold`; cleared
    when fewer than `clear` are silent. A single device waits for it: for `settle`, and where `clear` are
    silent for `patience` at most.
    """

    numbers: ClassVar[tuple[str, ...]] = ("raise", "within", "hold", "clear", "least", "settle", "patience")

    raise_at: Level
    within: Span
    hold: Span
    clear_below: Level
    least: Annotated[int, Meta(ge=1)]
    settle: Span
    patience: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, level in (("raise_at", self.raise_at), ("clear_below", self.clear_below)):
            if level.unit != "%" or not 0 < level.value <= 100:
                raise ValueError(f"key `{KEYS[field]}`: `{level}` is no share; more than 0 % up to 100 %")
        if self.raise_at.value < self.clear_below.value:
            raise ValueError("key `raise`: is below `clear`; a level at or above `clear` is allowed")
        if self.within <= self.hold:
            raise ValueError("key `within`: must be longer than `hold`, or nothing can last that long")
        if self.patience < self.settle:
            raise ValueError("key `patience`: must not be shorter than `settle`")


_BLANK: Final[Mapping[str, np.generic]] = {
    "since_us": np.int64(NEVER),
    "told": np.bool_(False),
    "active": np.bool_(False),
    "device": np.int32(0),
    "members": np.int32(0),
    "silent": np.int32(0),
}
_COUNTED: Final = ("members", "silent")
"""Counted from the devices, and in no snapshot."""


Often = Callable[[Int32], Bool]
"""Which of some devices report often, by the limit that the registry or their profile gives them."""


class Waits(NamedTuple):
    """How long a single alarm of each device waits for that of its building."""

    covered: Bool
    """As long as the building's is active."""
    until_us: Int64
    restless: Bool
    """The wait ends sooner where the building's devices are heard again."""


class DarkKernel:
    """The dark rule of a catalogue, if it has one, over the devices of `heard` that report often."""

    since_us: Int64
    told: Bool
    active: Bool
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
        self._add(self.silent, building[(status & SILENT) != 0], sign)

    def take_silent(self, ids: Int32, often: Bool) -> None:
        """Counts in these devices, which have just fallen silent."""
        if self.rule is not None:
            building = self.heard.building[ids[often]]
            self._add(self.silent, building[building > 0], 1)

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

    def waits(self, ids: Int32, often: Bool, now_us: int) -> Waits:
        """What single alarms of these silent devices wait for."""
        fell = self.heard.fell_us[ids]
        if self.rule is None:
            return Waits(np.zeros(len(ids), np.bool_), fell, np.zeros(len(ids), np.bool_))
        building = np.where(often, self.heard.building[ids], 0)
        part = (building > 0) & (building < len(self.members))
        building = np.where(part, building, 0)
        covered: Bool = part & self.active[building]
        part &= self.members[building] >= self.rule.least
        many = self.silent[building] * 100.0 >= self.rule.clear_below.value * self.members[building]
        until = fell + np.where(part, int(self.rule.settle), 0)
        restless = part & many & (until <= now_us)
        until = np.where(restless, fell + int(self.rule.patience), until)
        return Waits(covered, until, restless & (until > now_us))

    def covers(self, ids: Int32, often: Bool) -> Bool:
        """Which of these belong to a building whose alarm is active."""
        building = np.where(often, self.heard.building[ids], 0)
        covers: Bool = self.active[np.where(building < len(self.active), building, 0)]
        return covers

    @property
    def pending(self) -> bool:
        """Whether a share has been reached that may become an alarm by lasting."""
        return bool(((self.since_us > NEVER) & ~self.active).any())

    def judge(self, often: Often, now_us: int, table: SeriesTable) -> tuple[list[Transition], Int32]:
        """What has been raised and cleared by now, in the order of the buildings; and those that cleared."""
        if self.rule is None:
            return [], np.empty(0, np.int32)
        few = self.silent * 100.0 < self.rule.clear_below.value * self.members
        cleared = np.flatnonzero(self.active & (few | (self.members == 0))).astype(np.int32)
        told = [self._clear(int(one), now_us, table) for one in cleared]
        told += self._raise(often, now_us, table)
        return sorted(told, key=lambda one: one.place), cleared

    def _raise(self, often: Often, now_us: int, table: SeriesTable) -> list[Transition]:
        rule = self._rule
        asked = self._enough(self.silent) | (self.since_us > NEVER)
        if not (asked & ~self.active).any():
            return []
        ids = self.heard.having(SILENT)
        ids = ids[often(ids) & (self.heard.building[ids] > 0)]
        ids = ids[self.heard.fell_us[ids] > now_us - rule.within]
        building = self.heard.building[ids]
        fresh = np.bincount(building, minlength=len(self.members))
        reached = self._enough(fresh) & (fresh > 0)
        over = ~reached & ~self.active
        self.since_us[over], self.told[over] = NEVER, False
        news = np.flatnonzero(reached & (self.since_us == NEVER))
        if len(news):
            ids = ids[np.argsort(building, kind="stable")]
            ends = np.cumsum(fresh)
            for one in news.tolist():
                self._reach(one, ids[ends[one] - fresh[one] : ends[one]])
        due = reached & ~self.told & (now_us >= self.since_us + rule.hold) & (self.since_us > NEVER)
        return [
            self._tell_raised(one, int(fresh[one]), now_us, table) for one in np.flatnonzero(due).tolist()
        ]

    def _enough(self, devices: Int32 | Int64) -> Bool:
        big = self.members >= self._rule.least
        enough: Bool = big & (devices * 100.0 >= self._rule.raise_at.value * self.members)
        return enough

    def _reach(self, building: int, ids: Int32) -> None:
        """The share has been reached: since the deadline of the device with which it was."""
        fell = np.sort(self.heard.fell_us[ids])
        need = np.arange(1, len(fell) + 1) * 100.0 >= self._rule.raise_at.value * self.members[building]
        self.since_us[building] = fell[int(np.argmax(need))]
        self.device[building] = ids.min()

    def _tell_raised(self, building: int, fresh: int, now_us: int, table: SeriesTable) -> Transition:
        rule, members = self._rule, int(self.members[building])
        self.told[building] = self.active[building] = True
        part = f"{fresh * 100 // members} % ≥ {rule.raise_at}"
        said = Why(
            en=f"{fresh} of {members} devices ({part}) fell silent within {why.duration(rule.within)}, "
            f"for {why.duration(rule.hold)}",
            zh_cn=f"{members} 台设备中有 {fresh} 台（{part}）在 {why.duration_zh(rule.within)}内失联，"
            f"持续 {why.duration_zh(rule.hold)}",
        )
        return self._tell(building, To.RAISED, int(self.since_us[building] + rule.hold), now_us, said, table)

    def _clear(self, building: int, now_us: int, table: SeriesTable) -> Transition:
        silent, members = int(self.silent[building]), int(self.members[building])
        self.active[building] = self.told[building] = False
        self.since_us[building] = NEVER
        limit = self._rule.clear_below
        said = Why(
            en=f"{silent} of {members} devices silent, less than {limit}",
            zh_cn=f"{members} 台设备中仅 {silent} 台失联，低于 {limit}",
        )
        return self._tell(building, To.CLEARED, now_us, now_us, said, table)

    def _tell(
        self, building: int, to: To, at_us: int, now_us: int, said: Why, table: SeriesTable
    ) -> Transition:
        return Transition(
            rule=self._rule.name,
            to=to,
            severity=self._rule.severity,
            slot=self.slot_of(building),
            device=int(self.device[building]),
            dwelling=0,
            place=building,
            at_us=at_us,
            nudge_ns=0,
            received_us=now_us,
            why=said,
            age_s=0.0,
            subject=Subject.BUILDING,
        )

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
        self.active[given.place] = False
        said = why.by_person(given.kind)
        return cleared_by_input(
            self._rule, given, slot=self.slot_of(given.place), place=given.place, table=table,
            now_us=now_us, why=said, subject=Subject.BUILDING,
        )  # fmt: skip

    def lost_in(
        self, after: DarkKernel, names: Collection[str], now_us: int, table: SeriesTable
    ) -> list[Transition]:
        """The clearings of alarms that are active here and not in `after`."""
        if self.rule is None or self._name == after._name:
            return []
        said = why.rule_gone(self._name, changed=self._name in names)
        active = np.flatnonzero(self.active).tolist()
        return [self._tell(one, To.CLEARED, now_us, now_us, said, table) for one in active]

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
            if name not in _COUNTED:
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
