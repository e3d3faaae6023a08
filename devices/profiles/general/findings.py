"""Values where the walk found them: placed, and not read yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from devices.profiles.compiling.compiled import Clock, Column, Items

Tree = Any
"""What a format makes of a payload, or a part of it: dict, list, str, int, float, bool, None."""
Raw = Any
"""A value as it stands in a tree, or `MISSING`."""

ITEMS_MAX: Final = 4_096
"""Items of one message, of all groups together (chosen: where each value is an item, a gateway's 100 devices,
the most that Huawei's send, may have 40 values each; an item costs 5 to 10 µs)."""
FINDINGS_MAX: Final = 2_048
"""Values of one message (chosen: 500 items of four values; a value costs 5 to 8 µs)."""
STEPS_MAX: Final = 10_000
"""Steps of one message, one for each place that is looked into and each item, and one more for every
`NAMES_A_STEP` patterns that a name is tried with (chosen: 1 to 2 µs each, so that no message holds the others
up for more than some 40 ms, whatever it holds)."""
NAMES_A_STEP: Final = 8


class At(NamedTuple):
    """A place where a time stands, the clock that reads it, and what is looked at where that is no time."""

    clock: Clock
    raw: Raw
    further: At | None = None

    def each(self) -> Iterator[At]:
        """This one and those behind it, in order."""
        at: At | None = self
        while at is not None:
            yield at
            at = at.further


class Finding(NamedTuple):
    """A raw value and the column that says what it means.

    `raw`, `sign`, `factor` and the time's raw value are opaque: the walk hands on what stands there, or
    `MISSING`, and looks at most whether it is null or a list, so that something else may stand for it.
    """

    column: Column
    channel: str
    uid: str
    """The device, "" for the message's own."""
    raw: Raw
    sign: Raw
    factor: Raw
    unit: Raw
    """What stands where the unit is said in band: structure, like names. `MISSING` where nothing does."""
    time: At | None
    """The clocks that had a value, and the values, in order; None where none had."""
    flags: int
    """Quality bits that the structure tells: `INCOMPLETE`, `BACKFILL`, `STALE`; `SUSPECT` of an item that
    should name its device and names none."""


class TooMuch(Exception):
    """A message with more items, values or places than are read. The only error of this module."""


@dataclass(slots=True)
class Found:
    """What a walk found, in the order of the file and of the payload.

    `operands` are signs and factors that stand without the value they belong to, for columns that remember
    them: as findings whose `raw` is `MISSING`. `labels`: (uid, text), uid "" for the message's device.
    """

    findings: list[Finding] = field(default_factory=list)
    operands: list[Finding] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    items: int = 0
    silent: int = 0
    """Values that are there and mean that nothing is said."""
    steps: int = 0
    beside: tuple[Items, tuple[Tree, ...], tuple[str, bool]] | None = None
    """Whose the item before was, where those beside it are the same device's: its group, what it stands in,
    and what `item` made of its names."""
    amiss: str = ""
    """The first thing that a person must see although the rest can be read: a name that is none."""

    def work(self, steps: int = 1) -> None:
        """Counts what is looked at, whether anything is found there or not. Raises TooMuch beyond the
        limit."""
        self.steps += steps
        if self.steps > STEPS_MAX:
            raise TooMuch(f"more than {STEPS_MAX} steps to read")

    def item(self) -> None:
        """Counts an item. Raises TooMuch beyond the limit."""
        self.items += 1
        if self.items > ITEMS_MAX:
            raise TooMuch(f"more than {ITEMS_MAX} items")

    def add(self, finding: Finding) -> None:
        """Keeps a finding. Raises TooMuch beyond the limit."""
        if len(self.findings) >= FINDINGS_MAX:
            raise TooMuch(f"more than {FINDINGS_MAX} values")
        self.findings.append(finding)
