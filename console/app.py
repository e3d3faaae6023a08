"""The console as an application: pages, live stream and JSON, put together from its parts.

Errors:
* NotSetUp: the front-end libraries are missing; the text says how to fetch them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from console.answers.body_limit import BodyLimit
from console.api import api_routes
from console.board import board_routes
from console.frontend.setup import missing_files
from console.headers import HEADERS, NO_STORE, SecurityHeaders
from console.incident import incident_routes
from console.language import KeepLanguage
from console.live import ChangeFeed
from console.login import login_routes
from console.pages import HERE, Pages
from console.session import ForgedPost, NotSignedIn
from console.settings import SESSION_S, ConsoleSettings
from console.siren import siren_wav

log = structlog.get_logger()


class NotSetUp(Exception):
    """The front-end libraries are missing; the text says how to fetch them."""


def create_console(settings: ConsoleSettings, engine: Engine) -> FastAPI:
    """The operators' application on an engine whose tables exist. Raises NotSetUp.

    `app.state.feed` is the live feed: whoever serves the app closes it when it begins to stop
    (`console.serving` does), so that open streams do not hold up the end.
    """
    absent = missing_files()
    if absent:
        raise NotSetUp(f"{', '.join(absent)} missing: run `python -m console.frontend.setup` once")
    feed = ChangeFeed(engine, settings.poll_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        feed.start()
        try:
            yield
        finally:
            feed.close()

    app = FastAPI(
        title="Gengfu", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None,
        middleware=_middleware(settings),
    )  # fmt: skip
    app.state.settings, app.state.engine, app.state.feed = settings, engine, feed
    pages = Pages(settings)
    for routes in (
        login_routes(pages, engine),
        board_routes(pages, engine, feed),
        incident_routes(pages, engine),
        api_routes(engine),
    ):
        app.include_router(routes)
    _add_files(app)
    _add_health(app, feed)
    _add_refusals(app, pages)
    return app


def _middleware(settings: ConsoleSettings) -> list[Middleware]:
    return [
        Middleware(SecurityHeaders),
        Middleware(BodyLimit),
        Middleware(
            SessionMiddleware,
            secret_key=settings.session_key.hex(),
            session_cookie="gengfu_session",
            max_age=SESSION_S,
            same_site="strict",
            https_only=settings.https_only,
        ),
        Middleware(KeepLanguage),
    ]


def _add_files(app: FastAPI) -> None:
    sound = siren_wav()

    @app.get("/sound/alarm.wav")
    def alarm_sound() -> Response:
        return Response(sound, media_type="audio/wav", headers={"Cache-Control": "max-age=86400"})

    app.mount("/static", StaticFiles(directory=HERE / "static"))


def _add_health(app: FastAPI, feed: ChangeFeed) -> None:
    @app.get("/healthz")
    def healthz() -> JSONResponse:
        ok = feed.is_fresh and not feed.closed
        return JSONResponse({"ok": ok, "streams": feed.streams}, 200 if ok else 503)


def _add_refusals(app: FastAPI, pages: Pages) -> None:
    """How refusals look: a login page for readers, a bare 401 for fragments and JSON, words for the rest."""

    @app.exception_handler(NotSignedIn)
    def to_login(request: Request, _: Exception) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": "log in first"}, 401)
        if request.headers.get("HX-Request") or request.url.path == "/live" or request.method != "GET":
            return PlainTextResponse("log in first\n", 401)
        return RedirectResponse(f"/login?onward={quote(request.url.path)}", 303)

    @app.exception_handler(ForgedPost)
    def forged(request: Request, _: Exception) -> Response:
        return pages.render(request, "plain.html", None, 403, message="act.stale")

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": str(getattr(error, "detail", ""))}, status)
        message = "missing.page" if status == 404 else "fault.page"
        return pages.render(request, "plain.html", None, status, message=message)

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        log.error("page_failed", path=request.url.path, error=repr(error))
        page = pages.render(request, "plain.html", None, 500, message="fault.page")
        page.headers.update(HEADERS | {"Cache-Control": NO_STORE})  # this one passes no middleware
        return page
