"""What devices say of themselves, only where it is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.profiles.profile import Said

SAID_MAX: Final = 262_144
"""Texts of devices that are not said again; then all are (chosen: 30 MB, for only their hashes are kept)."""


class News:
    """Remembers what was said. Bounded by `SAID_MAX`."""

    def __init__(self) -> None:
        self._said: dict[int, float] = {}
        """By the hash of uid and key the hash of the text, of `max_silence` the seconds."""

    def of(self, said: Sequence[Said]) -> tuple[Said, ...]:
        """What was not said before in this process; of `max_silence` the longest that was said counts."""
        news = []
        for one in said:
            uid, about, text = one
            key = hash((uid, about))
            before = self._said.get(key)
            silence = about == "max_silence"
            now = float(text) if silence else hash(text)
            if before is not None and (before >= now if silence else before == now):
                continue
            if len(self._said) >= SAID_MAX:
                self._said.clear()
            self._said[key] = now
            news.append(one)
        return tuple(news)
