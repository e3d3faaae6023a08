"""What happened before at an incident's place and is open in its building: a fragment of its page.

The page does not wait for it: a script asks once the page is there.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from sqlalchemy import Engine
from starlette.responses import Response

from alerts.past_view import FALSE_DAYS, FalseAlarms, past_of
from console.access import Right, needs
from console.pages import Pages
from console.session import SignedIn, language_of
from console.words import say
from devices.database import reading

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]
IncidentId = Annotated[int, Path(ge=0, lt=2**63)]
"""What the databases take for a number."""


def past_routes(pages: Pages, engine: Engine) -> APIRouter:
    """`/incident/{id}/past`."""
    routes = APIRouter()

    @routes.get("/incident/{incident_id}/past")
    def past(request: Request, user: User, incident_id: IncidentId) -> Response:
        language = language_of(request)
        with reading(engine) as connection:
            found = past_of(connection, incident_id, language, pages.now_us(), user.scope)
        if found is None:
            raise HTTPException(404)
        summed = false_words(found.false_alarms, language)
        return pages.render(request, "_past.html", user, past=found, summed=summed)

    return routes


def false_words(false_alarms: FalseAlarms, language: str) -> str:
    """`3 false alarms here in 90 days, all: cooking`; empty where there were none."""
    if not false_alarms.count:
        return ""
    said = say(language, "past.false" if false_alarms.count > 1 else "past.false_one")
    counted = said.format(count=false_alarms.count, days=FALSE_DAYS)
    reasons = [*false_alarms.causes]
    reasons += [(say(language, f"disposition.{one}"), n) for one, n in false_alarms.dispositions if one]
    if not reasons:
        return counted
    if len(reasons) == 1 and reasons[0][1] == false_alarms.count > 1:
        return say(language, "past.all").format(said=counted, cause=reasons[0][0])
    between = "、" if language == "zh-CN" else ", "
    listed = between.join(f"{cause} {n}" if n > 1 else cause for cause, n in reasons)
    return f"{counted}：{listed}" if language == "zh-CN" else f"{counted}: {listed}"
