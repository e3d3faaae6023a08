"""The brokers that devices are heard by, as small codes, and which of them are away since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool
from rules.pairs import State

_MOST: Final = 256
"""Brokers that can be away, each on its own (chosen; those beyond share one that never is)."""


class Brokers:
    """Codes by name, in the order in which they were first met. `away` says of each code whether it is."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self.away: Bool = np.zeros(_MOST, np.bool_)
        self._since_us = np.zeros(_MOST, np.int64)

    def __len__(self) -> int:
        return len(self._names)

    def code(self, name: str) -> int:
        """That of the broker `name`, which is known from here on."""
        if name not in self._names:
            if len(self._names) >= _MOST - 1:
                return _MOST - 1
            self._names.append(name)
        return self._names.index(name)

    def leave(self, name: str, at_us: int) -> None:
        """It is away since `at_us`; said again, since when it was said first."""
        code = self.code(name)
        if code < _MOST - 1 and not self.away[code]:
            self.away[code], self._since_us[code] = True, at_us

    def come_back(self, name: str) -> int | None:
        """It is there. When it had gone; None where it was not away."""
        code = self.code(name)
        if not self.away[code]:
            return None
        self.away[code] = False
        return int(self._since_us[code])

    @property
    def gone(self) -> frozenset[str]:
        """The names of those that are away."""
        return frozenset(name for code, name in enumerate(self._names) if self.away[code])

    def turn_back(self, now_us: int) -> None:
        """The clock has been ahead: what is kept as later than now counts as now."""
        np.minimum(self._since_us, now_us, out=self._since_us)

    def snapshot(self) -> State:
        """All state."""
        codes = np.flatnonzero(self.away[: len(self._names)])
        return {
            "sources": np.array(self._names, np.str_),
            "away": codes.astype(np.uint8),
            "away_us": self._since_us[codes],
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot."""
        self._names = [str(name) for name in state.get("sources", ())]
        self.away[:] = False
        codes = state.get("away", np.empty(0, np.uint8))
        self.away[codes] = True
        self._since_us[codes] = state.get("away_us", np.zeros(len(codes), np.int64))
