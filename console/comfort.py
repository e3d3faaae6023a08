"""How a reader likes their screen: theme, size of type and loudness of the alarm, kept in a cookie.

The server writes them into the page (`<html data-theme data-size data-volume>`), so that nothing flashes and
no script is needed. They are the browser's, not the account's: a desk is set once for whoever sits at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "gengfu_comfort"
THEMES: Final = ("auto", "light", "dark")
SIZES: Final = ("normal", "large", "largest")
VOLUMES: Final = ("100", "60", "30")
"""In hundredths of what the machine gives (chosen). None is silence: an alarm must be heard."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"theme": THEMES, "size": SIZES, "volume": VOLUMES}
_YEAR_S: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Comfort:
    """The first of each is what a reader has who chose nothing."""

    theme: str = THEMES[0]
    size: str = SIZES[0]
    volume: str = VOLUMES[0]

    @property
    def text(self) -> str:
        """As the cookie holds it."""
        return f"{self.theme}.{self.size}.{self.volume}"


def comfort_in(text: str) -> Comfort:
    """What a cookie says; what is not known in it is as if nobody had chosen."""
    named = dict(zip(CHOICES, text.split("."), strict=False))
    return chosen(Comfort(), named)


def chosen(before: Comfort, named: Mapping[str, str]) -> Comfort:
    """`before` with those of `named` that can be chosen."""
    known = {name: named[name] for name, values in CHOICES.items() if named.get(name) in values}
    return replace(before, **known)


def comfort_of(connection: HTTPConnection) -> Comfort:
    """Of this request: what its address chooses, on top of the reader's cookie."""
    return chosen(comfort_in(connection.cookies.get(COOKIE, "")), connection.query_params)


class KeepComfort:
    """ASGI middleware: what the address of a request chooses is set as a cookie on the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only requests that choose something known get the cookie."""
        cookie = _cookie(HTTPConnection(scope)) if scope["type"] == "http" and _chooses(scope) else None
        if cookie is None:
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _chooses(scope: Scope) -> bool:
    named = dict(parse_qsl(bytes(scope.get("query_string", b"")).decode("latin-1")))
    return any(named.get(name) in values for name, values in CHOICES.items())


def _cookie(connection: HTTPConnection) -> str:
    kept = SimpleCookie({COOKIE: comfort_of(connection).text})
    kept[COOKIE].update({"path": "/", "max-age": str(_YEAR_S), "samesite": "Lax", "httponly": "yes"})
    return kept.output(header="").strip()
