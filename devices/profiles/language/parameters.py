"""Parameters of a profile: `{$name}` replaced by the text that stands for it, letter by letter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from devices.profiles.language.faults import Fault
from devices.profiles.language.lines import Parts
from devices.profiles.language.source import Tree

_PARAMETER: Final = re.compile(r"\{\$([A-Za-z_][A-Za-z0-9_-]*)\}")


def filled_in(tree: Tree) -> tuple[Tree, list[Fault]]:
    """A profile's tree with its parameters filled in, and a fault for each that nobody gives.

    They are filled into all text of messages and objects, the profile's `device`, and the topics and devices
    of tests: payloads are what a device sends.
    """
    blanks = _Blanks(tree.get("parameters", {}))
    filled = dict(tree)
    for key in ("device", "message", "object"):
        if key in tree:
            filled[key] = blanks.fill(tree[key], (key,))
    if "test" in tree:
        filled["test"] = [
            _filled_test(test, ("test", place), blanks) for place, test in enumerate(tree["test"])
        ]
    return filled, blanks.faults


def _filled_test(test: Tree, parts: Parts, blanks: _Blanks) -> Tree:
    filled = blanks.fill_key(test, "topic", parts)
    for key, inner in (("before", "topic"), ("expect", "device")):
        if key in test:
            filled[key] = [
                blanks.fill_key(one, inner, (*parts, key, place)) for place, one in enumerate(test[key])
            ]
    return filled


class _Blanks:
    """Fills parameters in, and keeps what it did not find."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self.faults: list[Fault] = []

    def fill_key(self, table: Tree, key: str, parts: Parts) -> Tree:
        """The table with one of its texts filled in."""
        return table | {key: self._text(table[key], (*parts, key))} if key in table else dict(table)

    def fill(self, value: object, parts: Parts) -> object:
        """The value with all text in it filled in, keys too."""
        if isinstance(value, str):
            return self._text(value, parts)
        if isinstance(value, list):
            return [self.fill(one, (*parts, place)) for place, one in enumerate(value)]
        if not isinstance(value, dict):
            return value
        filled = {self._text(key, (*parts, key)): self.fill(one, (*parts, key)) for key, one in value.items()}
        if len(filled) < len(value):
            self.faults.append(Fault(parts, "with the parameters filled in, two keys are the same"))
        return filled

    def _text(self, text: str, parts: Parts) -> str:
        for name in _PARAMETER.findall(text):
            if name not in self._given:
                known = ", ".join(sorted(self._given)) or "none"
                self.faults.append(Fault(parts, f"no parameter {name!r}; there are {known}"))
        return _PARAMETER.sub(lambda found: self._given.get(found[1], found[0]), text)
