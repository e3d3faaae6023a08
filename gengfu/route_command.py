"""`gengfu route`: who would be told of an alarm of a device, when, by which way, and why not the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from sqlalchemy import Connection

    from alerts.case import Hazard
    from alerts.route_asked import InWindows
    from devices.model import Severity
    from gengfu.config import Config
    from gengfu.route_told import Routed

_LONGEST_MIN = 1440


def route(
    context: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="its uid")],
    severity: Annotated[str, typer.Option("--severity", help="P0+, P0, P1, P2 or P3")] = "P0",
    at: Annotated[str, typer.Option("--at", help="when, ISO 8601 in the site's time; else now")] = "",
    hazard: Annotated[
        str, typer.Option("--hazard", help="fire, electrical or fault; else what it mostly is")
    ] = "",
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=_LONGEST_MIN, help="how far")] = 30,
    drill: Annotated[bool, typer.Option("--drill", help="as an exercise of ours")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Who would be told of an alarm of this device if nobody answered, when and by which way, and why the
    others would not. Sends nothing."""
    from alerts.route_asked import in_windows, incident_of, where_of_device
    from devices.commands.times import instant_us
    from devices.database import reading
    from gengfu.clock import now_us
    from gengfu.database_here import NothingHere, open_here
    from gengfu.route_told import json_lines, text_lines

    grade, danger = _severity(severity), _hazard(hazard)
    settled = configuration(config or context.obj)
    at_us = instant_us(at, settled.site.timezone) if at else now_us()
    try:
        engine = open_here(settled)
    except NothingHere as error:
        raise refuse(error) from None
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        where = where_of_device(connection, device)
        tags = frozenset({"drill"}) if drill else frozenset()
        incident = incident_of(where, grade, at_us, danger, tags)
        found = _routed(connection, settled, device, in_windows(connection, device, incident), minutes)
    for line in json_lines(found) if json else text_lines(found):
        typer.echo(msgspec.json.encode(line).decode() if json else line)


def _routed(connection: Connection, config: Config, uid: str, asked: InWindows, minutes: int) -> Routed:
    from alerts.route import route_of
    from alerts.route_asked import is_registered
    from alerts.whereabouts import Whereabouts, where_of
    from gengfu.policies_here import plans_here
    from gengfu.route_told import Routed
    from gengfu.told_times import site_text

    incident = asked.incident
    found = route_of(
        incident,
        lambda now_us: Whereabouts(connection, now_us).bound(incident),
        for_us=minutes * 60_000_000,
        timezone=config.site.timezone,
        plans=plans_here(config, connection, incident.building_id),
        alarms=asked.alarms,
        silence=asked.silence,
    )
    return Routed(
        uid=uid,
        stranger=not is_registered(connection, uid),
        place=Whereabouts(connection, incident.started_us).place(where_of(incident), (), "en"),
        incident=incident,
        at=site_text(incident.started_us, config.site.timezone),
        route=found,
        window=asked.window,
        until=site_text(asked.window.until_us, config.site.timezone) if asked.window else "",
    )


def _severity(text: str) -> Severity:
    from devices.model import Severity

    if text not in set(Severity):
        raise refuse(f"--severity {text!r}: {', '.join(Severity)} are allowed")
    return Severity(text)


def _hazard(text: str) -> Hazard | None:
    from alerts.case import Hazard

    allowed = (Hazard.FIRE, Hazard.ELECTRICAL, Hazard.FAULT)
    if text and text not in allowed:
        raise refuse(f"--hazard {text!r}: {', '.join(allowed)} are allowed")
    return Hazard(text) if text else None
