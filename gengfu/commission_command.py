"""`gengfu device commission`: an installer tests one device, and the duty desk alone is told."""

from __future__ import annotations

from typing import Annotated

import typer

from alerts.windows import WindowKind
from alerts.windows_kept import commissioning_of
from devices.commands.desk import JsonOption, desk_of, looking, now_us
from devices.commands.device import device_app
from gengfu.window_options import ByOption, finish, put

_MINUTE_US = 60_000_000


@device_app.command("commission")
def commission(
    context: typer.Context,
    uid: Annotated[str, typer.Argument(help="of the device")],
    *,
    minutes: Annotated[int, typer.Option("--minutes", min=1, help="how long, at most 30")] = 15,
    end: Annotated[bool, typer.Option("--end", help="ends it now")] = False,
    reason: Annotated[str, typer.Option("--reason", help="why; it stays on record")] = "commissioning",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Its alarms are told to the duty desk alone for a while; what stands at the end is told for real."""
    desk, now = desk_of(context), now_us()
    kind = WindowKind.COMMISSIONING
    if not end:
        until_us = now + minutes * _MINUTE_US
        put(desk, kind, ("device", uid), now, until_us, reason=reason, by=by, now=now, json=json)
        return
    with looking(desk) as connection:
        number = commissioning_of(connection, uid, now)
    finish(desk, kind, number, reason=reason, by=by, json=json)
