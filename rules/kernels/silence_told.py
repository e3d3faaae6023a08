"""What is told of devices that are not heard, and what ends it.

docs/rules.md, `silence`, says when. State: the columns of rules/heard.py; rules/kernels/silence.py decides
who is silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from devices.model import Bool, EngineInput, Int32, SeriesTable, UInt8
from rules import why
from rules.found import Found, cleared_by_input
from rules.heard import (
    ACTIVE,
    ACTIVE_LONG,
    AWAITED,
    FAR,
    KNOWN,
    PARKED,
    SAID_OFFLINE,
    SELDOM,
    SILENT,
    TOLD,
    TOLD_LONG,
)
from rules.kernels.dark import DarkKernel
from rules.kernels.dark_waits import waits as waiting
from rules.kernels.silence import SilenceKernel, SilenceRule
from rules.rounds import Rows
from rules.standing import Standing
from rules.transition import Subject, To, Transition, Why

_KINDS: Final = ((True, False), (True, True), (False, False), (False, True))
"""(often, long) of the rules there can be."""


class SilenceTold:
    """The alarms of the silence rules of `kernel`; `order` is the catalogue's."""

    def __init__(self, kernel: SilenceKernel, order: Mapping[str, int]) -> None:
        self._kernel, self._heard, self._by = kernel, kernel.heard, kernel.rules
        self._named = {rule.name: rule for rule in kernel.rules.values()}
        self.order = order

    def decide(
        self, ids: Int32, now_us: int, away: Bool, dark: DarkKernel, table: SeriesTable
    ) -> list[Transition]:
        """What is told by now of these devices, which have fallen silent; and when each must be looked at
        next."""
        heard = self._heard
        if not len(ids):
            return []
        status, terms, base = heard.status[ids], self._kernel.terms(ids), heard.base(ids)
        often = self._kernel.often(ids)
        waits = waiting(dark, ids, often, now_us)
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
        heard.status[heard.parent[ids[parked]]] |= np.uint16(AWAITED)
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
        status = self._heard.status[ids]
        news = (first | second) & ((status & (ACTIVE | ACTIVE_LONG)) == 0)
        status = np.where(news & often, status & np.uint16(0xFFFF ^ SELDOM), status)
        status = status | (news & ~often) * np.uint16(SELDOM) | parked * np.uint16(PARKED)
        status = status | first * np.uint16(TOLD | ACTIVE) | second * np.uint16(TOLD_LONG | ACTIVE_LONG)
        self._heard.status[ids] = status

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
        frozen = not self._heard.status[device] & SELDOM
        rule = self._by.get((frozen, long)) or self._by[often, long]
        span, span_zh = why.duration(silent_us), why.duration_zh(silent_us)
        if self._heard.status[device] & SAID_OFFLINE:
            said = Why(
                en=f"said to be offline, and not heard for {span} since",
                zh_cn=f"已报告离线，其后 {span_zh}未收到任何消息",
            )
        else:
            said = Why(en=f"nothing heard for {span}", zh_cn=f"已 {span_zh}未收到任何消息")
        return self._transition(rule, To.RAISED, device, at_us, now_us, said, table)

    def _standing(self, device: int) -> list[SilenceRule]:
        """The rules of the alarms that are active on a device, the first before the second."""
        status = int(self._heard.status[device])
        often = not status & SELDOM
        bits = ((ACTIVE, False), (ACTIVE_LONG, True))
        return [self._by[often, long] for bit, long in bits if status & bit and (often, long) in self._by]

    def _transition(
        self, rule: SilenceRule, to: To, device: int, at_us: int, now_us: int, said: Why, table: SeriesTable
    ) -> Transition:
        slot = int(self._heard.first[device])
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
        heard = self._heard
        status = heard.status[ids]
        back = (status & (SILENT | PARKED)) != 0
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
        self._heard.status[device] &= np.uint16(0xFFFF ^ (ACTIVE_LONG if rule.long else ACTIVE))
        slot = int(self._heard.first[device])
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
                self._heard.status[ids] &= np.uint16(0xFFFF ^ (ACTIVE_LONG if long else ACTIVE))

    def alarms(self, ids: Int32 | None = None) -> Iterator[Standing]:
        """Every alarm that is active, or those of some devices."""
        active = np.uint16(ACTIVE | ACTIVE_LONG)
        ids = self._heard.having(int(active)) if ids is None else ids[(self._heard.status[ids] & active) != 0]
        for device in ids.tolist():
            for rule in self._standing(device):
                yield Standing(rule.name, Subject.DEVICE, device, int(self._heard.first[device]))

    def _active(self, often: bool, long: bool) -> Int32:
        ids = self._heard.having(ACTIVE_LONG if long else ACTIVE)
        found: Int32 = ids[((self._heard.status[ids] & SELDOM) == 0) == often]
        return found
