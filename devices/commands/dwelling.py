"""`gengfu dwelling` (户). What helpers must know of those who live there shows only where it is asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import (
    JsonOption,
    RevealOption,
    changing,
    desk_of,
    looking,
    now_us,
    pages,
    print_rows,
    say,
)
from devices.commands.where import Code, InArea, InBuilding, InStair, narrowed, outcome, something
from devices.registry import places_listed, places_removed, places_set, tree
from devices.registry.attention import Flag

dwelling_app = typer.Typer(no_args_is_help=True, help="Dwellings (户) on stairs.")

ATTENTION_HELP = f"what helpers must know, sealed: any of {', '.join(Flag)}, then free words after ;"


@dwelling_app.command("add")
def add(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="its door-plate code")],
    *,
    stair: Annotated[str, typer.Option("--stair", help="code of its stair")],
    floor: Annotated[int, typer.Option("--floor", help="-1 is the first basement")],
    flat: Annotated[str, typer.Option("--flat", help="what stands on the door")],
    attention: Annotated[str, typer.Option("--attention", help=ATTENTION_HELP)] = "",
    json: JsonOption = False,
) -> None:
    """Adds a dwelling."""
    desk = desk_of(context)
    with changing(desk) as connection:
        tree.add_dwelling(
            connection,
            desk.vault,
            code=code,
            stair_code=stair,
            floor=floor,
            flat=flat,
            attention=attention,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"dwelling {code} added", added=code)


@dwelling_app.command("set")
def set_(
    context: typer.Context,
    code: Code,
    *,
    floor: Annotated[int | None, typer.Option("--floor", help="-1 is the first basement")] = None,
    flat: Annotated[str | None, typer.Option("--flat", help="what stands on the door")] = None,
    attention: Annotated[
        str | None, typer.Option("--attention", help=f"{ATTENTION_HELP}; empty clears it")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Gives a dwelling another floor, flat or note."""
    something(floor, flat, attention)
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.set_dwelling(
            connection,
            desk.vault,
            code=code,
            floor=floor,
            flat=flat,
            attention=attention,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, outcome(changed, f"dwelling {code} set"), set=code, changed=changed)


@dwelling_app.command("remove")
def remove(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """Takes away a dwelling entered by mistake: one that nothing refers to."""
    desk = desk_of(context)
    with changing(desk) as connection:
        places_removed.remove_dwelling(connection, code=code, by=desk.by, now_us=now_us())
    say(json, f"dwelling {code} removed", removed=code)


@dwelling_app.command("list")
def list_(
    context: typer.Context,
    area: InArea = None,
    building: InBuilding = None,
    stair: InStair = None,
    json: JsonOption = False,
) -> None:
    """All dwellings, or those of a place; notes on those who live there stay masked."""
    within = narrowed(area, building, stair)
    desk = desk_of(context)
    rows = pages(
        desk, lambda read, page: places_listed.list_dwellings(read, within=within, page=page), "code"
    )
    print_rows(rows, json=json)


@dwelling_app.command("show")
def show(context: typer.Context, code: Code, reveal: RevealOption = False, json: JsonOption = False) -> None:
    """One dwelling."""
    desk = desk_of(context)
    if reveal:
        with changing(desk) as connection:
            shown = places_listed.reveal_dwelling(connection, desk.vault, code, by=desk.by, now_us=now_us())
        print_rows([shown], json=json)
        return
    with looking(desk) as connection:
        rows = places_listed.list_dwellings(connection, only=code)
    print_rows(rows, json=json)
