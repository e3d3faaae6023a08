"""`gengfu user`: who may log in to the console. Passwords are asked for or read from stdin."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from devices.commands.desk import (
    JsonOption,
    changing,
    desk_of,
    looking,
    now_us,
    pages,
    print_rows,
    refuse,
    say,
)
from devices.commands.where import outcome
from devices.registry import users
from devices.registry.errors import RegistryError
from devices.registry.user_scopes import set_scope

user_app = typer.Typer(no_args_is_help=True, help="Users of the console.")

Login = Annotated[str, typer.Argument(help="the login")]
Role = Annotated[str, typer.Option("--role", help="operator, supervisor, installer, grid_worker or admin")]
Areas = Annotated[
    list[str] | None, typer.Option("--area", help="sees the area of this code and all below it; repeatable")
]
Everywhere = Annotated[
    bool, typer.Option("--everywhere", help="sees every area, and what is at no known place")
]
ActsAs = Annotated[
    str | None, typer.Option("--contact", help="code of the contact whom a grid worker's account acts as")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="the password is the first line of stdin")
]


@user_app.command("add")
def add(
    context: typer.Context,
    login: Login,
    *,
    role: Role,
    area: Areas = None,
    everywhere: Everywhere = False,
    contact: ActsAs = None,
    password_stdin: PasswordStdin = False,
    json: JsonOption = False,
) -> None:
    """Adds a user, who sees the areas named or everywhere; an admin everywhere where neither is said."""
    desk = desk_of(context)
    password = _password(password_stdin)
    with changing(desk) as connection:
        users.add_user(
            connection, login=login, password=password, role=role, areas=area or (), everywhere=everywhere,
            contact_code=contact, by=desk.by, now_us=now_us(),
        )  # fmt: skip
    say(json, f"user {login} added", added=login)


@user_app.command("passwd")
def passwd(
    context: typer.Context, login: Login, password_stdin: PasswordStdin = False, json: JsonOption = False
) -> None:
    """Gives a user another password; it ends their sessions."""
    desk = desk_of(context)
    with looking(desk) as connection:
        users.list_users(connection, only=login)
    password = _password(password_stdin)
    with changing(desk) as connection:
        users.set_password(connection, login=login, password=password, by=desk.by, now_us=now_us())
    say(json, f"user {login} has another password", password_of=login)


@user_app.command("role")
def role_(
    context: typer.Context, login: Login, *, role: Role, contact: ActsAs = None, json: JsonOption = False
) -> None:
    """Gives a user another role; one enabled admin at least remains. Where they see stays."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = users.set_role(
            connection, login=login, role=role, contact_code=contact, by=desk.by, now_us=now_us()
        )
    say(json, outcome(changed, f"user {login} is {role}"), set=login, role=role, changed=changed)


@user_app.command("scope")
def scope(
    context: typer.Context,
    login: Login,
    area: Areas = None,
    everywhere: Everywhere = False,
    json: JsonOption = False,
) -> None:
    """Gives a user other areas, in the place of those before; open pages follow within seconds."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = set_scope(
            connection, login=login, areas=area or (), everywhere=everywhere, by=desk.by, now_us=now_us()
        )
    codes = sorted(set(area or ()))
    sees = "everywhere" if everywhere else ", ".join(codes)
    facts = {"scope_of": login, "everywhere": everywhere, "areas": codes, "changed": changed}
    say(json, outcome(changed, f"user {login} sees {sees}"), **facts)


@user_app.command("logout")
def logout(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """Ends every session of a user, who may log in again."""
    desk = desk_of(context)
    with changing(desk) as connection:
        ended = users.log_out_user(connection, login=login, by=desk.by, now_us=now_us())
    say(json, f"user {login}: {ended} sessions ended", logged_out=login, sessions=ended)


@user_app.command("disable")
def disable(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """Lets a user in no longer and ends their sessions; one enabled admin at least remains."""
    desk = desk_of(context)
    with changing(desk) as connection:
        users.disable_user(connection, login=login, by=desk.by, now_us=now_us())
    say(json, f"user {login} disabled", disabled=login)


@user_app.command("enable")
def enable(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """Lets a disabled user in again."""
    desk = desk_of(context)
    with changing(desk) as connection:
        users.enable_user(connection, login=login, by=desk.by, now_us=now_us())
    say(json, f"user {login} enabled", enabled=login)


@user_app.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> None:
    """All users."""
    desk = desk_of(context)
    print_rows(pages(desk, lambda read, page: users.list_users(read, page=page), "login"), json=json)


@user_app.command("show")
def show(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """One user."""
    with looking(desk_of(context)) as connection:
        rows = users.list_users(connection, only=login)
    print_rows(rows, json=json)


def _password(from_stdin: bool) -> users.HashedPassword:
    """Asked for and hashed before any transaction begins: neither a typist nor a hash holds up a writer."""
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if from_stdin
        else str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    )
    try:
        return users.hash_password(password)
    except RegistryError as error:
        raise refuse(str(error)) from None
