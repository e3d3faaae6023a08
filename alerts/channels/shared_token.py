"""A vendor's access token, kept until it ends and fetched once for all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from alerts.channels.channel import Failed

_EARLY_S: Final = 300.0
"""So long before its end a token is renewed, but not before half its time (chosen)."""
_REST_S: Final = 1.0
"""So long the vendor is not asked again after it answered: below the first retry of an urgent message,
while a storm of others does not turn into a storm of requests, which vendors answer by a ban (chosen)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and for how many seconds from now it is good."""

    text: str = field(repr=False)
    lives_s: float = 0.0


class SharedToken:
    """At most one `fetch` runs at a time. Whoever waits may be cancelled: the others still get the token.

    `clock` gives seconds that only rise. What came of a fetch is handed to all who waited, and for a second
    to those who come after, even where they do not want that token. For one event loop.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token | Failed]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._text = ""
        self._renew_from_s = 0.0
        self._ends_s = 0.0
        self._failed: Failed | None = None
        self._rests_until_s = float("-inf")
        self._fetching: asyncio.Task[str | Failed] | None = None

    async def get(self, instead_of: str = "") -> str | Failed:
        """A token that has not ended and is not `instead_of`, which the vendor did not take; but where the
        vendor gives that very one again, so be it. Nobody waits while an older token still serves."""
        now_s = self._clock()
        serves = self._text not in {"", instead_of} and now_s < self._ends_s
        if serves and now_s < self._renew_from_s:
            return self._text
        if self._fetching is None and now_s >= self._rests_until_s:
            self._fetching = asyncio.create_task(self._renew())
        if serves:
            return self._text
        if self._fetching is None:
            return self._failed or self._text
        return await asyncio.shield(self._fetching)

    async def close(self) -> None:
        """Gives up a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def _renew(self) -> str | Failed:
        try:
            token = await self._fetch()
            now_s = self._clock()
            self._rests_until_s = now_s + _REST_S
            if isinstance(token, Failed):
                self._failed = token
                return token
            self._failed = None
            self._text = token.text
            self._renew_from_s = now_s + max(token.lives_s - _EARLY_S, token.lives_s / 2)
            self._ends_s = now_s + token.lives_s
            return token.text
        finally:
            self._fetching = None
