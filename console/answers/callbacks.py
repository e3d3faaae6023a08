"""What providers post: receipts and replies, into the inbox that the alerts process decides.

Whoever does not know the address gets the answer that every wrong link gets, unread. Whoever does is thanked
as they want to be, whatever they post; only where the database cannot take it they are asked to post again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from fastapi import FastAPI, Request
from sqlalchemy import Engine
from starlette.responses import PlainTextResponse, Response

from alerts.callbacks import CALLBACK_PATH, POSTERS, poster_of
from alerts.receipts_kept import keep_posted, keep_unread
from console.answers.pages import Pages
from console.answers.settings import AnswersSettings
from devices.database import writing
from devices.model import Carrier

log = structlog.get_logger()

_AT_ONCE: Final = 2
"""Posts written at once, on threads of their own: a burst of them keeps no page waiting (chosen)."""
KINDS: Final = ("entries", "unread", "refused", "failed")
"""What is counted: entries kept, entries of no shape we know, posts to addresses that are none of ours, and
posts that the database could not take."""


class Inbox:
    """Takes posts. `counts` are since the start, by `KINDS`."""

    def __init__(self, settings: AnswersSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._threads = ThreadPoolExecutor(_AT_ONCE, "callbacks")
        self.counts = Counter[str](dict.fromkeys(KINDS, 0))

    def whose(self, carrier: str, secret: str) -> Carrier | None:
        """The provider of this address; None, and counted, for every other."""
        found = poster_of(self._settings.callback_key, carrier, secret)
        self.counts["refused"] += found is None
        return found

    async def take(self, carrier: Carrier, body: bytes) -> Response:
        """Keeps what is in the post and thanks for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._take, carrier, body)

    def _take(self, carrier: Carrier, body: bytes) -> Response:
        now_us = self._settings.clock()
        posted = POSTERS[carrier].read(body, now_us)
        try:
            with writing(self._engine) as connection:
                kept = keep_posted(connection, posted, self._settings.find, now_us)
                if posted.unread:
                    keep_unread(connection, carrier, posted.unread, body, now_us)
        except Exception as error:  # it is posted again
            self.counts["failed"] += 1
            log.error("callback_not_kept", carrier=carrier, error=type(error).__name__)
            return PlainTextResponse("not now\n", 503)
        self.counts.update(entries=kept, unread=posted.unread)
        return Response(POSTERS[carrier].thanks, media_type="application/json")


def add_callbacks(app: FastAPI, settings: AnswersSettings, engine: Engine, pages: Pages) -> Inbox:
    """Adds `POST /callback/CARRIER/SECRET` to the public application."""
    inbox = Inbox(settings, engine)

    @app.post(f"{CALLBACK_PATH}{{carrier}}/{{secret}}")
    async def posted(carrier: str, secret: str, request: Request) -> Response:
        found = inbox.whose(carrier, secret)
        if found is None:
            return pages.missing()
        return await inbox.take(found, await request.body())

    return inbox
