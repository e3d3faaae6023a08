"""`gengfu report daily` and `weekly`: what the reports of the day and of the week say, of the whole site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from datetime import tzinfo
    from pathlib import Path

    from sqlalchemy import Engine

    from alerts.digest import Digest, Upkeep
    from alerts.weekly import Weekly
    from gengfu.config import Config

report_app = typer.Typer(no_args_is_help=True, help="What the reports of the day and the week say.")
_DAY_US: Final = 24 * 3600 * 1_000_000
_SHOWN: Final = 50
"""Lines without --json (chosen: two screens; the rest is counted)."""


@report_app.command("daily")
def report_daily(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """P3 that is open, new and ended in the last 24 hours, by building, the oldest first."""
    from alerts.digest_read import digest_since
    from devices.database import reading
    from gengfu.clock import now_us
    from gengfu.digest_here import digest_settings

    settled, engine = _opened(context, config)
    at_us = now_us()
    with reading(engine) as connection:
        digest = digest_since(connection, at_us - _DAY_US, at_us)
    if json:
        _say(_daily_objects(digest))
    else:
        _say_daily(digest, digest_settings(settled).zone)


@report_app.command("weekly")
def report_weekly(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """The last seven days: incidents, how soon somebody had them in hand, false alarms, what is silent."""
    from alerts.weekly_read import week_of
    from devices.database import reading
    from gengfu.clock import now_us
    from gengfu.digest_here import digest_settings

    settled, engine = _opened(context, config)
    settings, at_us = digest_settings(settled), now_us()
    with reading(engine) as connection:
        week = week_of(connection, at_us - 7 * _DAY_US, at_us, settings.uncarried)
    if json:
        _say([_weekly_object(week)])
    else:
        _say_weekly(week, settings.zone)


def _opened(context: typer.Context, config: Path | None) -> tuple[Config, Engine]:
    from gengfu.database_here import NothingHere, open_here

    settled = configuration(config or context.obj)
    try:
        engine = open_here(settled)
    except NothingHere as error:
        raise refuse(error) from None
    context.call_on_close(engine.dispose)
    return settled, engine


def _say(objects: list[dict[str, Any]]) -> None:
    for one in objects:
        typer.echo(msgspec.json.encode(one).decode())


def _daily_objects(digest: Digest) -> list[dict[str, Any]]:
    from gengfu.told_times import utc_text

    numbers = {name: len(getattr(digest, name)) for name in ("standing", "new", "recovered", "ended")}
    since = {"since_at": utc_text(digest.since_us), "until_at": utc_text(digest.until_us)}
    return [{"form": "counts", **numbers, **since}, *(_upkeep_object(digest, one) for one in digest.found)]


def _upkeep_object(digest: Digest, one: Upkeep) -> dict[str, Any]:
    from gengfu.told_times import utc_or_none, utc_text

    state = "ended" if one.closed_us is not None else "standing" if one.stands else "recovered"
    return {
        "form": "incident",
        "incident": one.incident_id,
        "state": state,
        "new": digest.is_new(one),
        "building": one.building,
        "place": one.place,
        "what": one.what[1],
        "devices": one.devices,
        "opened_at": utc_text(one.opened_us),
        "closed_at": utc_or_none(one.closed_us),
    }


def _say_daily(digest: Digest, zone: tzinfo) -> None:
    from alerts.digest import by_building, digest_counts, local_day

    typer.echo(digest_counts(digest, "en", zone))
    standing = digest.standing
    for building, lines in by_building(standing[:_SHOWN]).items():
        typer.echo(f"{building or 'place unknown'}:")
        for one in lines:
            new = ", new" if digest.is_new(one) else ""
            day = local_day(one.opened_us, zone)
            typer.echo(f"  {one.place}: {one.what[1]} since {day} (incident {one.incident_id}{new})")
    if len(standing) > _SHOWN:
        typer.echo(f"… and {len(standing) - _SHOWN} more; --json gives all")


def _weekly_object(week: Weekly) -> dict[str, Any]:
    from gengfu.told_times import utc_text

    return {
        "form": "week",
        "since_at": utc_text(week.since_us),
        "until_at": utc_text(week.until_us),
        "incidents": week.counts,
        "in_hand": {
            name: {"count": one.number, "taken": one.taken, "half_s": one.half_s, "longest_s": one.longest_s}
            for name, one in week.held.items()
        },
        "alarms": dict(week.rules),
        "false_alarms": dict(week.causes),
        "silent_devices": week.silent,
        "dark_places": week.dark,
        "unreachable_dwellings": week.homes,
        "other_unreachable_places": week.places,
        "recovered": week.recovered,
    }


def _say_weekly(week: Weekly, zone: tzinfo) -> None:
    from alerts.digest import local_day
    from alerts.weekly import counts_said, weekly_lines

    days = f"{local_day(week.since_us, zone)} to {local_day(week.until_us, zone)}"
    for line in (f"{days}: {counts_said(week, 'en')}", *weekly_lines(week, "en", _SHOWN)):
        typer.echo(line)
