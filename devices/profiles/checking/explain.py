"""Why a message means what it means: which profile and kind took it, and where each reading comes from.

The message is read once more the general way, with a copy of what the profile has learnt: nothing changes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from devices.model import Quality
from devices.profiles.checking.done import done_to, shown
from devices.profiles.checking.dropped import Dropped, dropped
from devices.profiles.checking.places import Steps, item_paths, not_looked_at, path_text
from devices.profiles.compiling.compiled import Choice, Items, Kind, Start, TopicPattern, Way
from devices.profiles.described import DescribedProfile
from devices.profiles.fast.interest import interest_of
from devices.profiles.formats.format import Unreadable
from devices.profiles.general.choosing import choose, clears, read
from devices.profiles.general.findings import At, Finding
from devices.profiles.general.walk import Bound, Found, TooMuch, first_time, holds, reach, walk
from devices.profiles.language.topics import find_topic
from devices.profiles.memory import Memory
from devices.profiles.profile import Profile
from devices.profiles.values.reading import read_value

MOST_UNREAD: Final = 100
"""Keys that are listed as not read (chosen)."""
CODEC: Final = "codec"
"""How paths begin in what a codec made of octets."""
ADDED: Final = {"sparkplug": frozenset({"incomplete", "stale"})}
"""Keys that a format adds to a metric, and that no payload holds."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of `where`: the path, what is allowed there, what stood there, whether it held."""

    path: str
    allowed: str
    found: str
    held: bool


@dataclass(frozen=True, slots=True)
class Passed:
    """A profile, or a kind of message of the chosen one, that did not get the message, and why."""

    profile: str
    message: str
    why: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one reading comes from: the `path` in the payload, the `key` of the profile's file, the raw value
    and, in order, what was done to it. `device` is empty where it is the message's own."""

    metric: str
    role: str
    channel: str
    device: str
    profile: str
    path: str
    key: str
    raw: str
    done: tuple[str, ...]
    value: float | bool | None
    unit: str
    quality: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a message means what it means. `pattern` and `message` are empty where no kind took it, and
    `refused` says why; it also says where a kind discards what it took. `unread` are the paths of the
    payload that nothing looked at."""

    topic: str
    profile: str
    version: int
    pattern: str
    captures: dict[str, str]
    message: str
    where: tuple[Condition, ...]
    readings: tuple[Origin, ...]
    unread: tuple[str, ...]
    passed: tuple[Passed, ...]
    refused: str = ""
    fitting: tuple[str, ...] = ()
    """The profiles whose topics fit, in the order in which they are asked; empty where one was named."""
    dropped: tuple[Dropped, ...] = ()
    """Values that the profile knows and that became no reading; at most `MOST_UNREAD`."""


def explain(
    topic: str, payload: bytes, chosen: Profile, profiles: Sequence[Profile], *, named: bool = False
) -> Explanation:
    """Why `chosen`, one of `profiles` in the order they are asked in, reads the message as it does.

    `named`: somebody asked for that profile, so others do not matter. To be called before the profile has
    decoded the message. Never raises for bad input.
    """
    passed = tuple(_other_profiles(topic, chosen, profiles, named=named))
    fitting = () if named else tuple(one.name for one in profiles if one.matches(topic))
    if not isinstance(chosen, DescribedProfile):
        said = "read by a program of its own, not by a profile file"
        return Explanation(topic, chosen.name, chosen.version, "", {}, "", (), (), (), passed, said, fitting)
    return replace(_Explaining(chosen, topic, payload).explain(passed), fitting=fitting)


def where_read(profile: DescribedProfile, topic: str, payload: bytes) -> set[str]:
    """The keys of the profile's own file from which the message's readings come."""
    origins = _Explaining(profile, topic, payload).explain(()).readings
    return {one.key for one in origins if one.profile == profile.name}


def _other_profiles(
    topic: str, chosen: Profile, profiles: Sequence[Profile], *, named: bool
) -> Iterator[Passed]:
    if named:
        return
    before = True
    for profile in profiles:
        if profile is chosen or profile.name == chosen.name:
            before = False
        elif not profile.matches(topic):
            yield Passed(profile.name, "", f"none of its topics fits: it listens to {_listens(profile)}")
        elif not before:
            yield Passed(profile.name, "", f"its topic fits too, but {chosen.name} is asked before")


def _listens(profile: Profile) -> str:
    """The first of a profile's topics, and how many more there are."""
    if not profile.filters:
        return "no topic"
    more = len(profile.filters) - 1
    return profile.filters[0] + (f" and {more} more" if more else "")


