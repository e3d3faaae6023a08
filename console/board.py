"""The live board: open incidents worst first, standing faults, and the stream that keeps pages true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Header, Query, Request
from sqlalchemy import Engine
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from alerts.views import OpenIncident, count_open, newest_change_id, open_incidents
from console.evidence import evidence_of
from console.faults import Fault, standing_faults
from console.live import STREAM_LIMIT, ChangeFeed
from console.pages import Pages
from console.session import SignedIn, language_of, signed_in, who_is
from console.siren import Siren, read_siren
from devices.database import reading

BOARD_LIMIT: Final = 200
"""Incidents on one board (chosen): beyond it the page says how many more there are."""

User = Annotated[SignedIn, Depends(signed_in)]


@dataclass(frozen=True, slots=True)
class Board:
    """All that the board shows, read in one transaction; `newest` is the change it is true for.

    `more` is how many further incidents are open.
    """

    newest: int
    incidents: list[OpenIncident]
    more: int
    faults: list[Fault]
    siren: Siren
    evidence: Mapping[int, str]


def read_board(engine: Engine, language: str, now_us: int) -> Board:
    """The board as it is at `now_us`."""
    with reading(engine) as connection:
        found = list(open_incidents(connection, language, BOARD_LIMIT))
        return Board(
            newest_change_id(connection),
            found,
            max(count_open(connection) - len(found), 0),
            standing_faults(connection, language, now_us),
            read_siren(connection, found),
            evidence_of(connection, found, language),
        )


def board_routes(pages: Pages, engine: Engine, feed: ChangeFeed) -> APIRouter:
    """`/`, its fragments `/board` and `/siren`, and the stream `/live`."""
    routes = APIRouter()

    def page(request: Request, user: SignedIn, template: str, here: int = 0) -> Response:
        board = read_board(engine, language_of(request), pages.now_us())
        return pages.render(
            request, template, user,
            board=board, siren=board.siren, newest=board.newest, here=here, outcome=None,
        )  # fmt: skip

    @routes.get("/")
    def whole(request: Request, user: User) -> Response:
        return page(request, user, "board.html")

    @routes.get("/board")
    def fragment(request: Request, user: User) -> Response:
        return page(request, user, "_board.html")

    @routes.get("/siren")
    def siren(request: Request, user: User, here: Annotated[int, Query(ge=0)] = 0) -> Response:
        return page(request, user, "_siren.html", here)

    @routes.get("/live")
    async def live(
        request: Request,
        user: User,
        since: Annotated[int | None, Query(ge=0)] = None,
        here: Annotated[int, Query(ge=0)] = 0,
        last_event_id: Annotated[str, Header(max_length=20)] = "",
    ) -> Response:
        if feed.streams >= STREAM_LIMIT:
            return PlainTextResponse("too many streams\n", 503)
        seen = int(last_event_id) if last_event_id.isdecimal() else since
        session = dict(request.session)

        def still_there() -> bool:
            with reading(engine) as connection:
                return who_is(connection, session, request.app.state.settings.clock()) is not None

        async def still_allowed() -> bool:
            return await anyio.to_thread.run_sync(still_there)

        return StreamingResponse(
            feed.events(seen, here, still_allowed),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )

    return routes
