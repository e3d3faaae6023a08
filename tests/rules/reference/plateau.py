from __future__ import annotations

from tests.rules.reference.entries import Entry
from tests.rules.reference.figures import cut, thousandths
from tests.rules.reference.judging import Judge
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One
from tests.rules.reference.world import World

MOST_W = 1_000_000


class Plateau(Measure):
    def __init__(self, entry: Entry, slot: int, world: World, judge: Judge) -> None:
        super().__init__(entry, slot, world, judge)
        part = entry.us("part")
        for key in ("before", "level_for", "fall_for", "shortest", "over_for"):
            setattr(self, key, -(-entry.us(key) // part))
        for key in ("max_gap", "longest", "forget_after"):
            setattr(self, key, entry.us(key) // part)
        self.step_from, self.step_to = (round(10 * entry.number(key)) for key in ("step_from", "step_to"))
        self.fall, self.near, self.variation = (
            round(100 * entry.share(key)) for key in ("fall", "near", "variation")
        )

    before: int
    level_for: int
    fall_for: int
    shortest: int
    over_for: int
    max_gap: int
    longest: int
    forget_after: int

    def start(self) -> None:
        self.part: int | None = None
        self.total, self.number = 0, 0
        self.ended()

    def ended(self) -> None:
        self.phase, self.parts = "quiet", list[int]()
        self.last = self.base = self.step = self.height = self.fallen_at = 0
        self.near_from: int | None = None
        self.stretch: list[int] = []
        self.stretch_from = 0

    def read(self, one: One) -> float | None:
        if one.queued:
            return None
        part, value = one.observed // self.entry.us("part"), None
        if self.part is not None and part > self.part:
            power = round_tenths(self.total, self.number)
            getattr(self, f"_{self.phase}")(self.part, power)
            value = float(self.phase == "charged")
            self.total, self.number = 0, 0
        self.part = part if self.part is None else max(part, self.part)
        self.total, self.number = self.total + thousandths(cut(one.value, MOST_W)), self.number + 1
        return value

    def _anew(self, k: int, p: int) -> None:
        self.phase, self.parts, self.last = "quiet", [p], k

    def _quiet(self, k: int, p: int) -> None:
        if k - self.last > self.max_gap:
            self.parts = []
        self.last = k
        if self.parts and 2 * len(self.parts) >= self.before:
            self.base = sorted(self.parts)[(len(self.parts) - 1) // 2]
            if self.step_from <= p - self.base <= self.step_to:
                self.phase, self.step, self.stretch = "risen", k, []
                return
        self.parts = [*self.parts, p][-self.before :]

    def _risen(self, k: int, p: int) -> None:
        x, n, total = p - self.base, len(self.stretch), sum(self.stretch)
        if k - self.last > self.max_gap:
            return self._anew(k, p)
        if not self.stretch:
            if not self.step_from <= x <= self.step_to:
                return self._anew(k, p)
            self.stretch_from = k
        elif 100 * n * x > (100 + self.fall) * total:
            return None
        elif 100 * n * x <= (100 - self.fall) * total:
            return self._anew(k, p)
        self.stretch.append(x)
        n, total, squares = n + 1, total + x, sum(x * x for x in self.stretch)
        if total > self.step_to * n or k - self.step > self.longest:
            return self._anew(k, p)
        self.last = k
        if k - self.stretch_from + 1 < self.level_for:
            return None
        still = 10_000 * (n * squares - total * total) <= self.variation**2 * total * total
        if still and total >= self.step_from * n:
            self.phase, self.height = "proved", total // n
        else:
            self.stretch = []
        return None

    def _proved(self, k: int, p: int) -> None:
        x = p - self.base
        if k - self.last > self.max_gap:
            return self._anew(k, p)
        if 100 * x > (100 + self.fall) * self.height:
            return None
        if k - self.step > self.longest:
            return self._anew(k, p)
        if 100 * x <= (100 - self.fall) * self.height:
            self.phase, self.fallen_at = "fallen", k
        self.last = k
        return None

    def _fallen(self, k: int, p: int) -> None:
        x = p - self.base
        if k - self.last > self.max_gap:
            return self._anew(k, p)
        if 100 * x > (100 + self.fall) * self.height:
            return None
        if 100 * x > (100 - self.fall) * self.height:
            if k - self.step > self.longest:
                return self._anew(k, p)
            self.phase, self.last = "proved", k
            return None
        self.last = k
        if k - self.fallen_at + 1 < self.fall_for:
            return None
        if self.fallen_at - self.step < self.shortest:
            return self._anew(k, p)
        self.phase = "charged"
        self.near_from = k if 100 * x <= self.near * self.height else None
        return None

    def _charged(self, k: int, p: int) -> None:
        if 100 * (p - self.base) > self.near * self.height:
            self.near_from = None
        elif self.near_from is None or k - self.last > self.max_gap:
            self.near_from = k
        over = self.near_from is not None and k - self.near_from + 1 >= self.over_for
        if over or k - self.step > self.forget_after:
            self._anew(k, p)
        self.last = k


def round_tenths(total: int, number: int) -> int:
    """A mean of thousandths, in tenths, half to even."""
    whole, rest = divmod(total, 100 * number)
    return whole + (2 * rest > 100 * number or (2 * rest == 100 * number and whole % 2 == 1))
