"""`gengfu contact substitute|substitutions|cancel-substitution`: who stands in while somebody is away."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.commands.contact import Code, contact_app
from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, say
from devices.commands.losing import ForceOption, losing
from devices.commands.times import HELP, instant_us, local_text
from devices.registry import substitutions


@contact_app.command("substitute")
def substitute(
    context: typer.Context,
    code: Code,
    stand_in: Annotated[str, typer.Argument(metavar="SUBSTITUTE", help="code of who stands in")],
    *,
    until: Annotated[str, typer.Option("--until", help=f"the end; {HELP}")],
    from_: Annotated[str | None, typer.Option("--from", help="the beginning; now when left out")] = None,
    role: Annotated[str | None, typer.Option("--role", help="in this role only; else in every role")] = None,
    json: JsonOption = False,
) -> None:
    """Has somebody stand in for a contact who is away: in their roles and places, with their rank."""
    desk = desk_of(context)
    now = now_us()
    from_us = now if from_ is None else instant_us(from_, desk.timezone)
    until_us = instant_us(until, desk.timezone)
    with changing(desk) as connection:
        number = substitutions.substitute(
            connection,
            contact_code=code,
            substitute_code=stand_in,
            role=role,
            from_us=from_us,
            until_us=until_us,
            by=desk.by,
            now_us=now,
        )
    begin = local_text(max(from_us, now), desk.timezone)
    time = f"from {begin} until {local_text(until_us, desk.timezone)}"
    words = f"{stand_in} stands in for {code} as {role or 'whatever they are'} {time} (substitution {number})"
    say(json, words, substituted=code, substitute=stand_in, role=role or "", substitution=number)


@contact_app.command("cancel-substitution")
def cancel_substitution(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="the substitution's number")],
    *,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Ends a substitution now, begun or not."""
    desk = desk_of(context)
    with losing(desk, force=force) as loss:
        substitutions.cancel_substitution(
            loss.connection, substitution_id=number, by=desk.by, now_us=now_us()
        )
    say(json, f"substitution {number} ended", cancelled=number, left_alone=loss.left_alone)


@contact_app.command("substitutions")
def list_(
    context: typer.Context,
    *,
    history: Annotated[bool, typer.Option("--history", help="also those that are over")] = False,
    json: JsonOption = False,
) -> None:
    """Who stands in for whom now, or will."""
    with looking(desk_of(context)) as connection:
        since_us = None if history else now_us()
        print_rows(substitutions.list_substitutions(connection, since_us=since_us), json=json)
