"""Messages with the form that others of their source had before, read a tick at a time.

A device says the same things for years: only numbers and flags differ. So what the general way understood of
a message's structure is kept as a form (`skeleton`, `marked`), compiled, and the next messages of the source
are tried with it. A form never decides what a value means: it only says that all is as it was when the
general way understood it. Whatever it does not take goes the general way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from devices.model import Int32
from devices.profiles.fast.asked_kinds import AskedKinds
from devices.profiles.fast.births import Births
from devices.profiles.fast.first_sight import Sighted
from devices.profiles.fast.forms import FORMS_MAX, NONE, TICKS_BETWEEN, WORTH_A_FORM, Forms
from devices.profiles.fast.known import Asked, Taken
from devices.profiles.fast.lessons import Lessons
from devices.profiles.fast.skeleton import Unfit
from devices.profiles.fast.source_forms import FORMS_A_SOURCE, Int8, SourceForms, grouped
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.heard import Heard
from devices.profiles.memory import Memory
from devices.profiles.profile import Decoded, Points
from devices.profiles.sources import Sources

__all__ = ["FORMS_MAX", "TICKS_BETWEEN", "WORTH_A_FORM", "FastWay"]


class _Spoken(NamedTuple):
    """The messages of a tick, as `Fast.take` is given them."""

    source: Int32
    payloads: Sequence[bytes]
    sources: Sources
    points: Points


class FastWay:
    """Implements `Fast` for one profile. Bounded as `SourceForms` and `Forms` say."""

    def __init__(self, carrying: Carrying, memory: Memory | None = None, *, watches: bool = True) -> None:
        """`memory` has the births of Sparkplug; without it none of its messages are read by form. `watches`:
        False only to measure what it costs that no fire is passed over."""
        self._forms = Forms()
        self._sources = SourceForms()
        self._births = None if memory is None else Births(memory)
        self._asked = AskedKinds(carrying, watches=watches)
        self._lessons = Lessons(carrying, self._asked, self._forms, self._sources, self._births)
        self.answers = True
        """Whether what a device waits for is sent; then its messages go the general way. Set before the
        first."""
        self.declined = 0
        """How often a message could not be learnt from, or a form failed, for a reason nobody thought of:
        each is a bug."""

    def __len__(self) -> int:
        """How many forms are kept."""
        return len(self._forms)

    @property
    def watched(self) -> int:
        """How many forms were kept whose messages are watched for names of fires."""
        return self._asked.watched

    def forget(self, sources: Sequence[int] | None) -> None:
        """These numbers (None: all) may stand for other topics or devices from now on."""
        self._sources.forget(sources)

    def take(
        self, source: Int32, payloads: Sequence[bytes], sources: Sources, points: Points
    ) -> tuple[list[Decoded], Sequence[int]]:
        """As `Fast.take` promises."""
        self._forms.start_tick()
        self._lessons.start_tick()
        if self._births is not None and (reborn := self._births.forgotten()):
            self._sources.forget(reborn)
        if not len(self._forms) or not len(source):
            return [], range(len(payloads))
        spoken = _Spoken(source, payloads, sources, points)
        parts: list[Decoded] = []
        left = np.arange(len(source), dtype=np.int32)
        rest: list[int] = left[self._sources.at(0, source) < 0].tolist()
        unlike: list[int] = []
        for rank in range(FORMS_A_SOURCE):
            form = self._sources.at(rank, source[left])
            unlike += left[form < 0].tolist() if rank else []
            odd: list[int] = []
            for taken in self._each(form, left, spoken):
                parts += [taken.decoded] if taken.decoded is not None else []
                self._sources.fits(rank, source[taken.took])
                odd += taken.odd
                rest += taken.unsure
            left = np.array(sorted(odd), np.int32)
            if not odd:
                break
        left = np.array(sorted(unlike + odd), np.int32)
        if len(left):
            rest += self._as_others_say(left, spoken, parts)
        return parts, sorted(rest)

    def _as_others_say(self, left: Int32, spoken: _Spoken, parts: list[Decoded]) -> list[int]:
        """Tries messages that no form of their source took with those of others whose topics say the same, so
        that not each device has to teach each form. Adds to `parts`; gives those that nothing took."""
        rest: list[int] = []
        for first, places in grouped(self._sources.at(0, spoken.source[left])):
            some = left[places]
            for number in self._forms.alike(first):
                known = self._forms.known(number)
                if known is None or known.has_names or not len(some):
                    continue
                form = np.full(len(some), number, np.int8)
                for taken in self._each(form, some, spoken):
                    parts += [taken.decoded] if taken.decoded is not None else []
                    for one in set(spoken.source[taken.took].tolist()):
                        self._sources.has(one, number, 0)
                    rest += taken.unsure
                    some = np.array(taken.odd, np.int32)
            rest += some.tolist()
        return rest

    def _each(self, form: Int8, message: Int32, spoken: _Spoken) -> Iterator[Taken]:
        """What each form makes of those of the messages that are to be tried with it."""
        source, payloads, sources, points = spoken
        for number, places in grouped(form):
            known = self._forms.used(number)
            asked_of = message[places] if len(places) < len(message) else message
            if len(asked_of) < known.few:
                yield Taken(None, asked_of[:0], [], asked_of.tolist())
                continue
            whole = len(asked_of) == len(payloads) and bool((asked_of[1:] > asked_of[:-1]).all())
            asked = Asked(
                len(payloads),
                asked_of,
                source if whole else source[asked_of],
                payloads if whole else [payloads[n] for n in asked_of.tolist()],
            )
            names = self._sources.names(asked.source) if known.has_names else None
            try:
                yield known.take(asked, names, sources, points)
            except Exception:  # a form must not cost a message
                self.declined += 1
                self._lessons.drop(number)
                yield Taken(None, asked.message[:0], [], asked.message.tolist())

    def recognise(self, payload: bytes, candidates: Sequence[Candidate]) -> Sighted | None:
        """As `Fast.recognise` promises."""
        if not self._forms.sights:
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
            key = asked, tuple(captures.get(name) for name in self._asked.bound_names(kind))
            text = self._forms.of_text(key)
            for number in (text,) if text != NONE else self._forms.of_key(key):
                known, sight = self._forms.known(number), self._forms.sights.get(number)
                if sight is not None and known is not None and known.names_in(payload) is not None:
                    return Sighted(number, sight, captures)
        return None

    def met(self, source: int, form: int) -> None:
        """As `Fast.met` promises."""
        self._sources.met(source, form)

    def learn(self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard) -> None:
        """As `Fast.learn` promises."""
        try:
            self._lessons.learn(source, payload, candidates, heard, answers=self.answers)
        except Unfit:
            return
        except Exception:  # the message is understood already: what it might have taught is worth no risk
            self.declined += 1
