"""How far the journal may let go: what was acknowledged some time ago, for not every server has on its disk
what it acknowledges. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

SETTLED_S: Final = 20.0
"""After which an acknowledged point outlives the server (chosen: VictoriaMetrics lost what it had
acknowledged up to 9 s before it was killed, and nothing older; measured), and it is seen that it died."""
_STEP_S: Final = 0.5
"""How exactly: a number is kept for each."""


class Settling:
    """Positions and when they were reached, in seconds of the server's life. Positions do not go back; where
    the time does, what was reached last holds all before it."""

    def __init__(self, settled_s: float = SETTLED_S) -> None:
        self._settled_s = settled_s
        self._reached: deque[tuple[float, int]] = deque()

    def reach(self, position: int, now_s: float) -> None:
        """Everything up to `position` is acknowledged at this moment of the server's life."""
        if len(self._reached) > 1 and now_s - self._reached[-2][0] < _STEP_S:
            self._reached.pop()  # a number for each step is enough, and the newest is never left out
        self._reached.append((now_s, position))

    def settled(self, before: int, lived_s: float) -> int:
        """The position that may be relied upon once the server was seen living up to `lived_s`, in the life
        in which it acknowledged; `before` is the last position that was."""
        while self._reached and lived_s - self._reached[0][0] >= self._settled_s:
            before = self._reached.popleft()[1]
        return before

    def forget(self) -> None:
        """Nothing that has not settled is relied upon."""
        self._reached.clear()
