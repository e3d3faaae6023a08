"""Messages with the form that others of their source had before, read a tick at a time.

A device says the same things for years: only numbers and flags differ. So what the general way understood of
a message's structure is kept as a form (`skeleton`, `marked`), compiled, and the next messages of the source
are tried with it. A form never decides what a value means: it only says that all is as it was when the
general way understood it. Whatever it does not take goes the general way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32, Int64
from devices.profiles.compiling.compiled import Blank, Items, Kind
from devices.profiles.fast.first_sight import Sight, Sighted, sight_of
from devices.profiles.fast.known import Asked, Known, Taken
from devices.profiles.fast.looks import Look
from devices.profiles.fast.marked import Planned, look_for, may_be_learnt, planned
from devices.profiles.fast.skeleton import Skeleton, Unfit, skeleton_of
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.hearing import Heard
from devices.profiles.profile import Decoded, Points
from devices.profiles.sources import Sources

FORMS_MAX: Final = 64
"""Forms of JSON messages that are kept at once, and as many of texts (chosen: device kinds times firmware
versions of a district)."""
WORTH_A_FORM: Final = 32
"""So many messages must have had a form before it is compiled, which costs up to 3 ms (chosen)."""
TICKS_BETWEEN: Final = 16
"""At most one form of JSON is compiled in so many ticks, so that invented ones hold nobody up (chosen)."""
DRAWN_A_TICK: Final = 32
"""Messages a tick whose skeleton is drawn, at 20 to 40 µs each (measured; the number is chosen so that
messages that never fit cost a tick 1 ms)."""
TRIED: Final = 16
"""Forms that a message of a source without a fitting one is tried with, the newest first (chosen: some 1
µs each)."""
_COUNTED_MAX: Final = 512
_TEXTS_MAX: Final = 4096
_NONE: Final = -1
Int8 = NDArray[np.int8]

Key = tuple[tuple[int, ...], tuple[Any, ...]]
"""Which kinds were asked, the last being the one that is meant, and the names of the topic that its
readings need; of texts what their plan says instead."""


class FastWay:
    """Implements `Fast` for one profile. Bounded: 3 bytes a source (11 where messages name their
    device), 128 forms.

    Each source has two forms that are tried, so that a device with two kinds of messages on one topic is read
    fast too; they change places when only the second one fits, twice in a row.
    """

    def __init__(self, carrying: Carrying) -> None:
        self._carrying = carrying
        self._forms: list[Known | None] = [None] * (2 * FORMS_MAX)
        self._numbers: dict[tuple[Key, Skeleton], int] = {}
        self._by_key: dict[Key, list[int]] = {}
        self._sights: dict[int, Sight] = {}
        """Of the forms whose messages do not say whose they are."""
        self._used = np.zeros(2 * FORMS_MAX, np.int64)
        self._texts: dict[Key, int] = {}
        self._counted: Counter[tuple[Key, Skeleton]] = Counter()
        self._looks: dict[tuple[int, ...], Look | None] = {}
        self._bound: dict[int, tuple[str, ...]] = {}
        self._first = np.full(256, _NONE, np.int8)
        self._second = np.full(256, _NONE, np.int8)
        self._missed = np.zeros(256, np.uint8)
        self._names: Int64 | None = None
        self._tick = 0
        self._compile_from = 0
        self._drawn = 0
        self.answers = True
        """Whether what a device waits for is sent; then its messages go the general way. Set before the
        first."""
        self.declined = 0
        """How often a message could not be learnt from, or a form failed, for a reason nobody thought of:
        each is a bug."""

    def __len__(self) -> int:
        """How many forms are kept."""
        return len(self._numbers)

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics or devices from now on."""
        which: Any = (
            slice(None) if sources is None else [one for one in sources if 0 <= one < len(self._first)]
        )
        self._first[which] = self._second[which] = _NONE
        self._missed[which] = 0
        if self._names is not None:
            self._names[which] = 0

    def take(
        self, source: Int32, payloads: Sequence[bytes], sources: Sources, points: Points
    ) -> tuple[list[Decoded], Sequence[int]]:
        """As `Fast.take` promises."""
        self._tick, self._drawn = self._tick + 1, 0
        if not self._numbers or not len(source):
            return [], range(len(payloads))
        self._grow(int(source.max()) + 1)
        form = self._first.take(source, mode="clip")
        form[source < 0] = _NONE
        parts: list[Decoded] = []
        rest: list[int] = np.flatnonzero(form < 0).tolist()
        odd: list[int] = []
        for taken in self._each(
            form, np.arange(len(form), dtype=np.int32), source, payloads, sources, points
        ):
            parts += [taken.decoded] if taken.decoded is not None else []
            self._missed[source[taken.took]] = 0
            odd += taken.odd
            rest += taken.unsure
        if odd:
            left = np.array(odd, np.int32)
            other = self._second[source[left]]
            rest += left[other < 0].tolist()
            for taken in self._each(other, left, source, payloads, sources, points):
                parts += [taken.decoded] if taken.decoded is not None else []
                self._second_fits(source[taken.took])
                rest += [*taken.odd, *taken.unsure]
        return parts, sorted(rest)

    def _each(
        self,
        form: Int8,
        message: Int32,
        source: Int32,
        payloads: Sequence[bytes],
        sources: Sources,
        points: Points,
    ) -> Iterator[Taken]:
        """What each form makes of those of the messages that are to be tried with it."""
        for number, places in _grouped(form):
            known = self._forms[number]
            assert known is not None
            asked_of = message[places] if len(places) < len(message) else message
            whole = len(asked_of) == len(payloads)
            asked = Asked(
                len(payloads),
                asked_of,
                source if whole else source[asked_of],
                payloads if whole else [payloads[n] for n in asked_of.tolist()],
            )
            names = self._names[asked.source] if known.has_names and self._names is not None else None
            self._used[number] = self._tick
            try:
                yield known.take(asked, names, sources, points)
            except Exception:  # a form must not cost a message
                self.declined += 1
                self._drop(number)
                yield Taken(None, asked.message[:0], [], asked.message.tolist())

    def _second_fits(self, source: Int32) -> None:
        """The second form of these sources fitted where the first did not."""
        self._missed[source] += 1
        often = source[self._missed[source] > 1]
        if len(often):
            first = self._first[often]
            self._first[often], self._second[often] = self._second[often], first
            self._missed[often] = 0

    def recognise(self, payload: bytes, candidates: Sequence[Candidate]) -> Sighted | None:
        """As `Fast.recognise` promises."""
        if not self._sights:
            return None
        try:
            return self._recognised(payload, candidates)
        except Exception:  # as in `learn`
            self.declined += 1
            return None

    def _recognised(self, payload: bytes, candidates: Sequence[Candidate]) -> Sighted | None:
        asked: tuple[int, ...] = ()
        for kind, captures in candidates:
            again, asked = kind.number in asked, (*asked, kind.number)
            if again:  # its first pattern has cut the topic
                continue
            key = asked, tuple(captures.get(name) for name in self._bound_names(kind))
            numbers = [self._texts[key]] if key in self._texts else self._by_key.get(key, ())
            for number in numbers[: -TRIED - 1 : -1]:
                known = self._forms[number]
                if number in self._sights and known is not None and known.names_in(payload) is not None:
                    return Sighted(number, self._sights[number], captures)
        return None

    def met(self, source: int, form: int) -> None:
        """As `Fast.met` promises."""
        self._grow(source + 1)
        if self._first[source] == _NONE:
            self._first[source] = form

    def learn(self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard) -> None:
        """As `Fast.learn` promises."""
        try:
            self._learn(source, payload, candidates, heard)
        except Unfit:
            return
        except Exception:  # the message is understood already: what it might have taught is worth no risk
            self.declined += 1

    def _learn(self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard) -> None:
        kind = heard.kind
        numbers = tuple(one.number for one, _ in candidates)
        asked = numbers[: numbers.index(kind.number) + 1]
        look = self._look(asked, candidates, kind)
        if look is None:
            return
        text = kind.said.format == "text"
        key = asked, tuple(heard.captures.get(name) for name in self._bound_names(kind))
        if text:  # only its topic says what it means
            if self._fits(source, self._texts.get(key, _NONE), payload):
                return
        else:
            for number in self._by_key.get(key, ())[: -TRIED - 1 : -1]:
                if self._fits(source, number, payload):
                    return
        if self._drawn >= DRAWN_A_TICK:
            return
        self._drawn += 1
        skeleton = skeleton_of(heard.tree, look)
        plan = self._planned(candidates[: len(asked)], heard, skeleton) if text else None
        form = (key if plan is None else (asked, plan.signature)), skeleton
        if form in self._numbers or self._is_worth_it(form, text=text):
            number = self._numbers.get(form, _NONE)
            if number == _NONE:
                plan = plan or self._planned(candidates[: len(asked)], heard, skeleton)
                number = self._compiled(form, Known(skeleton, plan, text=text), text=text)
                sight = sight_of(kind, heard.tree, self._carrying)
                if sight is not None:
                    self._sights[number] = sight
            if text:
                if len(self._texts) >= _TEXTS_MAX:
                    self._texts.clear()
                self._texts[key] = number
            self._fits(source, number, payload)

    def _planned(self, candidates: Sequence[Candidate], heard: Heard, skeleton: Skeleton) -> Planned:
        return planned(candidates, heard.kind, heard.captures, skeleton, heard.tree, self._carrying)

    def _fits(self, source: int, number: int, payload: bytes) -> bool:
        """Whether a message has a form; then its source has it as well from now on."""
        known = None if number == _NONE else self._forms[number]
        names = None if known is None else known.names_in(payload)
        if names is None:
            return False
        self._grow(source + 1)
        if self._first[source] == _NONE:
            self._first[source] = number
        elif self._first[source] != number:
            self._second[source] = number
        if names:
            if self._names is None:
                self._names = np.zeros(len(self._first), np.int64)
            self._names[source] = names
        return True

    def _is_worth_it(self, form: tuple[Key, Skeleton], *, text: bool) -> bool:
        """Counts a form that is not known; whether it is to be compiled now."""
        if len(self._counted) >= _COUNTED_MAX:
            self._counted.clear()
        self._counted[form] += 1
        if self._counted[form] < WORTH_A_FORM or (not text and self._tick < self._compile_from):
            return False
        self._counted[form] = 0  # should it turn out to be unfit, it is not tried again soon
        if not text:
            self._compile_from = self._tick + TICKS_BETWEEN
        return True

    def _compiled(self, form: tuple[Key, Skeleton], known: Known, *, text: bool) -> int:
        """The number of a form from now on; the one unused for longest makes room."""
        key, _ = form
        first = FORMS_MAX if text else 0
        number = first + int(self._used[first : first + FORMS_MAX].argmin())
        if self._forms[number] is not None:
            self._drop(number)
        self._forms[number], self._used[number] = known, self._tick
        self._numbers[form] = number
        self._by_key.setdefault(key, []).append(number)
        return number

    def _drop(self, number: int) -> None:
        self._forms[number] = None
        self._sights.pop(number, None)
        self._texts = {key: one for key, one in self._texts.items() if one != number}
        self._first[self._first == number] = _NONE
        self._second[self._second == number] = _NONE
        (form,) = [form for form, one in self._numbers.items() if one == number]
        del self._numbers[form]
        of_key = self._by_key[form[0]]
        of_key.remove(number)
        if not of_key:
            del self._by_key[form[0]]

    def _look(self, asked: tuple[int, ...], candidates: Sequence[Candidate], kind: Kind) -> Look | None:
        """What is looked at in messages of a kind; None where they cannot be learnt."""
        if asked not in self._looks:
            before = [one for one, _ in candidates[: len(asked) - 1]]
            kind = kind if self.answers else replace(kind, reply=None)
            try:
                objects = () if kind.object is None else self._carrying.objects
                self._looks[asked] = look_for(before, kind, objects) if may_be_learnt(kind) else None
            except Unfit:
                self._looks[asked] = None
        return self._looks[asked]

    def _bound_names(self, kind: Kind) -> tuple[str, ...]:
        """The names that the topic may bind and that readings of a kind need."""
        known = self._bound.get(kind.number)
        if known is None:
            objects = () if kind.object is None else self._carrying.objects
            items = [*kind.items, *(item for one in objects for item in one.items)]
            known = self._bound[kind.number] = tuple(sorted(set(_names_of(items))))
        return known

    def _grow(self, sources: int) -> None:
        more = sources - len(self._first)
        if more > 0:
            more = max(more, len(self._first))
            self._first = np.concatenate([self._first, np.full(more, _NONE, np.int8)])
            self._second = np.concatenate([self._second, np.full(more, _NONE, np.int8)])
            self._missed = np.concatenate([self._missed, np.zeros(more, np.uint8)])
            if self._names is not None:
                self._names = np.concatenate([self._names, np.zeros(more, np.int64)])


def _grouped(form: Int8) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each form that is not negative, and the places where it stands, in order."""
    if len(form) and form[0] >= 0 and (form == form[0]).all():  # the usual tick
        yield int(form[0]), np.arange(len(form))
        return
    order = np.argsort(form, kind="stable")
    ordered = form[order]
    starts = [*np.flatnonzero(np.diff(ordered, prepend=_NONE - 1)).tolist(), len(form)]
    for start, end in pairwise(starts):
        if ordered[start] >= 0:
            yield int(ordered[start]), order[start:end]


def _names_of(items: Iterable[Items]) -> Iterator[str]:
    for one in items:
        columns = [*one.values, *(column for some in one.exact.values() for column in some)]
        columns += [column for _, some in one.patterns for column in some]
        columns += [column for some in one.units.values() for column in some]
        patterns = [one.name, one.label, *one.device, *(column.channel for column in columns)]
        patterns += [column.list_channel for column in columns]
        for pattern in patterns:
            yield from (part.name for part in pattern.parts if isinstance(part, Blank)) if pattern else ()
