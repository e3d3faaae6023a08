"""`gengfu device`: what hangs where."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, say
from devices.registry import installed

device_app = typer.Typer(no_args_is_help=True, help="Devices.")

Uid = Annotated[str, typer.Argument(help="<namespace>:<id>, such as zigbee:00124b0000000001")]


@device_app.command("add", hidden=True)
@device_app.command("register")
def register(
    context: typer.Context,
    uid: Uid,
    *,
    kind: Annotated[str, typer.Option("--kind", help="smoke, electrical or other")],
    profile: Annotated[str, typer.Option("--profile", help="how it speaks: own or zigbee2mqtt")],
    dwelling: Annotated[str | None, typer.Option("--dwelling", help="code of its dwelling")] = None,
    building: Annotated[
        str | None, typer.Option("--building", help="code of its building, outside dwellings")
    ] = None,
    breaker_a: Annotated[float | None, typer.Option("--breaker-a", help="breaker rating, A")] = None,
    cable_a: Annotated[float | None, typer.Option("--cable-a", help="cable rating, A")] = None,
    insulation: Annotated[str, typer.Option("--insulation", help="pvc, rubber, xlpe or unknown")] = "unknown",
    earthing: Annotated[str, typer.Option("--earthing", help="tn-c, tn-s, tt or unknown")] = "unknown",
    label: Annotated[str, typer.Option("--label", help="where it hangs, in words")] = "",
    json: JsonOption = False,
) -> None:
    """Registers a device in a dwelling, or in a building outside dwellings."""
    desk = desk_of(context)
    with changing(desk) as connection:
        installed.register_device(
            connection,
            uid=uid,
            kind=kind,
            profile=profile,
            dwelling_code=dwelling,
            building_code=building,
            breaker_a=breaker_a,
            cable_a=cable_a,
            insulation=insulation,
            earthing=earthing,
            label=label,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"device {uid} registered", registered=uid)


@device_app.command("retire")
def retire(context: typer.Context, uid: Uid, json: JsonOption = False) -> None:
    """Takes a device out of service; its smoke is then that of an unknown device."""
    desk = desk_of(context)
    with changing(desk) as connection:
        installed.retire_device(connection, uid=uid, by=desk.by, now_us=now_us())
    say(json, f"device {uid} retired", retired=uid)


@device_app.command("list")
def list_(
    context: typer.Context,
    retired: Annotated[bool, typer.Option("--retired", help="retired ones as well")] = False,
    json: JsonOption = False,
) -> None:
    """Devices in service."""
    with looking(desk_of(context)) as connection:
        print_rows(installed.list_devices(connection, retired=retired), json=json)


@device_app.command("show")
def show(context: typer.Context, uid: Uid, json: JsonOption = False) -> None:
    """One device."""
    with looking(desk_of(context)) as connection:
        print_rows(installed.list_devices(connection, only=uid), json=json)
