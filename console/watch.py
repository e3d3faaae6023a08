"""What a page that holds a stream open may hear of: the changes of its areas, and the system's faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from alerts.in_scope import NOWHERE_KNOWN, Lies, where_they_lie
from alerts.views import ChangeLine
from console.access import Right, has
from console.session import SignedIn


@dataclass(frozen=True, slots=True)
class Pushed:
    """One event on its way to pages. `change_id` 0: not a row of the timeline (faults, resync). `lies` says
    where its incident is, and which it was merged into: the page of that shows the change too."""

    name: str
    change_id: int = 0
    incident_id: int = 0
    lies: Lies = NOWHERE_KNOWN

    def wire(self, here: int, told: Callable[[int], str] = str) -> str:
        """As text/event-stream; a change of incident `here` is called `change-here`. `told` says what a
        change's number is called to this page."""
        is_here = here and here in {self.incident_id, self.lies.whole_id}
        name = "change-here" if self.name == "change" and is_here else self.name
        head = f"id: {told(self.change_id)}\n" if self.change_id else ""
        return f"{head}event: {name}\ndata: {self.incident_id}\n\n"


@dataclass(frozen=True, slots=True)
class Watch:
    """`areas` are all areas (ids) within the scope, those below included; None for everywhere. `acts` says
    whether the user may act at all."""

    areas: frozenset[int] | None = None
    faults: bool = True
    acts: bool = True

    def hears(self, pushed: Pushed) -> bool:
        """Whether this page is sent it. What is neither a change nor a fault is of the stream itself."""
        if pushed.name == "faults":
            return self.faults
        return pushed.name != "change" or self.areas is None or not self.areas.isdisjoint(pushed.lies.areas)


ALL: Final = Watch()
Look = Callable[[Connection], Watch | None]
"""What a page may hear of as the database has it now; None: it may no longer look."""


def watch_of(connection: Connection, user: SignedIn) -> Watch:
    """What this user's pages hear of."""
    scope, faults, acts = user.scope, has(user, Right.SEE_FAULTS), has(user, Right.ACT)
    if scope.everywhere:
        return Watch(None, faults, acts)
    within = connection.scalars(scope.all_areas()) if scope.areas else ()
    return Watch(frozenset(within), faults, acts)


def pushed(connection: Connection, changes: Sequence[ChangeLine]) -> list[Pushed]:
    """Changes as events, each with where it lies: one query for all of them and for all streams."""
    lie = where_they_lie(connection, {change.incident_id for change in changes})
    return [Pushed("change", c.id, c.incident_id, lie.get(c.incident_id, NOWHERE_KNOWN)) for c in changes]