class _Explaining:
    """One message of one profile while it is looked at."""

    def __init__(self, profile: DescribedProfile, topic: str, payload: bytes) -> None:
        self._profile, self._topic, self._payload = profile, topic, payload
        self._memory: Memory = copy.deepcopy(profile.memory)
        self._found: list[tuple[TopicPattern | None, Kind, Bound]] = [
            (pattern, profile.compiled.kinds[pattern.kind], captures)
            for pattern, captures in find_topic(profile.compiled.topics, topic)
        ]
        if not self._found:
            self._found = [(None, one.kind, one.captures) for one in profile.candidates(topic)]

    def explain(self, passed: tuple[Passed, ...]) -> Explanation:
        """What there is to say."""
        profile, candidates = self._profile, self._profile.candidates(self._topic)
        name, version = profile.name, profile.version
        if not candidates:
            said = f"none of the topics of {name} fits"
            return Explanation(self._topic, name, version, "", {}, "", (), (), (), passed, said)
        if clears(candidates, self._payload):
            said = "an empty payload ends a retained message"
            return Explanation(self._topic, name, version, "", {}, "", (), (), (), passed, said)
        try:
            kind, captures, tree = choose(candidates, self._payload, self._memory)
        except Unreadable as error:
            passed = (*passed, *self._other_kinds(None))
            said = f"{error.reason}: {error.detail}"
            return Explanation(self._topic, name, version, "", {}, "", (), (), (), passed, said)
        pattern = next((one for one, other, _ in self._found if other is kind and one), None)
        readings, refused = self._readings(kind, captures, tree)
        if kind.said.format == "none" and not refused:
            refused = _disregarded(kind)
        return Explanation(
            self._topic,
            name,
            version,
            pattern.text if pattern else "",
            {key: str(value) for key, value in captures.items()},
            kind.name,
            tuple(_condition(choice, tree) for choice in kind.where),
            tuple(readings),
            tuple(self._unread(kind, tree)),
            (*passed, *self._other_kinds(kind)),
            refused,
            dropped=tuple(islice(self._dropped(kind, captures, tree), MOST_UNREAD)),
        )

    def _dropped(self, kind: Kind, captures: Bound, tree: object) -> Iterator[Dropped]:
        yield from dropped(kind.items, tree, captures)
        carried = None if kind.object is None else reach(kind.object, tree, tree)
        reader = self._profile.carrying.reader(carried)
        if reader is not None:
            yield from dropped(reader.items, carried, captures)

    def _other_kinds(self, chosen: Kind | None) -> Iterator[Passed]:
        """The kinds of message of the same topic that were tried before the chosen one."""
        for _, kind, captures in self._found:
            if kind is chosen:
                return
            try:
                tree = read(kind, captures, self._payload, self._memory)
            except Unreadable as error:
                yield Passed(self._profile.name, kind.name, f"{error.reason}: {error.detail}")
                continue
            conditions = [_condition(choice, tree) for choice in kind.where]
            failed = [one for one in conditions if not one.held]
            why = "; ".join(f"{one.path} is {one.found}, not {one.allowed}" for one in failed)
            yield Passed(self._profile.name, kind.name, why or "another kind comes before")

    def _readings(self, kind: Kind, captures: Bound, tree: object) -> tuple[list[Origin], str]:
        """Where the readings of the message, and of what it carries, come from; why there are no more."""
        late = first_time(kind.clocks, tree, tree)
        origins: list[Origin] = []
        try:
            for path, found in _located(kind.items, tree, captures, late):
                origins += _origins(self._profile.name, (), path, tree, found)
            for one, carried in self._profile.carrying.of(kind, tree):
                if one is None:
                    return origins, "nobody reads the object"
                there = kind.object is not None and reach(kind.object, tree, tree) is carried
                at = kind.object.steps if kind.object and there else (CODEC,)
                for path, found in _located(one.items, carried, captures, late):
                    origins += _origins(one.profile, at, path, carried, found)
        except (TooMuch, Unreadable) as error:
            return origins, str(error)
        return origins, ""

    def _unread(self, kind: Kind, tree: object) -> Iterator[str]:
        if kind.said.format == "none":
            return
        added = ADDED.get(kind.said.format, frozenset())
        carried = None if kind.object is None else reach(kind.object, tree, tree)
        reader = self._profile.carrying.reader(carried)
        interest = interest_of(kind, (reader,) if reader else ())
        paths = (
            path
            for path in not_looked_at(tree, [interest], ())
            if not (len(path) == 3 and path[0] == "metrics" and path[2] in added)
        )
        for path in islice(paths, MOST_UNREAD):
            yield path_text(path)


