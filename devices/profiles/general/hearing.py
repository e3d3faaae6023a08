"""What one message means: its readings, and what it says beside them, put into the tick's gathering."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Clock, Kind, Learns
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.announced import Announced
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate, choose, clears, named
from devices.profiles.general.findings import Finding, Found, TooMuch, Tree
from devices.profiles.general.gathering import Gathering
from devices.profiles.general.identity import Identity, clean, texts, topic_uid
from devices.profiles.general.naming import uid_of
from devices.profiles.general.outside import PROPOSALS_MAX, Outside, proposal_of, reply_of
from devices.profiles.general.presence import Notice, notice_of
from devices.profiles.general.reaching import Bound, finder, first_time, holds, reach
from devices.profiles.general.rescuing import TrueFlags
from devices.profiles.general.walk import items_at, walk
from devices.profiles.language.templates import fill
from devices.profiles.memory import Memory
from devices.profiles.profile import Points, Reason, Said
from devices.profiles.sources import NO_CHANNEL
from devices.profiles.values.reading import read_value
from devices.profiles.values.times import read_time

OPERANDS: Final = "operand"
NAMES_MAX: Final = 4_096
"""Devices in one list of names (chosen: ten times the largest mesh of radios seen)."""
OPERAND_LENGTH_MAX: Final = 64
_SEQ_LIMIT: Final = 1 << 63
_NO_BIRTH: Final = "a metric whose alias no birth explains; a birth of its node or device is awaited"
_SCALARS: Final = frozenset({str, bool, int, float})
_INCOMPLETE: Final = int(Quality.INCOMPLETE)
_MISMATCH: Final = int(Quality.TYPE_MISMATCH)


class Heard(NamedTuple):
    """A message that was understood: what it was heard as."""

    kind: Kind
    captures: Bound
    tree: Tree
    uid: str


class Hearing:
    """Hears the messages of one tick, one by one and in order."""

    def __init__(
        self,
        gathering: Gathering,
        carrying: Carrying,
        identity: Identity,
        memory: Memory,
        rescuing: Callable[[Kind], TrueFlags],
        points: Points,
        received_us: int = 0,
        announced: Announced | None = None,
        of_flag: dict[tuple[int, bool], tuple[float, int]] | None = None,
    ) -> None:
        """`of_flag`: what true and false say by column, kept from tick to tick; it fills up by itself."""
        self.outside = Outside()
        self._gathering = gathering
        self._carrying = carrying
        self._identity = identity
        self._memory = memory
        self._rescuing = rescuing
        self._points = points
        self._received_us = received_us
        self._announced = announced or Announced()
        self._operands: dict[str, str] = {}
        """Operands of this tick, which the memory takes when the device turns out to be somebody's."""
        self._of_flag = {} if of_flag is None else of_flag
        self._no_word: Finding | None = None
        """The first life flag of the message at hand that says what it has no word for."""

    def message(
        self, n: int, topic: str, payload: bytes, source: int, candidates: Sequence[Candidate]
    ) -> Heard | None:
        """One message; None where it was refused or says nothing."""
        if clears(candidates, payload):
            self._cleared(topic, source, candidates)
            return None
        try:
            chosen = choose(candidates, payload, self._memory, self._received_us)
        except Unreadable as error:
            self._refuse(n, topic, source, candidates, payload, error)
            return None
        kind, captures, tree = chosen
        uid = self._identity.uid(kind, captures, tree, topic, self._is_known)
        heard = Heard(kind, captures, tree, uid)
        at_once = [Candidate(kind, captures)]
        self._no_word = None
        try:
            amiss = self._understood(n, topic, source, heard)
        except Unreadable as error:
            self._refuse(n, topic, source, at_once, payload, error)
            return None
        if amiss is not None:
            self._refuse(n, topic, source, at_once if amiss.unread else (), payload, amiss.fault)
            return None
        return heard

    def _is_known(self, uid: str) -> bool:
        return self._points.row(uid, "") >= 0

    def _understood(self, n: int, topic: str, source: int, heard: Heard) -> _Amiss | None:
        """Takes the readings; gives what a person must see for all that. Raises Unreadable where the message
        holds too much, or nothing known."""
        kind, captures, tree, uid = heard
        late = first_time(kind.clocks, tree, tree) if kind.clocks else None
        found = Found()
        carried = self._walk(heard, late, found)
        place = self._gathering.place(topic, uid, source)
        if kind.seq is not None:
            seq = reach(kind.seq, tree, tree)
            seq = kind.said.seq_default if seq is MISSING else seq
            if type(seq) is int and 0 <= seq < _SEQ_LIMIT:
                self._gathering.seq[n] = seq
        flags = _flags(kind, tree) if kind.backfill or kind.replayed else 0
        for finding in found.operands:
            self._keep_operands(self._whose(topic, source, uid, finding.uid), finding.uid or uid, finding)
        below = self._add(n, place, topic, source, heard, found.findings, flags)
        for whose, label in found.labels:
            self._gathering.said.append((self._whose(topic, source, uid, whose), "label", clean(label)))
        about = texts(kind.about, captures, finder(tree, tree)) if _may_say(kind, tree) else []
        about += carried.about
        for key, text in about:
            self._gathering.said.append((place, key, text))
        means = bool(found.findings or found.labels or found.silent or found.operands or about)
        if kind.says_more:
            means |= self._besides(n, topic, place, heard, late, flags)
        if not means and kind.expects:
            raise carried.fault or Unreadable(Reason.NOTHING_KNOWN, f"nothing known in {named(tree)}")
        silence = carried.silence or kind.silence
        if silence:
            self._gathering.said.append((place, "max_silence", silence))
        if below or kind.parent is not None:
            self._family(topic, source, heard, place, below)
        if carried.fault is not None:
            return _Amiss(carried.fault, unread=True)
        if self._no_word is not None:
            return _Amiss(_no_word(self._no_word), unread=False)
        if kind.said.format == "sparkplug" and any("incomplete" in one for one in tree["metrics"]):
            return _Amiss(Unreadable(Reason.NOTHING_KNOWN, _NO_BIRTH), unread=False)
        return None

    def _whose(self, topic: str, source: int, uid: str, below: str) -> int:
        """The place of a device that the message speaks of; `below` "" is its own."""
        return self._gathering.place(topic, below or uid, source)

    def _walk(self, heard: Heard, late: tuple[Clock, Any] | None, found: Found) -> _Carried:
        """Findings of the message and of what it carries. Raises Unreadable where there are too many."""
        kind, captures, tree, _ = heard
        try:
            walk(kind.items, tree, captures, late, found)
            return self._carried(kind, captures, tree, late, found) if kind.carries else _NOTHING_CARRIED
        except TooMuch as error:
            raise Unreadable(Reason.TOO_LARGE, str(error)) from None

    def _carried(
        self, kind: Kind, captures: Bound, tree: Tree, late: tuple[Clock, Any] | None, found: Found
    ) -> _Carried:
        about: list[tuple[str, str]] = []
        silence_s = 0.0
        try:
            for one, thing in self._carrying.of(kind, tree):
                if one is None:
                    fault = Unreadable(Reason.NOTHING_KNOWN, f"nobody reads the object with {named(thing)}")
                    return _Carried(about, "", fault)
                walk(one.items, thing, captures, late, found)
                about += texts(one.about, captures, finder(thing, thing)) if one.about else []
                silence_s = one.max_silence_s
        except Unreadable as error:
            return _Carried(about, "", error)
        return _Carried(about, f"{silence_s:g}" if silence_s else "", None)

    def _add(
        self,
        n: int,
        place: int,
        topic: str,
        source: int,
        heard: Heard,
        findings: Sequence[Finding],
        flags: int,
    ) -> set[str]:
        """The readings of a message's findings; gives the devices below it that have some."""
        add, below, uid, of_flag = self._gathering.readings.append, set(), heard.uid, self._of_flag
        channel_number = self._gathering.sources.channel_number
        time: tuple[Clock, Any] | None = None
        observed_us = of_time = 0
        for finding in findings:
            column, channel, whose, raw, sign, factor, unit, at, bits = finding
            here = place
            if whose:
                below.add(whose)
                here = self._gathering.place(topic, whose, source)
            if column.remembers:
                sign, factor = self._keep_operands(here, whose or uid, finding)
            if type(raw) is bool and column.is_plain:  # most flags: there are two things they can say
                read = of_flag.get((column.number, raw))
                if read is None:
                    read = of_flag[column.number, raw] = read_value(column, raw)
                value, quality = read
            else:
                value, quality = read_value(column, raw, sign, factor, unit)
            if at is not time:
                observed_us, of_time = _observed(at)
                time = at
            if quality & _MISMATCH and column.is_life and self._no_word is None:
                self._no_word = finding
            if bits & _INCOMPLETE:
                value = math.nan
            quality |= bits | flags | of_time
            number = channel_number(channel) if channel else NO_CHANNEL
            add((n, here, number, column.code, value, quality, observed_us, column.hold_us))
        return below

    def _keep_operands(self, place: int, uid: str, finding: Finding) -> tuple[Any, Any]:
        """Sign and factor, the device's last ones where they are missing and remembered."""
        column = finding.column
        kept = []
        for elsewhere, raw in ((column.sign, finding.sign), (column.factor, finding.factor)):
            if elsewhere is None or not elsewhere.remember:
                kept.append(raw)
                continue
            key = f"{uid}\0{finding.channel}\0{'.'.join(map(str, elsewhere.way.steps))}"
            if raw is MISSING or raw is None:
                text = self._operands.get(key) or self._memory.get(OPERANDS, key)
                kept.append(msgspec.json.decode(text) if text else MISSING)
                continue
            kept.append(raw)
            if isinstance(raw, bool | float | str) or (type(raw) is int and abs(raw) < _SEQ_LIMIT):
                text = msgspec.json.encode(raw).decode()
                if len(text) <= OPERAND_LENGTH_MAX:
                    self._operands[key] = text
                    self._gathering.notes.append((place, OPERANDS, key, text))
        return kept[0], kept[1]

    def _besides(
        self, n: int, topic: str, place: int, heard: Heard, late: tuple[Clock, Any] | None, flags: int
    ) -> bool:
        """Presence, names, proposals and the reply; whether there was any. Raises Unreadable for a presence
        word that the profile does not know."""
        kind, captures, tree, _ = heard
        means = False
        if kind.presence is not None:
            notice = notice_of(kind.presence, tree)
            if isinstance(notice, str):
                if not kind.items and kind.object is None:
                    raise Unreadable(Reason.NOTHING_KNOWN, notice)
            else:
                means = True
            if isinstance(notice, Notice):
                observed_us, of_time = _observed(late)
                self._gathering.notice(n, place, notice, observed_us, flags | of_time)
        if kind.learns is not None:
            means = True
            self._learn(kind.learns, captures, tree)
        proposals = (
            tree.get("proposals") if type(tree) is dict and kind.said.format == "home_assistant" else None
        )
        if type(proposals) is list:
            means = True
            made = list(filter(None, map(proposal_of, proposals[:PROPOSALS_MAX])))
            self.outside.proposals += self._announced.said(topic, made)
        if kind.reply is not None:
            self.outside.replies += filter(None, [reply_of(kind.reply, captures, tree)])
        return means

    def _learn(self, learns: Learns, captures: Bound, tree: Tree) -> None:
        """Takes a list of devices to heart."""
        for count, (item, bound) in enumerate(items_at(learns.each.steps, tree, captures)):
            if count >= NAMES_MAX:
                return
            find = finder(item, tree)
            uid = uid_of((learns.device,), bound, item, tree)
            alias = fill(learns.alias, bound, find)
            if uid and alias:
                self._identity.knows(alias, uid, self._is_known, renames=learns.renames)
                self.outside.said += [Said(uid, key, text) for key, text in texts(learns.about, bound, find)]

    def _family(self, topic: str, source: int, heard: Heard, place: int, below: set[str]) -> None:
        """Who is heard through whom: the message's device through its parent, devices below a message
        through the parent too, or through the message's device where that has a name of its own."""
        kind, captures, tree, uid = heard
        parent = uid_of((kind.parent,), captures, tree, tree) if kind.parent is not None else ""
        if parent and uid != parent:
            self._gathering.parents.append((place, parent))
        if below:
            parent = parent or ("" if uid == topic_uid(topic) else uid)
        if below and parent:
            for child in sorted(below - {parent}):
                self._gathering.parents.append((self._whose(topic, source, uid, child), parent))

    def _cleared(self, topic: str, source: int, candidates: Sequence[Candidate]) -> None:
        """A retained message has ended: where it told of presence, the device has been removed; what it
        announced is withdrawn."""
        for kind, captures in candidates:
            if kind.said.format == "home_assistant":
                self.outside.proposals += self._announced.said(topic, ())
                return
            if kind.presence is not None and not kind.presence.always:
                uid = self._identity.uid(kind, captures, None, topic, self._is_known)
                place = self._gathering.place(topic, uid, source)
                self._gathering.said.append((place, "presence", "removed"))
                return

    def _refuse(
        self,
        n: int,
        topic: str,
        source: int,
        candidates: Sequence[Candidate],
        payload: bytes,
        fault: Unreadable,
    ) -> None:
        """Refuses a message but for the true life flags in its octets."""
        self._gathering.refuse(n, fault.reason, fault.detail)
        for kind, captures in candidates:
            flags = self._rescuing(kind).true_flags(payload, captures)
            if flags:
                own = self._identity.uid(kind, captures, None, topic, self._is_known)
                for column, channel, uid in flags:
                    place = self._gathering.place(topic, uid or own, source)
                    suspect = int(Quality.SUSPECT)
                    self._gathering.add(n, place, channel, column.code, 1.0, suspect, 0, column.hold_us)
                return


