"""`gengfu contact`: people and stations, how they are reached, and what places they are bound to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from devices.commands.desk import (
    Desk,
    JsonOption,
    RevealOption,
    changing,
    desk_of,
    looking,
    now_us,
    print_rows,
    say,
)
from devices.model import PlaceKind
from devices.registry import bindings, contacts

contact_app = typer.Typer(no_args_is_help=True, help="Contacts, their channels and bindings.")

Code = Annotated[str, typer.Argument(help="the contact's code, a handle without personal data")]
RoleOption = Annotated[str, typer.Option("--role", help="what the contact is to the place")]
Rank = Annotated[int, typer.Option("--rank", help="1 comes first")]
AreaOption = Annotated[str | None, typer.Option("--area", help="code of an area")]
BuildingOption = Annotated[str | None, typer.Option("--building", help="code of a building")]
StairOption = Annotated[str | None, typer.Option("--stair", help="code of a stair")]
DwellingOption = Annotated[str | None, typer.Option("--dwelling", help="code of a dwelling")]


@dataclass(frozen=True, slots=True)
class _ContactLine:
    """A contact as one line of a table."""

    code: str
    name: str
    language: str
    channels: str


@contact_app.command("add")
def add(
    context: typer.Context,
    code: Code,
    *,
    name: Annotated[str, typer.Option("--name", prompt=True, help="sealed; asked for when left out")],
    language: Annotated[str, typer.Option("--language", help="zh-CN or en")] = "zh-CN",
    json: JsonOption = False,
) -> None:
    """Adds a contact."""
    desk = desk_of(context)
    with changing(desk) as connection:
        contacts.add_contact(
            connection, desk.vault, code=code, name=name, language=language, by=desk.by, now_us=now_us()
        )
    say(json, f"contact {code} added", added=code)


@contact_app.command("add-channel")
def add_channel(
    context: typer.Context,
    code: Code,
    *,
    medium: Annotated[str, typer.Option("--medium", help="push, sms, voice or email")],
    carrier: Annotated[str, typer.Option("--carrier", help="webhook or apprise")],
    address: Annotated[
        str, typer.Option("--address", prompt=True, help="number, e-mail address or URL; sealed")
    ],
    rank: Rank = 1,
    json: JsonOption = False,
) -> None:
    """Adds a way to reach a contact."""
    desk = desk_of(context)
    with changing(desk) as connection:
        channel = contacts.add_channel(
            connection,
            desk.vault,
            contact_code=code,
            medium=medium,
            carrier=carrier,
            address=address,
            rank=rank,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"contact {code} can be reached by {medium}", added=code, channel=channel)


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
    rank: Rank = 1,
    takes_unconfirmed: Annotated[
        bool, typer.Option("--takes-unconfirmed", help="a fire brigade that agreed to unconfirmed alarms")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Binds a contact to one place and everything below it."""
    desk = desk_of(context)
    kind, place = _place(area, building, stair, dwelling)
    with changing(desk) as connection:
        bindings.bind(
            connection,
            contact_code=code,
            role=role,
            place_kind=kind,
            place_code=place,
            rank=rank,
            takes_unconfirmed=takes_unconfirmed,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"{code} is {role} of {kind} {place}", bound=code, role=role, place_kind=kind, place=place)


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
    json: JsonOption = False,
) -> None:
    """Ends a binding."""
    desk = desk_of(context)
    kind, place = _place(area, building, stair, dwelling)
    with changing(desk) as connection:
        bindings.unbind(
            connection,
            contact_code=code,
            role=role,
            place_kind=kind,
            place_code=place,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"{code} is no longer {role} of {kind} {place}", unbound=code, role=role, place=place)


def _place(*codes: str | None) -> tuple[PlaceKind, str]:
    """The one place that was named; wrong usage (exit code 2) when it is none or several."""
    named = [(kind, code) for kind, code in zip(PlaceKind, codes, strict=True) if code is not None]
    if len(named) != 1:
        raise typer.BadParameter("name one place: --area, --building, --stair or --dwelling")
    return named[0]


@contact_app.command("list")
def list_(context: typer.Context, reveal: RevealOption = False, json: JsonOption = False) -> None:
    """All contacts."""
    _print(_contacts(desk_of(context), None, reveal=reveal), json=json)


@contact_app.command("show")
def show(context: typer.Context, code: Code, reveal: RevealOption = False, json: JsonOption = False) -> None:
    """One contact, and what it is bound to."""
    desk = desk_of(context)
    _print(_contacts(desk, code, reveal=reveal), json=json)
    with looking(desk) as connection:
        bound = bindings.list_bindings(connection, contact_code=code)
    if bound or not json:
        print_rows(bound, json=json)


def _contacts(desk: Desk, only: str | None, *, reveal: bool) -> list[contacts.ContactRow]:
    if reveal:
        with changing(desk) as connection:
            return contacts.reveal_contacts(connection, desk.vault, only=only, by=desk.by, now_us=now_us())
    with looking(desk) as connection:
        return contacts.list_contacts(connection, desk.vault, only=only)


def _print(rows: list[contacts.ContactRow], *, json: bool) -> None:
    if json:
        print_rows(rows, json=True)
        return
    lines = [
        _ContactLine(
            row.code,
            row.name,
            row.language,
            "; ".join(f"{way.medium} by {way.carrier} {way.address}" for way in row.channels),
        )
        for row in rows
    ]
    print_rows(lines, json=False)
