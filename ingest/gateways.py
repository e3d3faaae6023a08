"""Through which gateway each device speaks, as the devices say it: kept by number, found from both ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from ingest.columns import Columns

_SPARE: Final = 1_000
"""Uids nobody names any more that are kept before they are looked for (chosen)."""


class Gateways:
    """The gateway's uid of each device that has said one; devices by their number, from 0.

    4 bytes a device, and about 150 a gateway. Bounded by the number of devices: uids that none of them names
    any more are let go of.
    """

    def __init__(self) -> None:
        self._via = Columns({"gateway": np.int32})
        self._uids: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def __len__(self) -> int:
        """How many uids are kept."""
        return len(self._uids) - 1

    def of(self, device: int) -> str:
        """The gateway of a device, empty where it said none."""
        return self._uids[self._via["gateway"][device]] if device < len(self._via) else ""

    def put(self, device: int, uid: str) -> None:
        """This device speaks through `uid`; empty: through none."""
        self._via.grow(device + 1)
        number = self._numbers.get(uid)
        if number is None:
            if len(self) >= len(self._via) + _SPARE:
                self._let_go()
            number = self._numbers[uid] = len(self._uids)
            self._uids.append(uid)
        self._via["gateway"][device] = number

    def among(self, devices: list[int]) -> list[int]:
        """Those of these devices that have said a gateway."""
        self._via.grow(max(devices, default=-1) + 1)
        numbers = np.array(devices, np.int32)
        found: list[int] = numbers[self._via["gateway"].take(numbers) > 0].tolist()
        return found

    def behind(self, uids: Iterable[str]) -> list[int]:
        """The devices that speak through any of these. Cost: a look-up for each, and a pass over all devices
        where one of them is a gateway."""
        numbers = [number for uid in uids if (number := self._numbers.get(uid))]
        if not numbers:
            return []
        found: list[int] = np.flatnonzero(np.isin(self._via["gateway"], numbers)).tolist()
        return found

    def _let_go(self) -> None:
        """Numbers anew, without what no device names."""
        via = self._via["gateway"]
        used, again = np.unique(np.append(via, 0), return_inverse=True)
        self._uids = [self._uids[number] for number in used.tolist()]
        self._numbers = {uid: number for number, uid in enumerate(self._uids)}
        via[:] = again[:-1]
