"""Topics that are heard for the first time with a message of a form that is known.

What a form is was learnt from others, and whose the topic is, its captures say. So nothing but what is said
once of a device is left: how long it may be silent, what it is heard through, what its topic calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

from devices.model import Int32
from devices.profiles.compiling.compiled import MISSING, Blank, CompiledObject, Kind, Pattern, Way
from devices.profiles.general.carrying import Carrying
from devices.profiles.general.choosing import Candidate
from devices.profiles.general.findings import Tree
from devices.profiles.general.gathering import Gathering
from devices.profiles.general.identity import Identity, nowhere, texts
from devices.profiles.general.naming import uid_of
from devices.profiles.general.reaching import Bound, reach
from devices.profiles.sources import Sources


class Sight(NamedTuple):
    """What messages of a form say of their device beside readings, all of it by their topic alone."""

    kind: Kind
    about: tuple[tuple[str, Pattern], ...]
    silence: str


class Sighted(NamedTuple):
    """A message on a new topic that has a form: the form's number, and what its topic was cut into."""

    form: int
    sight: Sight
    captures: Bound


Recognise = Callable[[bytes, Sequence[Candidate]], Sighted | None]


class _Met(NamedTuple):
    source: int
    uid: str
    sighted: Sighted


def sight_of(kind: Kind, tree: Tree, carrying: Carrying) -> Sight | None:
    """What all messages with the skeleton of this one say; None where the payload has a part in it.

    A place that a template looks at is empty in all of them if it is in one, for that belongs to the
    skeleton.
    """
    carried, there = _object_in(kind, tree, carrying)
    own = [*kind.device, *(one for _, one in kind.about)]
    own += [one for one in (kind.alias, kind.parent) if one is not None]
    about = () if carried is None else carried.about
    if not _is_silent(own, tree) or not _is_silent([one for _, one in about], there):
        return None
    silence_s = 0.0 if carried is None else carried.max_silence_s
    said = tuple((key, one) for key, one in (*kind.about, *about) if not any(_ways(one)))
    return Sight(kind, said, f"{silence_s:g}" if silence_s else kind.silence)


def _object_in(kind: Kind, tree: Tree, carrying: Carrying) -> tuple[CompiledObject | None, Tree]:
    there = MISSING if kind.object is None else reach(kind.object, tree, tree)
    return (carrying.reader(there) if type(there) is dict and there else None), there


def _is_silent(patterns: Sequence[Pattern], tree: Tree) -> bool:
    """Whether nothing stands where the templates look into a payload."""
    stands = [reach(way, tree, tree) for one in patterns for way in _ways(one)]
    return all(one is None or one is MISSING for one in stands)


def _ways(pattern: Pattern) -> list[Way]:
    """Where the blanks of a template look into a payload."""
    return [part.way for part in pattern.parts if isinstance(part, Blank) and part.way is not None]


class FirstSights:
    """The new topics of one tick. `recognise` is the fast way's."""

    def __init__(self, identity: Identity, is_known: Callable[[str], bool]) -> None:
        self._identity = identity
        self._is_known = is_known
        self._met: dict[int, _Met] = {}

    def meet(
        self,
        unknown: Sequence[int],
        topics: Sequence[str],
        payloads: Sequence[bytes],
        candidates: Callable[[str], Sequence[Candidate]],
        recognise: Recognise,
        sources: Sources,
    ) -> None:
        """Gives a number to the topics of those of the messages `unknown` that have a form."""
        for n in unknown:
            topic = topics[n]
            sighted = recognise(payloads[n], candidates(topic))
            if sighted is not None:
                uid = self._identity.uid(sighted.sight.kind, sighted.captures, None, topic, self._is_known)
                self._met[n] = _Met(sources.meet(topic, uid), uid, sighted)

    def forms(self) -> Iterator[tuple[int, int]]:
        """The new sources, each with its form."""
        return ((one.source, one.sighted.form) for one in self._met.values())

    def told(self, left: Sequence[int], topics: Sequence[str], gathering: Gathering) -> list[int]:
        """Says of the devices of these messages what the general way would have said, but of those that are
        `left` to it; gives the sources of those, which must not be read by form until they were heard."""
        general, unheard = set(left), []
        for n, (source, uid, sighted) in self._met.items():
            if n in general:
                unheard.append(source)
                continue
            kind, about, silence = sighted.sight
            place = gathering.place(topics[n], uid, source)
            gathering.present.append(place)
            if about:
                for key, text in texts(about, sighted.captures, nowhere):
                    gathering.said.append((place, key, text))
            if silence:
                gathering.said.append((place, "max_silence", silence))
            if kind.parent is not None:
                parent = uid_of((kind.parent,), sighted.captures, None, None)
                if parent and parent != uid:
                    gathering.comings.parents.append((n, place, parent))
        return unheard

    def numbers(self, remembered: Int32, unless: Container[str] = ()) -> Int32:
        """The sources, with those that were met but of the devices `unless`."""
        if not self._met:
            return remembered
        remembered = remembered.copy()
        for n, one in self._met.items():
            if one.uid not in unless:
                remembered[n] = one.source
        return remembered
