"""The page of one incident, and what its buttons do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, HTTPException, Path, Request
from sqlalchemy import Engine
from starlette.responses import Response

from alerts.effects import DISPOSITIONS
from alerts.views import IncidentDetail, incident_detail, newest_change_id, open_incidents
from console.access import Right, needs
from console.act import Posted, acts_for, hand_in, posted
from console.board import BOARD_LIMIT
from console.evidence import evidence_of
from console.key_words import ENDING
from console.merging import merging_of
from console.pages import Pages
from console.positions import Positions
from console.presence import Presence, others_at
from console.session import SignedIn, language_of
from console.settings import Off
from console.siren import read_siren
from devices.database import reading

log = structlog.get_logger()

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]
Actor = Annotated[SignedIn, Depends(needs(Right.ACT))]
IncidentId = Annotated[int, Path(ge=0, lt=2**63)]
"""What the databases take for a number."""
ActForm = Annotated[Posted, Depends(posted)]


def incident_routes(pages: Pages, engine: Engine, positions: Positions) -> APIRouter:
    """`/incident/{id}`, its fragment, and `/incident/{id}/act`."""
    routes = APIRouter()

    def page(request: Request, user: SignedIn, incident_id: int, template: str, outcome: object) -> Response:
        language = language_of(request)
        presence: Presence = request.app.state.presence
        with reading(engine) as connection:
            detail = incident_detail(connection, incident_id, language, user.scope)
            if detail is None:
                raise HTTPException(404)
            acts = acts_for(connection, incident_id, user, language, pages.now_us())
            newest = positions.told(newest_change_id(connection), user.scope)
            evidence = evidence_of(connection, [detail.line], language)[incident_id]
            merging = merging_of(connection, detail, user, language)
            looking = others_at(connection, presence.at(incident_id), incident_id, user.login)
            siren = read_siren(connection, open_incidents(connection, language, BOARD_LIMIT, user.scope))
        off = _off(request.app.state.settings.off, engine, detail, language)
        return pages.render(
            request, template, user, ending=ENDING, looking=looking,
            detail=detail, incident=detail.line, acts=acts, dispositions=DISPOSITIONS,
            evidence=evidence, outcome=outcome, about=incident_id, off=off,
            newest=newest, here=incident_id, siren=siren, merging=merging,
        )  # fmt: skip

    @routes.get("/incident/{incident_id}")
    def whole(request: Request, user: User, incident_id: IncidentId) -> Response:
        return page(request, user, incident_id, "incident.html", None)

    @routes.get("/incident/{incident_id}/fragment")
    def fragment(request: Request, user: User, incident_id: IncidentId) -> Response:
        return page(request, user, incident_id, "_incident_fragment.html", None)

    @routes.post("/incident/{incident_id}/act")
    def act(request: Request, user: Actor, incident_id: IncidentId, form: ActForm) -> Response:
        settings = request.app.state.settings
        language = language_of(request)
        outcome = hand_in(
            engine, incident_id, request.session, form, settings.clock(), language, settings.wait_s,
            positions.heard(form.seen, user.scope),
        )  # fmt: skip
        if request.headers.get("HX-Request"):
            newest = positions.told(outcome.newest_id, user.scope)
            return pages.render(
                request, "_notice.html", user, outcome=outcome, about=incident_id, newest=newest, swapped=True
            )
        return page(request, user, incident_id, "incident.html", outcome)

    return routes


def _off(off: Off, engine: Engine, detail: IncidentDetail, language: str) -> Mapping[tuple[str, str], str]:
    """Why rules of alarms that stand are off, by rule and subject. The page goes without where that cannot be
    worked out."""
    standing = [alarm for alarm in detail.alarms if alarm.cleared_us is None]
    if not standing or detail.closed_us:
        return {}
    try:
        with reading(engine) as connection:
            return {key: why.said_in(language) for key, why in off(connection, standing).items()}
    except Exception as error:
        log.error("rules_not_asked", error=type(error).__name__)
        return {}
