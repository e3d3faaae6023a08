"""`gengfu contact looks`: who saw a contact's name and numbers in clear."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.contact import contact_app
from devices.commands.desk import JsonOption, desk_of, looking, print_rows
from devices.commands.times import HELP, instant_us
from devices.registry.looks import list_looks


@contact_app.command("looks")
def looks(
    context: typer.Context,
    code: Annotated[str | None, typer.Argument(help="the contact's code; all when left out")] = None,
    *,
    since: Annotated[str | None, typer.Option("--since", help=HELP)] = None,
    by: Annotated[str | None, typer.Option("--by", help="only looks of this user of the machine")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="the newest so many")] = 1_000,
    json: JsonOption = False,
) -> None:
    """Who saw personal data in clear, the newest first."""
    desk = desk_of(context)
    since_us = 0 if since is None else instant_us(since, desk.timezone)
    with looking(desk) as connection:
        rows = list_looks(connection, contact_code=code, since_us=since_us, by=by, limit=limit)
    print_rows(rows, json=json)
