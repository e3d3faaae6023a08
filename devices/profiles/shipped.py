"""The profiles of this release: our own format, and what the files in `shipped/` describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from devices.profiles.compiling.compiled import Compiled
from devices.profiles.compiling.whole_file import ProfileFault, compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import fault_of, load_folder
from devices.profiles.memory import Memory
from devices.profiles.own import own_profile as own
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Profile

FOLDER: Final = Path(__file__).with_name("shipped")
SITE_TZ: Final = "Asia/Shanghai"
"""The site's time zone where nobody says another (design: the default)."""
PROFILE_NAMES: Final = (own.NAME, *sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def shipped_files() -> Mapping[str, ProfileFile]:
    """The shipped files by name, for files that extend them; those at fault are left out."""
    return {name: one for name, one in _loaded().items() if isinstance(one, ProfileFile)}


def shipped_compiled(site_tz: str = SITE_TZ) -> tuple[Compiled, ...]:
    """The shipped files ready for use: those whose topics begin with a word of their own before those that
    listen to any beginning, then by name; those at fault are left out."""
    made = (one for one in _made(site_tz) if isinstance(one, Compiled))
    return tuple(sorted(made, key=lambda one: any(topic.filter[0] in "+#" for topic in one.topics)))


def shipped_faults(site_tz: str = SITE_TZ) -> list[ProfileError]:
    """Why shipped files are left out; a release has none."""
    unread = [one for one in _loaded().values() if isinstance(one, ProfileError)]
    return unread + [one for one in _made(site_tz) if isinstance(one, ProfileError)]


def shipped_profiles(site_tz: str = SITE_TZ, site: Sequence[Compiled] = ()) -> list[Profile]:
    """One of each, with a memory for each family: a process keeps the list it asked for.

    Our own format comes first, then the site's own profiles as they are given, then the shipped ones as
    `shipped_compiled` has them; all of them share their vendors' objects, the site's first.
    """
    named = {one.name for one in site}
    described = [*site, *(one for one in shipped_compiled(site_tz) if one.name not in named)]
    objects = [thing for one in described for thing in one.objects]
    names = {one.memory_name for one in described}
    memories = {name: Memory(name) for name in names}
    profiles: list[Profile] = [
        DescribedProfile(one, objects, memory=memories[one.memory_name]) for one in described
    ]
    return [OwnProfile(), *profiles]


def choose(topic: str, profiles: Sequence[Profile]) -> Profile | None:
    """The first profile whose topic it is."""
    return next((profile for profile in profiles if profile.matches(topic)), None)


@cache
def _loaded() -> Mapping[str, ProfileFile | ProfileError]:
    return load_folder(FOLDER, {})


@lru_cache(maxsize=8)
def _made(site_tz: str) -> tuple[Compiled | ProfileError, ...]:
    return tuple(_compiled(file, site_tz) for _, file in sorted(shipped_files().items()))


def _compiled(file: ProfileFile, site_tz: str) -> Compiled | ProfileError:
    try:
        return compile_profile(file, site_tz=site_tz, codecs=CODECS)
    except ProfileFault as fault:
        return fault_of(file, fault.where, fault.problem, file=f"{file.name}.toml")
