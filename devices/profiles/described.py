"""A profile that a file describes: its messages read the general way, whatever they are.

The general way is the only place where a value is judged: payload → tree (`formats`) → the first message
kind whose `where` holds (`choosing`) → findings (`walk`) → readings (`hearing`, `reading`) → arrays
(`gathering`). A fast way beside it may take messages whose form the general way has understood before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from devices.model import Int32
from devices.profiles.compiling.compiled import Compiled, CompiledObject
from devices.profiles.fast.fast import Fast
from devices.profiles.fast.fast_way import FastWay
from devices.profiles.fast.first_sight import FirstSights
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.announced import Announced
from devices.profiles.general.asked import AskedOfTopics, Sought
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.gathering import Gathering
from devices.profiles.general.heard import Heard
from devices.profiles.general.hearing import Hearing
from devices.profiles.general.identity import Identity, registered_before
from devices.profiles.general.news import News
from devices.profiles.general.outside import Outside
from devices.profiles.general.presence import ABSENT, Attendance
from devices.profiles.general.unsettling import Unsettling
from devices.profiles.memory import Memory
from devices.profiles.own.alike import joined
from devices.profiles.profile import BEGINNING, Asides, Decoded, Note, Points, Reason, Said
from devices.profiles.searching import Searching
from devices.profiles.sources import Sources


class _Lesson(NamedTuple):
    """A message that the general way has understood, for the fast way to learn from."""

    topic: str
    payload: bytes
    candidates: Sequence[Candidate]
    heard: Heard


class DescribedProfile:
    """Implements `Remembering` and `Learning` for what a file describes. `objects` are those of all profiles.

    Bounded: sources as `Sources` says, what is learnt as `Memory` says, topics and texts as above.
    `anywhere`: the kinds that the file allows on any topic are taken there, and objects that stand alone
    (for `gengfu decode`).
    """

    def __init__(
        self,
        compiled: Compiled,
        objects: Sequence[CompiledObject],
        *,
        anywhere: bool = False,
        memory: Memory | None = None,
    ) -> None:
        """`memory`: shared with the others of one family (`Compiled.memory_name`); None: one of its own."""
        self.name = compiled.name
        self.version = compiled.version
        self.filters: tuple[str, ...] = tuple(dict.fromkeys(topic.filter for topic in compiled.topics))
        self.compiled = compiled
        self.objects = tuple(objects)
        self.memory = Memory(compiled.memory_name) if memory is None else memory
        carries = anywhere or any(
            kind.object is not None or kind.codec_way is not None for kind in compiled.kinds
        )
        self.carrying = Carrying(compiled.columns, objects if carries else ())
        self.fast: Fast | None = FastWay(self.carrying, self.memory)
        """None: all messages go the general way."""
        self._identity = Identity(self.memory)
        self._attendance = Attendance(self.memory)
        self._announced = Announced()
        self._unsettling = Unsettling(compiled.kinds)
        self._sources = Sources(("",))
        self._asked = AskedOfTopics(compiled, anywhere=anywhere)
        self._sought = Sought(compiled.kinds, self.carrying.objects)
        self.searching = Searching()
        self._of_flag: dict[tuple[int, bool], tuple[float, int]] = {}
        self._news = News()

    def matches(self, topic: str) -> bool:
        """Whether one of the profile's topic patterns takes it."""
        return bool(self._asked.of(topic))

    def candidates(self, topic: str) -> Sequence[Candidate]:
        """The kinds of message that may come on a topic, in the file's order."""
        return self._asked.of(topic)

    def recall(self, topics: Sequence[str]) -> Int32:
        """As `Remembering.recall` promises."""
        return self._sources.recall(topics)

    def remember(self, notes: Iterable[Note]) -> None:
        """As `Learning.remember` promises."""
        self.memory.restore(notes)
        self._attendance.restored()

    def answer(self, *, wanted: bool) -> None:
        """Whether replies are sent: where they are not, messages that ask for one can be read the fast way.
        To be said before the first message; without it they are."""
        if self.fast is not None:
            self.fast.answers = wanted

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """As `Profile.decode` promises."""
        if self._sources.start_tick():
            self._forget(None)
        remembered = self._sources.recall(topics)
        parts, rest, sights = self._taken(remembered, topics, payloads, points)
        gathering, hearing = self._hearing(topics, points, received_us, retained)
        numbers: list[int] = sights.numbers(remembered).tolist()
        lessons: list[_Lesson] = []
        for n in rest:
            candidates = self._asked.of(topics[n])
            if not candidates:
                gathering.refuse(n, Reason.UNKNOWN_TOPIC, topics[n])
                continue
            heard = hearing.message(n, topics[n], payloads[n], numbers[n], candidates)
            if heard is not None and self.fast is not None:
                lesson = _Lesson(topics[n], payloads[n], candidates, heard)
                if remembered[n] >= 0:
                    self._teach(self.fast, numbers[n], lesson)
                else:
                    lessons.append(lesson)
        unheard = sights.told(rest, topics, gathering)
        if unheard and self.fast is not None:
            self.fast.forget(unheard)
        self._heard_besides(gathering, parts, topics, numbers)
        decoded = self._finished(gathering, hearing.outside, parts, points)
        self._teach_later(lessons)
        return decoded

    def rescued(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        """As `Rescuing.rescued` promises."""
        if self._sources.start_tick():
            self._forget(None)
        gathering, hearing = self._hearing(topics, points, received_us, retained)
        fault = Unreadable(Reason.TOO_LARGE, BEGINNING)
        for n, source in enumerate(self._sources.recall(topics).tolist()):
            candidates = self._asked.of(topics[n])
            hearing.refusing.unreadable(n, topics[n], source, candidates, payloads[n], fault)
        return self._finished(gathering, hearing.outside, [], points)

    def _hearing(
        self, topics: Sequence[str], points: Points, received_us: int, retained: Sequence[bool] | None
    ) -> tuple[Gathering, Hearing]:
        gathering = Gathering(self._sources, [-1] * len(topics), retained)
        hearing = Hearing(
            gathering,
            self.carrying,
            self._identity,
            self.memory,
            self._sought.true_flags,
            self._sought.passed_over,
            self.searching,
            points,
            received_us,
            self._announced,
            self._sought.unread_names,
            self._of_flag,
        )
        return gathering, hearing

    def _heard_besides(
        self, gathering: Gathering, parts: Sequence[Decoded], topics: Sequence[str], numbers: Sequence[int]
    ) -> None:
        """Tells of messages read the fast way whose devices are said to come or go in the same tick."""
        noticed = gathering.comings.noticed(self._attendance) if parts else set()
        if not noticed:
            return
        for n in sorted({n for part in parts for n in part.message.tolist()}):
            uid = self._sources.uid(numbers[n])
            if uid in noticed:
                gathering.heard_besides.append((n, gathering.place(topics[n], uid, numbers[n])))

    def _teach(self, fast: Fast, source: int, lesson: _Lesson) -> None:
        if source >= 0 and self._sources.uid(source) == lesson.heard.uid:
            fast.learn(source, lesson.payload, lesson.candidates, lesson.heard)

    def _teach_later(self, lessons: Sequence[_Lesson]) -> None:
        """Messages on topics that were new, now that those of registered devices have a number."""
        if self.fast is not None and lessons:
            sources = self._sources.find([one.topic for one in lessons])
            for source, lesson in zip(sources, lessons, strict=True):
                self._teach(self.fast, source, lesson)

    def at_any_topic(self) -> DescribedProfile:
        """The same for messages whose topics are not its own, with a memory of its own."""
        return DescribedProfile(self.compiled, self.objects, anywhere=True)

    def _forget(self, sources: Sequence[int] | None) -> None:
        self._unsettling.forget(sources)
        if self.fast is not None:
            self.fast.forget(sources)

    def _taken(
        self, remembered: Int32, topics: Sequence[str], payloads: Sequence[bytes], points: Points
    ) -> tuple[list[Decoded], Sequence[int], FirstSights]:
        """What the fast way takes: nothing of devices that are absent, whose return only the general way
        tells, and nothing behind a message that may change whose a topic is."""
        sights = FirstSights(self._identity, registered_before(points))
        if self.fast is None:
            return [], range(len(payloads)), sights
        new: list[int] = np.flatnonzero(remembered < 0).tolist()
        absent = self.memory.table(ABSENT)
        if absent:
            uid = self._sources.uid
            back = [
                n for n, source in enumerate(remembered.tolist()) if source >= 0 and uid(source) in absent
            ]
            if back:
                remembered = remembered.copy()
                remembered[back] = -1
        settled = self._unsettling.first(remembered, topics, self._asked.of)
        if settled < len(topics):
            remembered = remembered.copy()
            remembered[settled:] = -1
        if new:
            new = [n for n in new if n < settled]
            sights.meet(new, topics, payloads, self._asked.of, self.fast.recognise, self._sources)
            remembered = sights.numbers(remembered, unless=absent)
            for source, form in sights.forms():
                self.fast.met(source, form)
        return *self.fast.take(remembered, payloads, self._sources, points), sights

    def _finished(
        self, gathering: Gathering, outside: Outside, parts: Sequence[Decoded], points: Points
    ) -> Decoded:
        decoded, registered = gathering.finish(self._attendance, points)
        lives: list[bool] = registered.tolist()
        for place, table, key, value in gathering.notes:
            if lives[place]:
                self.memory.set(table, key, value)
        for _, place, parent in gathering.comings.parents:
            if lives[place]:
                outside.said.append(Said(gathering.uid(place), "parent", parent))
        said = self._news.of([*outside.said, *gathering.said_of(lives)])
        freed = [self._sources.forget(topic) for topic in self._identity.renamed()]
        freed += self._sources.end_tick()
        if freed:
            self._forget(freed)
        asides = Asides(
            self.memory.taken(),
            said,
            tuple(outside.proposals),
            tuple(outside.replies),
            decoded.asides.holds,
            decoded.asides.strangers,
            decoded.asides.unread,
        )
        decoded = replace(decoded, asides=asides)
        return joined(decoded, parts) if parts else decoded
