"""Open incidents as JSON, for the same session as the pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from sqlalchemy import Engine

from alerts.views import incident_detail, open_incidents
from console.access import Right, needs
from console.board import BOARD_LIMIT
from console.incident import IncidentId
from console.session import SignedIn, language_of
from devices.database import reading

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]


def api_routes(engine: Engine) -> APIRouter:
    """`/api/incidents` and `/api/incidents/{id}`; instants are microseconds since 1970 UTC (`_us`)."""
    routes = APIRouter(prefix="/api")

    @routes.get("/incidents")
    def incidents(
        request: Request, user: User, limit: Annotated[int, Query(ge=1, le=BOARD_LIMIT)] = BOARD_LIMIT
    ) -> list[dict[str, Any]]:
        with reading(engine) as connection:
            found = open_incidents(connection, language_of(request), limit, user.scope)
            return [asdict(one) for one in found]

    @routes.get("/incidents/{incident_id}")
    def one_incident(request: Request, user: User, incident_id: IncidentId) -> dict[str, Any]:
        with reading(engine) as connection:
            detail = incident_detail(connection, incident_id, language_of(request), user.scope)
        if detail is None:
            raise HTTPException(404, "no such incident")
        return asdict(detail)

    return routes
