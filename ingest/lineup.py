"""Which profiles speak here: the site's own before the shipped ones, and what they listen to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from devices.profiles.language.error import ProfileError
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.load import load_folder
from devices.profiles.profile import Profile
from ingest.filters import union

TEXT_CHARS: Final = 300
"""Of why a file is refused, where people read it (chosen: one line of a page)."""


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

    def profiles(self, own: Sequence[Ready], answering: Collection[str]) -> list[Profile]:
        """New profiles: of what `compiled` gave, then the shipped ones; they share their objects. Answers of
        those named in `answering` are sent."""

    def answers(self, profile: Profile) -> tuple[str, ...]:
        """The filters of the topics on which it answers."""


class Shelf(Generic[Ready]):
    """The site's own profile files, and the last version of each that can be used.

    `names` narrows what is listened to, own and shipped; empty: all. `answering` are the names of those whose
    answers are sent.
    """

    def __init__(
        self, folder: Path, craft: Craft[Ready], names: Sequence[str] = (), answering: Sequence[str] = ()
    ) -> None:
        self._folder, self._craft = folder, craft
        self._names, self._answering = frozenset(names), frozenset(answering)
        self._usable: dict[str, tuple[ProfileFile, Ready]] = {}
        self._made = False

    def stamps(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of each file, in nanoseconds; changes when a file does."""
        found = {}
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
        refused: dict[str, str] = {}
        found = load_folder(self._folder, self._craft.known())
        usable = dict(self._usable) if "" in found else {}
        for name, loaded in found.items():
            try:
                if isinstance(loaded, ProfileError):
                    raise loaded
                before = self._usable.get(name)
                same = before is not None and before[0] == loaded
                usable[name] = before if before and same else (loaded, self._craft.compiled(loaded))
            except ProfileError as error:
                refused[f"{name}.toml" if name else self._folder.name] = _one_line(str(error))
                if name in self._usable:
                    usable[name] = self._usable[name]
        changed = not self._made or usable != self._usable
        self._usable, self._made = usable, True
        own = [ready for _, ready in usable.values()]
        heard = [one for one in self._craft.profiles(own, self._answering) if self._is_heard(one)]
        answers = [text for one in heard if one.name in self._answering for text in self._craft.answers(one)]
        filters = union(text for one in heard for text in one.filters)
        return Lineup(tuple(heard), filters, tuple(dict.fromkeys(answers)), refused, changed)

    def _is_heard(self, profile: Profile) -> bool:
        return not self._names or profile.name in self._names


def _one_line(text: str) -> str:
    """As a process says it in its pulse, where `; ` parts one trouble from another."""
    return " ".join(text.replace(";", ",").split())[:TEXT_CHARS]
