"""`gengfu contact looks`: who saw a contact's name and numbers in clear."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from devices.commands.contact import contact_app
from devices.commands.desk import JsonOption, desk_of, looking, print_rows
from devices.registry.looks import list_looks


@contact_app.command("looks")
def looks(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="the contact's code; all when left out")] = None,
    *,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="in the site's zone"),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="only looks of this user of the machine")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="the newest so many")] = 1_000,
    json: JsonOption = False,
) -> None:
    """Who saw personal data in clear, the newest first."""
    desk = desk_of(context)
    since_us = 0 if since is None else _us(since, desk.timezone)
    with looking(desk) as connection:
        rows = list_looks(connection, contact_code=code, since_us=since_us, by=by, limit=limit)
    print_rows(rows, json=json)


def _us(local: datetime, timezone: str) -> int:
    return int(local.replace(tzinfo=ZoneInfo(timezone)).timestamp()) * 1_000_000
