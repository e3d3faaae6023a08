"""Which kinds of message a topic may bring, and what is searched for in each kind: made once, then known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.profiles.compiling.compiled import Compiled, CompiledObject, Kind, Start, Way
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.passed_over import PassedOver
from devices.profiles.general.rescuing import TrueFlags
from devices.profiles.general.usual_names import UnreadNames
from devices.profiles.language.file import Message
from devices.profiles.language.templates import Cuttings
from devices.profiles.language.topics import Topics

TOPICS_MAX: Final = 32_768
"""Topics whose kinds are remembered; then all are looked up anew (chosen: 1 KiB each)."""
LONGEST_REMEMBERED_TOPIC: Final = 256


class AskedOfTopics:
    """The kinds that may come on a topic. Bounded by `TOPICS_MAX` and `LONGEST_REMEMBERED_TOPIC`."""

    def __init__(self, compiled: Compiled, *, anywhere: bool) -> None:
        """`anywhere`: on topics that are not the profile's the kinds that its file allows there."""
        self._kinds = compiled.kinds
        self._anywhere = _anywhere_kinds(compiled) if anywhere else ()
        self._topics = Topics(compiled.topics)
        self._known: dict[str, tuple[Candidate, ...]] = {}

    def of(self, topic: str) -> tuple[Candidate, ...]:
        """In the file's order; none where the topic is nobody's."""
        known = self._known.get(topic)
        if known is not None:
            return known
        found = tuple(
            Candidate(self._kinds[pattern.kind], Cuttings(captures))
            for pattern, captures in self._topics.find(topic)
        )
        if not found:
            found = tuple(Candidate(kind, {}) for kind in self._anywhere)
        if len(topic) <= LONGEST_REMEMBERED_TOPIC:
            if len(self._known) >= TOPICS_MAX:
                self._known.clear()
            self._known[topic] = found
        return found


class Sought:
    """What is searched for in the messages of each kind of a profile; `objects` are those it may carry."""

    def __init__(self, kinds: Sequence[Kind], objects: Sequence[CompiledObject]) -> None:
        self._kinds, self._objects = kinds, objects
        self._true_flags: dict[int, TrueFlags] = {}
        self._unread_names: dict[int, UnreadNames] = {}
        self._passed_over: PassedOver | None = None

    def true_flags(self, kind: Kind) -> TrueFlags:
        """The life flags of messages that nobody can read."""
        known = self._true_flags.get(kind.number)
        if known is None:
            known = self._true_flags[kind.number] = TrueFlags(kind, self._objects)
        return known

    def unread_names(self, kind: Kind) -> UnreadNames:
        """The usual names that no column reads."""
        known = self._unread_names.get(kind.number)
        if known is None:
            known = self._unread_names[kind.number] = UnreadNames(kind, self._objects)
        return known

    def passed_over(self) -> PassedOver:
        """The life flags of messages that the profile passes over."""
        if self._passed_over is None:
            self._passed_over = PassedOver(self._kinds, self._objects)
        return self._passed_over


def _anywhere_kinds(compiled: Compiled) -> tuple[Kind, ...]:
    """The kinds for any topic, and last one for an object that stands alone."""
    kinds = [compiled.kinds[number] for number in compiled.anywhere]
    return (*kinds, _bare(len(compiled.kinds))) if compiled.objects else tuple(kinds)


def _bare(number: int) -> Kind:
    """A message that is nothing but a vendor's object."""
    return Kind(number, "object", (), Message(name="object"), object=Way(Start.PAYLOAD, ()))
