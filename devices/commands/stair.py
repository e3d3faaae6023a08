"""`gengfu stair` (单元)."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, pages, print_rows, say
from devices.commands.where import Code, InArea, InBuilding, Name, narrowed, outcome
from devices.registry import places_listed, places_removed, places_set, tree

stair_app = typer.Typer(no_args_is_help=True, help="Stairs (单元) of buildings.")


@stair_app.command("add")
def add(
    context: typer.Context,
    code: Code,
    *,
    name: Name,
    building: Annotated[str, typer.Option("--building", help="code of its building")],
    json: JsonOption = False,
) -> None:
    """Adds a stair."""
    desk = desk_of(context)
    with changing(desk) as connection:
        tree.add_stair(connection, code=code, name=name, building_code=building, by=desk.by, now_us=now_us())
    say(json, f"stair {code} added", added=code)


@stair_app.command("set")
def set_(context: typer.Context, code: Code, *, name: Name, json: JsonOption = False) -> None:
    """Gives a stair another name."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.set_stair(connection, code=code, name=name, by=desk.by, now_us=now_us())
    say(json, outcome(changed, f"stair {code} set"), set=code, changed=changed)


@stair_app.command("remove")
def remove(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """Takes away a stair entered by mistake: one that nothing refers to."""
    desk = desk_of(context)
    with changing(desk) as connection:
        places_removed.remove_stair(connection, code=code, by=desk.by, now_us=now_us())
    say(json, f"stair {code} removed", removed=code)


@stair_app.command("list")
def list_(
    context: typer.Context, area: InArea = None, building: InBuilding = None, json: JsonOption = False
) -> None:
    """All stairs, or those of a place."""
    within = narrowed(area, building)
    desk = desk_of(context)
    rows = pages(desk, lambda read, page: places_listed.list_stairs(read, within=within, page=page), "code")
    print_rows(rows, json=json)


@stair_app.command("show")
def show(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One stair."""
    with looking(desk_of(context)) as connection:
        rows = places_listed.list_stairs(connection, only=code)
    print_rows(rows, json=json)
