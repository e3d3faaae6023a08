"""Which of many ways lead somewhere in a value: found from what is there, not by trying each. Pure.

A profile may know a hundred keys of which a message has five; so the ways are kept as one tree, and the
tree and the
value are gone through side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

POSITIONS_MAX: Final = 4
"""Positions in one way: each doubles its places, for where a list is expected an object may stand
(chosen)."""


class Places:
    """Ways below one place, each with a number. A position of a list is a key where an object stands
    there."""

    __slots__ = ("_keys", "_numbers", "_positions")

    def __init__(self) -> None:
        self._keys: dict[str, Places] = {}
        self._positions: dict[int, Places] = {}
        self._numbers: list[int] = []

    def __bool__(self) -> bool:
        """Whether there is any way."""
        return bool(self._keys or self._positions)

    @staticmethod
    def holds(steps: Sequence[object]) -> bool:
        """Whether a way can be kept: some steps, all of them keys or positions, and few positions."""
        known = all(type(step) in (str, int) for step in steps)
        return bool(steps) and known and sum(type(step) is int for step in steps) <= POSITIONS_MAX

    def add(self, steps: Sequence[object], number: int) -> None:
        """Adds a way that `holds` takes. A number may have several ways."""
        self._add(steps, number)

    def _add(self, steps: Sequence[object], number: int) -> None:
        if not steps:
            if number not in self._numbers:
                self._numbers.append(number)
            return
        step, rest = steps[0], steps[1:]
        self._keys.setdefault(str(step), Places())._add(rest, number)
        if type(step) is int:
            self._positions.setdefault(step, Places())._add(rest, number)

    def found(self, value: object) -> dict[int, Any]:
        """The numbers of the ways that lead somewhere, and what stands there; of a number with several ways
        the last one found.

        The work is bounded by what is there, and by the ways: where there is more of one than of the other,
        the
        smaller is gone through.
        """
        hits: dict[int, Any] = {}
        if self._keys or self._positions:
            self._find(value, hits)
        return hits

    def _find(self, value: object, hits: dict[int, Any]) -> None:
        if type(value) is dict:
            keys = self._keys
            if len(value) <= len(keys):
                for key, there in value.items():
                    if key in keys:
                        keys[key]._take(there, hits)
            else:
                for key, place in keys.items():
                    if key in value:
                        place._take(value[key], hits)
        elif type(value) is list:
            for position, place in self._positions.items():
                if position < len(value):
                    place._take(value[position], hits)

    def _take(self, there: object, hits: dict[int, Any]) -> None:
        for number in self._numbers:
            hits[number] = there
        if self._keys or self._positions:
            self._find(there, hits)
