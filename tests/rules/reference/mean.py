from __future__ import annotations

from tests.rules.reference.figures import thousandths
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One

MOST = 2_000_000


class Mean(Measure):
    def start(self) -> None:
        self.parts: dict[int, tuple[int, int]] = {}
        self.before: One | None = None

    def read(self, one: One) -> float | None:
        window, max_gap = self.entry.us("window"), self.entry.us("max_gap")
        now = one.observed * 6 // window
        between = one.observed - self.before.observed if self.before else 0
        if one.queued or not 0 <= between <= max_gap:
            self.parts = {}
        elif self.before and between > 0:
            total, ms = self.parts.get(now, (0, 0))
            value, passed = min(max(self.before.value, -MOST), MOST), between // 1000
            self.parts[now] = total + thousandths(value) * passed, ms + passed
        self.before = one
        in_window = [self.parts[part] for part in range(now - 5, now + 1) if part in self.parts]
        ms = sum(ms for _, ms in in_window)
        if ms * 1000 * 3 < window * 2:
            return None
        return sum(total for total, _ in in_window) / ms / 1000

    def ended(self) -> None:
        self.start()
