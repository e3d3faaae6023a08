"""What profile files become here: compiled with the site's zone, and made into profiles that share their
objects."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from devices.profiles.checking.vectors import run_vectors
from devices.profiles.compiling.compiled import Blank, Compiled, Pattern
from devices.profiles.compiling.whole_file import ProfileFault, compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import fault_of
from devices.profiles.profile import Profile
from devices.profiles.shipped import shipped_compiled, shipped_files, shipped_profiles

_MANY: Final = re.compile(r"\{([^{}:]+)\+\}")
"""A capture of several levels in a topic."""


class ProfileCraft:
    """The real `Craft`. `site_tz` is an IANA zone for times that name none."""

    def __init__(self, site_tz: str) -> None:
        self._site_tz = site_tz

    def known(self) -> Mapping[str, ProfileFile]:
        """The shipped profiles that a file may extend, by name."""
        return shipped_files()

    def compiled(self, file: ProfileFile) -> Compiled:
        """The file made ready for use. Raises ProfileError."""
        try:
            return compile_profile(file, site_tz=self._site_tz, codecs=CODECS)
        except ProfileFault as fault:
            raise fault_of(file, fault.where, fault.problem, file=f"{file.name}.toml") from None

    def tried(self, file: ProfileFile, ready: Compiled, others: Sequence[Compiled]) -> None:
        """Runs the file's own tests, with the objects of `others` and of the shipped profiles behind its own.

        Raises ProfileError, with file and line, of the first that fails. A file without tests passes. Takes
        some milliseconds a test.
        """
        every = (ready, *others, *shipped_compiled(self._site_tz))
        objects = [thing for one in every for thing in one.objects]
        for outcome in run_vectors(file, lambda: DescribedProfile(ready, objects, anywhere=True)):
            for where, problem in outcome.discords:
                text = f"its own test {outcome.name!r} fails: {problem}"
                raise fault_of(file, where, text, file=f"{file.name}.toml")

    def profiles(self, own: Sequence[Compiled], answering: Collection[str]) -> list[Profile]:
        """New profiles, first match first: our own format, the site's, the shipped ones."""
        found = shipped_profiles(self._site_tz, own)
        for one in found:
            if isinstance(one, DescribedProfile):
                one.answer(wanted=one.name in answering)
        return found

    def answers(self, profile: Profile) -> tuple[str, ...]:
        """The filters of the topics on which a profile answers."""
        return answers_of(profile.compiled) if isinstance(profile, DescribedProfile) else ()


def answers_of(compiled: Compiled) -> tuple[str, ...]:
    """The MQTT filters that cover the topics of a profile's answers, one level for each blank."""
    found = []
    for kind in compiled.kinds:
        if kind.reply is not None:
            many = {name for topic in kind.said.topics for name in _MANY.findall(topic)}
            found.append(_filter_of(kind.reply[0], many))
    return tuple(dict.fromkeys(found))


def _filter_of(topic: Pattern, many: set[str]) -> str:
    levels: list[str] = [""]
    for part in topic.parts:
        if isinstance(part, Blank):
            if part.name in many:
                return _written([*levels[:-1], "#"])
            levels[-1] += "\0"
        else:
            first, *rest = part.split("/")
            levels[-1] += first
            levels += rest
    return _written(levels)


def _written(levels: Sequence[str]) -> str:
    return "/".join("+" if "\0" in level else level for level in levels)
