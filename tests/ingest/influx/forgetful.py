"""A server in memory that acknowledges before it keeps, stands still, dies and comes back, on a clock of the
test's. As VictoriaMetrics, but worse."""

from __future__ import annotations

import threading

from ingest.store.influx.server import Answer, Later, Taken
from tests.ingest.influx.reading_lines import Line, read_lines

KEPT_AFTER_S = 9.0
"""Of its life: what was acknowledged later is gone when it dies (measured with VictoriaMetrics)."""
STANDS_AGAIN_S = 15.0
"""So long it lives at least before it stands still once more: one that does nothing else is not believed."""


class Clock:
    """Goes on when it is told to."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Forgetful:
    """`kept` are lines that outlive it. `page`: while it is dead somebody else answers with a page."""

    def __init__(self, clock: Clock) -> None:
        self.kept: list[Line] = []
        self.page = self.shy = self.answers_are_lost = False
        """`shy`: it says nothing of its life, but takes points."""
        self._clock = clock
        self._fresh: list[tuple[float, list[Line]]] = []
        self._lived_s, self._stood_s = 0.0, -STANDS_AGAIN_S
        self._up, self._stands = True, False
        self._starts = 1
        self._lock = threading.Lock()

    def post(self, lines: bytes) -> Answer:
        with self._lock:
            if not self._up and self.page:
                return Later("HTTP 200: back soon", denied=True)
            if not self._up or self._stands:
                return Later("no answer")
            self._fresh.append((self._lived_s, read_lines(lines)))
            return Later("no answer") if self.answers_are_lost else Taken()

    def life(self) -> str | None:
        if not self._up and self.page:
            return ""
        return str(self._starts) if self._up and not self._stands and not self.shy else None

    def close(self) -> None:
        pass

    def passes(self, seconds: float) -> None:
        self._clock.now_s += seconds
        if self._up and not self._stands:
            self._lived_s += seconds
        while self._fresh and self._fresh[0][0] + KEPT_AFTER_S <= self._lived_s:
            self.kept += self._fresh.pop(0)[1]

    def dies(self) -> None:
        self._up = self._stands = False
        self._fresh.clear()

    def starts(self) -> None:
        self._starts += not self._up
        self._up, self._stands = True, False

    def stands_still(self) -> None:
        if self._up and self._lived_s - self._stood_s >= STANDS_AGAIN_S:
            self._stands, self._stood_s = True, self._lived_s
