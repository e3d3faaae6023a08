"""`gengfu device channel`: sensing points of a device whose circuit differs from the device's."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, say
from devices.commands.where import outcome
from devices.registry import channels
from devices.registry.device_checks import ChannelSaid

channel_app = typer.Typer(no_args_is_help=True, help="Channels of devices, where they differ from it.")

Uid = Annotated[str, typer.Argument(help="the device's uid")]
Channel = Annotated[str, typer.Argument(help="the channel as readings name it: l1, ch2, n")]


@channel_app.command("set")
def set_(
    context: typer.Context,
    uid: Uid,
    channel: Channel,
    *,
    label: Annotated[str | None, typer.Option("--label", help="what it feeds, in words")] = None,
    breaker_a: Annotated[float | None, typer.Option("--breaker-a", help="breaker rating, A")] = None,
    cable_a: Annotated[float | None, typer.Option("--cable-a", help="cable rating, A")] = None,
    insulation: Annotated[
        str | None, typer.Option("--insulation", help="pvc, rubber, xlpe; unknown: as the device")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Says how a channel differs; what is never said holds as for the device, and remove forgets all."""
    options = {"label": label, "breaker_a": breaker_a, "cable_a": cable_a, "insulation": insulation}
    said: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = channels.set_channel(
            connection, uid=uid, channel=channel, by=desk.by, now_us=now_us(), **cast(ChannelSaid, said)
        )
    say(json, outcome(changed, f"channel {channel} of {uid} set"), set=uid, channel=channel, changed=changed)


@channel_app.command("remove")
def remove(context: typer.Context, uid: Uid, channel: Channel, json: JsonOption = False) -> None:
    """Forgets what was said of a channel: all holds as for the device again."""
    desk = desk_of(context)
    with changing(desk) as connection:
        channels.remove_channel(connection, uid=uid, channel=channel, by=desk.by, now_us=now_us())
    say(json, f"channel {channel} of {uid} removed", removed=uid, channel=channel)


@channel_app.command("list")
def list_(context: typer.Context, uid: Uid, json: JsonOption = False) -> None:
    """The channels of a device of which something was said."""
    with looking(desk_of(context)) as connection:
        rows = channels.list_channels(connection, uid)
    print_rows(rows, json=json)
