from __future__ import annotations

from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Threshold(Measure):
    def read(self, one: One) -> float | None:
        return one.value
