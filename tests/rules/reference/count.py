from __future__ import annotations

from devices.model import EngineInput, InputKind
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Count(Measure):
    def start(self) -> None:
        self.times: list[int] = []
        self.flag: bool | None = None

    def read(self, one: One) -> float | None:
        if self._happens(one):
            self._note(one.observed)
        since = one.observed - self.entry.us("within")
        return float(sum(at > since for at in self.times))

    def heed(self, given: EngineInput) -> None:
        if self.entry.keys["counts"] != "unfounded" or given.kind is not InputKind.UNFOUNDED:
            return
        if given.slot == self.slot and given.rule in self.entry.keys["of"]:
            self._note(given.at_us)

    def ended(self) -> None:
        self.times = []

    def _happens(self, one: One) -> bool:
        counts = self.entry.keys["counts"]
        if counts == "band":
            return self.entry.number("from") <= one.value <= self.entry.number("to")
        if counts == "rises":
            was, self.flag = self.flag, one.value > 0
            return self.flag and not was
        return False

    def _note(self, at: int) -> None:
        self.times = [*self.times, at][-8:]
