"""Which blocks of a cell are merged, and when: pure choices, and a tally of what waits.

New blocks lie in tier 0 of their wide cell. A tier with too many blocks becomes one of the next tier; when
that and all that is older in the cell is enough to fill it, everything goes down instead: from a wide cell
into narrow ones, in a narrow one into blocks that are never touched again (`DONE`). So points are written at
most once per tier and cell, and what is older in a cell is always in a higher tier or below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.store.layout import DONE, NARROW, WIDE

SETTLED_DAYS: Final = 9
"""A day as old as that is merged for good: no device's time is believed more than 7 days back."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large piles become; the defaults are chosen by measuring, tests take small ones.

    `fan` blocks of one tier are merged in the present day, `fan_past` in days before, to which little is
    added: fewer would be written more often, more would be more to look through. `full_wide` and
    `full_narrow` are the points that fill a cell. A merge takes the oldest blocks up to `at_once` points:
    some hundredths of a second and below 100 MB. A block has at most `block` points: 0.1 ms to read, so a
    series is read with little beside it.
    """

    fan: int = 64
    fan_past: int = 8
    full_wide: int = 262_144
    full_narrow: int = 262_144
    at_once: int = 400_000
    block: int = 16_384


class Cell(NamedTuple):
    """A range of slots on one day: slots // `width` == `cell`."""

    day: int
    width: int
    cell: int


@dataclass(slots=True)
class Pile:
    """Blocks of one tier of a cell."""

    blocks: int = 0
    points: int = 0


class Merge(NamedTuple):
    """What to merge: `tier` of `cell`; all that is older as well when it goes `down`."""

    cell: Cell
    tier: int
    down: bool


def choose(cell: Cell, piles: Mapping[int, Pile], age_days: int, sizes: Sizes) -> Merge | None:
    """The first tier that has to be merged, from the newest on."""
    full = sizes.full_wide if cell.width == WIDE else sizes.full_narrow
    fan = sizes.fan if age_days <= 0 else sizes.fan_past
    for tier in sorted(piles):
        pile = piles[tier]
        if pile.blocks >= fan or (pile.points >= full and pile.blocks > 1):
            older = sum(one.points for number, one in piles.items() if number >= tier)
            return Merge(cell, tier, older >= full)
    return None


def settle(cell: Cell, piles: Mapping[int, Pile]) -> Merge | None:
    """What makes an old day's cell one, if anything."""
    if cell.width == WIDE or sum(pile.blocks for pile in piles.values()) > 1:
        return Merge(cell, min(piles), down=True)
    return None


class Tally:
    """How many blocks lie in each tier of each cell that is not done, and which merges are due: in wide cells
    before narrow ones, which can wait.

    `today` is the day (UTC, days since 1970) as it was last told; None until then: every day counts as
    present.
    """

    def __init__(self, rows: Iterable[tuple[int, int, int, int, int, int]], sizes: Sizes) -> None:
        """Rows of day, width, cell, tier, blocks, points."""
        self._sizes = sizes
        self.today: int | None = None
        self._cells: dict[Cell, dict[int, Pile]] = {}
        self._due: dict[int, dict[Cell, bool]] = {WIDE: {}, NARROW: {}}  # True: it is to be settled
        for day, width, cell, tier, blocks, points in rows:
            self.change(Cell(day, width, cell), tier, blocks, points)

    def change(self, cell: Cell, tier: int, blocks: int, points: int) -> None:
        """So many more (or fewer) in a tier; DONE and DAMAGED ones are not counted."""
        if not 0 <= tier < DONE:
            return
        piles = self._cells.setdefault(cell, {})
        pile = piles.setdefault(tier, Pile())
        pile.blocks += blocks
        pile.points += points
        if not pile.blocks:
            del piles[tier]
            if not piles:
                del self._cells[cell]
                return
        if blocks > 0 and choose(cell, piles, self._age(cell), self._sizes):
            self._due[cell.width].setdefault(cell, False)

    def turn_to(self, today: int) -> None:
        """Another day: what was present is past, and what was past may settle."""
        if today == self.today:
            return
        self.today = today
        for cell, piles in self._cells.items():
            if today - cell.day >= SETTLED_DAYS:
                self._due[cell.width][cell] = True
            elif choose(cell, piles, self._age(cell), self._sizes):
                self._due[cell.width][cell] = False

    def due(self, *, narrow: bool) -> Merge | None:
        """A merge that is due; it stays due until `change` says that it was done."""
        for width in (WIDE, NARROW) if narrow else (WIDE,):
            waiting = self._due[width]
            while waiting:
                cell, settles = next(iter(waiting.items()))
                piles = self._cells.get(cell)
                if piles:
                    merge = choose(cell, piles, self._age(cell), self._sizes) or (
                        settle(cell, piles) if settles else None
                    )
                    if merge:
                        return merge
                del waiting[cell]
        return None

    def _age(self, cell: Cell) -> int:
        return 0 if self.today is None else self.today - cell.day
