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

from console.access import Forbidden
from console.answers.body_limit import BodyLimit
from console.api import api_routes
from console.board import board_routes
from console.comfort import KeepComfort
from console.facade_routes import picture_routes
from console.frontend.setup import missing_files
from console.headers import HEADERS, NO_STORE, SecurityHeaders
from console.incident import incident_routes
from console.language import KeepLanguage
from console.live import ChangeFeed
from console.login import login_routes
from console.pages import HERE, Pages
from console.past import past_routes
from console.people import people_routes
from console.positions import Positions
from console.presence import Presence
from console.session import ForgedPost, NotSignedIn, SignedIn, language_of
from console.settings import SESSION_S, ConsoleSettings
from console.siren import siren_wav
from console.values import values_routes
from console.words import say

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
    app.state.presence = Presence()
    pages, positions = Pages(settings), Positions(settings.session_key)
    for routes in (
        login_routes(pages, engine, feed),
        board_routes(pages, engine, feed, positions),
        incident_routes(pages, engine, positions),
        values_routes(pages, engine, settings),
        people_routes(pages, engine, settings),
        past_routes(pages, engine),
        picture_routes(pages, engine, positions, settings),
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
        Middleware(KeepComfort),
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

    @app.exception_handler(Forbidden)
    def forbidden(request: Request, error: Exception) -> Response:
        user = error.user if isinstance(error, Forbidden) else None
        return _refusal(pages, request, 403, "forbidden.page", "not for this role", user)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        message = "missing.page" if status == 404 else "fault.page"
        return _refusal(pages, request, status, message, str(getattr(error, "detail", "")))

    @app.exception_handler(Exception)
    def broken(request: Request, error: Exception) -> Response:
        log.error("page_failed", path=request.url.path, error=repr(error))
        page = pages.render(request, "plain.html", None, 500, message="fault.page")
        page.headers.update(HEADERS | {"Cache-Control": NO_STORE})  # this one passes no middleware
        return page


def _refusal(
    pages: Pages, request: Request, status: int, message: str, detail: str, user: SignedIn | None = None
) -> Response:
    """One refusal for all who ask: JSON for integrators, a line for a part of a page, else a page."""
    if request.url.path.startswith("/api/"):
        return JSONResponse({"detail": detail}, status)
    if request.headers.get("HX-Request") or request.url.path == "/live":
        return PlainTextResponse(say(language_of(request), message), status)
    return pages.render(request, "plain.html", user, status, message=message)
