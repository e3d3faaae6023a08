"""`gengfu contact bind|unbind|who`: who belongs to what place, and whom an alarm there concerns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer
from sqlalchemy import Connection

from devices.bound import (
    Bound,
    bound_to_building,
    bound_to_dwelling,
    bound_to_stair,
    duty_desks,
    with_desks,
)
from devices.commands.contact import Code, contact_app
from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, refuse, say
from devices.commands.lines import person_line
from devices.commands.losing import ForceOption, losing
from devices.commands.times import HELP, instant_us
from devices.model import PlaceKind
from devices.registry import bindings
from devices.registry.places_moved import places_moved_since
from devices.registry.rows import need

RoleOption = Annotated[str, typer.Option("--role", help="what the contact is to the place")]
AreaOption = Annotated[str | None, typer.Option("--area", help="code of an area")]
BuildingOption = Annotated[str | None, typer.Option("--building", help="code of a building")]
StairOption = Annotated[str | None, typer.Option("--stair", help="code of a stair")]
DwellingOption = Annotated[str | None, typer.Option("--dwelling", help="code of a dwelling")]


@contact_app.command("bind")
def bind(
    context: typer.Context,
    code: Code,
    *,
    role: RoleOption,
    area: AreaOption = None,
    building: BuildingOption = None,
    stair: StairOption = None,
    dwelling: DwellingOption = None,
    rank: Annotated[
        int | None, typer.Option("--rank", help="order in the role; 1, the default, first")
    ] = None,
    delay: Annotated[
        int | None, typer.Option("--delay", help="seconds after the others of a step, 0 to 86400")
    ] = None,
    quiet: Annotated[
        str | None,
        typer.Option("--quiet", help='hours without lesser messages, such as 22:00-07:00; "" for none'),
    ] = None,
    takes_unconfirmed: Annotated[
        bool | None,
        typer.Option(
            "--takes-unconfirmed/--confirmed-only", help="a fire brigade that agreed to unconfirmed alarms"
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Binds a contact to one place and everything below it, or changes how; the old values stay on record.

    Bound already, what is not said stays as it was.
    """
    desk = desk_of(context)
    kind, place = _place(area, building, stair, dwelling)
    terms = {"rank": rank, "delay_s": delay, "quiet": quiet, "takes_unconfirmed": takes_unconfirmed}
    said = {name: value for name, value in terms.items() if value is not None}
    with changing(desk) as connection:
        standing = _standing(connection, code, role, kind, place)
        write = bindings.bind if standing is None else bindings.rebind
        number = write(
            connection,
            contact_code=code,
            role=role,
            place_kind=kind,
            place_code=place,
            by=desk.by,
            now_us=now_us(),
            **said,  # type: ignore[arg-type]  # each by its name, as both functions take them
        )
    words = f"{role} of {kind} {place}"
    if number == standing:
        raise refuse(f"{code!r} is {words} already, with nothing different")
    line = f"{code} is {words}" if standing is None else f"{code} is {words} with other values now"
    say(json, line, bound=code, role=role, place_kind=kind, place=place, changed=standing is not None)


@contact_app.command("unbind")
def unbind(
    context: typer.Context,
    code: Code,
    *,
    role: RoleOption,
    area: AreaOption = None,
    building: BuildingOption = None,
    stair: StairOption = None,
    dwelling: DwellingOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Ends a binding."""
    desk = desk_of(context)
    kind, place = _place(area, building, stair, dwelling)
    with losing(desk, force=force) as loss:
        bindings.unbind(
            loss.connection,
            contact_code=code,
            role=role,
            place_kind=kind,
            place_code=place,
            by=desk.by,
            now_us=now_us(),
        )
    line = f"{code} is no longer {role} of {kind} {place}"
    say(json, line, unbound=code, role=role, place=place, left_alone=loss.left_alone)


@contact_app.command("who")
def who(
    context: typer.Context,
    *,
    dwelling: DwellingOption = None,
    stair: StairOption = None,
    building: BuildingOption = None,
    at: Annotated[str | None, typer.Option("--at", help=f"as it stood then; {HELP}")] = None,
    json: JsonOption = False,
) -> None:
    """Whom an alarm in a dwelling, on a stair, or in a building outside both concerns, and by which binding.

    Where no duty desk bound to the place can be reached, every duty desk is among them, as for an alarm.
    Quiet hours and who is away are shown: P0 and calls for help ignore them, lesser alarms leave such people
    out while another of the role can be told. With --at in the past, places are taken as they lie today.
    """
    desk = desk_of(context)
    kind, place = _place_of_alarm(dwelling, stair, building)
    at_us = now_us() if at is None else instant_us(at, desk.timezone)
    with looking(desk) as connection:
        bound = _people(connection, kind, place, at_us, live=at is None)
        people = with_desks(bound, lambda: duty_desks(connection, at_us, live=at is None))
        places = {(one.place_kind, one.place_id) for one in people if one.place_kind}
        codes = bindings.place_codes(connection, places)
        moved = at is not None and places_moved_since(connection, at_us)
    if moved:
        typer.echo(_MOVED, err=True)
    if len(people) > len(bound):
        typer.echo("no duty desk bound there can be reached: every duty desk is told", err=True)
    print_rows([person_line(one, codes) for one in people], json=json, nothing=_NOBODY)


_MOVED: Final = (
    "areas or buildings were moved since, or changed by an import: places are taken as they lie today"
)
_NOBODY: Final = "nobody is bound there and no duty desk anywhere: an alarm would be told to nobody"


def _place_of_alarm(dwelling: str | None, stair: str | None, building: str | None) -> tuple[PlaceKind, str]:
    """The place of an alarm; wrong usage (exit code 2) when it is none or several."""
    codes = {PlaceKind.DWELLING: dwelling, PlaceKind.STAIR: stair, PlaceKind.BUILDING: building}
    named = [(kind, code) for kind, code in codes.items() if code is not None]
    if len(named) != 1:
        raise typer.BadParameter("name one place: --dwelling, --stair or --building")
    return named[0]


_BOUND_TO: Final[dict[PlaceKind, Callable[..., tuple[Bound, ...]]]] = {
    PlaceKind.DWELLING: bound_to_dwelling,
    PlaceKind.STAIR: bound_to_stair,
    PlaceKind.BUILDING: bound_to_building,
}


def _people(
    connection: Connection, kind: PlaceKind, place: str, at_us: int, *, live: bool
) -> tuple[Bound, ...]:
    place_id = need(connection, bindings.PLACES[kind], "code", place)["id"]
    return _BOUND_TO[kind](connection, place_id, at_us, live=live)


def _place(*codes: str | None) -> tuple[PlaceKind, str]:
    """The one place that was named; wrong usage (exit code 2) when it is none or several."""
    named = [(kind, code) for kind, code in zip(PlaceKind, codes, strict=True) if code is not None]
    if len(named) != 1:
        raise typer.BadParameter("name one place: --area, --building, --stair or --dwelling")
    return named[0]


def _standing(connection: Connection, code: str, role: str, kind: PlaceKind, place: str) -> int | None:
    """The id of the binding that is to change, if there is one."""
    bound = bindings.list_bindings(connection, contact_code=code)
    same = (row.id for row in bound if (row.role, row.place_kind, row.place) == (role, kind, place))
    return max(same, default=None)
