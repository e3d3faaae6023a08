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

user_app = typer.Typer(no_args_is_help=True, help="Users of the console.")

Login = Annotated[str, typer.Argument(help="the login")]
Role = Annotated[str, typer.Option("--role", help="operator, supervisor or admin")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="the password is the first line of stdin")
]


@user_app.command("add")
def add(
    context: typer.Context,
    login: Login,
    *,
    role: Role,
    password_stdin: PasswordStdin = False,
    json: JsonOption = False,
) -> None:
    """Adds a user."""
    desk = desk_of(context)
    password = _password(password_stdin)
    with changing(desk) as connection:
        users.add_user(connection, login=login, password=password, role=role, by=desk.by, now_us=now_us())
    say(json, f"user {login} added", added=login)


@user_app.command("passwd")
def passwd(
    context: typer.Context, login: Login, password_stdin: PasswordStdin = False, json: JsonOption = False
) -> None:
    """Gives a user another password. Sessions that stand go on: disabling the user ends them."""
    desk = desk_of(context)
    with looking(desk) as connection:
        users.list_users(connection, only=login)
    password = _password(password_stdin)
    with changing(desk) as connection:
        users.set_password(connection, login=login, password=password, by=desk.by, now_us=now_us())
    say(json, f"user {login} has another password", password_of=login)


@user_app.command("role")
def role_(context: typer.Context, login: Login, *, role: Role, json: JsonOption = False) -> None:
    """Gives a user another role; one enabled admin at least remains."""
    desk = desk_of(context)
    with changing(desk) as connection:
        changed = users.set_role(connection, login=login, role=role, by=desk.by, now_us=now_us())
    say(json, outcome(changed, f"user {login} is {role}"), set=login, role=role, changed=changed)


@user_app.command("disable")
def disable(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """Lets a user in no longer, at once; one enabled admin at least remains."""
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
