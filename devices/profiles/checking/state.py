"""How the service stands to the site's own files: used, refused, or not seen yet.

What it uses is what it has kept (a copy of each file in its data folder); whether it would take a file is
asked as it asks itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from devices.profiles.checking.vectors import run_vectors
from devices.profiles.compiling.compiled import Compiled
from devices.profiles.described import DescribedProfile
from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import Loaded, fault_of, load_folder
from devices.profiles.shipped import shipped_files
from devices.profiles.site import Site

USED: Final = "used"
NOT_SEEN: Final = "not yet seen"
REFUSED: Final = "refused"


def states_of(site: Site, others: Sequence[Compiled], kept: Path | None) -> dict[str, str]:
    """The state of each own file by name: `used`; `not yet seen`, where it could be used and the service has
    not taken it over (it is not running, or has not looked since); `refused: ` and why. With what is used
    instead, where there is a version before. `others` are the shipped profiles, `kept` is where the service
    keeps what it uses, None where that is not known. Never raises for what stands in files."""
    used = _kept(kept)
    faults = {name: str(error) for name, error in site.faults.items()} | _failed(site, others)
    found = {}
    for name in sorted({*site.files, *site.faults}):
        before, file = used.get(name), site.files.get(name)
        still = f"; version {before.version} is used until then" if before is not None else ""
        if name in faults:
            found[name] = f"{REFUSED}: {faults[name]}{still}"
        elif before is not None and file is not None and _text(before) == _text(file):
            found[name] = USED
        else:
            found[name] = NOT_SEEN + still
    return found


def _kept(folder: Path | None) -> Mapping[str, ProfileFile]:
    loaded = {} if folder is None else load_folder(folder, shipped_files())
    return {name: one for name, one in loaded.items() if isinstance(one, ProfileFile)}


def _text(file: ProfileFile) -> str:
    return file.source.text if isinstance(file, Loaded) else ""


def _failed(site: Site, others: Sequence[Compiled]) -> dict[str, str]:
    """Why files that can be read fail their own tests."""
    failed = {}
    for name, file in site.files.items():
        every = [site.compiled[name], *(one for at, one in site.compiled.items() if at != name), *others]
        error = _first_fault(file, every)
        if error is not None:
            failed[name] = str(error)
    return failed


def _first_fault(file: ProfileFile, every: Sequence[Compiled]) -> ProfileError | None:
    objects = [thing for one in every for thing in one.objects]
    for outcome in run_vectors(file, lambda: DescribedProfile(every[0], objects, anywhere=True)):
        for where, problem in outcome.discords:
            text = f"its own test {outcome.name!r} fails: {problem}"
            return fault_of(file, where, text, file=f"{file.name}.toml")
    return None
