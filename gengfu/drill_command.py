"""`gengfu drill`: an exercise. Fire and electrical alarms of a place are told as one, and to no station."""

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

drill_app = typer.Typer(
    no_args_is_help=True, help="Exercises: alarms are told as a drill, and to no station."
)


@drill_app.command("start")
def start(
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
    """Makes an exercise of the alarms there for at most 8 h; what stands at its end is told for real."""
    named = about(area=area, building=building, stair=stair, dwelling=dwelling, device=device)
    begin(context, config, WindowKind.DRILL, named, (from_, until, for_), reason=reason, by=by, json=json)


@drill_app.command("end")
def end(
    context: typer.Context,
    number: IdArgument,
    *,
    reason: ReasonOption,
    by: ByOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Ends a drill now: what still stands is told for real at once."""
    finish(desk_here(context, config), WindowKind.DRILL, number, reason=reason, by=by, json=json)


@drill_app.command("list")
def list_(
    context: typer.Context,
    *,
    history: HistoryOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The drills that are in force or to come."""
    show(context, config, WindowKind.DRILL, history=history, json=json)
