"""Remembers ?lang= in a cookie, so that the reader switches once."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.session import LANGUAGE_COOKIE
from console.words import LANGUAGES

_YEAR_S = 365 * 24 * 3600


class KeepLanguage:
    """ASGI middleware: a known ?lang= is set as a cookie on the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Only requests that name a language get the cookie."""
        wanted = _wanted(scope) if scope["type"] == "http" else ""
        if wanted not in LANGUAGES:
            await self._app(scope, receive, send)
            return
        cookie = SimpleCookie({LANGUAGE_COOKIE: wanted})
        cookie[LANGUAGE_COOKIE].update(
            {"path": "/", "max-age": str(_YEAR_S), "samesite": "Lax", "httponly": "yes"}
        )

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie.output(header="").strip())
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _wanted(scope: Scope) -> str:
    query = parse_qs(bytes(scope.get("query_string", b"")).decode("latin-1"))
    return query.get("lang", [""])[-1]
