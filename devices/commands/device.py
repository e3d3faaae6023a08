"""`gengfu device`: what hangs where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

import typer

from devices.commands.desk import (
    Desk,
    JsonOption,
    changing,
    desk_of,
    looking,
    now_us,
    pages,
    print_rows,
    say,
)
from devices.commands.device_card import print_card, read_card
from devices.commands.device_channel import channel_app
from devices.commands.where import InArea, InBuilding, InDwelling, InStair, hangs, narrowed, outcome
from devices.registry import devices_listed, installed
from devices.registry.channels import list_channels
from devices.registry.device_checks import DeviceChanges, DeviceSaid
from devices.registry.devices_listed import DeviceRow

device_app = typer.Typer(no_args_is_help=True, help="Devices.")
device_app.add_typer(channel_app, name="channel")

Uid = Annotated[str, typer.Argument(help="<namespace>:<id>, such as zigbee:00124b0000000001")]
Dwelling = Annotated[str | None, typer.Option("--dwelling", help="code of its dwelling")]
Stair = Annotated[str | None, typer.Option("--stair", help="code of its stair, outside dwellings")]
Building = Annotated[
    str | None, typer.Option("--building", help="code of its building, outside stairs and dwellings")
]
Label = Annotated[str | None, typer.Option("--label", help="where it hangs, in words")]
BreakerA = Annotated[float | None, typer.Option("--breaker-a", help="breaker rating, A")]
CableA = Annotated[float | None, typer.Option("--cable-a", help="cable rating, A")]
Insulation = Annotated[str | None, typer.Option("--insulation", help="pvc, rubber, xlpe or unknown")]
Earthing = Annotated[str | None, typer.Option("--earthing", help="tn-c, tn-s, tt or unknown")]
MaxSilence = Annotated[
    int | None, typer.Option("--max-silence", help="seconds it may say nothing; else as it says itself")
]
Vendor = Annotated[str | None, typer.Option("--vendor", help="who made it")]
Model = Annotated[str | None, typer.Option("--model", help="as its maker calls it")]
Serial = Annotated[str | None, typer.Option("--serial", help="as printed on it")]
InstalledOn = Annotated[str | None, typer.Option("--installed-on", help="YYYY-MM-DD")]
InstalledBy = Annotated[str | None, typer.Option("--installed-by", help="the installer's code, not a name")]

CLEARABLE = ("breaker_a", "cable_a", "max_silence_s", "installed_on")
"""What has no empty text to say that it is unknown."""


@dataclass(frozen=True, slots=True)
class _DeviceLine:
    """A device as one line of a table; all that is known of it `show` says."""

    uid: str
    kind: str
    profile: str
    dwelling: str
    stair: str
    building: str
    label: str
    breaker_a: float | None
    retired_us: int | None


@device_app.command("add", hidden=True)
@device_app.command("register")
def register(
    context: typer.Context,
    uid: Uid,
    *,
    kind: Annotated[str, typer.Option("--kind", help="smoke, electrical or other")],
    profile: Annotated[str, typer.Option("--profile", help="how it speaks: a name of `profile list`")],
    dwelling: Dwelling = None,
    stair: Stair = None,
    building: Building = None,
    breaker_a: BreakerA = None,
    cable_a: CableA = None,
    insulation: Insulation = None,
    earthing: Earthing = None,
    max_silence: MaxSilence = None,
    label: Label = None,
    vendor: Vendor = None,
    model: Model = None,
    serial: Serial = None,
    installed_on: InstalledOn = None,
    installed_by: InstalledBy = None,
    json: JsonOption = False,
) -> None:
    """Registers a device in a dwelling, on a stair or in a building outside both; a retired one returns."""
    said = _said(
        label=label, breaker_a=breaker_a, cable_a=cable_a, insulation=insulation, earthing=earthing,
        max_silence_s=max_silence, vendor=vendor, model=model, serial=serial, installed_on=installed_on,
        installed_by=installed_by,
    )  # fmt: skip
    desk = desk_of(context)
    with changing(desk) as connection:
        installed.register_device(
            connection,
            uid=uid,
            kind=kind,
            profile=profile,
            dwelling_code=dwelling,
            stair_code=stair,
            building_code=building,
            by=desk.by,
            now_us=now_us(),
            **cast(DeviceSaid, said),
        )
    say(json, f"device {uid} registered", registered=uid)


@device_app.command("set")
def set_(
    context: typer.Context,
    uid: Uid,
    *,
    kind: Annotated[str | None, typer.Option("--kind", help="smoke, electrical or other")] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="a name of `profile list`")] = None,
    breaker_a: BreakerA = None,
    cable_a: CableA = None,
    insulation: Insulation = None,
    earthing: Earthing = None,
    max_silence: MaxSilence = None,
    label: Label = None,
    vendor: Vendor = None,
    model: Model = None,
    serial: Serial = None,
    installed_on: InstalledOn = None,
    installed_by: InstalledBy = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", help=f"no longer known: {', '.join(CLEARABLE)}; may be repeated"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Describes a device anew; what is not said stays."""
    changes = _said(
        kind=kind, profile=profile, label=label, breaker_a=breaker_a, cable_a=cable_a, insulation=insulation,
        earthing=earthing, max_silence_s=max_silence, vendor=vendor, model=model, serial=serial,
        installed_on=installed_on, installed_by=installed_by,
    )  # fmt: skip
    changes |= _cleared(clear or [], changes)
    if not changes:
        raise typer.BadParameter("say what is to change")
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = installed.set_device(
            connection, uid=uid, by=desk.by, now_us=now_us(), **cast(DeviceChanges, changes)
        )
    say(json, outcome(changed, f"device {uid} set"), set=uid, changed=changed)


