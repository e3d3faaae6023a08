"""Forms from messages that the general way has understood: each is a lesson, and few are worth a form.

What a form is and when it is kept, `forms` says; here a message becomes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.profiles.compiling.compiled import Kind
from devices.profiles.fast.asked_kinds import AskedKinds
from devices.profiles.fast.births import Births
from devices.profiles.fast.first_sight import sight_of
from devices.profiles.fast.forms import NONE, Form, Forms, Key
from devices.profiles.fast.known import Known
from devices.profiles.fast.looks import Look
from devices.profiles.fast.marked import Planned, planned, says_who_is_there
from devices.profiles.fast.octets import octets_form
from devices.profiles.fast.packs import neutral
from devices.profiles.fast.skeleton import Skeleton, skeleton_of
from devices.profiles.fast.source_forms import SourceForms
from devices.profiles.formats.json_text import read_json
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.heard import Heard
from devices.profiles.turns import Turns

DRAWN_A_TICK: Final = 32
"""Messages a tick whose skeleton is drawn, at 20 to 40 µs each, taking turns (measured; the number is chosen
so that messages that never fit cost a tick 1 ms)."""


class Lessons:
    """Fills up the forms of one profile, and says which of its sources have them."""

    def __init__(
        self,
        carrying: Carrying,
        asked: AskedKinds,
        forms: Forms,
        sources: SourceForms,
        births: Births | None,
    ) -> None:
        self._carrying, self._asked = carrying, asked
        self._forms, self._sources, self._births = forms, sources, births
        self._turns = Turns(DRAWN_A_TICK)

    def start_tick(self) -> None:
        """A tick begins, and with it what may be learnt in one."""
        self._turns.start_tick()

    def learn(
        self, source: int, payload: bytes, candidates: Sequence[Candidate], heard: Heard, *, answers: bool
    ) -> None:
        """As `Fast.learn` promises, but that it raises Unfit for what makes no form. `answers` as there."""
        kind = heard.kind
        numbers = tuple(one.number for one, _ in candidates)
        asked = numbers[: numbers.index(kind.number) + 1]
        look = self._asked.look(asked, candidates, kind, answers=answers)
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
            guarded = self._asked.guarded(kind, skeleton, heard, payload)
            plan = plan or self._planned(candidates, heard, skeleton)
            number = self._keep(
                form,
                Known(skeleton, plan, self._asked.reader(kind, guarded, raw, heard, payload)),
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
            self.drop(number)
        self._forms.keep(number, form, known, alike=alike)
        return number

    def drop(self, number: int) -> None:
        """A form is forgotten, and no source has it any more."""
        self._forms.drop(number)
        self._sources.drop(number)
