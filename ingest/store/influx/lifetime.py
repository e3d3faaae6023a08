"""Whether a server is still in the life in which it acknowledged what it has, and how long it lived.

Servers that acknowledge before the disk has a point lose some when they are killed. That they were is seen by
when they say they started. Servers that do not say it are taken at their word.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

log = structlog.get_logger()

LOOK_S: Final = 5.0
"""Between two looks (chosen)."""
LATE_S: Final = 1.0
"""By how much a look may be late, and the time since the last one is believed to be lived (chosen)."""
SILENT_LOOKS: Final = 3
"""A server that takes points and says nothing at so many looks counts as one that does not say (chosen)."""
LIVES: Final = 16
"""Lives that are known again."""
RETURNS: Final = 3
RETURNS_S: Final = 600.0
"""So many returns to a former life within this time are several servers. One that starts with the same wrong
clock each time says a former life too, but not so often (chosen)."""


class Lifetime:
    """`lived_s`: for how many seconds the server was seen to live; silence is not counted, and of a time in
    which nobody looked no more than a look and `LATE_S`. Not for several threads.
    """

    def __init__(
        self, ask: Callable[[], str | None], monotonic: Callable[[], float], look_s: float = LOOK_S
    ) -> None:
        """`ask` says when the server started: empty where it does not say, None where it does not answer."""
        self._ask, self._monotonic, self._look_s = ask, monotonic, look_s
        self._due_s = 0.0
        self._seen_s: float | None = None
        self._life = ""
        self._lives: deque[str] = deque(maxlen=LIVES)
        self._returned_s: deque[float] = deque(maxlen=RETURNS)
        self._silent, self._took, self._took_unknown, self._watched = 0, False, False, True
        self.lived_s = 0.0

    @property
    def moment_s(self) -> float:
        """`lived_s` as it is now, if the server lives: never less than what will be counted."""
        return self.lived_s + self._since()

    def took(self) -> None:
        """It has just taken points."""
        self._took = True
        self._took_unknown = self._took_unknown or not self._life

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
        hidden = life is None or (self._watched and not life and bool(self._life))
        if hidden and not self._is_mute():
            self._seen_s = None
            return False
        self.lived_s, self._seen_s = self.moment_s, now_s
        return bool(life) and self._begins(life or "", now_s)

    def _since(self) -> float:
        if self._seen_s is None:
            return 0.0
        return min(self._monotonic() - self._seen_s, self._look_s + LATE_S)

    def _is_mute(self) -> bool:
        """Whether it takes points and says nothing. Who stands in its place while it is dead takes none."""
        self._silent = self._silent + 1 if self._took else 0
        self._took = False
        return self._silent >= SILENT_LOOKS

    def _begins(self, life: str, now_s: float) -> bool:
        """It says `life`. Whether what was taken before may have been taken in another one."""
        self._silent = 0
        ended = life != self._life if self._life else self._took_unknown
        self._life, self._took_unknown = life, False
        if ended and life in self._lives and self._is_one_of_several(now_s):
            log.warning("store_has_several_servers", do="give store.url the address of one of them")
            self._watched = False
            return False
        if life not in self._lives:
            self._lives.append(life)
        return ended

    def _is_one_of_several(self, now_s: float) -> bool:
        self._returned_s.append(now_s)
        return len(self._returned_s) == RETURNS and now_s - self._returned_s[0] < RETURNS_S
