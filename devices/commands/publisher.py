"""`gengfu publisher`: who may publish to the broker, and whom it refused."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Annotated, TextIO

import typer

from devices.commands.desk import JsonOption, changing, desk_of, looking, now_us, print_rows, refuse, say
from devices.profiles.shipped import shipped_profiles
from devices.registry import publishers
from devices.registry.credentials import Credential
from devices.registry.refusals import list_refusals

publisher_app = typer.Typer(no_args_is_help=True, help="Who may publish: devices and gateways.")

Name = Annotated[str, typer.Argument(help="its MQTT user name")]


@publisher_app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="its MQTT user name; a device's own id when left out")] = "",
    *,
    kind: Annotated[str, typer.Option("--kind", help="device or gateway")] = "device",
    device: Annotated[str | None, typer.Option("--device", help="uid of the device")] = None,
    prefix: Annotated[
        list[str] | None,
        typer.Option("--prefix", help="a topic: it and all below it; a gateway may have many"),
    ] = None,
    label: Annotated[str, typer.Option("--label", help="what it is, in words")] = "",
    json: JsonOption = False,
) -> None:
    """Adds a publisher and shows its password, this once."""
    desk = desk_of(context)
    with changing(desk) as connection:
        credential = publishers.add_publisher(
            connection,
            name=name,
            kind=kind,
            device_uid=device,
            prefixes=prefix or (),
            label=label,
            by=desk.by,
            now_us=now_us(),
        )
        [added] = publishers.list_publishers(connection, only=credential.name)
    _show(credential, "added", json=json)
    for one in added.prefixes:
        if not any(_meet(one, said) for said in (f for p in shipped_profiles() for f in p.filters)):
            heard = ", ".join(said for p in shipped_profiles() for said in p.filters)
            typer.echo(
                f"nobody listens below {one}: what is published there is lost; heard: {heard}", err=True
            )


def _meet(prefix: str, said: str) -> bool:
    """Whether a message on the prefix or below it can match the topic filter."""
    for level, asked in zip(prefix.split("/"), said.split("/"), strict=False):
        if asked == "#":
            return True
        if asked not in ("+", level):
            return False
    return True


@publisher_app.command("rotate")
def rotate(context: typer.Context, name: Name, json: JsonOption = False) -> None:
    """Gives a publisher a new password and shows it, this once; with the old one it is cut off."""
    desk = desk_of(context)
    with changing(desk) as connection:
        credential = publishers.rotate_publisher(connection, name=name, by=desk.by, now_us=now_us())
    _show(credential, "rotated", json=json)


@publisher_app.command("revoke")
def revoke(context: typer.Context, name: Name, json: JsonOption = False) -> None:
    """Takes a publisher's right to publish; it is cut off."""
    desk = desk_of(context)
    with changing(desk) as connection:
        publishers.revoke_publisher(connection, name=name, by=desk.by, now_us=now_us())
    say(json, f"publisher {name} revoked", revoked=name)


@publisher_app.command("issue")
def issue(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file to make: name,password,prefix; must not exist")],
    json: JsonOption = False,
) -> None:
    """Makes credentials for all devices of our own format that have none, into a file of mode 0600."""
    desk = desk_of(context)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise refuse(f"{file}: {error.strerror}") from None
    kept = False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            with changing(desk) as connection:
                made, left = publishers.issue_publishers(connection, by=desk.by, now_us=now_us())
                _write(out, made)  # before the commit: what cannot be written is not made
            kept = True
    except OSError as error:
        raise refuse(f"{file}: {error.strerror}; nothing was made") from None
    finally:
        if not kept:
            file.unlink(missing_ok=True)
    say(json, f"{len(made)} credentials written to {file}", issued=len(made), left=left)
    for uid in left if not json else []:
        typer.echo(f"left out: {uid}; give it a name and a prefix with `publisher add`", err=True)


def _write(out: TextIO, made: list[tuple[Credential, str]]) -> None:
    """All lines, on the disk."""
    writer = csv.writer(out)
    writer.writerow(("name", "password", "prefix"))
    writer.writerows((one.name, one.password, prefix) for one, prefix in made)
    out.flush()
    os.fsync(out.fileno())


@publisher_app.command("list")
def list_(
    context: typer.Context,
    revoked: Annotated[bool, typer.Option("--revoked", help="also those that count no longer")] = False,
    json: JsonOption = False,
) -> None:
    """Publishers that the broker lets in."""
    with looking(desk_of(context)) as connection:
        rows = publishers.list_publishers(connection, revoked=revoked)
    print_rows(rows, json=json)


@publisher_app.command("show")
def show(context: typer.Context, name: Name, json: JsonOption = False) -> None:
    """One publisher."""
    with looking(desk_of(context)) as connection:
        rows = publishers.list_publishers(connection, only=name)
    print_rows(rows, json=json)


@publisher_app.command("refusals")
def refusals(context: typer.Context, json: JsonOption = False) -> None:
    """Whom the broker refused: who, for what topic, how often, from where, the latest first."""
    with looking(desk_of(context)) as connection:
        rows = list_refusals(connection)
    print_rows(rows, json=json, nothing="nobody was refused")


def _show(credential: Credential, what: str, *, json: bool) -> None:
    """The password goes to stdout once; no log and no table has it."""
    if json:
        say(True, "", **{what: credential.name, "name": credential.name, "password": credential.password})
        return
    typer.echo(f"name      {credential.name}\npassword  {credential.password}")
    typer.echo("shown this once; lost, it is replaced by `gengfu publisher rotate`", err=True)
