"""`gengfu silence`: P1 to P3 of a place or a device are told later, when it ends and they still stand."""

from __future__ import annotations

import typer

from alerts.windows import WindowKind
from gengfu.cli import ConfigOption, JsonOption
from gengfu.window_options import (
    AreaOption,
    BuildingOption,
    ByOption,
    DeviceOption,
    DwellingOption,
    ForOption,
    FromOption,
    HistoryOption,
    IdArgument,
    ReasonOption,
    StairOption,
    UntilOption,
    about,
    begin,
    desk_here,
    finish,
    show,
)

silence_app = typer.Typer(
    no_args_is_help=True, help="What is less than a fire is told later, for a while; fires never."
)


@silence_app.command("add")
def add(
    context: typer.Context,
    *,
    reason: ReasonOption,
    area: AreaOption = None,
    building: BuildingOption = None,
    stair: StairOption = None,
    dwelling: DwellingOption = None,
    device: DeviceOption = None,
    from_: FromOption = None,
    until: UntilOption = None,
    for_: ForOption = None,
    by: ByOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Puts P1 to P3 there off to its end, at most 7 days; P0 is told as ever."""
    named = about(area=area, building=building, stair=stair, dwelling=dwelling, device=device)
    begin(context, config, WindowKind.SILENCE, named, (from_, until, for_), reason=reason, by=by, json=json)


@silence_app.command("end")
def end(
    context: typer.Context,
    number: IdArgument,
    *,
    reason: ReasonOption,
    by: ByOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Ends a silence now: what still stands is told at once."""
    finish(desk_here(context, config), WindowKind.SILENCE, number, reason=reason, by=by, json=json)


@silence_app.command("list")
def list_(
    context: typer.Context,
    *,
    history: HistoryOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The silences that are in force or to come."""
    show(context, config, WindowKind.SILENCE, history=history, json=json)
