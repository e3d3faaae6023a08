"""Messages with the form that others of their source had before, read a tick at a time.

A device says the same things for years: only numbers and flags differ. So what the general way understood of
a message's structure is kept as a form (`skeleton`, `marked`), compiled, and the next messages of the source
are tried with it. A form never decides what a value means: it only says that all is as it was when the
general way understood it. Whatever it does not take goes the general way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from devices.model import Int32
from devices.profiles.compiling.compiled import Kind
from devices.profiles.fast.asked_kinds import AskedKinds
from devices.profiles.fast.births import Births
from devices.profiles.fast.first_sight import Sighted, sight_of
from devices.profiles.fast.forms import FORMS_MAX, NONE, TICKS_BETWEEN, WORTH_A_FORM, Form, Forms, Key
from devices.profiles.fast.known import Asked, Known, Taken
from devices.profiles.fast.looks import Look
from devices.profiles.fast.marked import (
    Planned,
    planned,
    says_who_is_there,
)
from devices.profiles.fast.octets import octets_form
from devices.profiles.fast.packs import neutral
from devices.profiles.fast.skeleton import Skeleton, Unfit, skeleton_of
from devices.profiles.fast.source_forms import FORMS_A_SOURCE, Int8, SourceForms, grouped
from devices.profiles.formats.json_text import read_json
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.heard import Heard
from devices.profiles.memory import Memory
from devices.profiles.profile import Decoded, Points
from devices.profiles.sources import Sources
from devices.profiles.turns import Turns

__all__ = ["FORMS_MAX", "TICKS_BETWEEN", "WORTH_A_FORM", "FastWay"]

DRAWN_A_TICK: Final = 32
"""Messages a tick whose skeleton is drawn, at 20 to 40 µs each, taking turns (measured; the number is chosen
so that messages that never fit cost a tick 1 ms)."""


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
        self._carrying = carrying
        self._forms = Forms()
        self._sources = SourceForms()
        self._births = None if memory is None else Births(memory)
        self._asked = AskedKinds(carrying, watches=watches)
        self._turns = Turns(DRAWN_A_TICK)
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
        self._turns.start_tick()
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
                self._drop(number)
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
            self._learn(source, payload, candidates, heard)
        except Unfit:
            return
        except Exception:  # the message is understood already: what it might have taught is worth no risk
            self.declined += 1

    def _learn(self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard) -> None:
        kind = heard.kind
        numbers = tuple(one.number for one, _ in candidates)
        asked = numbers[: numbers.index(kind.number) + 1]
        look = self._asked.look(asked, candidates, kind, answers=self.answers)
        if look is None or says_who_is_there(kind, heard.tree):
            return
        key = asked, tuple(heard.captures.get(name) for name in self._asked.bound_names(kind))
        candidates = candidates[: len(asked)]
        if kind.said.format == "sparkplug":
            self._learn_octets(source, payload, candidates, heard, key, look)
        elif not any(self._fits(source, number, payload) for number in self._tried(key, kind)):
            self._learn_tree(source, payload, candidates, heard, key, look)

    def _tried(self, key: Key, kind: Kind) -> Sequence[int]:
        """The forms that such a message may have; of a text only its topic says what it means."""
        return (self._forms.of_text(key),) if kind.said.format == "text" else self._forms.of_key(key)

    def _learn_tree(
        self,
        source: int,
        payload: bytes,
        candidates: Sequence[Candidate],
        heard: Heard,
        key: Key,
        look: Look,
    ) -> None:
        """A message in JSON, SenML or of one text."""
        if not self._turns.mine():
            return
        kind = heard.kind
        text = kind.said.format == "text"
        raw = read_json(payload) if kind.said.format == "senml" else None
        if raw is not None:
            heard = heard._replace(tree=neutral(raw, heard.tree))
        skeleton = skeleton_of(heard.tree, look)
        plan = self._planned(candidates, heard, skeleton) if text else None
        form: Form = ((key if plan is None else (key[0], plan.signature)), skeleton)
        number = self._forms.number(form)
        if number == NONE:
            if not self._forms.is_worth_it(form, text=text):
                return
            plan = plan or self._planned(candidates, heard, skeleton)
            number = self._keep(
                form,
                Known(skeleton, plan, self._asked.reader(kind, skeleton, raw, heard, payload)),
                text=text,
                alike=not text,
            )
            sight = sight_of(kind, heard.tree, self._carrying)
            if sight is not None:
                self._forms.sights[number] = sight
        if text:
            self._forms.keep_text(key, number)
        self._fits(source, number, payload)

    def _learn_octets(
        self,
        source: int,
        payload: bytes,
        candidates: Sequence[Candidate],
        heard: Heard,
        key: Key,
        look: Look,
    ) -> None:
        """A message of Sparkplug. What its octets mean, its birth says as well: they alone are no form."""
        if self._births is None or not self._turns.mine():
            return
        skeleton = skeleton_of(heard.tree, look)
        reader = octets_form(payload, heard.tree, skeleton)
        form: Form = (key, (skeleton, reader.same))
        number = self._forms.number(form)
        if number == NONE:
            if not self._forms.is_worth_it(form, text=False):
                return
            plan = self._planned(candidates, heard, skeleton)
            number = self._keep(form, Known(skeleton, plan, reader), text=False, alike=False)
        if self._births.explains(heard.captures, source):
            self._fits(source, number, payload)

    def _planned(self, candidates: Sequence[Candidate], heard: Heard, skeleton: Skeleton) -> Planned:
        return planned(candidates, heard.kind, heard.captures, skeleton, heard.tree, self._carrying)

    def _fits(self, source: int, number: int, payload: bytes) -> bool:
        """Whether a message has a form; then its source has it as well from now on."""
        known = self._forms.known(number)
        names = None if known is None else known.names_in(payload)
        if names is None:
            return False
        self._sources.has(source, number, names)
        return True

    def _keep(self, form: Form, known: Known, *, text: bool, alike: bool) -> int:
        """The number of a form from now on; the one unused for longest makes room."""
        number = self._forms.room(text=text)
        if self._forms.known(number) is not None:
            self._drop(number)
        self._forms.keep(number, form, known, alike=alike)
        return number

    def _drop(self, number: int) -> None:
        self._forms.drop(number)
        self._sources.drop(number)
