"""`gengfu building`."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, pages, print_rows, say
from devices.commands.where import Code, InArea, Name, narrowed, outcome, something
from devices.registry import places_listed, places_removed, places_set, tree

building_app = typer.Typer(no_args_is_help=True, help="Buildings.")

Area = Annotated[str, typer.Option("--area", help="code of its grid or community")]


@building_app.command("add")
def add(
    context: typer.Context,
    code: Code,
    *,
    name: Name,
    area: Area,
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


@building_app.command("set")
def set_(
    context: typer.Context,
    code: Code,
    *,
    name: Annotated[str | None, typer.Option("--name", help="as people call it")] = None,
    floors: Annotated[int | None, typer.Option("--floors", help="floors above ground")] = None,
    json: JsonOption = False,
) -> None:
    """Gives a building another name or number of floors."""
    something(name, floors)
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.set_building(
            connection, code=code, name=name, floors=floors, by=desk.by, now_us=now_us()
        )
    say(json, outcome(changed, f"building {code} set"), set=code, changed=changed)


@building_app.command("move")
def move(context: typer.Context, code: Code, *, area: Area, json: JsonOption = False) -> None:
    """Lays a building, with all in it, into another grid or community."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.move_building(connection, code=code, area_code=area, by=desk.by, now_us=now_us())
    say(json, outcome(changed, f"building {code} lies in {area}"), moved=code, area=area, changed=changed)


@building_app.command("remove")
def remove(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """Takes away a building entered by mistake: one that nothing refers to."""
    desk = desk_of(context)
    with changing(desk) as connection:
        places_removed.remove_building(connection, code=code, by=desk.by, now_us=now_us())
    say(json, f"building {code} removed", removed=code)


@building_app.command("list")
def list_(context: typer.Context, area: InArea = None, json: JsonOption = False) -> None:
    """All buildings, or those of an area."""
    within = narrowed(area)
    desk = desk_of(context)
    rows = pages(
        desk, lambda read, page: places_listed.list_buildings(read, within=within, page=page), "code"
    )
    print_rows(rows, json=json)


@building_app.command("show")
def show(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One building."""
    with looking(desk_of(context)) as connection:
        rows = places_listed.list_buildings(connection, only=code)
    print_rows(rows, json=json)
