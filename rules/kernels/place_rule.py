"""The rule on alarms that meet in a place, and which place that is."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

import numpy as np
from msgspec import UNSET, Meta, UnsetType

from devices.model import Int32, SeriesTable
from rules.quantity import Span
from rules.rule import BaseRule, Name
from rules.transition import Mark, Subject


class PlaceScope(StrEnum):
    """What place the alarms must have in common."""

    DWELLING = "dwelling"
    STAIR = "stair"
    COMMON = "common"
    """What of a building is in no dwelling: its meter cupboards, cellars and stairs."""

    @property
    def subject(self) -> Subject:
        """What an alarm of this scope is about."""
        return Subject.BUILDING if self is PlaceScope.COMMON else Subject(self.value)

    def column(self, table: SeriesTable) -> Int32:
        """The registry id of that place, of each series; 0 where it is in none."""
        if self is PlaceScope.COMMON:
            common: Int32 = np.where(table.dwelling == 0, table.building, 0)
            return common
        return table.stair if self is PlaceScope.STAIR else table.dwelling

    def place(self, table: SeriesTable, slot: int) -> int:
        """The same of one series."""
        if self is PlaceScope.COMMON:
            return 0 if table.dwelling[slot] else int(table.building[slot])
        return int(self.column(table)[slot])


class PlaceRule(BaseRule, frozen=True, kw_only=True, tag="place"):
    """An alarm on a place where an alarm of `anchor` and one of `partner` meet `within` a time, by when they
    were observed or by when they were received.

    `apart`: they must be of two different devices, and the same rule may stand on both sides. `across`: the
    devices must not be in one dwelling. `standing`: an alarm counts as long as it is active as well; without
    it, only when it was raised counts. `mark` is what the transition tells people besides.
    """

    numbers: ClassVar[tuple[str, ...]] = ("within",)

    anchor: Annotated[tuple[Name, ...], Meta(min_length=1)]
    partner: Annotated[tuple[Name, ...], Meta(min_length=1)]
    within: Span
    scope: PlaceScope = PlaceScope.DWELLING
    apart: bool = False
    across: bool = False
    standing: bool = True
    mark: Mark | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        both = set(self.anchor) & set(self.partner)
        if both and not self.apart:
            names = ", ".join(sorted(both))
            raise ValueError(f"key `partner`: {names} cannot be on both sides without `apart = true`")
        if self.across and self.scope is PlaceScope.DWELLING:
            raise ValueError('key `across`: devices of one dwelling are in one; `scope = "stair"` is allowed')

    def group(self, device: int, dwelling: int) -> int:
        """A number that two alarms which cannot meet have in common; 0 is no such number."""
        if self.across and dwelling:
            return -dwelling
        return device if self.apart or self.across else 0
