"""`gengfu contact erase` and `gengfu contact forget`: they ask all rooms, so they stand here.

Imported, they are added to the commands of contacts.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from devices.commands.contact import contact_app
from devices.commands.desk import JsonOption, desk_of, looking, now_us, refuse, say
from devices.registry.erasure import Erasure, erasure_of
from devices.registry.errors import RegistryError
from gengfu.cli import CHOSEN, configuration
from gengfu.forgetting import Forgotten, due_to_forget, erase, forget_due, hindrances


@contact_app.command("erase")
def erase_(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="the contact's code")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    force: Annotated[bool, typer.Option("--force", help="even if somebody is left without help")] = False,
    json: JsonOption = False,
) -> None:
    """Erases a person's name and addresses and ends their bindings. The code and the history stay."""
    desk = desk_of(context)
    with looking(desk) as connection:
        erasure = erasure_of(connection, code, now_us())
        against = hindrances(connection, erasure, now_us())
    typer.echo(_will(erasure), err=True)
    for one in against:
        typer.echo(f"still needed: {one}", err=True)
    if against and not force:
        raise refuse(f"contact {code} is not erased; --force erases it all the same")
    if not yes and not typer.confirm(f"erase {code} for good?", default=False, err=True):
        raise refuse("nothing was erased")
    try:
        done = erase(desk.engine, desk.vault, code, by=desk.by, now_us=now_us(), force=force)
    except RegistryError as error:
        raise refuse(str(error)) from None
    say(
        json,
        f"contact {code} erased; hidden in {done.texts} notes",
        erased=code,
        addresses=done.erasure.addresses,
        bindings=done.erasure.bindings,
        substitutions=done.erasure.substitutions,
        texts=done.texts,
        left_alone=done.erasure.left_alone,
    )


def _will(erasure: Erasure) -> str:
    return (
        f"erases the name and {erasure.addresses} addresses of {erasure.code}, ends {erasure.bindings} "
        f"bindings and {erasure.substitutions} substitutions; the code and what was bound when stay"
    )


@contact_app.command("forget")
def forget(
    context: typer.Context,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would go, and change nothing")] = False,
    json: JsonOption = False,
) -> None:
    """Erases contacts bound nowhere for long, deletes old looks and tests of devices, as `[people]` says."""
    desk = desk_of(context)
    people = configuration(context.meta.get(CHOSEN)).people
    if dry_run:
        done = due_to_forget(desk.engine, people, now_us())
    else:
        done = forget_due(desk.engine, people, now_us(), desk.vault)
    if json:
        say(True, "", **asdict(done))
        return
    typer.echo(_said(done, "would erase" if dry_run else "erased"))


def _said(done: Forgotten, verb: str) -> str:
    kept = f"; kept while an incident is open: {', '.join(done.kept)}" if done.kept else ""
    codes = f" ({', '.join(done.contacts)})" if done.contacts else ""
    people = f"{verb} {len(done.contacts)} contacts{codes}"
    rest = f"{done.addresses} removed addresses, {done.looks} looks and {done.tests} tests of devices"
    return f"{people}, {rest}{kept}"
