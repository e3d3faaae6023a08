"""The silence kernel: devices that are not heard.

docs/rules.md, `silence`, says when a device is silent and when it is told. State: the columns of
rules/heard.py; this file decides about the devices that are due, and never looks at others.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import UNSET, Meta, UnsetType

from devices.model import Bool, EngineInput, Float32, Int32, Int64, SeriesTable, UInt8
from rules import why
from rules.found import Found, cleared_by_input
from rules.heard import (
    ACTIVE,
    ACTIVE_LONG,
    AWAITED,
    FAR,
    HELD,
    KNOWN,
    PARKED,
    SAID_OFFLINE,
    SELDOM,
    SILENT,
    TOLD,
    TOLD_LONG,
    Heard,
)
from rules.kernels.dark import DarkKernel
from rules.quantity import Span
from rules.rounds import Rows
from rules.rule import BaseRule
from rules.transition import Subject, To, Transition, Why


class Watch(StrEnum):
    """Which devices a rule is about: those whose limit is below that of the seldom ones, or the others."""

    OFTEN = "often"
    SELDOM = "seldom"


class SilenceRule(BaseRule, frozen=True, kw_only=True, tag="silence"):
    """An alarm on a device that has not been heard for its limit times `times`, at least for `after`, and
    `more`.

    `long`: the second alarm of the same silence. Cleared when the device was heard at `beats` moments. After
    we, or the broker, were away, deadlines start again after `grace`.
    """

    numbers: ClassVar[tuple[str, ...]] = ("after", "times", "more", "beats", "grace")

    watch: Watch
    after: Span
    long: bool = False
    times: Annotated[int, Meta(ge=2)] | UnsetType = UNSET
    more: Span | UnsetType = UNSET
    beats: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    grace: Span | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("beats", "grace"):
            if self.long is not (getattr(self, key) is UNSET):
                said = "that of the first alarm counts; leave it out" if self.long else "is missing"
                raise ValueError(f"key `{key}`: {said}")

    @property
    def need(self) -> int:
        """At how many moments the device must have been heard."""
        return 1 if isinstance(self.beats, UnsetType) else self.beats

    @property
    def grace_us(self) -> int:
        """How long after a return deadlines start."""
        return 0 if isinstance(self.grace, UnsetType) else int(self.grace)

    def delay(self, limit_us: Int64) -> Int64:
        """How long devices with these limits must have been silent."""
        times = 1 if isinstance(self.times, UnsetType) else self.times
        more = 0 if isinstance(self.more, UnsetType) else int(self.more)
        delay: Int64 = np.maximum(limit_us * times, int(self.after)) + more
        return delay


_DAILY_US: Final = 90_000_000_000
"""25 h: the limit where nothing says one and there is no rule for devices that report seldom."""
_LONGEST_S: Final = 1e9
"""A limit above some thirty years is none (chosen; sums of microseconds stay far from overflowing)."""
_KINDS: Final = ((True, False), (True, True), (False, False), (False, True))
"""(often, long) of the rules there can be."""
_DEPTH: Final = 4
"""Gateways behind gateways that are asked in one look (chosen; a deeper one is asked at the next)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for some devices: how long each may be silent for either alarm, by which rules."""

    often: Bool
    limit_s: Float32
    first: Int64
    long: Int64


class SilenceKernel:
    """All silence rules of a catalogue: at most one of each `watch` and `long`."""

    def __init__(self, rules: Sequence[SilenceRule], order: Mapping[str, int], heard: Heard) -> None:
        self._by = {(rule.watch is Watch.OFTEN, rule.long): rule for rule in rules}
        self._named = {rule.name: rule for rule in rules}
        self.order = order
        seldom = self._by.get((False, False))
        self.border_s = (int(seldom.after) if seldom else _DAILY_US) / 1e6
        self.heard = heard

    def limit_s(self, ids: Int32) -> Float32:
        """How long each may be silent, by the registry or its profile, else that of the seldom ones."""
        own = self.heard.limit_s[ids]
        limit: Float32 = np.where(own > 0, np.minimum(own, _LONGEST_S), self.border_s).astype(np.float32)
        return limit

    def often(self, ids: Int32) -> Bool:
        """Which of these report often."""
        often: Bool = self.limit_s(ids) < self.border_s
        return often

    def grace_us(self, ids: Int32) -> Int64:
        """How long after a return their deadlines start."""
        grace = [rule.grace_us if (rule := self._by.get((often, False))) else 0 for often in (False, True)]
        chosen: Int64 = np.array(grace, np.int64)[self.often(ids).astype(np.intp)]
        return chosen

    def terms(self, ids: Int32) -> Terms:
        """A gateway that devices wait for has the shortest limit of them and its own; one that was said to be
        offline has the shortest there is."""
        limit_s = np.minimum(self.limit_s(ids), self.heard.cap_s[ids])
        often = limit_s < self.border_s
        limit = np.rint(limit_s.astype(np.float64) * 1e6).astype(np.int64)
        first, long = self._delay(limit, often, False), self._delay(limit, often, True)
        quiet = ((self.heard.status[ids] & SAID_OFFLINE) != 0) & (first < FAR)
        if quiet.any():
            sooner = np.where(quiet, np.minimum(first, self.offline_us), first)
            long = np.where(long < FAR, long - first + sooner, FAR)
            first = sooner
        return Terms(often, limit_s, first, long)

    @property
    def offline_us(self) -> int:
        """How long after it was said to be offline a device is silent: the least that `often` ones wait."""
        rule = self._by.get((True, False))
        return int(rule.after) if rule else FAR

    def _delay(self, limit: Int64, often: Bool, long: bool) -> Int64:
        both = [
            np.full(len(limit), FAR, np.int64) if rule is None else rule.delay(limit)
            for rule in (self._by.get((True, long)), self._by.get((False, long)))
        ]
        return np.where(often, *both)

    def fall(self, ids: Int32, now_us: int, away: Bool, depth: int = 0) -> Int32:
        """Which of these fall silent, and which must wait for their gateway; the others get their deadline.

        `away` says of each broker whether it is. Gateways that devices wait for from now on are asked again.
        """
        heard = self.heard
        status = heard.status[ids] & np.uint16(0xFFFF ^ (PARKED | HELD))
        terms = self.terms(ids)
        deadline = heard.base(ids) + terms.first
        gone = away[heard.source[ids]]
        passed = ~gone & ((status & SILENT) == 0) & (deadline <= now_us)
        carried = heard.carried(ids, deadline)
        fell, parked = passed & carried, passed & ~carried
        heard.due_us[ids] = np.where(gone | parked, FAR, deadline)
        status = status | fell * np.uint16(SILENT) | parked * np.uint16(PARKED)
        heard.status[ids] = status | gone * np.uint16(HELD)
        fallen: Int32 = ids[fell]
        heard.fell_us[fallen] = deadline[fell]
        if not parked.any():
            return fallen
        gateways = self._await(ids[parked], terms.limit_s[parked])
        if depth == _DEPTH:
            heard.due_us[gateways] = np.minimum(heard.due_us[gateways], now_us)
            return fallen
        gateways = gateways[(heard.status[gateways] & SILENT) == 0]
        return np.concatenate((fallen, self.fall(gateways, now_us, away, depth + 1)))

    def _await(self, ids: Int32, limit_s: Float32) -> Int32:
        """These wait for their gateways, which may be silent no longer than they; the gateways."""
        heard = self.heard
        gateways = np.unique(heard.parent[ids])
        heard.status[gateways] |= np.uint16(AWAITED)
        np.minimum.at(heard.cap_s, heard.parent[ids], limit_s)
        return gateways

    def decide(
        self, ids: Int32, now_us: int, away: Bool, dark: DarkKernel, table: SeriesTable
    ) -> list[Transition]:
        """What is told by now of these devices, which have fallen silent; and when each must be looked at
        next."""
        heard = self.heard
        if not len(ids):
            return []
        status, terms, base = heard.status[ids], self.terms(ids), heard.base(ids)
        often = self.often(ids)
        waits = dark.waits(ids, often, now_us)
        held = away[heard.source[ids]] | waits.covered
        ready = np.maximum(base + terms.first, waits.until_us)
        first = ~held & ((status & TOLD) == 0) & (ready <= now_us)
        told = first | ((status & TOLD) != 0)
        second_at = base + terms.long
        passed = told & ~held & ((status & TOLD_LONG) == 0) & (second_at <= now_us)
        carried = heard.carried(ids, second_at)
        second, parked = passed & carried, passed & ~carried
        done = ((status & TOLD_LONG) != 0) | second | parked | held
        due = np.where(told, second_at, np.where(waits.restless, now_us, ready))
        heard.due_us[ids] = np.where(done, FAR, due)
        if parked.any():
            self._await(ids[parked], terms.limit_s[parked])
        self._mark(ids, first, second, parked, terms.often)
        found = []
        for n in np.flatnonzero(first | second).tolist():
            one, is_often = int(ids[n]), bool(terms.often[n])
            if first[n]:
                at_us, silent_us = int(heard.fell_us[one]), int(terms.first[n])
                found.append(self._raised(one, is_often, False, at_us, silent_us, now_us, table))
            if second[n]:
                at_us, silent_us = int(second_at[n]), int(terms.long[n])
                found.append(self._raised(one, is_often, True, at_us, silent_us, now_us, table))
        return found

    def _mark(self, ids: Int32, first: Bool, second: Bool, parked: Bool, often: Bool) -> None:
        """Which alarms stand from here on. Those that stand are all of the same rules."""
        status = self.heard.status[ids]
        news = (first | second) & ((status & (ACTIVE | ACTIVE_LONG)) == 0)
        status = np.where(news & often, status & np.uint16(0xFFFF ^ SELDOM), status)
        status = status | (news & ~often) * np.uint16(SELDOM) | parked * np.uint16(PARKED)
        status = status | first * np.uint16(TOLD | ACTIVE) | second * np.uint16(TOLD_LONG | ACTIVE_LONG)
        self.heard.status[ids] = status

    def _raised(
        self,
        device: int,
        often: bool,
        long: bool,
        at_us: int,
        silent_us: int,
        now_us: int,
        table: SeriesTable,
    ) -> Transition:
        frozen = not self.heard.status[device] & SELDOM
        rule = self._by.get((frozen, long)) or self._by[often, long]
        span, span_zh = why.duration(silent_us), why.duration_zh(silent_us)
        if self.heard.status[device] & SAID_OFFLINE:
            said = Why(
                en=f"said to be offline, and not heard for {span} since",
                zh_cn=f"已报告离线，其后 {span_zh}未收到任何消息",
            )
        else:
            said = Why(en=f"nothing heard for {span}", zh_cn=f"已 {span_zh}未收到任何消息")
        return self._transition(rule, To.RAISED, device, at_us, now_us, said, table)

    def _standing(self, device: int) -> list[SilenceRule]:
        """The rules of the alarms that are active on a device, the first before the second."""
        status = int(self.heard.status[device])
        often = not status & SELDOM
        bits = ((ACTIVE, False), (ACTIVE_LONG, True))
        return [self._by[often, long] for bit, long in bits if status & bit and (often, long) in self._by]

    def _transition(
        self, rule: SilenceRule, to: To, device: int, at_us: int, now_us: int, said: Why, table: SeriesTable
    ) -> Transition:
        slot = int(self.heard.first[device])
        return Transition(
            rule=rule.name,
            to=to,
            severity=rule.severity,
            slot=slot,
            device=device,
            dwelling=int(table.dwelling[slot]),
            place=0,
            at_us=at_us,
            nudge_ns=0,
            received_us=now_us,
            why=said,
            age_s=0.0,
            subject=Subject.DEVICE,
        )

    def hear(self, ids: Int32, rows: Rows, received_us: int, table: SeriesTable) -> list[Found]:
        """These are not as usual and have been heard, each for the first time at this moment: what that ends.
        `rows` are their readings."""
        heard = self.heard
        status = heard.status[ids]
        back = (status & (SILENT | PARKED)) != 0
        heard.returned_us[ids[back]] = received_us
        beats: UInt8 = np.where(back, 1, np.minimum(heard.beats[ids], 254) + 1).astype(np.uint8)
        active = (status & (ACTIVE | ACTIVE_LONG)) != 0
        over = ~active | (beats >= self._need(status))
        found = []
        for n in np.flatnonzero(active & over).tolist():
            found += self._cleared(int(ids[n]), int(rows[n]), received_us, int(beats[n]), table)
        kept = np.uint16(KNOWN | TOLD | TOLD_LONG | ACTIVE | ACTIVE_LONG | SELDOM)
        heard.status[ids] = np.where(over, 0, status & kept) | np.uint16(KNOWN)
        heard.beats[ids] = np.where(over, 0, beats)
        heard.cap_s[ids] = np.inf
        heard.due_us[ids] = received_us
        return found

    def _need(self, status: np.ndarray) -> UInt8:
        need = [rule.need if (rule := self._by.get((often, False))) else 1 for often in (True, False)]
        chosen: UInt8 = np.array(need, np.uint8)[((status & SELDOM) != 0).astype(np.intp)]
        return chosen

    def _cleared(
        self, device: int, row: int, received_us: int, beats: int, table: SeriesTable
    ) -> list[Found]:
        times, times_zh = (f" {beats} times", f"（{beats} 次）") if beats > 1 else ("", "")
        said = Why(en=f"heard again{times}", zh_cn=f"已重新收到消息{times_zh}")
        standing = self._standing(device)
        told = [
            self._transition(one, To.CLEARED, device, received_us, received_us, said, table)
            for one in standing
        ]
        return [Found(row, self.order[one.rule], one) for one in told]

    def apply(self, given: EngineInput, now_us: int, table: SeriesTable) -> Transition | None:
        """A reset or close: the alarm clears, and comes back only after the device was heard."""
        rule = self._named[given.rule]
        device = int(table.device[given.slot]) if given.slot < len(table) else 0
        if not device or rule not in self._standing(device):
            return None
        self.heard.status[device] &= np.uint16(0xFFFF ^ (ACTIVE_LONG if rule.long else ACTIVE))
        slot = int(self.heard.first[device])
        return cleared_by_input(
            rule, given, slot=slot, place=0, table=table, now_us=now_us,
            why=why.by_person(given.kind), subject=Subject.DEVICE,
        )  # fmt: skip

    @property
    def rule_names(self) -> list[str]:
        """The name of each kind of rule, empty where there is none: what the bits of alarms mean."""
        return [rule.name if (rule := self._by.get(kind)) else "" for kind in _KINDS]

    def drop_others(self, names: Sequence[str]) -> None:
        """The state is one of rules with these names: alarms of which the rule has another now are let go."""
        for (often, long), name, own in zip(_KINDS, names, self.rule_names, strict=True):
            if name != own:
                ids = self._active(often, long)
                self.heard.status[ids] &= np.uint16(0xFFFF ^ (ACTIVE_LONG if long else ACTIVE))

    def lost_in(
        self, after: SilenceKernel, names: Collection[str], now_us: int, table: SeriesTable
    ) -> list[Transition]:
        """The clearings of alarms that are active here and not in `after`."""
        lost = []
        for (often, long), name, new in zip(_KINDS, self.rule_names, after.rule_names, strict=True):
            if name and name != new:
                said = why.rule_gone(name, changed=name in names)
                for device in self._active(often, long).tolist():
                    rule = self._named[name]
                    lost.append(self._transition(rule, To.CLEARED, device, now_us, now_us, said, table))
        return lost

    def _active(self, often: bool, long: bool) -> Int32:
        ids = self.heard.having(ACTIVE_LONG if long else ACTIVE)
        found: Int32 = ids[((self.heard.status[ids] & SELDOM) == 0) == often]
        return found

    def state_offline(self, ids: Int32, observed_us: Int64, received_us: int) -> None:
        """These were said to be offline: their deadline comes sooner, never later. Each once."""
        heard = self.heard
        known = (heard.status[ids] & KNOWN) != 0
        terms, base = self.terms(ids), heard.base(ids)
        offline = np.where(terms.first < FAR, np.minimum(terms.first, self.offline_us), FAR)
        sooner = np.maximum(observed_us, np.where(known, base, observed_us)) + offline
        due = np.where(known, np.minimum(base + terms.first, sooner), sooner)
        heard.since_us[ids] = due - offline
        heard.status[ids] |= np.uint16(KNOWN | SAID_OFFLINE)
        heard.heard_us[ids] = received_us
        heard.beats[ids] = 0
        heard.due_us[ids] = np.minimum(heard.due_us[ids], due)

    def start_again(self, ids: Int32, at_us: int, dark: DarkKernel) -> None:
        """Deadlines of these start again: whose silence has not been told is silent no more, unless its
        building's alarm tells it."""
        heard = self.heard
        start = at_us + self.grace_us(ids)
        status = heard.status[ids]
        kept = ((status & TOLD) != 0) | dark.covers(ids, self.often(ids))
        lost = np.where(kept, HELD, HELD | SILENT).astype(np.uint16)
        heard.status[ids] = status & ~lost
        heard.since_us[ids] = np.maximum(heard.since_us[ids], start)
        heard.due_us[ids] = np.where((status & PARKED) != 0, at_us, start)
