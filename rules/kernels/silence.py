"""The silence kernel: devices that are not heard.

docs/rules.md, `silence`, says when a device is silent. State: the columns of rules/heard.py; this file
decides about the devices that are due, and never looks at others. What is told of them:
rules/kernels/silence_told.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import UNSET, Meta, UnsetType

from devices.model import Bool, Float32, Int32, Int64
from rules.heard import (
    AWAITED,
    FAR,
    GRANTED,
    HELD,
    KNOWN,
    LOST,
    PARKED,
    SAID_OFFLINE,
    SILENT,
    TOLD,
    WAITED,
    Heard,
)
from rules.quantity import Span
from rules.rule import BaseRule


class Watch(StrEnum):
    """Which devices a rule is about: those whose limit is below that of the seldom ones, or the others."""

    OFTEN = "often"
    SELDOM = "seldom"


class SilenceRule(BaseRule, frozen=True, kw_only=True, tag="silence"):
    """An alarm on a device that has not been heard for its limit times `times`, at least for `after`, and
    `more`.

    `long`: the second alarm of the same silence. Cleared when the device was heard at `beats` moments. After
    we, or the broker, were away, silences go on after `grace`.
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
        """How long after a return silences go on."""
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
_LEFT_US: Final = 3_600_000_000
"""What is left at least of a delay after the first absence that leaves less (chosen: brokers and devices
connect again with growing pauses, and what reports at least hourly has reported by then)."""
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
    """Who is silent, by all silence rules of a catalogue: at most one of each `watch` and `long`.

    `rules` are those by (for devices that report often, the second alarm).
    """

    def __init__(self, rules: Sequence[SilenceRule], heard: Heard) -> None:
        self.rules = {(rule.watch is Watch.OFTEN, rule.long): rule for rule in rules}
        seldom = self.rules.get((False, False))
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
        """How long after a return their silence goes on."""
        grace = [rule.grace_us if (rule := self.rules.get((often, False))) else 0 for often in (False, True)]
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
        rule = self.rules.get((True, False))
        return int(rule.after) if rule else FAR

    def _delay(self, limit: Int64, often: Bool, long: bool) -> Int64:
        both = [
            np.full(len(limit), FAR, np.int64) if rule is None else rule.delay(limit)
            for rule in (self.rules.get((True, long)), self.rules.get((False, long)))
        ]
        return np.where(often, *both)

    def fall(self, ids: Int32, now_us: int, away: Bool, depth: int = 0) -> Int32:
        """Which of these fall silent, and which must wait for their gateway; the others get their deadline.

        `away` says of each broker whether it is. Gateways that devices wait for from now on are asked again.
        """
        heard = self.heard
        status = heard.status[ids]
        terms = self.terms(ids)
        deadline = heard.base(ids) + terms.first
        gone, lost = away[heard.source[ids]], (status & LOST) != 0
        passed = ~gone & ((status & (SILENT | LOST)) == 0) & (deadline <= now_us)
        carried = heard.carried(ids, deadline) | self._waited_enough(ids, terms.first, deadline)
        fell, parked = passed & carried, passed & ~carried
        heard.due_us[ids] = np.where(gone | parked | lost, FAR, deadline)
        status &= np.where(gone | lost, 0xFFFF ^ HELD, 0xFFFF ^ (HELD | PARKED)).astype(np.uint16)
        status |= fell * np.uint16(SILENT) | parked * np.uint16(PARKED)
        heard.status[ids] = status | gone * np.uint16(HELD)
        fallen: Int32 = ids[fell]
        heard.fell_us[fallen] = deadline[fell]
        if not parked.any():
            return fallen
        gateways = self._await(ids[parked], terms.limit_s[parked])
        if depth == _DEPTH:
            heard.due_us[gateways] = np.minimum(heard.due_us[gateways], now_us)
            return fallen
        gateways = gateways[(heard.status[gateways] & (SILENT | LOST)) == 0]
        return np.concatenate((fallen, self.fall(gateways, now_us, away, depth + 1)))

    def _waited_enough(self, ids: Int32, first: Int64, deadline: Int64) -> Bool:
        """Which of these have waited for their gateway before, while it may be silent for longer than they by
        its own limit, and is not by that: it would only ever be asked after on behalf of them."""
        heard = self.heard
        enough: Bool = (heard.status[ids] & WAITED) != 0
        if enough.any():
            gateway = heard.parent[ids]
            limit_s = self.limit_s(gateway)
            often, limit = limit_s < self.border_s, np.rint(limit_s.astype(np.float64) * 1e6).astype(np.int64)
            own = self._delay(limit, often, False)
            enough &= (own > first) & (heard.heard_us[gateway] + own > deadline)
            enough &= (heard.status[gateway] & SAID_OFFLINE) == 0
        return enough

    def _await(self, ids: Int32, limit_s: Float32) -> Int32:
        """These wait for their gateways, which may be silent no longer than they; the gateways."""
        heard = self.heard
        gateways = np.unique(heard.parent[ids])
        heard.status[gateways] |= np.uint16(AWAITED)
        np.minimum.at(heard.cap_s, heard.parent[ids], limit_s)
        return gateways

    def lose(self, away: Bool) -> Int32:
        """The devices that are lost from here on: they wait for a gateway that is silent, or lost itself.
        Cost: a glance at all."""
        heard, found = self.heard, [np.empty(0, np.int32)]
        ids = heard.having(PARKED)
        ids = ids[((heard.status[ids] & (SILENT | LOST)) == 0) & ~away[heard.source[ids]]]
        while len(ids):
            gateway = heard.parent[ids]
            over = (heard.status[gateway] & (SILENT | LOST)) != 0
            if not over.any():
                break
            lost, gateway = ids[over], gateway[over]
            deadline = heard.base(lost) + self.terms(lost).first
            heard.fell_us[lost] = np.maximum(deadline, heard.fell_us[gateway])
            heard.status[lost] |= np.uint16(LOST)
            found.append(lost)
            ids = ids[~over]
        return np.concatenate(found)

    def ask_again(self, ids: Int32) -> Int32:
        """Those of these that are lost and whose gateway was heard."""
        heard = self.heard
        lost = ids[(heard.status[ids] & LOST) != 0]
        found: Int32 = lost[(heard.status[heard.parent[lost]] & AWAITED) == 0]
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

    def go_on(
        self, ids: Int32, went_us: Int64 | int, at_us: Int64 | int, grace_us: Int64 | int, covered: Bool
    ) -> None:
        """An absence from `went_us` to `at_us` is no part of the silence of these: it goes on where it stood.
        The first time in a silence that less than `_LEFT_US` would be left, that much is, or the whole delay
        where it is not longer.

        Whose silence has not been told, and is not `covered` by a building's alarm, is silent no more.
        """
        heard = self.heard
        status, base, terms = heard.status[ids], heard.base(ids), self.terms(ids)
        told = (status & TOLD) != 0
        coming = np.where(told & ((status & SILENT) != 0), terms.long, terms.first)
        stood = np.maximum(np.minimum(went_us, at_us) - base, 0)
        left_us = np.where((status & GRANTED) != 0, 0, _LEFT_US)
        most = np.maximum(coming - left_us, 0)
        start = at_us + grace_us
        heard.since_us[ids] = np.maximum(base, start - np.minimum(stood, most))
        over = np.where(told | covered, HELD, HELD | SILENT | LOST).astype(np.uint16)
        heard.status[ids] = (status & ~over) | (stood > most) * np.uint16(GRANTED)
        heard.due_us[ids] = np.where((status & PARKED) != 0, at_us, start)
