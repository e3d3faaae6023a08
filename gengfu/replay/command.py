"""`gengfu replay FILE`: what the rules would have said of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse
from gengfu.database_here import NothingHere
from gengfu.replay.reading import RecordingError
from gengfu.replay.running import Asked, Replay
from gengfu.replay.told import readable
from gengfu.replay.used import used_line
from rules.catalogue import CatalogueError
from rules.overrides import OverrideError

FileArgument = Annotated[Path | None, typer.Argument(help="CSV or JSON lines, also .gz; see docs/rules.md")]
StoreOption = Annotated[bool, typer.Option("--store", help="points of the series store instead of a file")]
FromOption = Annotated[str, typer.Option("--from", help="of the store: from this time on")]
UntilOption = Annotated[str, typer.Option("--until", help="of the store: to before this time")]
DeviceOption = Annotated[
    list[str] | None, typer.Option("--device", help="of the store: only this device; repeatable")
]
RulesOption = Annotated[
    Path | None, typer.Option("--rules", help="a rule file over the shipped ones; else the site's own")
]
OverrideOption = Annotated[
    Path | None,
    typer.Option("--override", help="a TOML file of overrides (docs/rules.md); else those on record"),
]
ShippedOption = Annotated[bool, typer.Option("--shipped", help="without the site's own rules and overrides")]
CircuitsOption = Annotated[
    Path | None, typer.Option("--circuits", help="ratings and places of devices, CSV or TOML")
]
RegistryOption = Annotated[
    bool, typer.Option("--registry", help="take ratings and places from the registry as well")
]
EventsOption = Annotated[Path | None, typer.Option("--events", help="device and at of what really happened")]
TickOption = Annotated[
    float, typer.Option("--seconds-per-tick", min=0.001, max=60, help="readings taken at once")
]
GapOption = Annotated[
    float, typer.Option("--longest-gap", min=1, help="seconds unheard that still count as observed")
]


def replay(
    context: typer.Context,
    file: FileArgument = None,
    *,
    store: StoreOption = False,
    begin: FromOption = "",
    until: UntilOption = "",
    device: DeviceOption = None,
    rules: RulesOption = None,
    override: OverrideOption = None,
    shipped: ShippedOption = False,
    circuits: CircuitsOption = None,
    registry: RegistryOption = False,
    events: EventsOption = None,
    tick_s: TickOption = 1.0,
    gap_s: GapOption = 3600.0,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Recorded readings through the rules in virtual time: a JSON line for each transition, and a summary."""
    asked = Asked(
        file=file, store=store, begin=begin, until=until, devices=tuple(device or ()), rules=rules,
        override=override, shipped=shipped, circuits=circuits, registry=registry, events=events,
        tick_s=tick_s, gap_s=gap_s,
    )  # fmt: skip
    if wrong := asked.wrong_usage():
        raise typer.BadParameter(wrong)
    settled = configuration(config or context.obj)
    try:
        figures = _print_lines(Replay(asked, settled))
    except (RecordingError, CatalogueError, OverrideError, NothingHere) as error:
        raise refuse(error) from None
    if json:
        typer.echo(msgspec.json.encode({"summary": figures}).decode())
    for text in readable(figures, settled.site.timezone):
        typer.echo(text, err=True)


def _print_lines(run: Replay) -> dict[str, Any]:
    """What is used and each transition, as they come; the summary's figures."""
    typer.echo(used_line(run.used), err=True)
    for line in run.lines():
        typer.echo(msgspec.json.encode(line).decode())
    return run.figures()
