"""`gengfu policy`: who is told of what when, with the source of each number, and a check of a site's file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

policy_app = typer.Typer(no_args_is_help=True, help="Who is told of an alarm when, with sources.")


@policy_app.command("show")
def show(
    context: typer.Context,
    severity: Annotated[str, typer.Option("--severity", help="P0+, P0, P1, P2, P3 or system")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The policies that hold, with the source of each number: of the configuration, where there is one."""
    from alerts.policy_file import SEVERITIES
    from gengfu.policies_here import policies_here
    from gengfu.policy_told import json_lines, text_lines

    if severity and severity not in SEVERITIES:
        raise refuse(f"--severity {severity!r}: {', '.join(SEVERITIES)} are allowed")
    here = policies_here(configuration(config or context.obj))
    asked = (severity,) if severity else SEVERITIES
    for line in json_lines(here.policies, asked) if json else text_lines(here.policies, asked):
        typer.echo(msgspec.json.encode(line).decode() if json else line)
    if here.refused:
        raise refuse(f"{here.refused}; shown is what holds instead")


@policy_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a policies file of the site's own")],
    json: JsonOption = False,
) -> None:
    """Reads a policies file as the service would: says what it replaces, or which line and key is wrong and
    what is allowed."""
    from alerts.following_policies import read_policies
    from alerts.toml_table import PolicyError
    from gengfu.policy_told import deadlines_json, deadlines_text, json_of, text_of

    try:
        found = read_policies(file)
    except PolicyError as error:
        raise refuse(error) from None
    for one in found.own.values():
        facts, lines = json_of(one, found.name), text_of(one, found.name)
        for line in [msgspec.json.encode(facts).decode()] if json else lines:
            typer.echo(line)
    for limits in found.own_deadlines.values():
        facts, lines = deadlines_json(limits, found.name), deadlines_text(limits, found.name)
        for line in [msgspec.json.encode(facts).decode()] if json else lines:
            typer.echo(line)
    if not json:
        typer.echo(f"{file}: {len(found.own)} {'policy' if len(found.own) == 1 else 'policies'}, ok")
