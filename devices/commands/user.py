"""`gengfu user`: who may log in to the console. Passwords are asked for or read from stdin."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, say
from devices.registry import users

user_app = typer.Typer(no_args_is_help=True, help="Users of the console.")

Login = Annotated[str, typer.Argument(help="the login")]


@user_app.command("add")
def add(
    context: typer.Context,
    login: Login,
    *,
    role: Annotated[str, typer.Option("--role", help="operator, supervisor or admin")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="the password is the first line of stdin")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Adds a user."""
    desk = desk_of(context)
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    )
    with changing(desk) as connection:
        users.add_user(connection, login=login, password=password, role=role, by=desk.by, now_us=now_us())
    say(json, f"user {login} added", added=login)


@user_app.command("list")
def list_(context: typer.Context, json: JsonOption = False) -> None:
    """All users."""
    with looking(desk_of(context)) as connection:
        print_rows(users.list_users(connection), json=json)


@user_app.command("show")
def show(context: typer.Context, login: Login, json: JsonOption = False) -> None:
    """One user."""
    with looking(desk_of(context)) as connection:
        print_rows(users.list_users(connection, only=login), json=json)
