"""Signs and factors that a device says now and then, and that hold until it says others."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from devices.profiles.compiling.compiled import MISSING
from devices.profiles.general.findings import Finding
from devices.profiles.general.gathering import Gathering
from devices.profiles.memory import Memory

OPERANDS: Final = "operand"
OPERAND_LENGTH_MAX: Final = 64
"""Characters of one as JSON; longer ones are not remembered (chosen: words and numbers)."""
_INT_LIMIT: Final = 1 << 63


class Operands:
    """Those of one tick, which the memory takes when the device turns out to be somebody's."""

    def __init__(self, gathering: Gathering, memory: Memory) -> None:
        self._gathering, self._memory = gathering, memory
        self._said: dict[str, str] = {}

    def kept(self, place: int, uid: str, finding: Finding) -> tuple[Any, Any]:
        """Sign and factor of a finding, the device's last ones where they are missing and remembered."""
        column = finding.column
        kept = []
        for elsewhere, raw in ((column.sign, finding.sign), (column.factor, finding.factor)):
            if elsewhere is None or not elsewhere.remember:
                kept.append(raw)
                continue
            key = f"{uid}\0{finding.channel}\0{'.'.join(map(str, elsewhere.way.steps))}"
            if raw is MISSING or raw is None:
                text = self._said.get(key) or self._memory.get(OPERANDS, key)
                kept.append(msgspec.json.decode(text) if text else MISSING)
                continue
            kept.append(raw)
            if isinstance(raw, bool | float | str) or (type(raw) is int and abs(raw) < _INT_LIMIT):
                self._remember(place, key, raw)
        return kept[0], kept[1]

    def _remember(self, place: int, key: str, raw: float | str) -> None:
        text = msgspec.json.encode(raw).decode()
        if len(text) <= OPERAND_LENGTH_MAX:
            self._said[key] = text
            self._gathering.notes.append((place, OPERANDS, key, text))
