"""`gengfu replay FILE`: what the rules would have said of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def replay(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="CSV or JSON lines, also .gz; see docs/rules.md")
    ] = None,
    *,
    store: Annotated[
        bool, typer.Option("--store", help="points of the series store instead of a file")
    ] = False,
    begin: Annotated[str, typer.Option("--from", help="of the store: from this time on")] = "",
    until: Annotated[str, typer.Option("--until", help="of the store: to before this time")] = "",
    device: Annotated[
        list[str] | None, typer.Option("--device", help="of the store: only this device; repeatable")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="a rule file over the shipped ones; else the site's own")
    ] = None,
    override: Annotated[
        Path | None,
        typer.Option("--override", help="a TOML file of overrides (docs/rules.md); else those on record"),
    ] = None,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="without the site's own rules and overrides")
    ] = False,
    circuits: Annotated[
        Path | None, typer.Option("--circuits", help="ratings and places of devices, CSV or TOML")
    ] = None,
    registry: Annotated[
        bool, typer.Option("--registry", help="take ratings and places from the registry as well")
    ] = False,
    events: Annotated[
        Path | None, typer.Option("--events", help="device and at of what really happened")
    ] = None,
    tick_s: Annotated[
        float, typer.Option("--seconds-per-tick", min=0.001, max=60, help="readings taken at once")
    ] = 1.0,
    gap_s: Annotated[
        float, typer.Option("--longest-gap", min=1, help="seconds unheard that still count as observed")
    ] = 3600.0,
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
        run = Replay(asked, settled)
        typer.echo(used_line(run.used), err=True)
        for line in run.lines():
            typer.echo(msgspec.json.encode(line).decode())
        figures = run.figures()
    except (RecordingError, CatalogueError, OverrideError, NothingHere) as error:
        raise refuse(error) from None
    if json:
        typer.echo(msgspec.json.encode({"summary": figures}).decode())
    for text in readable(figures, settled.site.timezone):
        typer.echo(text, err=True)
