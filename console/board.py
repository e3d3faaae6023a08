"""The live board: open incidents worst first, standing faults, and the stream that keeps pages true."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from sqlalchemy import Connection, Engine
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from console.access import Right, has, needs
from console.act import actor_of
from console.board_drawn import VERSION_MAX
from console.boards import BOARD_LIMIT, Boards, Fires, siren_of
from console.filter_read import AreaChoice, areas_to_choose
from console.filters import CHOICES, Filter, filter_of
from console.live import STREAM_LIMIT, ChangeFeed, Screen
from console.pages import Pages
from console.positions import POSITION_MAX, Positions
from console.presence import Presence
from console.session import SignedIn, language_of, who_is
from console.watch import Watch, watch_of
from devices.database import reading

__all__ = ["BOARD_LIMIT", "board_routes"]

TOLD_KEPT: Final = 4_096
"""Sealed positions that are kept: pages of one scope are told the same (chosen: some seconds of a storm)."""

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]


def board_routes(pages: Pages, engine: Engine, feed: ChangeFeed, positions: Positions) -> APIRouter:
    """`/`, its fragments `/board` and `/siren`, and the stream `/live`."""
    routes = APIRouter()
    boards = feed.boards = Boards(engine, pages)
    told = lru_cache(TOLD_KEPT)(positions.told)

    def page(request: Request, user: SignedIn, template: str) -> Response:
        chosen = filter_of(request.query_params)
        shown = boards.shown(user, language_of(request), chosen, actor_of(user))
        return pages.render(
            request, template, user, siren=siren_of(shown.untaken), board=Fires(shown.untaken),
            head=shown.head, lines=_with_token(shown.lines, user), tail=shown.tail, version=shown.version,
            newest=positions.told(shown.newest, user.scope), here=0,
            outcome=None, chosen=chosen, areas=partial(_areas, engine, user, chosen), choices=CHOICES,
        )  # fmt: skip

    @routes.get("/")
    def whole(request: Request, user: User) -> Response:
        return page(request, user, "board.html")

    @routes.get("/board")
    def fragment(request: Request, user: User) -> Response:
        return page(request, user, "_board.html")

    @routes.get("/siren")
    def siren(request: Request, user: User, here: Annotated[int, Query(ge=0)] = 0) -> Response:
        untaken = boards.fires(user, language_of(request))
        return pages.render(
            request, "_siren.html", user, here=here, siren=siren_of(untaken), board=Fires(untaken)
        )

    @routes.get("/live")
    async def live(
        request: Request,
        user: User,
        since: Annotated[str, Query(max_length=POSITION_MAX)] = "",
        here: Annotated[int, Query(ge=0)] = 0,
        board: Annotated[str, Query(max_length=VERSION_MAX)] = "",
        last_event_id: Annotated[str, Header(max_length=POSITION_MAX)] = "",
    ) -> Response:
        if feed.streams >= STREAM_LIMIT:
            return PlainTextResponse("too many streams\n", 503)
        seen = positions.heard(last_event_id or since, user.scope)
        session, clock = dict(request.session), request.app.state.settings.clock
        presence: Presence = request.app.state.presence

        def look(connection: Connection) -> Watch | None:
            now = who_is(connection, session, clock())
            return watch_of(connection, now) if now and has(now, Right.SEE_INCIDENTS) else None

        def said(change_id: int) -> str:
            return told(change_id, user.scope)

        screen = Screen(language_of(request), board, filter_of(request.query_params), actor_of(user))
        return StreamingResponse(
            presence.kept(here, user, feed.events(seen, here, look, said, screen)),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    return routes


def _areas(engine: Engine, user: SignedIn, chosen: Filter) -> tuple[AreaChoice, ...]:
    """Asked by the page that shows the choices, not at each change."""
    with reading(engine) as connection:
        return areas_to_choose(connection, user.scope, chosen.area)


def _with_token(lines: str, user: SignedIn) -> str:
    """The lines with this session's token in their forms: they were drawn for all."""
    return lines.replace('name="csrf" value=""', f'name="csrf" value="{user.csrf}"')
