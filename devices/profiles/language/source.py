"""The text of a profile file as a tree of TOML, and what it says together with the files it extends."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devices.profiles.language.error import ProfileError
from devices.profiles.language.faults import Fault, faults_of
from devices.profiles.language.lines import DEEPEST, Lines, Parts, key_of

MAX_BYTES: Final = 1024 * 1024
"""Of one file (chosen: ten times the largest that is shipped)."""

_OWN: Final = frozenset({"name", "version", "extends", "test"})
"""Keys that a file does not take from the one it extends."""
_LISTS: Final = ("message", "object")
_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a profile was read: `tree` as this file says it, `base` what it extends."""

    file: str
    text: str
    tree: Tree
    base: Source | None = None

    @property
    def whole(self) -> Tree:
        """The tree with everything that it extends, parameters not yet filled in."""
        return self.tree if self.base is None else _laid_over(self.tree, self.base.whole)

    def at(self, where: Parts) -> tuple[Source, Parts]:
        """The file that says what stands there in the whole, and the place in that file."""
        if self.base is None or not where or where[0] in _OWN:
            return self, where
        first, *rest = where
        if first in _LISTS and rest and isinstance(rest[0], int):
            own = len(self.tree.get(str(first), ()))
            if rest[0] < own:
                return self, where
            return self.base.at((first, rest[0] - own, *rest[1:]))
        said = self.tree.get(str(first))
        if first == "parameters" and rest:
            said = (said or {}).get(rest[0])
        return (self, where) if said is not None else self.base.at(where)

    def error(self, faults: list[Fault]) -> ProfileError:
        """The faults, of which there is one at least, with file and line of each."""
        found = []
        lines: dict[int, Lines] = {}
        for fault in faults:
            source, parts = self.at(fault.parts)
            if id(source) not in lines:
                lines[id(source)] = Lines(source.text)
            line = lines[id(source)].line(parts)
            found.append(ProfileError(source.file, line, key_of(parts), fault.problem))
        first = found[0]
        return ProfileError(first.file, first.line, first.key, first.problem, tuple(found[1:]))


def read_text(path: Path) -> str:
    """The text of a profile file. Raises ProfileError where it cannot be read or is none."""
    try:
        with path.open("rb") as opened:
            octets = opened.read(MAX_BYTES + 1)
        if len(octets) > MAX_BYTES:
            raise _too_large(path.name)
        return octets.decode("utf-8")
    except OSError as error:
        raise ProfileError(path.name, 1, "", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ProfileError(path.name, line, "", f"not UTF-8 at byte {error.start}") from None


def read_source(text: str, file: str) -> Source:
    """The tree of a text, its keys and types checked."""
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise _too_large(file)
    lines = Lines(text)
    if lines.too_deep:
        raise ProfileError(file, lines.too_deep, "", f"nested more than {DEEPEST} deep")
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of more than 4,300 digits
        raise _no_toml(text, file, str(error)) from None
    source = Source(file, text, tree)
    faults = faults_of(tree)
    if faults:
        raise source.error(faults)
    return source


def _too_large(file: str) -> ProfileError:
    return ProfileError(file, 1, "", f"larger than {MAX_BYTES} bytes")


def _no_toml(text: str, file: str, message: str) -> ProfileError:
    found = _AT_LINE.search(message)
    line = int(found[1]) if found and found[1] else text.count("\n") + 1 if found else 1
    said = "a number of more than 4300 digits" if "4300 digits" in message else _AT_LINE.sub("", message)
    return ProfileError(file, line, "", f"not TOML: {said}")


def _laid_over(tree: Tree, base: Tree) -> Tree:
    laid = {key: value for key, value in base.items() if key not in _OWN} | tree
    for key in _LISTS:
        if key in base:
            laid[key] = [*tree.get(key, ()), *base[key]]
    if "parameters" in base:
        laid["parameters"] = base["parameters"] | tree.get("parameters", {})
    return laid