def _said(**options: object) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _cleared(names: list[str], said: dict[str, Any]) -> dict[str, None]:
    for name in names:
        if name not in CLEARABLE:
            raise typer.BadParameter(f"--clear {name}: allowed are {', '.join(CLEARABLE)}")
        if name in said:
            raise typer.BadParameter(f"{name} is both said and cleared")
    return dict.fromkeys(names)


@device_app.command("move")
def move(
    context: typer.Context,
    uid: Uid,
    *,
    dwelling: Dwelling = None,
    stair: Stair = None,
    building: Building = None,
    json: JsonOption = False,
) -> None:
    """Hangs a device elsewhere; what was said of it stays."""
    desk = desk_of(context)
    with changing(desk) as connection:
        installed.move_device(
            connection,
            uid=uid,
            dwelling_code=dwelling,
            stair_code=stair,
            building_code=building,
            by=desk.by,
            now_us=now_us(),
        )
        [row] = devices_listed.list_devices(connection, only=uid)
        several = len(list_channels(connection, uid))
    place = hangs(row.dwelling, row.stair, row.building)
    say(
        json,
        f"device {uid} hangs in {place}{_still(row, several)}",
        moved=uid,
        dwelling=dwelling,
        stair=stair,
        building=building,
    )


def _still(row: DeviceRow, channels: int) -> str:
    """A rating of the former circuit makes the overload rules wrong: whoever moves a device must see it."""
    ratings = {"breaker": row.breaker_a, "cable": row.cable_a}
    known = [f"{what} {value:g} A" for what, value in ratings.items() if value is not None]
    known += [f"{channels} channels"] if channels else []
    return f"; still {', '.join(known)}: say otherwise with device set" if known else ""


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
    area: InArea = None,
    building: InBuilding = None,
    stair: InStair = None,
    dwelling: InDwelling = None,
    json: JsonOption = False,
) -> None:
    """Devices in service, or those of a place."""
    within = narrowed(area, building, stair, dwelling)
    rows = pages(
        desk_of(context),
        lambda read, page: devices_listed.list_devices(read, within=within, retired=retired, page=page),
        "uid",
    )
    print_rows(rows if json else map(_line, rows), json=json)


def _line(row: DeviceRow) -> _DeviceLine:
    return _DeviceLine(
        row.uid,
        row.kind,
        row.profile,
        row.dwelling,
        row.stair,
        row.building,
        row.label,
        row.breaker_a,
        row.retired_us,
    )


@device_app.command("show")
def show(
    context: typer.Context,
    uid: Uid,
    history: Annotated[bool, typer.Option("--history", help="where it has been as well")] = False,
    json: JsonOption = False,
) -> None:
    """All that is known of one device: place, circuit, last test, channels, publisher, who installed it."""
    desk: Desk = desk_of(context)
    with looking(desk) as connection:
        card = read_card(connection, uid, desk.exercise_at, history=history)
    print_card(card, json=json)
