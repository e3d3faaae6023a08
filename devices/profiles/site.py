"""The site's own profiles, read once, for commands. The service follows the folder while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devices.profiles.compiling.compiled import Compiled
from devices.profiles.compiling.whole_file import ProfileFault, compile_profile
from devices.profiles.formats.codecs.all import CODECS
from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import fault_of, load_folder, load_profile
from devices.profiles.language.source import read_text
from devices.profiles.shipped import shipped_files


@dataclass(frozen=True, slots=True)
class Site:
    """What a folder holds: files that can be used, the same compiled, and why others cannot, each by name."""

    files: Mapping[str, ProfileFile]
    compiled: Mapping[str, Compiled]
    faults: Mapping[str, ProfileError]


def read_site(folder: Path, *, site_tz: str) -> Site:
    """The profiles of a folder, which may extend the shipped ones. Never raises for what stands in them."""
    files: dict[str, ProfileFile] = {}
    compiled: dict[str, Compiled] = {}
    faults: dict[str, ProfileError] = {}
    for name, one in load_folder(folder, shipped_files()).items():
        if isinstance(one, ProfileError):
            faults[name] = one
            continue
        try:
            compiled[name] = compiled_profile(one, site_tz=site_tz)
            files[name] = one
        except ProfileError as error:
            faults[name] = error
    return Site(files, compiled, faults)


def compiled_profile(profile: ProfileFile, *, site_tz: str) -> Compiled:
    """The profile ready for use. Raises ProfileError with file, line and key of what is wrong."""
    try:
        return compile_profile(profile, site_tz=site_tz, codecs=CODECS)
    except ProfileFault as fault:
        where = fault_of(profile, fault.where, fault.problem, file=f"{profile.name}.toml")
        raise where from None


def asked_for(folder: Path, profile: str, *, site_tz: str) -> tuple[list[Compiled], str]:
    """The site's own profiles, and the name of the one that is asked for: by its name, or by its file
    (`….toml`), which then comes first and need not lie in the folder.

    Raises ProfileError where that one cannot be used.
    """
    site = read_site(folder, site_tz=site_tz)
    if profile in site.faults:
        raise site.faults[profile]
    if not profile.endswith(".toml"):
        return list(site.compiled.values()), profile
    path = Path(profile)
    beside = read_site(path.parent, site_tz=site_tz).files
    known = {**beside, **site.files, **shipped_files()}
    made = compiled_profile(load_profile(read_text(path), file=profile, known=known), site_tz=site_tz)
    return [made, *(one for one in site.compiled.values() if one.name != made.name)], made.name
