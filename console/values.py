"""What the devices of an incident say: the newest values as a fragment of its page, each series as a chart.

The page does not wait for it: a script asks once the page is there. What the store of points cannot say is
said as missing. A store that answers slowly holds up no more threads than `Gate` lets in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from sqlalchemy import Engine
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alerts.views import IncidentDetail, incident_detail
from console.access import Right, needs
from console.chart import chart_of, marks_of
from console.chart_limits import RulesAsked
from console.chart_span import HOURS, Span, span_of
from console.pages import Pages
from console.session import SignedIn, language_of
from console.settings import ConsoleSettings
from console.values_gate import AGAIN_S, Busy, Gate
from console.values_read import cards_of, series_in, series_of
from console.values_told import DEVICES, Shown, devices_in_alarm, shown_devices
from devices.database import reading
from ingest.store.histories import Histories, Newest, Sketch
from ingest.store.history import Outline, Series
from ingest.store.points import Points

log = structlog.get_logger()

User = Annotated[SignedIn, Depends(needs(Right.SEE_INCIDENTS))]
IncidentId = Annotated[int, Path(ge=0, lt=2**63)]
Slot = Annotated[int, Path(ge=1, lt=2**31)]
"""What the databases take for a number."""


def values_routes(pages: Pages, engine: Engine, settings: ConsoleSettings) -> APIRouter:
    """`/incident/{id}/values` and `/incident/{id}/series/{slot}`."""
    routes, gate = APIRouter(), Gate()
    rules = RulesAsked(engine, settings.limits, settings.looks_at)

    @routes.get("/incident/{incident_id}/values")
    def values(request: Request, user: User, incident_id: IncidentId) -> Response:
        language = language_of(request)
        detail = _incident(engine, incident_id, user, language)
        if settings.histories is None:
            return Response("", media_type="text/html")
        try:
            with gate.entered():
                shown, more, lacks = _values(
                    engine, settings.histories, rules, detail, pages.now_us(), language
                )
        except Busy:
            return _busy()
        return pages.render(
            request, "_values.html", user, incident=detail.line, shown=shown, more=more, lacks=lacks
        )

    @routes.get("/incident/{incident_id}/series/{slot}")
    def series(
        request: Request, user: User, incident_id: IncidentId, slot: Slot,
        hours: Annotated[int | None, Query()] = None,
    ) -> Response:  # fmt: skip
        if hours is not None and hours not in HOURS:
            raise HTTPException(422)
        language = language_of(request)
        detail = _incident(engine, incident_id, user, language)
        one = _series(engine, detail, slot)
        if settings.histories is None or one is None:
            raise HTTPException(404)
        opened_us, closed_us = detail.line.opened_us, detail.closed_us
        span = span_of(opened_us, closed_us, pages.now_us(), hours)
        try:
            with gate.entered():
                sketch = _sketch(settings.histories, one, span)
        except Busy:
            return _busy()
        marks = marks_of(detail.alarms, one.device, opened_us, closed_us)
        raised = {alarm.rule for alarm in detail.alarms if alarm.uid == one.device}
        return JSONResponse(chart_of(one, sketch, span, marks, rules.limits(one), raised, language))

    return routes


def _incident(engine: Engine, incident_id: int, user: SignedIn, language: str) -> IncidentDetail:
    """404 for what is not there, and for what this user does not see."""
    with reading(engine) as connection:
        detail = incident_detail(connection, incident_id, language, user.scope)
    if detail is None:
        raise HTTPException(404)
    return detail


def _series(engine: Engine, detail: IncidentDetail, slot: int) -> Series | None:
    with reading(engine) as connection:
        return series_in(connection, slot, {alarm.uid for alarm in detail.alarms if alarm.uid})


def _values(
    engine: Engine,
    histories: Histories,
    rules: RulesAsked,
    detail: IncidentDetail,
    now_us: int,
    language: str,
) -> tuple[list[Shown], int, str]:
    """The devices in alarm with their newest values, how many more there are, and what is missing and why."""
    alarms = devices_in_alarm(detail.alarms)
    uids = list(alarms)[:DEVICES]
    with reading(engine) as connection:
        cards, known = cards_of(connection, uids, language), series_of(connection, uids)
    newest = _newest(histories, [one for uid in uids for one in known.get(uid, ())])
    looks_at = rules.looks_at([alarm.rule for uid in uids for alarm in alarms[uid]])
    devices = [(cards[uid], known.get(uid, ()), alarms[uid]) for uid in uids]
    shown = shown_devices(devices, newest.points, looks_at, now_us, language, lacks=bool(newest.lacks))
    return shown, len(alarms) - len(uids), newest.lacks


def _newest(histories: Histories, many: Sequence[Series]) -> Newest:
    try:
        return histories.latest(many)
    except Exception as error:  # whatever it is: the page says that values are missing
        log.error("values_not_read", error=repr(error))
        return Newest(Points.empty(), type(error).__name__)


def _sketch(histories: Histories, one: Series, span: Span) -> Sketch:
    try:
        return histories.outline(one, span.from_ns, span.to_ns, span.step_ns)
    except Exception as error:
        log.error("chart_not_read", error=repr(error))
        return Sketch(Outline.joined([], span.step_ns), span.to_ns, type(error).__name__)


def _busy() -> Response:
    return PlainTextResponse("busy\n", 503, headers={"Retry-After": str(AGAIN_S)})
