"""Who belongs to an incident's place: a fragment of its page, and one number at a time on request.

The page does not wait for it: a script asks once the page is there. A number is in the answer to one POST
and nowhere else: no page holds it before, no answer with it is stored, and it goes from the page after
GONE_S. Without scripts the answer is a page of its own, which leaves by itself after as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from sqlalchemy import Connection, Engine
from starlette.responses import Response

from alerts.views import incident_detail
from console.access import Right, needs
from console.headers import NO_STORE
from console.pages import Pages
from console.people_bound import Person, concerned_by, people_of
from console.people_looks import TOO_MANY, NotShown, look_at
from console.people_seam import Seam, Unopened
from console.session import ForgedPost, SignedIn, csrf_given, csrf_matches, language_of
from console.settings import ConsoleSettings
from devices.database import reading

log = structlog.get_logger()

GONE_S: Final = 60
"""How long a number stays on the page (chosen: to dial it by hand)."""
User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]
Caller = Annotated[SignedIn, Depends(needs(Right.SEE_NUMBERS))]
IncidentId = Annotated[int, Path(ge=0, lt=2**63)]
ChannelId = Annotated[int, Path(ge=1, lt=2**31)]
"""What the databases take for a number."""


def people_routes(pages: Pages, engine: Engine, settings: ConsoleSettings) -> APIRouter:
    """`/incident/{id}/people`, and `/incident/{id}/number/{channel}` for POST."""
    routes = APIRouter()

    @routes.get("/incident/{incident_id}/people")
    def people(request: Request, user: User, incident_id: IncidentId) -> Response:
        language, now_us = language_of(request), pages.now_us()
        with reading(engine) as connection:
            detail = incident_detail(connection, incident_id, language, user.scope)
            if detail is None:
                raise HTTPException(404)
            about = concerned_by(connection, incident_id, now_us)
            listed = people_of(about, detail.messages, now_us) if about else ()
            names, opens = _names(connection, settings.seam, listed)
        return pages.render(
            request, "_people.html", user,
            incident=detail.line, people=listed, names=names, opens=opens, is_known=about is not None,
        )  # fmt: skip

    @routes.post("/incident/{incident_id}/number/{channel}")
    def number(
        request: Request, user: Caller, incident_id: IncidentId, channel: ChannelId,
        csrf: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:  # fmt: skip
        if not csrf_matches(request.session, csrf_given(request, csrf)):
            raise ForgedPost
        shown, why = None, ""
        try:
            shown = look_at(engine, settings.seam, incident_id, channel, request.session, pages.now_us())
        except NotShown as error:
            why = str(error)
        is_part = bool(request.headers.get("HX-Request"))
        answer = pages.render(
            request, "_people_number.html" if is_part else "_people_number_page.html", user, _status(why),
            number=shown, why=why, gone_s=GONE_S, about=incident_id,
        )  # fmt: skip
        answer.headers["Cache-Control"] = NO_STORE
        if not is_part:
            answer.headers["Refresh"] = f"{GONE_S}; url=/incident/{incident_id}"
        return answer

    return routes


def _names(connection: Connection, seam: Seam, people: tuple[Person, ...]) -> tuple[Mapping[int, str], bool]:
    """Masked names by contact id, and whether anything can be opened at all."""
    try:
        return seam.names_of(connection, {one.contact_id for one in people}), True
    except Unopened as error:
        log.error("names_not_opened", error=str(error))
        return {}, False


def _status(why: str) -> int:
    """Of an answer: with a number, too many asked for, or none now."""
    if not why:
        return 200
    return 429 if why == TOO_MANY else 409
