"""From the text of a profile file to a `ProfileFile`: read, checked, with what it extends and its parameters.

`extends` lays the messages and objects of this file before those of the base, merges parameters, and
overrides every other key. `name`, `version` and `test` are each file's own. `{$name}` is replaced by the
parameter's text, letter by letter, wherever text stands in messages and objects, in `device`, and in topics
and devices of tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from devices.profiles.language.error import ProfileError
from devices.profiles.language.faults import Fault, faults_of
from devices.profiles.language.file import ProfileFile
from devices.profiles.language.lines import parts_of
from devices.profiles.language.parameters import filled_in
from devices.profiles.language.source import Source, Tree, read_source, read_text

MAX_MESSAGES: Final = 256
MAX_VALUES: Final = 4096
"""What a profile may hold, with all that it extends (chosen: ten times the largest that is shipped)."""
OUR_OWN: Final = "own"
"""The profile of our own format, which no file describes."""
MAX_CHAIN: Final = 8
"""Files one above the other (chosen)."""


class Loaded(ProfileFile, frozen=True):
    """A profile file that knows where it was read."""

    source: Source = Source("", "", {})
    family: str = ""
    """Whose names and births it shares (`family_of`)."""


def load_profile(text: str, *, file: str, known: Mapping[str, ProfileFile]) -> ProfileFile:
    """The profile in `text`; `file` is what errors call it, `known` are profiles it may extend, by name.

    Raises ProfileError, with all faults found (`all`): no TOML, unknown or missing keys, wrong types, an
    unknown base or parameter, one of the limits above. What values mean is not looked at: `compiling` does.
    """
    source = read_source(text, file)
    name = source.tree.get("extends", "")
    if not name:
        return _resolved(source)
    if name == source.tree["name"]:
        raise source.error([Fault(("extends",), "a profile cannot extend itself")])
    if name not in known:
        raise source.error([Fault(("extends",), f"no profile {name!r}; there are {_listed(known)}")])
    base = known[name]
    made = _resolved(Source(file, text, source.tree, _source_of(base)))
    if _topics(base) <= _topics(made):
        return msgspec.structs.replace(made, family=family_of(base))
    return made


def family_of(profile: ProfileFile) -> str:
    """Under which name the profile keeps what it learns.

    A file that hears all topics of what it extends goes on with what that has learnt: the name of the lowest
    such file. With other topics (another prefix, say) the same name is another device's: its own name.
    """
    return (profile.family if isinstance(profile, Loaded) else "") or profile.name


def _topics(profile: ProfileFile) -> set[str]:
    return {topic for message in profile.message for topic in message.topics}


def fault_of(profile: ProfileFile, where: str, problem: str, *, file: str = "") -> ProfileError:
    """A fault that showed later, in compiling, say: with the file, line and key where it was written.

    `file` names profiles that were not loaded from one.
    """
    return _source_of(profile, file).error([Fault(parts_of(where), problem)])


def load_folder(folder: Path, known: Mapping[str, ProfileFile]) -> dict[str, ProfileFile | ProfileError]:
    """All `*.toml` of a folder by name, or why one cannot be used. A folder that is not there has none.

    A file is called as its profile: `acme.toml` holds `name = "acme"`. They may extend each other and
    `known`, whose names they must not take. Never raises for what stands in the files, nor where they cannot
    be read.
    """
    try:
        paths = sorted(one for one in folder.glob("*.toml") if not one.name.startswith("."))
    except OSError as error:
        return {"": ProfileError(str(folder), 1, "", f"cannot be read: {error.strerror}")}
    sources: dict[str, Source | ProfileError] = {}
    for path in paths:
        try:
            source = read_source(read_text(path), path.name)
            _check_name(source, path.stem, known)
            sources[path.stem] = source
        except ProfileError as error:
            sources[path.stem] = error
    found: dict[str, ProfileFile | ProfileError] = {}
    for name in sources:
        _settle(name, sources, known, found, ())
    return {name: found[name] for name in sources}


def name_faults(text: str, stem: str, known: Mapping[str, ProfileFile]) -> list[ProfileError]:
    """Why a folder would not take a profile in a file called `stem`, for its name alone."""
    try:
        _check_name(read_source(text, f"{stem}.toml"), stem, known)
    except ProfileError as error:
        return [error]
    return []


def _settle(
    name: str,
    sources: Mapping[str, Source | ProfileError],
    known: Mapping[str, ProfileFile],
    found: dict[str, ProfileFile | ProfileError],
    below: tuple[str, ...],
) -> None:
    """Puts the profile of that name into `found`, and before it what it extends."""
    source = sources[name]
    if name in found:
        return
    if isinstance(source, ProfileError):
        found[name] = source
        return
    base = source.tree.get("extends", "")
    try:
        if base in (name, *below):
            circle = [*below[below.index(base) :], name, base] if base in below else [name, base]
            raise source.error([Fault(("extends",), f"a circle: {' extends '.join(circle)}")])
        if len(below) >= MAX_CHAIN:
            raise source.error([Fault(("extends",), f"more than {MAX_CHAIN} files one above the other")])
        if base in sources and base not in known:
            _settle(base, sources, known, found, (*below, name))
            if isinstance(found[base], ProfileError):
                raise source.error([Fault(("extends",), f"{base!r} cannot be used: {found[base]}")])
        usable = {key: one for key, one in found.items() if isinstance(one, ProfileFile)}
        found[name] = load_profile(source.text, file=source.file, known={**known, **usable})
    except ProfileError as error:
        found[name] = error


def _check_name(source: Source, stem: str, known: Mapping[str, ProfileFile]) -> None:
    name = source.tree["name"]
    if name != stem:
        raise source.error([Fault(("name",), f"a file is called as its profile: {name}.toml")])
    if name == OUR_OWN:
        raise source.error([Fault(("name",), "the name of our own format; take another")])
    if name in known:
        problem = f'the name of a shipped profile; take another, and extends = "{name}"'
        raise source.error([Fault(("name",), problem)])


def _resolved(source: Source) -> Loaded:
    """The profile of a source, with limits kept and parameters filled in."""
    whole = source.whole
    faults = list(_beyond(source, whole))
    tree, unknown = filled_in(whole)
    faults = (faults + unknown) or faults_of(tree)
    if faults:
        raise source.error(faults)
    profile = msgspec.convert(tree, ProfileFile)
    said = {key: getattr(profile, key) for key in ProfileFile.__struct_fields__}
    return Loaded(**said, source=source)


def _source_of(profile: ProfileFile, file: str = "") -> Source:
    if isinstance(profile, Loaded):
        return profile.source
    return Source(file or profile.name, "", msgspec.to_builtins(profile))


def _beyond(source: Source, tree: Tree) -> Iterator[Fault]:
    """Limits that the profile exceeds."""
    messages, objects = tree.get("message", []), tree.get("object", [])
    if len(messages) > MAX_MESSAGES:
        yield Fault(("message", MAX_MESSAGES), f"more than {MAX_MESSAGES} messages")
    values = 0
    for kind, tables in (("message", messages), ("object", objects)):
        for place, table in enumerate(tables):
            before = values
            for one in (table, *table.get("group", ())):
                for key in ("values", "names", "units"):
                    meanings = one.get(key, {}).values()
                    values += sum(len(said) if isinstance(said, list) else 1 for said in meanings)
            if before <= MAX_VALUES < values:
                yield Fault((kind, place), f"more than {MAX_VALUES} values")


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(sorted(names)) or "none"