def _no_word(finding: Finding) -> Unreadable:
    """Why a life flag that nobody can read is shown to a person."""
    said = finding.raw if type(finding.raw) in _SCALARS else type(finding.raw).__name__
    metric = finding.column.metric.name_on_wire
    return Unreadable(Reason.WRONG_TYPE, f"{metric}: {said!r:.80} is no word of it")


class _Amiss(NamedTuple):
    """Why a message is refused although it has readings; `unread`: a part of it was not looked into, and may
    hold a life flag."""

    fault: Unreadable
    unread: bool


class _Carried(NamedTuple):
    """What a vendor's object said beside values, or why nobody could read it."""

    about: list[tuple[str, str]]
    silence: str
    fault: Unreadable | None


_NOTHING_CARRIED: Final = _Carried([], "", None)


def _may_say(kind: Kind, tree: Tree) -> bool:
    """Whether it is worth asking what the message says of its device."""
    keys = kind.about_keys
    if keys is None or type(tree) is not dict:
        return bool(kind.about)
    return not tree.keys().isdisjoint(keys)


def _observed(time: tuple[Clock, Any] | None) -> tuple[int, int]:
    if time is None:
        return 0, 0
    observed_us, quality = read_time(*time)
    return observed_us, int(quality)


def _flags(kind: Kind, tree: Tree) -> int:
    flags = Quality(0)
    if kind.backfill and holds(kind.backfill, tree):
        flags |= Quality.BACKFILL
    if kind.replayed and holds(kind.replayed, tree):
        flags |= Quality.REPLAYED
    return int(flags)
