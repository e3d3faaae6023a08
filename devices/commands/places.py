"""`gengfu area|building|stair|dwelling`: the tree of places."""

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
    print_rows,
    say,
)
from devices.registry import tree

area_app = typer.Typer(no_args_is_help=True, help="Areas: city, district, street, community, grid.")
building_app = typer.Typer(no_args_is_help=True, help="Buildings.")
stair_app = typer.Typer(no_args_is_help=True, help="Stairs (单元) of buildings.")
dwelling_app = typer.Typer(no_args_is_help=True, help="Dwellings (户) on stairs.")

Code = Annotated[str, typer.Argument(help="its code")]
Name = Annotated[str, typer.Option("--name", help="as people call it")]


@area_app.command("add")
def add_area(
    context: typer.Context,
    code: Code,
    *,
    level: Annotated[str, typer.Option("--level", help="city, district, street, community or grid")],
    name: Name,
    parent: Annotated[str | None, typer.Option("--parent", help="code of the area above")] = None,
    json: JsonOption = False,
) -> None:
    """Adds an area."""
    desk = desk_of(context)
    with changing(desk) as connection:
        tree.add_area(
            connection, level=level, code=code, name=name, parent_code=parent, by=desk.by, now_us=now_us()
        )
    say(json, f"area {code} added", added=code)


@area_app.command("list")
def list_areas(context: typer.Context, json: JsonOption = False) -> None:
    """All areas."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_areas(connection), json=json)


@area_app.command("show")
def show_area(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One area."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_areas(connection, only=code), json=json)


@building_app.command("add")
def add_building(
    context: typer.Context,
    code: Code,
    *,
    name: Name,
    area: Annotated[str, typer.Option("--area", help="code of its grid or community")],
    floors: Annotated[int, typer.Option("--floors", help="floors above ground")],
    json: JsonOption = False,
) -> None:
    """Adds a building."""
    desk = desk_of(context)
    with changing(desk) as connection:
        tree.add_building(
            connection, code=code, name=name, area_code=area, floors=floors, by=desk.by, now_us=now_us()
        )
    say(json, f"building {code} added", added=code)


@building_app.command("list")
def list_buildings(context: typer.Context, json: JsonOption = False) -> None:
    """All buildings."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_buildings(connection), json=json)


@building_app.command("show")
def show_building(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One building."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_buildings(connection, only=code), json=json)


@stair_app.command("add")
def add_stair(
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


@stair_app.command("list")
def list_stairs(context: typer.Context, json: JsonOption = False) -> None:
    """All stairs."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_stairs(connection), json=json)


@stair_app.command("show")
def show_stair(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One stair."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_stairs(connection, only=code), json=json)


@dwelling_app.command("add")
def add_dwelling(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="its door-plate code")],
    *,
    stair: Annotated[str, typer.Option("--stair", help="code of its stair")],
    floor: Annotated[int, typer.Option("--floor", help="-1 is the first basement")],
    flat: Annotated[str, typer.Option("--flat", help="what stands on the door")],
    attention: Annotated[str, typer.Option("--attention", help="what helpers must know; sealed")] = "",
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


@dwelling_app.command("list")
def list_dwellings(context: typer.Context, json: JsonOption = False) -> None:
    """All dwellings; notes on those who live there stay masked."""
    with looking(desk_of(context)) as connection:
        print_rows(tree.list_dwellings(connection), json=json)


@dwelling_app.command("show")
def show_dwelling(
    context: typer.Context, code: Code, reveal: RevealOption = False, json: JsonOption = False
) -> None:
    """One dwelling."""
    desk = desk_of(context)
    if reveal:
        with changing(desk) as connection:
            shown = tree.reveal_dwelling(connection, desk.vault, code, by=desk.by, now_us=now_us())
        print_rows([shown], json=json)
        return
    with looking(desk) as connection:
        print_rows(tree.list_dwellings(connection, only=code), json=json)
