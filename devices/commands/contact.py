"""`gengfu contact`: people and stations, and how they are reached.

`binding.py` and `substitute.py` hold what they are bound to and who stands in for them.
"""

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
from devices.commands.lines import binding_line
from devices.commands.losing import ForceOption, losing
from devices.model import Carrier
from devices.registry import bindings, contacts, substitutions
from devices.services import why_apprise_cannot

contact_app = typer.Typer(no_args_is_help=True, help="Contacts, their channels and bindings.")

Code = Annotated[str, typer.Argument(help="the contact's code, a handle without personal data")]
Channel = Annotated[int, typer.Argument(help="the channel's number, as `contact show` gives it")]
Rank = Annotated[int, typer.Option("--rank", help="1 comes first")]


@dataclass(frozen=True, slots=True)
class _ContactLine:
    """A contact as one line of a table."""

    code: str
    name: str
    language: str
    channels: str
    erased_us: int | None


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


@contact_app.command("set")
def set_(
    context: typer.Context,
    code: Code,
    *,
    name: Annotated[str | None, typer.Option("--name", help="another name; sealed")] = None,
    language: Annotated[str | None, typer.Option("--language", help="zh-CN or en")] = None,
    json: JsonOption = False,
) -> None:
    """Changes a contact's name or language."""
    desk = desk_of(context)
    with changing(desk) as connection:
        contacts.set_contact(
            connection, desk.vault, code=code, name=name, language=language, by=desk.by, now_us=now_us()
        )
    say(json, f"contact {code} changed", set=code)


@contact_app.command("add-channel")
def add_channel(
    context: typer.Context,
    code: Code,
    *,
    medium: Annotated[str, typer.Option("--medium", help="push, sms, voice or email")],
    carrier: Annotated[str, typer.Option("--carrier", help=", ".join(Carrier))],
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
            services=why_apprise_cannot,
            by=desk.by,
            now_us=now_us(),
        )
    say(json, f"contact {code} can be reached by {medium}", added=code, channel=channel)


@contact_app.command("set-channel")
def set_channel(
    context: typer.Context,
    code: Code,
    channel: Channel,
    *,
    rank: Annotated[int, typer.Option("--rank", help="1 comes first")],
    json: JsonOption = False,
) -> None:
    """Gives a way to reach a contact another place in the order of trying."""
    desk = desk_of(context)
    with changing(desk) as connection:
        contacts.set_channel_rank(
            connection, contact_code=code, channel_id=channel, rank=rank, by=desk.by, now_us=now_us()
        )
    say(json, f"channel {channel} of {code} has rank {rank}", set=code, channel=channel, rank=rank)


@contact_app.command("remove-channel")
def remove_channel(
    context: typer.Context,
    code: Code,
    channel: Channel,
    *,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Ends a way to reach a contact; its sealed address stays on record until the contact is erased."""
    desk = desk_of(context)
    with losing(desk, force=force) as loss:
        contacts.remove_channel(
            loss.connection, contact_code=code, channel_id=channel, by=desk.by, now_us=now_us()
        )
    line = f"{code} is no longer reached by channel {channel}"
    say(json, line, removed=code, channel=channel, left_alone=loss.left_alone)


@contact_app.command("list")
def list_(context: typer.Context, reveal: RevealOption = False, json: JsonOption = False) -> None:
    """All contacts."""
    _print(_contacts(desk_of(context), None, reveal=reveal), json=json)


@contact_app.command("show")
def show(
    context: typer.Context,
    code: Code,
    *,
    reveal: RevealOption = False,
    history: Annotated[
        bool, typer.Option("--history", help="also what is over: bindings and substitutions")
    ] = False,
    json: JsonOption = False,
) -> None:
    """One contact, what it is bound to and for which dwellings that holds, and who stands in for whom."""
    desk = desk_of(context)
    _print(_contacts(desk, code, reveal=reveal), json=json, form="contact")
    with looking(desk) as connection:
        bound = bindings.list_bindings(connection, contact_code=code, history=history)
        substitutes = substitutions.list_substitutions(
            connection, contact_code=code, since_us=None if history else now_us()
        )
    if bound or not json:
        print_rows([binding_line(row) for row in bound], json=json, form="binding")
    if substitutes:
        print_rows(substitutes, json=json, form="substitution")


def _contacts(desk: Desk, only: str | None, *, reveal: bool) -> list[contacts.ContactRow]:
    if reveal:
        with changing(desk) as connection:
            return contacts.reveal_contacts(connection, desk.vault, only=only, by=desk.by, now_us=now_us())
    with looking(desk) as connection:
        return contacts.list_contacts(connection, desk.vault, only=only)


def _print(rows: list[contacts.ContactRow], *, json: bool, form: str = "") -> None:
    for row in rows:
        for what in row.unopened:
            typer.echo(f"contact {row.code}: {what}; enter it anew, or put back its key", err=True)
    if json:
        print_rows(rows, json=True, form=form)
        return
    lines = [
        _ContactLine(
            row.code,
            row.name,
            row.language,
            "; ".join(
                f"{way.medium} by {way.carrier} {way.address} (channel {way.id})" for way in row.channels
            ),
            row.erased_us,
        )
        for row in rows
    ]
    print_rows(lines, json=False)
