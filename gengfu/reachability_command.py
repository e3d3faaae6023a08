"""`gengfu reachability`: who can be reached, and where there is nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from sqlalchemy import Connection

    from alerts.reach import ContactReach, PlaceReach, Report

_SHOWN = 50
"""Lines of each kind without --json (chosen: two screens; the rest is counted)."""


def reachability(
    context: typer.Context,
    place: Annotated[str | None, typer.Option("--place", help="only there: the code of any place")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Contacts and places by how well somebody can be reached, the worst first."""
    from alerts.reach_read import report_now
    from devices.database import reading
    from devices.registry.errors import RegistryError
    from gengfu.clock import now_us
    from gengfu.database_here import NothingHere, open_here
    from gengfu.reach_here import reach_settings

    settled = configuration(config or context.obj)
    try:
        engine = open_here(settled)
    except NothingHere as error:
        raise refuse(error) from None
    context.call_on_close(engine.dispose)
    at_us = now_us()
    try:
        with reading(engine) as connection:
            report = report_now(connection, at_us, reach_settings(settled).uncarried)
            report = _narrowed(connection, report, place) if place else report
    except RegistryError as error:
        raise refuse(error) from None
    say = _say_json if json else _say_text
    say(report, settled.site.timezone, narrowed=place is not None)


def _narrowed(connection: Connection, report: Report, code: str) -> Report:
    """What lies in the place, and whom an alarm there concerns. The counts stay those of the site."""
    from devices.model import PlaceKind
    from devices.registry.within import ids_within
    from gengfu.places_named import concerned, place_named

    place, _ = place_named(connection, code)
    there = {(kind, n) for kind in PlaceKind for n in connection.scalars(ids_within(connection, place, kind))}
    people = concerned(connection, code, report.at_us)
    return replace(
        report,
        places=tuple(one for one in report.places if (one.kind, one.id) in there),
        contacts=tuple(one for one in report.contacts if one.id in people),
    )


def _why(one: ContactReach, timezone: str) -> str:
    from alerts.reach_words import reason_text
    from gengfu.told_times import site_text

    day = site_text(one.why.at_us, timezone)[:10] if one.why.at_us else ""
    return reason_text(one.why, "en", day)


def _say_json(report: Report, timezone: str, *, narrowed: bool) -> None:
    from devices.commands.desk import instant

    counts = {
        "form": "counts",
        "contacts": {reach.word: number for reach, number in sorted(report.contact_counts.items())},
        "places": {reach.word: number for reach, number in sorted(report.place_counts.items())},
    }
    lines: list[dict[str, Any]] = [] if narrowed else [counts]
    for place in report.places:
        facts = {"kind": place.kind, "code": place.code, "reach": place.reach.word, "smoke": place.smoke}
        lines.append({"form": "place", **facts, "people": place.people, "missing": place.missing})
    for one in report.contacts:
        since = instant(one.why.at_us) if one.why.at_us else None
        why = {"why": one.why.word, "since_at": since, "text": _why(one, timezone)}
        way = {"channel": one.why.way.channel_id if one.why.way else None}
        lines.append(
            {"form": "contact", "code": one.code, "reach": one.reach.word, "roles": one.roles, **why, **way}
        )
    for line in lines:
        typer.echo(msgspec.json.encode(line).decode())


def _say_text(report: Report, timezone: str, *, narrowed: bool) -> None:
    from alerts.reach_words import REACHES

    if not narrowed:
        for what, counts in (("places", report.place_counts), ("contacts", report.contact_counts)):
            said = ", ".join(
                f"{counts[reach]} {REACHES[reach][1]}" for reach in sorted(counts) if counts[reach]
            )
            typer.echo(f"{what}: {said or 'none'}")
    _say_lines([_place_line(one) for one in report.places], "places")
    _say_lines([_contact_line(one, timezone) for one in report.contacts], "contacts")
    if not report.places and not report.contacts:
        typer.echo("everybody can be reached")


def _say_lines(lines: list[str], what: str) -> None:
    for line in lines[:_SHOWN]:
        typer.echo(line)
    if len(lines) > _SHOWN:
        typer.echo(f"… and {len(lines) - _SHOWN} more {what}; --place narrows, --json gives all")


def _place_line(one: PlaceReach) -> str:
    from alerts.reach_words import REACHES
    from devices.shortlist import shortlist

    people = f": {shortlist(one.people)}" if one.people else ""
    missing = f"; no {', no '.join(one.missing)} that can be reached" if one.missing else ""
    smoke = " (smoke detector)" if one.smoke else ""
    return f"{one.kind} {one.code}{smoke}: {REACHES[one.reach][1]}{people}{missing}"


def _contact_line(one: ContactReach, timezone: str) -> str:
    from alerts.reach_words import REACHES

    return f"contact {one.code} ({', '.join(one.roles)}): {REACHES[one.reach][1]}: {_why(one, timezone)}"
