"""The part of a page that keeps itself true: made once for all who see the same, sent where it is another.

A page says which one it shows; if that is still true the answer is empty (204), and nothing on the screen is
touched.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

KEPT: Final = 64
"""Fragments kept for others who ask for the same (chosen: every open building and every area of a shift)."""
SEEN_MAX: Final = 64
"""Characters of the name of a fragment, with room."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """HTML and a name that is another for every other HTML."""

    html: str
    name: str

    @classmethod
    def named(cls, html: str) -> Self:
        """With a name from what it says."""
        return cls(html, hashlib.blake2b(html.encode(), digest_size=12).hexdigest())

    def at(self, now_us: int) -> Markup:
        """As it stands in a page, with the server's clock."""
        return Markup(  # noqa: S704  # rendered by templates that escape
            f'<div data-now-us="{now_us}"><input type="hidden" id="seen" name="seen" value="{self.name}">'
            f"{self.html}</div>"
        )

    def answer(self, seen: str, now_us: int) -> Response:
        """To a page that shows the fragment called `seen`."""
        if seen == self.name:
            return Response(status_code=204)
        return HTMLResponse(self.at(now_us))


class Fragments:
    """The newest fragments. `source` is what one is made from: compared by identity, and kept alive here, so
    that no other object takes its place."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[object, Fragment]] = OrderedDict()
        self._lock = Lock()

    def of(self, key: tuple[object, ...], source: object, made: Callable[[], str]) -> Fragment:
        """The one for this key, made anew when its source is another."""
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] is source:
                self._kept.move_to_end(key)
                return kept[1]
        fragment = Fragment.named(made())
        with self._lock:
            self._kept[key] = source, fragment
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return fragment
