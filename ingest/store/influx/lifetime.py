"""Whether a server is still in the life in which it acknowledged what it has.

Servers that acknowledge before the disk has a point lose some when they are killed. That they were is seen by
when they say they started. Servers that do not say it are taken at their word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()

LOOK_S: Final = 5.0
"""Between two looks (chosen)."""
SILENT_LOOKS: Final = 3
"""A server that takes points and answers none of so many looks counts as one that does not say (chosen)."""


class Lifetime:
    """`alive_s`: when the server was last seen in the life that it is in. Not for several threads."""

    def __init__(
        self, ask: Callable[[], str | None], monotonic: Callable[[], float], look_s: float = LOOK_S
    ) -> None:
        """`ask` says when the server started: empty where it does not say, None where it does not answer."""
        self._ask, self._monotonic, self._look_s = ask, monotonic, look_s
        self._due_s = 0.0
        self._life = ""
        self._lives: set[str] = set()
        self._silent, self._took, self._watched = 0, False, True
        self.alive_s = float("-inf")

    def took(self) -> None:
        """It has just taken points."""
        self._took = True

    def doubt(self) -> None:
        """It did not answer: the next look is made at once."""
        self._due_s, self._took = 0.0, False

    def has_ended(self) -> bool:
        """Looks where it is time. Whether the server started anew since the last look."""
        now_s = self._monotonic()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + self._look_s
        life = self._ask() if self._watched else ""
        if life is None and not self._is_mute():
            return False
        return self._lives_on(life or "", now_s)

    def _is_mute(self) -> bool:
        """Whether it takes points and answers no looks."""
        self._silent = self._silent + 1 if self._took else 0
        self._took = False
        return self._silent >= SILENT_LOOKS

    def _lives_on(self, life: str, now_s: float) -> bool:
        self._silent = self._silent if not life else 0
        ended = bool(life and self._life and life != self._life)
        if ended and life in self._lives:
            log.warning("store_has_several_servers", do="give store.url the address of one of them")
            self._watched = ended = False
        self._lives.update({life} - {""})
        self._life, self.alive_s = life or self._life, now_s
        return ended
