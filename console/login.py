"""Logging in and out."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Form, Request
from sqlalchemy import Engine
from starlette.responses import RedirectResponse, Response

from console import session
from console.limiter import LoginLimiter
from console.live import ChangeFeed
from console.pages import Pages
from devices.database import reading, writing
from devices.registry.sessions import end_session
from devices.registry.users import UserRow, verify_password

log = structlog.get_logger()

PARALLEL_CHECKS = 2
"""Argon2 takes 64 MiB and about 50 ms of a core each: more at once would starve the pages (chosen)."""


class Refusal(StrEnum):
    """Why a login is refused, as the key of the words for it."""

    WRONG = "login.wrong"
    WAIT = "login.wait"


def inner_path(wanted: str) -> str:
    """`wanted` when it is a path of our own, else the board: a login never sends a reader elsewhere."""
    parts = urlsplit(wanted)
    own = not parts.scheme and not parts.netloc and wanted.startswith("/") and "\\" not in wanted
    return wanted if own and not wanted.startswith(("//", "/login")) else "/"


class Door:
    """Checks passwords, at most PARALLEL_CHECKS at once and no more often than the limiter allows, and begins
    sessions."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limiter = LoginLimiter()
        self._checks = asyncio.Semaphore(PARALLEL_CHECKS)

    async def enter(self, login: str, password: str, address: str, now_us: int) -> UserRow | Refusal:
        """The user, or why not. An unknown login and a wrong password are one answer."""
        if not self._limiter.allows(login, address, now_us):
            return Refusal.WAIT
        self._limiter.failed(login, address, now_us)
        async with self._checks:
            user = await asyncio.to_thread(self._verify, login, password)
        if user is None:
            return Refusal.WRONG
        self._limiter.succeeded(login, address)
        return user

    def begin(self, cookie: dict[str, Any], login: str, now_us: int) -> None:
        """Writes the session of a user who was let in, and puts it into their cookie."""
        with writing(self._engine) as connection:
            session.begin(connection, cookie, login, now_us)

    def _verify(self, login: str, password: str) -> UserRow | None:
        with reading(self._engine) as connection:
            return verify_password(connection, login=login, password=password)


def login_routes(pages: Pages, engine: Engine, feed: ChangeFeed) -> APIRouter:
    """`/login` and `/logout`; `feed` ends the streams of a session that has ended."""
    routes = APIRouter()
    door = Door(engine)

    def form(request: Request, problem: str, onward: str, status: int) -> Response:
        csrf = session.csrf_before_login(request.session)
        return pages.render(
            request, "login.html", None, status, csrf=csrf, problem=problem, onward=inner_path(onward)
        )

    @routes.get("/login")
    def show(request: Request, onward: str = "/") -> Response:
        return form(request, "", onward, 200)

    @routes.post("/login")
    async def enter(
        request: Request,
        login: Annotated[str, Form(max_length=64)] = "",
        password: Annotated[str, Form(max_length=1024)] = "",
        csrf: Annotated[str, Form(max_length=100)] = "",
        onward: Annotated[str, Form(max_length=300)] = "/",
    ) -> Response:
        if not session.csrf_matches(request.session, csrf):
            return form(request, "login.stale", onward, 403)
        now_us = request.app.state.settings.clock()
        address = request.client.host if request.client else ""
        user = await door.enter(login, password, address, now_us)
        if isinstance(user, Refusal):
            log.warning("login_refused", why=user.name)
            return form(request, user.value, onward, 429 if user is Refusal.WAIT else 401)
        await asyncio.to_thread(door.begin, request.session, user.login, now_us)
        return RedirectResponse(inner_path(onward), 303)

    @routes.post("/logout")
    def leave(request: Request, csrf: Annotated[str, Form(max_length=100)] = "") -> Response:
        if not session.csrf_matches(request.session, csrf):
            raise session.ForgedPost
        with writing(engine) as connection:
            end_session(connection, str(request.session.get("id", "")))
        request.session.clear()
        feed.look_again()
        return RedirectResponse("/login", 303)

    return routes
