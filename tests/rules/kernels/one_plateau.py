"""N2 once more, one reading at a time, as docs/rules.md says it."""

from __future__ import annotations

from fractions import Fraction

PART_US = 300_000_000
BEFORE, FROM, TO, VARIATION, LEVEL_FOR = 6, 600, 3000, 10, 12
FALL, FALL_FOR, SHORTEST, LONGEST = 30, 6, 24, 120
NEAR, OVER_FOR, FORGET_AFTER, GAP = 20, 3, 144, 4


class OnePlateau:
    """One series. `read` tells whether it raised (True) or cleared (False), if anything."""

    def __init__(self) -> None:
        self.k: int | None = None
        self.sum = self.number = 0
        self.phase = "quiet"
        self.before: list[int] = []
        self.stretch: list[int] = []
        self.last = 0
        self.active = False

    def read(self, at_us: int, value: float) -> list[bool]:
        part, changed = at_us // PART_US, []
        if self.k is not None and part > self.k:
            self.process(self.k, round(Fraction(self.sum, 100 * self.number)))
            if self.active is not (self.phase == "charged"):
                self.active = not self.active
                changed = [self.active]
        if self.k is None or part > self.k:
            self.k, self.sum, self.number = part, 0, 0
        self.sum += round(min(max(value, -1e6), 1e6) * 1000)
        self.number += 1
        return changed

    def anew(self, k: int, p: int) -> None:
        self.phase, self.before, self.last = "quiet", [p], k

    def process(self, k: int, p: int) -> None:
        if self.phase == "quiet":
            self.quiet(k, p)
        elif self.phase == "charged":
            self.charged(k, p)
        elif k - self.last > GAP:
            self.anew(k, p)
        else:
            {"risen": self.risen, "proved": self.proved, "fallen": self.fallen}[self.phase](k, p)

    def quiet(self, k: int, p: int) -> None:
        if k - self.last > GAP:
            self.before = []
        self.last = k
        if 2 * len(self.before) >= BEFORE:
            self.base = sorted(self.before)[(len(self.before) - 1) // 2]
            if FROM <= p - self.base <= TO:
                self.phase, self.step, self.stretch = "risen", k, []
                return
        self.before = [*self.before, p][-BEFORE:]

    def risen(self, k: int, p: int) -> None:
        x, n, total = p - self.base, len(self.stretch), sum(self.stretch)
        if n and 100 * n * x > (100 + FALL) * total:
            return
        if (100 * n * x <= (100 - FALL) * total) if n else not FROM <= x <= TO:
            self.anew(k, p)
            return
        if not n:
            self.first = k
        self.stretch.append(x)
        n, total, squares = n + 1, total + x, sum(one * one for one in self.stretch)
        self.last = k
        if total > TO * n or k - self.step > LONGEST:
            self.anew(k, p)
        elif k - self.first + 1 >= LEVEL_FOR:
            level = 10_000 * (n * squares - total**2) <= VARIATION**2 * total**2 and total >= FROM * n
            if level:
                self.phase, self.height = "proved", total // n
            self.stretch = []

    def proved(self, k: int, p: int) -> None:
        x = p - self.base
        if 100 * x > (100 + FALL) * self.height:
            return
        self.last = k
        if k - self.step > LONGEST:
            self.anew(k, p)
        elif 100 * x <= (100 - FALL) * self.height:
            self.phase, self.fall = "fallen", k

    def fallen(self, k: int, p: int) -> None:
        x = p - self.base
        if 100 * x > (100 + FALL) * self.height:
            return
        self.last = k
        if 100 * x > (100 - FALL) * self.height:
            self.phase = "proved"
            if k - self.step > LONGEST:
                self.anew(k, p)
        elif k - self.fall + 1 >= FALL_FOR:
            if self.fall - self.step < SHORTEST:
                self.anew(k, p)
            else:
                self.phase = "charged"
                self.near = k if 100 * x <= NEAR * self.height else None

    def charged(self, k: int, p: int) -> None:
        if 100 * (p - self.base) > NEAR * self.height:
            self.near = None
        elif self.near is None or k - self.last > GAP:
            self.near = k
        self.last = k
        if k - self.step > FORGET_AFTER or (self.near is not None and k - self.near + 1 >= OVER_FOR):
            self.anew(k, p)
