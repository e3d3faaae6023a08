"""`gengfu area`: city, district, street, community, grid."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, pages, print_rows, say
from devices.commands.where import Code, InArea, Name, narrowed, outcome
from devices.registry import places_listed, places_removed, places_set, tree

area_app = typer.Typer(no_args_is_help=True, help="Areas: city, district, street, community, grid.")


@area_app.command("add")
def add(
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


@area_app.command("set")
def set_(context: typer.Context, code: Code, *, name: Name, json: JsonOption = False) -> None:
    """Gives an area another name."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.set_area(connection, code=code, name=name, by=desk.by, now_us=now_us())
    say(json, outcome(changed, f"area {code} set"), set=code, changed=changed)


@area_app.command("move")
def move(
    context: typer.Context,
    code: Code,
    *,
    parent: Annotated[str | None, typer.Option("--parent", help="code of the area above")] = None,
    root: Annotated[bool, typer.Option("--root", help="below none")] = False,
    json: JsonOption = False,
) -> None:
    """Lays an area, with all below it, below another of a higher level."""
    if root == (parent is not None):
        raise typer.BadParameter("say one of --parent CODE and --root")
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = places_set.move_area(connection, code=code, parent_code=parent, by=desk.by, now_us=now_us())
    where = f"below {parent}" if parent else "below none"
    say(json, outcome(changed, f"area {code} lies {where}"), moved=code, parent=parent, changed=changed)


@area_app.command("remove")
def remove(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """Takes away an area entered by mistake: one that nothing refers to."""
    desk = desk_of(context)
    with changing(desk) as connection:
        places_removed.remove_area(connection, code=code, by=desk.by, now_us=now_us())
    say(json, f"area {code} removed", removed=code)


@area_app.command("list")
def list_(context: typer.Context, area: InArea = None, json: JsonOption = False) -> None:
    """All areas, or an area and all below it."""
    within = narrowed(area)
    desk = desk_of(context)
    rows = pages(desk, lambda read, page: places_listed.list_areas(read, within=within, page=page), "code")
    print_rows(rows, json=json)


@area_app.command("show")
def show(context: typer.Context, code: Code, json: JsonOption = False) -> None:
    """One area."""
    with looking(desk_of(context)) as connection:
        rows = places_listed.list_areas(connection, only=code)
    print_rows(rows, json=json)
