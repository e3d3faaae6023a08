"""Whether a profile file is fit for use: what `gengfu profile check` says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from devices.profiles.checking.explain import where_read
from devices.profiles.checking.vectors import Anybody, messages_of, run_vectors
from devices.profiles.compiling.compiled import Compiled, CompiledObject
from devices.profiles.described import DescribedProfile
from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.lines import parts_of
from devices.profiles.language.load import Loaded, fault_of, load_profile
from devices.profiles.site import compiled_profile

_MANY: Final = "#"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a place of a file. `level`: `fault`, or `warning`, with which it can be used."""

    level: str
    file: str
    line: int
    key: str
    problem: str

    def __str__(self) -> str:
        level = "warning: " if self.level == "warning" else ""
        return f"{self.file}:{self.line}: {level}" + (f"{self.key}: " if self.key else "") + self.problem


@dataclass(frozen=True, slots=True)
class Checked:
    """A profile that was looked at. `name` is empty where it could not be read; `values` counts meanings."""

    remarks: tuple[Remark, ...]
    name: str = ""
    version: int = 0
    messages: int = 0
    values: int = 0
    tests: int = 0

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return not any(one.level == "fault" for one in self.remarks)


def check_profile(
    text: str, *, file: str, known: Mapping[str, ProfileFile], others: Sequence[Compiled], site_tz: str
) -> Checked:
    """Everything there is to say about the profile in `text`, which errors call `file`.

    `known` are the profiles that it may extend, `others` those that are asked beside it; one of its own name
    does not count. Its own tests are run, and warnings given where nothing is wrong. Never raises for what
    stands in the file.
    """
    try:
        profile = load_profile(text, file=file, known=known)
        compiled = compiled_profile(profile, site_tz=site_tz)
    except ProfileError as error:
        return Checked(tuple(_fault(one) for one in error.all))
    others = [one for one in others if one.name != compiled.name]
    objects = [*compiled.objects, *(thing for other in others for thing in other.objects)]
    outcomes = run_vectors(profile, lambda: _fresh(compiled, objects))
    remarks = [_fault(fault_of(profile, *one)) for outcome in outcomes for one in outcome.discords]
    if not remarks:
        warnings = [*_untested(profile, compiled, objects), *_taken(profile, compiled, others)]
        remarks = [_warning(fault_of(profile, where, problem)) for where, problem in warnings]
    columns = len(compiled.columns) + sum(len(one.columns) for one in compiled.objects)
    return Checked(tuple(remarks), profile.name, profile.version, len(compiled.kinds), columns, len(outcomes))


def _fresh(compiled: Compiled, objects: Sequence[CompiledObject]) -> DescribedProfile:
    return DescribedProfile(compiled, objects, anywhere=True)


def _untested(
    profile: ProfileFile, compiled: Compiled, objects: Sequence[CompiledObject]
) -> Iterator[tuple[str, str]]:
    """What no vector of the file shows. What it only inherits is the base's to show."""
    if not profile.test:
        yield "test", "there are none: nobody knows whether the values are right"
        return
    read: set[str] = set()
    for vector in profile.test:
        decoder, anybody = _fresh(compiled, objects), Anybody()
        for topic, payload in messages_of(vector):
            read |= where_read(decoder, topic, payload)
            decoder.decode([topic], [payload], anybody)
    columns = (*compiled.columns, *(column for one in compiled.objects for column in one.columns))
    for where in dict.fromkeys(column.where for column in columns):
        if where not in read and _is_own(profile, where):
            yield where, "no test shows this value"


def _taken(profile: ProfileFile, compiled: Compiled, others: Sequence[Compiled]) -> Iterator[tuple[str, str]]:
    """Topics of the file that another profile, which it does not extend, takes as well."""
    bases = _bases(profile)
    for n, message in enumerate(profile.message):
        for t, text in enumerate(message.topics):
            where = f"message[{n}].topics[{t}]"
            if not _is_own(profile, where):
                continue
            mine = next(one for one in compiled.topics if one.kind == n and one.text == text)
            for other in others:
                theirs = next((one for one in other.topics if _covers(one.filter, mine.filter)), None)
                if theirs and other.name not in bases:
                    yield where, f"the profile {other.name} listens there as well: {theirs.text}"


def _covers(wide: str, narrow: str) -> bool:
    """Whether every topic of one MQTT filter is of the other as well."""
    levels = narrow.split("/")
    for n, level in enumerate(wide.split("/")):
        if level == _MANY:
            return True
        if n >= len(levels) or levels[n] == _MANY or (level not in ("+", levels[n])):
            return False
    return wide.count("/") == narrow.count("/")


def _is_own(profile: ProfileFile, where: str) -> bool:
    return not isinstance(profile, Loaded) or profile.source.at(parts_of(where))[0] is profile.source


def _bases(profile: ProfileFile) -> set[str]:
    """The names of the profiles it extends."""
    names = set()
    source = profile.source.base if isinstance(profile, Loaded) else None
    while source is not None:
        names.add(str(source.tree.get("name", "")))
        source = source.base
    return names


def _fault(error: ProfileError) -> Remark:
    return Remark("fault", error.file, error.line, error.key, error.problem)


def _warning(error: ProfileError) -> Remark:
    return Remark("warning", error.file, error.line, error.key, error.problem)
