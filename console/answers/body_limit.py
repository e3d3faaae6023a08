"""A bound on what may be sent: forms are small, and nobody fills the memory of a public page."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.callbacks import CALLBACK_PATH

BODY_MAX: Final = 16 * 1024
"""Bytes of one request (chosen: our largest form is a note of 300 characters). Providers post more, to
addresses of which nothing is read before the address is known to be right."""
POST_MAX: Final = 1024 * 1024
"""Bytes of a provider's post: as many as are read of one (`alerts.channels.posts`)."""


class _TooLong(Exception):
    """The body went on past the limit."""


class BodyLimit:
    """ASGI middleware: a longer body is answered 413, said in its head or found while it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = POST_MAX if scope["path"].startswith(CALLBACK_PATH) else BODY_MAX
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > most:
            await _refuse(scope, receive, send)
            return
        taken, answering = 0, False

        async def receive_counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooLong
            return message

        async def send_noted(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, receive_counted, send_noted)
        except _TooLong:
            if not answering:
                await _refuse(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("too long\n", 413, headers={"Connection": "close"})(scope, receive, send)
