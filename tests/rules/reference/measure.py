"""What a kind says of a reading: its value, or None where it is not known."""

from __future__ import annotations

from devices.model import EngineInput
from tests.rules.reference.entries import Entry
from tests.rules.reference.judging import Judge
from tests.rules.reference.reading import One
from tests.rules.reference.world import World


class Measure:
    """One rule on one series. Each kind has its own."""

    def __init__(self, entry: Entry, slot: int, world: World, judge: Judge) -> None:
        self.entry = entry
        self.slot = slot
        self.world = world
        self.judge = judge
        self.start()

    def stands(self) -> int:
        """The series that the alarm is about: usually that of the readings."""
        return self.slot

    def start(self) -> None:
        """State as of a new series."""

    def sees(self, one: One) -> bool:
        """Whether it looks at the reading at all."""
        return one.usable

    def read(self, one: One) -> float | None:
        """Its value, once for each reading that it sees of the rule's metrics; every measure has its own."""
        raise AssertionError(f"{type(self).__name__} reads nothing of {one}")

    def ended(self) -> None:
        """A person ended the alarm."""

    def heed(self, given: EngineInput) -> None:
        """A person's act on any rule."""
