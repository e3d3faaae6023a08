"""Which profiles speak here: the site's own before the shipped ones, and what they listen to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import Loaded, fault_of, load_folder
from devices.profiles.profile import Profile
from ingest.filters import union
from ingest.kept_profiles import KeptProfiles

TEXT_CHARS: Final = 300
"""Of why a file is refused, where people read it (chosen: one line of a page)."""
GONE: Final = "folder is gone, what it held last is still in use"


class Lineup(NamedTuple):
    """Profiles, first match first, that have met no topic yet; the filters to subscribe to; those that
    answers may go to; why files are refused, by file name, as `file:line: key: problem`."""

    profiles: tuple[Profile, ...]
    filters: tuple[str, ...]
    answers: tuple[str, ...]
    refused: Mapping[str, str]
    changed: bool = True
    """Whether it is another than the one made before: a file that is refused changes nothing."""


Ready = TypeVar("Ready")
"""A profile file made ready for use."""


class Craft(Protocol[Ready]):
    """What profile files become. `ingest.crafting` has the real one."""

    def known(self) -> Mapping[str, ProfileFile]:
        """The shipped profiles that a file may extend, by name."""

    def compiled(self, file: ProfileFile) -> Ready:
        """The file made ready for use. Raises ProfileError."""

    def tried(self, file: ProfileFile, ready: Ready, others: Sequence[Ready]) -> None:
        """Runs the file's own tests; `others` are what else lies beside it. Raises ProfileError where one
        fails."""

    def profiles(self, own: Sequence[Ready], answering: Collection[str]) -> list[Profile]:
        """New profiles: of what `compiled` gave, then the shipped ones; they share their objects. Answers of
        those named in `answering` are sent."""

    def answers(self, profile: Profile) -> tuple[str, ...]:
        """The filters of the topics on which it answers."""


class Shelf(Generic[Ready]):
    """The site's own profile files, and the last version of each that can be used: one that is compiled and
    passes its own tests.

    A folder that was there and is gone, or cannot be read, takes no profile away; a file that is gone does.
    With `kept` that holds over a restart as well.

    `names` narrows what is listened to, own and shipped; empty: all. `answering` are the names of those whose
    answers are sent.
    """

    def __init__(
        self,
        folder: Path,
        craft: Craft[Ready],
        names: Sequence[str] = (),
        answering: Sequence[str] = (),
        kept: KeptProfiles | None = None,
    ) -> None:
        self._folder, self._craft, self._kept = folder, craft, kept
        self._names, self._answering = frozenset(names), frozenset(answering)
        self._usable: dict[str, tuple[ProfileFile, Ready]] = {}
        self._made = False
        self._disk: int | None = None
        """What the folder lay on when it was last seen."""

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of each file, in nanoseconds; changes when a file does."""
        found: dict[str, tuple[int, int]] = {}
        if why := self._absence():
            return {"": (len(why), 0)}
        try:
            for path in self._folder.glob("*.toml"):
                if not path.name.startswith("."):
                    said = path.stat()
                    found[path.name] = said.st_size, said.st_mtime_ns
        except OSError:  # being replaced, or not ours to read: the next look, or the reading, says so
            found[""] = 0, 0
        return found

    def line_up(self) -> Lineup:
        """Reads all files anew. One that cannot be used leaves its last usable version in place."""
        if not self._made and self._kept is not None:
            self._usable = self._as_kept(self._kept)
        usable, faults = self._found()
        refused = {
            f"{name}.toml" if name else self._folder.name: _one_line(str(error))
            for name, error in faults.items()
        }
        changed = not self._made or usable != self._usable
        if self._kept is not None and (changed or not self._made):
            self._kept.keep({name: file for name, (file, _) in usable.items()})
        self._usable, self._made = usable, True
        own = [ready for _, ready in usable.values()]
        heard = [one for one in self._craft.profiles(own, self._answering) if self._is_heard(one)]
        answers = [text for one in heard if one.name in self._answering for text in self._craft.answers(one)]
        filters = union(text for one in heard for text in one.filters)
        return Lineup(tuple(heard), filters, tuple(dict.fromkeys(answers)), refused, changed)

    def _as_kept(self, kept: KeptProfiles) -> dict[str, tuple[ProfileFile, Ready]]:
        """What a former process used last, as far as it can still be."""
        usable = {}
        for name, file in kept.files(self._craft.known()).items():
            with contextlib.suppress(ProfileError):
                usable[name] = file, self._craft.compiled(file)
        return usable

    def _found(self) -> tuple[dict[str, tuple[ProfileFile, Ready]], dict[str, ProfileError | str]]:
        """What can be used of the files as they are now, or could before, and why others cannot."""
        files = load_folder(self._folder, self._craft.known())
        if why := self._absence():  # asked afterwards: the folder may have gone meanwhile
            return dict(self._usable), {"": f"{self._folder.name}: {why}"}
        usable = dict(self._usable) if "" in files else {}
        faults: dict[str, ProfileError | str] = {}
        for name, loaded in files.items():
            try:
                if isinstance(loaded, ProfileError):
                    raise loaded
                before = self._usable.get(name)
                same = before is not None and before[0] == loaded
                usable[name] = before if before and same else (loaded, self._craft.compiled(loaded))
            except ProfileError as error:
                faults[name] = error
        failed = self._failed({name: one for name, one in usable.items() if name not in faults})
        for name in (faults := faults | failed):
            usable.pop(name, None)
            if name in self._usable:
                usable[name] = self._usable[name]
        return {name: usable[name] for name in (*files, *usable) if name in usable}, faults

    def _failed(self, usable: Mapping[str, tuple[ProfileFile, Ready]]) -> dict[str, ProfileError | str]:
        """Why files that are new, or other than before, fail their own tests, or extend one that does."""
        failed: dict[str, ProfileError | str] = {}
        fresh = {name: one for name, one in usable.items() if one is not self._usable.get(name)}
        for name, (file, ready) in fresh.items():
            others = [other for beside, (_, other) in usable.items() if beside != name]
            try:
                self._craft.tried(file, ready, others)
            except ProfileError as error:
                failed[name] = error
        for name, (file, _) in fresh.items():
            base = next((one for one in _bases(file) if one in failed), None)
            if base and name not in failed:
                failed[name] = fault_of(file, "extends", f"{base!r} cannot be used: {failed[base]}")
        return failed

    def _absence(self) -> str:
        """Why the folder cannot be looked into; empty where it can, or was never there.

        One that is empty and lies on another disk than before is the place where it was mounted.
        """
        try:
            with os.scandir(self._folder) as found:
                empty = not any(one.name.endswith(".toml") for one in found)
            disk = self._folder.stat().st_dev
        except (FileNotFoundError, NotADirectoryError):
            return "" if self._disk is None and not self._usable else GONE
        except OSError as error:
            return f"folder cannot be read: {error.strerror}"
        if empty and self._disk not in (None, disk):
            return GONE
        self._disk = disk
        return ""

    def _is_heard(self, profile: Profile) -> bool:
        return not self._names or profile.name in self._names


def _bases(file: ProfileFile) -> list[str]:
    """The names of the profiles it extends, the nearest first."""
    names = []
    source = file.source.base if isinstance(file, Loaded) else None
    while source is not None:
        names.append(str(source.tree.get("name", "")))
        source = source.base
    return names


def _one_line(text: str) -> str:
    """As a process says it in its pulse, where `; ` parts one trouble from another."""
    return " ".join(text.replace(";", ",").split())[:TEXT_CHARS]