def _located(
    groups: Sequence[Items], tree: object, captures: Bound, late: At | None
) -> Iterator[tuple[Steps, Found]]:
    """What `walk` finds, item by item, with the path of each item."""
    for group in groups:
        for path, names in item_paths(group.each.steps, tree, captures):
            found = Found()
            walk([replace(group, each=Way(Start.PAYLOAD, path))], tree, names, late, found)
            yield path, found


def _origins(profile: str, before: Steps, path: Steps, tree: object, found: Found) -> Iterator[Origin]:
    """Where the readings of one item come from; `before` leads to the tree."""
    several: dict[int, Iterator[int]] = {}
    for finding in found.findings:
        column = finding.column
        place = column.way.steps if column.way.start == Start.PAYLOAD else (*path, *column.way.steps)
        there = reach(Way(Start.PAYLOAD, place), tree, tree)
        if column.list_channel is not None and isinstance(there, list):
            skipped = column.null_is_silence
            positions = (n for n, raw in enumerate(there) if raw is not None or not skipped)
            place = (*place, next(several.setdefault(column.number, positions)))
        yield _origin(profile, (*before, *place), finding)


def _origin(profile: str, path: Steps, finding: Finding) -> Origin:
    column, metric = finding.column, finding.column.metric
    value, quality = read_value(column, finding.raw, finding.sign, finding.factor, finding.unit)
    flags = Quality(int(quality) | finding.flags)
    nothing = math.isnan(value) or Quality.INCOMPLETE in flags
    return Origin(
        metric.quantity,
        metric.role,
        finding.channel,
        finding.uid,
        profile,
        path_text(path),
        column.where,
        shown(finding.raw),
        tuple(done_to(finding)),
        None if nothing else bool(value) if metric.is_flag else value,
        metric.unit,
        tuple(flags.names),
    )


def _disregarded(kind: Kind) -> str:
    """What becomes of a payload that the profile does not look at."""
    if kind.says_more:
        return f"taken by message `{kind.name}`: that it comes counts, not what it says"
    return f"taken by message `{kind.name}` and discarded: what it says does not matter"


def _condition(choice: Choice, tree: object) -> Condition:
    if choice.there is None:
        allowed = " or ".join(sorted(map(str, choice.words)))
    else:
        allowed = "anything" if choice.there else "missing"
    found = reach(choice.way, tree, tree)
    return Condition(path_text(choice.way.steps) or "$", allowed, shown(found), holds((choice,), tree))
