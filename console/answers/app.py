"""The one-tap page and the addresses where providers post: the only part that faces the internet.

A link is for one contact and one incident, that of a summary for one contact and the incidents it told of
(`console.answers.summaries`). Looking changes nothing, so previewers acknowledge nothing; a
button posts an act, which the alerts process judges by role. A link that is wrong, altered or over gets one
and the same answer.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final

import structlog
from fastapi import FastAPI, Form, Request
from sqlalchemy import Connection, Engine, select
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from alerts import schema
from alerts.acts import record_act
from alerts.case import Act
from alerts.links import Link, link_open, read_link
from alerts.views import answer_page
from console.answers.body_limit import BodyLimit
from console.answers.callbacks import add_callbacks
from console.answers.headers import HEADERS, PublicHeaders
from console.answers.outcome import wait_for_outcome
from console.answers.pages import Opened, Pages, Said
from console.answers.settings import AnswersSettings
from console.answers.summaries import Summaries, Tap
from console.answers.words import LANGUAGES
from devices.database import reading, writing
from devices.schema import contact

log = structlog.get_logger()

STATIC: Final = Path(__file__).resolve().parent / "static"
NEEDS_NOTE: Final = frozenset({Act.FEEDBACK, Act.NOTE})


def create_answers(settings: AnswersSettings, engine: Engine) -> FastAPI:
    """The public application on an engine whose tables exist."""
    app = FastAPI(
        title="Gengfu answers", docs_url=None, redoc_url=None, openapi_url=None,
        middleware=[Middleware(PublicHeaders), Middleware(BodyLimit)],
    )  # fmt: skip
    pages = Pages(settings)
    desk = _Desk(settings, engine)
    summaries = Summaries(settings, engine)

    @app.get("/a/{token}")
    def show(token: str, lang: str = "") -> Response:
        if listed := summaries.open(token, lang):
            return pages.listed(listed, token, None)
        opened = desk.open(token, lang)
        return pages.answer(opened, token, None) if opened else pages.missing()

    @app.post("/a/{token}")
    def answer(
        token: str,
        act: Annotated[str, Form(max_length=16)] = "",
        note: Annotated[str, Form(max_length=300)] = "",
        once: Annotated[str, Form(max_length=64)] = "",
        lang: Annotated[str, Form(max_length=8)] = "",
        number: Annotated[int, Form(ge=0, lt=1 << 63)] = 0,
    ) -> Response:
        if listed := summaries.open(token, lang):
            tap = Tap(act, number)
            said = summaries.hand_in(listed, tap, once_key(token, f"{act}/{number}", once))
            return pages.listed(summaries.open(token, lang) or listed, token, said)
        opened = desk.open(token, lang)
        if opened is None:
            return pages.missing()
        said = desk.hand_in(opened, token, act, note.strip(), once)
        after = desk.open(token, lang) or opened
        return pages.answer(after, token, said)

    app.state.inbox = add_callbacks(app, settings, engine, pages)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        with reading(engine) as connection:
            connection.execute(select(1))
        return JSONResponse({"ok": True})

    app.mount("/static", StaticFiles(directory=STATIC))
    _add_refusals(app, pages)
    return app


class _Desk:
    """Reads links and hands in acts."""

    def __init__(self, settings: AnswersSettings, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine

    def open(self, token: str, wanted_language: str) -> Opened | None:
        """What a genuine link that is not over shows now; None for every other."""
        link = read_link(self._settings.link_key, token)
        if link is None:
            return None
        with reading(self._engine) as connection:
            own = connection.scalar(select(contact.c.language).where(contact.c.id == link.contact_id))
            known = wanted_language if wanted_language in LANGUAGES else str(own or "")
            language = known if known in LANGUAGES else self._settings.language
            now_us = self._settings.clock()
            page = answer_page(connection, link.incident_id, link.contact_id, language, now_us)
            answered = _own_answer(connection, link)
        if page is None or not link_open(page.closed_us, now_us):
            return None
        return Opened(link, page, language, answered)

    def hand_in(self, opened: Opened, token: str, act: str, note: str, once: str) -> Said:
        """Hands the act in and waits a moment for its outcome. A form sent twice is one act."""
        if act not in set(Act):
            return Said("unknown")
        if act in NEEDS_NOTE and not note:
            return Said("needs_note", act)
        with writing(self._engine) as connection:
            act_id = record_act(
                connection, once_key(token, act, once), opened.link.incident_id,
                f"contact:{opened.link.contact_id}", opened.page.role, Act(act), note, "link",
                self._settings.clock(),
            )  # fmt: skip
        outcome = wait_for_outcome(self._engine, act_id, opened.language, self._settings.wait_s)
        return Said(outcome.outcome, act, outcome.reason) if outcome else Said("waiting", act)


def _own_answer(connection: Connection, link: Link) -> str:
    a, i = schema.act.c, schema.incident.c
    own = (
        select(a.act)
        .join(schema.incident, a.incident_id == i.id)
        .where(i.id == link.incident_id, a.actor == f"contact:{link.contact_id}", a.at_us > i.started_us)
        .where(a.outcome.in_(("done", "noted")), a.act != Act.NOTE)
        .order_by(a.id.desc())
        .limit(1)
    )
    return str(connection.scalar(own) or "")


def once_key(token: str, act: str, once: str) -> str:
    """The same page and button give the same key, so that a double tap or a retry is one act."""
    return hashlib.blake2b(f"answer\0{token}\0{act}\0{once}".encode(), digest_size=24).hexdigest()


def _add_refusals(app: FastAPI, pages: Pages) -> None:
    @app.exception_handler(HTTPException)
    def refused(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return pages.missing() if status == 404 else PlainTextResponse("not accepted\n", status)

    @app.exception_handler(Exception)
    def broken(_: Request, error: Exception) -> HTMLResponse:
        log.error("answer_page_failed", error=type(error).__name__)
        page = pages.failed()
        page.headers.update(HEADERS)  # this one passes no middleware
        return page
