"""What the filter of the board needs from the database: the areas to choose from, and what it hides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from alerts.case import Hazard
from alerts.schema import incident
from alerts.views import count_open
from devices.schema import area
from devices.scope import Scope

CHOICES: Final = 400
"""Areas in the list (chosen): where there are more, the deepest are left out."""


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """One area; `depth` is how many of the list are above it."""

    id: int
    name: str
    depth: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """An area as the registry has it."""

    id: int
    parent_id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """How many open incidents the filter keeps off the board, and how many of them are fires."""

    incidents: int = 0
    fires: int = 0


NOTHING: Final = Hidden()


def hidden_by(connection: Connection, scope: Scope, only: ColumnElement[bool] | None) -> Hidden:
    """What is open within `scope` and does not meet `only`, a condition on `incident`. Counted as a
    difference: what a condition leaves unknown is hidden too."""
    if only is None:
        return NOTHING
    fire = incident.c.hazard == Hazard.FIRE
    return Hidden(
        count_open(connection, scope) - count_open(connection, scope, only),
        count_open(connection, scope, fire) - count_open(connection, scope, fire & only),
    )


def areas_to_choose(connection: Connection, scope: Scope, chosen: int = 0) -> tuple[AreaChoice, ...]:
    """The areas of this scope, the chosen one always among them where it is within."""
    a = area.c
    rows = select(a.id, a.parent_id, a.name).order_by(a.code)
    if not scope.everywhere:
        if not scope.areas:
            return ()
        rows = rows.where(a.id.in_(scope.all_areas()))
    found = [Leaf(row.id, row.parent_id, row.name) for row in connection.execute(rows)]
    return laid_out(found, chosen)


def laid_out(found: Sequence[Leaf], chosen: int, most: int = CHOICES) -> tuple[AreaChoice, ...]:
    """A tree as a list, each area behind the one above it. Whose parent is not given is a top. Areas bent
    into a ring by hand are left out."""
    known = {one.id for one in found}
    below: dict[int | None, list[Leaf]] = defaultdict(list)
    for one in found:
        below[one.parent_id if one.parent_id in known else None].append(one)
    listed: list[AreaChoice] = []
    waiting = [(one, 0) for one in reversed(below[None])]
    while waiting:
        one, depth = waiting.pop()
        listed.append(AreaChoice(one.id, one.name, depth))
        waiting += [(child, depth + 1) for child in reversed(below[one.id])]
    return _within(listed, chosen, most)


def _within(listed: Sequence[AreaChoice], chosen: int, most: int) -> tuple[AreaChoice, ...]:
    deepest = max((one.depth for one in listed), default=0)
    kept = listed
    while len(kept) > most and deepest > 0:
        deepest -= 1
        kept = [one for one in listed if one.depth <= deepest or one.id == chosen]
    return tuple(kept)
