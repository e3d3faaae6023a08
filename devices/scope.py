"""How far an account sees: everywhere, or areas with all below them, as a condition for other queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, false, select, true

from devices.schema import area, building


@dataclass(frozen=True, slots=True)
class Scope:
    """Everywhere, or these areas (ids) with all below them. Without either: nowhere.

    What lies at no known place is within `everywhere` only.
    """

    everywhere: bool = False
    areas: frozenset[int] = frozenset()

    def holds(self, building_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Whether the building of this id is within, as a condition; 0 and unknown buildings are not.

        The tree is asked at each use, so a building or area that was moved counts where it lies now. It costs
        a look-up by primary key for each row that is asked about, and the tree once for each query: both
        engines keep the areas as a set then. Null, which counts as no, where there is no such building.
        """
        if self.everywhere:
            return true()
        if not self.areas:
            return false()
        b = building.alias()
        lies_in = select(b.c.area_id).where(b.c.id == building_id).scalar_subquery()
        return lies_in.in_(self.all_areas())

    def all_areas(self) -> Select[Any]:
        """The ids of the areas and of all below them, for use where not `everywhere`."""
        return areas_from(select(area.c.id).where(area.c.id.in_(sorted(self.areas))))


EVERYWHERE: Final = Scope(everywhere=True)
NOWHERE: Final = Scope()


def areas_from(here: Select[Any]) -> Select[Any]:
    """These areas (a query of one column `id`) and all below them; ends even where the tree was bent into a
    ring by hand."""
    below = here.cte(recursive=True)
    below = below.union(select(area.c.id).join(below, area.c.parent_id == below.c.id))
    return select(below.c.id)
