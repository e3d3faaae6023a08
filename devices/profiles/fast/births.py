"""Which sources' forms rest on a Sparkplug birth: names and types by alias hold until the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.profiles.formats.sparkplug_births import BIRTH
from devices.profiles.memory import Memory

SOURCES_MAX: Final = 16
"""Topics that rest on one birth: a node's data, a device's data, and further profiles' (chosen)."""


class Births:
    """Sources by the node or device whose birth explains their messages. Bounded by the births that are
    kept, and `SOURCES_MAX` of each: a source that finds no room is not read by form."""

    def __init__(self, memory: Memory) -> None:
        self._changed = memory.follow(BIRTH)
        self._sources: dict[str, set[int]] = {}

    def explains(self, captures: Mapping[str, object], source: int) -> bool:
        """A source's messages have the form that they have by this birth. False where there is no room."""
        place = "/".join(str(captures[name]) for name in ("group", "node", "device") if captures.get(name))
        sources = self._sources.setdefault(place, set())
        if source not in sources and len(sources) >= SOURCES_MAX:
            return False
        sources.add(source)
        return place not in self._changed

    def forgotten(self) -> list[int]:
        """The sources whose births have changed since this was last asked."""
        if not self._changed:
            return []
        found = [one for place in self._changed for one in self._sources.pop(place, ())]
        self._changed.clear()
        return found
