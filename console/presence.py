"""Who has the page of an incident open at this moment, from the live streams that those pages hold.

Kept in the memory of the console process: after a restart each page is known again as soon as its stream has
come back. Nobody is remembered, nothing of it is stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from dataclasses import dataclass

from sqlalchemy import Connection

from alerts.in_scope import is_seen
from console.session import SignedIn
from devices.scope import Scope


@dataclass(frozen=True, slots=True)
class Looking:
    """One open page of an incident: whose it is, and how far that account saw when it was opened."""

    incident_id: int
    login: str
    scope: Scope


class Presence:
    """The open pages. Changed on the event loop; read from any thread."""

    def __init__(self) -> None:
        self._open: dict[object, Looking] = {}

    async def kept(self, incident_id: int, user: SignedIn, events: AsyncIterator[str]) -> AsyncIterator[str]:
        """The same events; as long as they are read, the user looks at this incident (0: at none)."""
        page = object()
        if incident_id:
            self._open[page] = Looking(incident_id, user.login, user.scope)
        try:
            async with aclosing(events) as stream:  # type: ignore[type-var]
                async for text in stream:
                    yield text
        finally:
            self._open.pop(page, None)

    def at(self, incident_id: int) -> tuple[Looking, ...]:
        """The open pages of this incident."""
        pages = tuple(self._open.values())
        return tuple(one for one in pages if one.incident_id == incident_id)


def others_at(
    connection: Connection, pages: Collection[Looking], incident_id: int, login: str
) -> tuple[str, ...]:
    """Logins of the others who look at this incident, in their order. An account that does not see it is left
    out: whoever names an incident in the address of a stream sees nothing by it, and is not seen."""
    scopes = {one.login: one.scope for one in pages if one.login != login}
    return tuple(sorted(who for who, scope in scopes.items() if is_seen(connection, incident_id, scope)))
