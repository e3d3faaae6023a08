"""What one message means: its readings, and what it says beside them, put into the tick's gathering."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from devices.model import Quality
from devices.profiles.compiling.compiled import MISSING, Kind
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.announced import Announced
from devices.profiles.general.besides import Besides
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate, choose, clears, named
from devices.profiles.general.findings import At, Finding, Found, TooMuch, Tree
from devices.profiles.general.gathering import Gathering
from devices.profiles.general.heard import Heard, observed
from devices.profiles.general.identity import (
    Identity,
    clean,
    registered_before,
    registered_in,
    texts,
    topic_uid,
)
from devices.profiles.general.naming import unfit_uid
from devices.profiles.general.operands import Operands
from devices.profiles.general.outside import Outside
from devices.profiles.general.passed_over import PassedOver
from devices.profiles.general.reaching import Bound, finder, first_time, holds, reach
from devices.profiles.general.refusing import Refusing, is_passed_over
from devices.profiles.general.rescuing import TrueFlags
from devices.profiles.general.usual_names import UnreadNames
from devices.profiles.general.walk import walk
from devices.profiles.general.worst import WORST_HOLDS, Worst
from devices.profiles.memory import Memory
from devices.profiles.profile import Points, Reason
from devices.profiles.repeated import TWICE
from devices.profiles.searching import Searching
from devices.profiles.sources import NO_CHANNEL
from devices.profiles.values.reading import read_value

_SEQ_LIMIT: Final = 1 << 63
_NO_BIRTH: Final = "a metric whose alias no birth explains; a birth of its node or device is awaited"
_SCALARS: Final = frozenset({str, bool, int, float})
_NESTED: Final = frozenset({dict, list})
_INCOMPLETE: Final = int(Quality.INCOMPLETE)
_MISMATCH: Final = int(Quality.TYPE_MISMATCH)


class Hearing:
    """Hears the messages of one tick, one by one and in order."""

    def __init__(
        self,
        gathering: Gathering,
        carrying: Carrying,
        identity: Identity,
        memory: Memory,
        rescuing: Callable[[Kind], TrueFlags],
        passed_over: Callable[[], PassedOver],
        searching: Searching,
        points: Points,
        received_us: int = 0,
        announced: Announced | None = None,
        unread_names: Callable[[Kind], UnreadNames] | None = None,
        of_flag: dict[tuple[int, bool], tuple[float, int]] | None = None,
    ) -> None:
        """`of_flag`: what true and false say by column, kept from tick to tick; it fills up by itself."""
        self.refusing = Refusing(gathering, rescuing, passed_over, searching, self._own_uid)
        self._gathering = gathering
        self._carrying = carrying
        self._identity = identity
        self._memory = memory
        self._rescuing = rescuing
        self._unread_names = unread_names or (lambda kind: UnreadNames(kind, carrying.objects))
        self._was_known = registered_before(points)
        self._besides = Besides(
            gathering, identity, announced or Announced(), registered_in(points), self._own_uid
        )
        self._received_us = received_us
        self._operands = Operands(gathering, memory)
        self._of_flag = {} if of_flag is None else of_flag
        self._no_word: Finding | None = None
        """The first life flag of the message at hand that says what it has no word for."""
        self._findings: Sequence[Finding] = ()
        self._several = False
        """Whether the message at hand says a life or fault flag of one series several times."""

    @property
    def outside(self) -> Outside:
        """What was said to others than the rules."""
        return self._besides.outside

    def message(
        self, n: int, topic: str, payload: bytes, source: int, candidates: Sequence[Candidate]
    ) -> Heard | None:
        """One message; None where it was refused or says nothing, or where nothing can be learnt from it."""
        if clears(candidates, payload):
            self._besides.cleared(topic, source, candidates)
            return None
        try:
            chosen = choose(candidates, payload, self._memory, self._received_us)
        except Unreadable as error:
            self.refusing.unreadable(n, topic, source, candidates, payload, error)
            return None
        kind, captures, tree = chosen
        uid = self._identity.uid(kind, captures, tree, topic, self._was_known)
        if is_passed_over(kind):
            self.refusing.passed_over(n, topic, source, uid, payload)
        heard = Heard(kind, captures, tree, uid)
        self._no_word, self._several, self._findings = None, False, ()
        try:
            amiss = self._understood(n, topic, source, heard)
        except Unreadable as error:
            amiss = _Amiss(error, unread=True, silent=True)
        if (amiss is None or not amiss.unread) and (key := self._rescuing(kind).hidden(payload, tree)):
            amiss = _Amiss(Unreadable(Reason.WRONG_TYPE, f"the key {key!r:.80} {TWICE}"), unread=True)
        unread = self._unread_names(kind).unread(payload, tree, self._findings)
        if amiss is not None and amiss.unread:
            self.refusing.in_part(
                n, topic, source, heard, payload, amiss.fault, silent=amiss.silent, unread=unread
            )
            return None
        if amiss is not None:
            self._gathering.refuse(n, amiss.fault.reason, amiss.fault.detail)
        if unread:
            self.refusing.besides(n, topic, source, uid, unread)
        return None if unread or amiss is not None or self._several else heard

    def _own_uid(self, one: Candidate, topic: str, tree: Tree = None) -> str:
        """Whose a message on a topic is, as far as its topic, or what can be told of its payload, says."""
        return self._identity.uid(one.kind, one.captures, tree, topic, self._was_known)

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
            self._operands.kept(self._whose(topic, source, uid, finding.uid), finding.uid or uid, finding)
        self._findings = found.findings
        below = self._add(n, place, topic, source, heard, found.findings, flags)
        for whose, label in found.labels:
            self._gathering.said.append((self._whose(topic, source, uid, whose), "label", clean(label)))
        about = texts(kind.about, captures, finder(tree, tree)) if _may_say(kind, tree) else []
        about += carried.about
        for key, text in about:
            self._gathering.said.append((place, key, text))
        means = bool(found.findings or found.labels or found.silent or found.operands or about)
        if kind.says_more:
            means |= self._besides.said(n, topic, place, heard, late, flags)
        if not means and kind.expects:
            raise carried.fault or Unreadable(Reason.NOTHING_KNOWN, f"nothing known in {named(tree)}")
        silence = carried.silence or kind.silence
        if silence:
            self._gathering.said.append((place, "max_silence", silence))
        if below or kind.parent is not None:
            self._besides.family(n, topic, source, heard, place, below)
        if carried.fault is not None and carried.fault.reason is Reason.NO_CODEC:
            self._gathering.unread(n, place, carried.fault)
        elif carried.fault is not None:
            return _Amiss(carried.fault, unread=True)
        if found.amiss or (kind.device and uid == topic_uid(topic)):
            found.amiss = found.amiss or unfit_uid(kind.device, captures, tree, tree)
        if found.amiss:
            return _Amiss(Unreadable(Reason.WRONG_TYPE, found.amiss), unread=False)
        if self._no_word is not None:
            return _Amiss(_no_word(self._no_word), unread=type(self._no_word.raw) in _NESTED)
        if kind.said.format == "sparkplug" and any("incomplete" in one for one in tree["metrics"]):
            return _Amiss(Unreadable(Reason.NOTHING_KNOWN, _NO_BIRTH), unread=False)
        return None

    def _whose(self, topic: str, source: int, uid: str, below: str) -> int:
        """The place of a device that the message speaks of; `below` "" is its own."""
        return self._gathering.place(topic, below or uid, source)

    def _walk(self, heard: Heard, late: At | None, found: Found) -> _Carried:
        """Findings of the message and of what it carries. Raises Unreadable where there are too many."""
        kind, captures, tree, _ = heard
        try:
            walk(kind.items, tree, captures, late, found)
            return self._carried(kind, captures, tree, late, found) if kind.carries else _NOTHING_CARRIED
        except TooMuch as error:
            raise Unreadable(Reason.TOO_LARGE, str(error)) from None

    def _carried(self, kind: Kind, captures: Bound, tree: Tree, late: At | None, found: Found) -> _Carried:
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
        worst: Worst | None = None
        time: At | None = None
        observed_us = of_time = 0
        for finding in findings:
            column, channel, whose, raw, sign, factor, unit, at, bits = finding
            here = place
            if whose:
                below.add(whose)
                here = self._gathering.place(topic, whose, source)
            if column.remembers:
                sign, factor = self._operands.kept(here, whose or uid, finding)
            if type(raw) is bool and column.is_plain:  # most flags: there are two things they can say
                read = of_flag.get((column.number, raw))
                if read is None:
                    read = of_flag[column.number, raw] = read_value(column, raw)
                value, quality = read
            else:
                value, quality = read_value(column, raw, sign, factor, unit)
            if at is not time:
                observed_us, of_time = observed(at)
                time = at
            if quality & _MISMATCH and column.is_life and (self._no_word is None or type(raw) in _NESTED):
                self._no_word = finding
            if bits & _INCOMPLETE:
                value = math.nan
            quality |= bits | flags | of_time
            number = channel_number(channel) if channel else NO_CHANNEL
            if column.code in WORST_HOLDS:
                worst = worst or Worst(self._gathering.readings)
                worst.said((here, number, column.code, observed_us), value)
            add((n, here, number, column.code, value, quality, observed_us, column.hold_us))
        if worst is not None:
            worst.drop_contradicted()
            self._several |= worst.several
        return below


def _no_word(finding: Finding) -> Unreadable:
    """Why a life flag that nobody can read is shown to a person."""
    said = finding.raw if type(finding.raw) in _SCALARS else type(finding.raw).__name__
    metric = finding.column.metric.name_on_wire
    return Unreadable(Reason.WRONG_TYPE, f"{metric}: {said!r:.80} is no word of it")


class _Amiss(NamedTuple):
    """Why a message is refused that is of a known kind. `unread`: a part of it was not looked into, and may
    hold a life flag; `silent`: it has no readings, else those of devices below it stand."""

    fault: Unreadable
    unread: bool
    silent: bool = False


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


def _flags(kind: Kind, tree: Tree) -> int:
    flags = Quality(0)
    if kind.backfill and holds(kind.backfill, tree):
        flags |= Quality.BACKFILL
    if kind.replayed and holds(kind.replayed, tree):
        flags |= Quality.REPLAYED
    return int(flags)
