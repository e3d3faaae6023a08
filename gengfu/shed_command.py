"""`gengfu device shed`: of which devices points were evaluated and not stored."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import JsonOption, desk_of, instant, looking, print_rows
from devices.commands.device import device_app
from ingest.shed import list_shed


@device_app.command("shed")
def shed(
    context: typer.Context,
    uid: Annotated[str, typer.Argument(help="only this device")] = "",
    json: JsonOption = False,
) -> None:
    """Points that were evaluated and not stored for want of room, by device, most first."""
    desk = desk_of(context)
    with looking(desk) as connection:
        rows = list_shed(connection, uid)
    if json:
        print_rows(rows, json=True)
        return
    if not rows:
        typer.echo("no points were shed")
    for row in rows:
        typer.echo(f"{row.device:<40} {row.points:>12}  {instant(row.first_us)} to {instant(row.last_us)}")
