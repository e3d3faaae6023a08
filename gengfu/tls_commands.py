"""`gengfu tls`: a private authority and the broker's certificate, in `tls/` of the data folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from devices.commands.desk import print_rows, say
from gengfu import tls
from gengfu.cli import ConfigOption, JsonOption, configuration, refuse
from gengfu.config import Config

tls_app = typer.Typer(no_args_is_help=True, help="TLS for the private broker.")

Names = Annotated[
    list[str], typer.Option("--name", help="host name or IP address devices use; may be repeated")
]


@tls_app.command("init")
def init(context: typer.Context, name: Names, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Makes a private authority (10 years) and a certificate of the broker (825 days)."""
    settled = configuration(config or context.obj)
    folder, now = _folder(settled), datetime.now(UTC)
    try:
        for one in name:
            tls.check_host(one)
        tls.make_authority(folder, settled.site.name, now)
        tls.make_server(folder, name, now)
    except (tls.TlsError, OSError) as error:
        raise refuse(error) from None
    _done(settled, folder, json=json)


@tls_app.command("renew")
def renew(
    context: typer.Context,
    name: Annotated[list[str] | None, typer.Option("--name", help="new names; without, those it has")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Makes a new certificate of the broker by the same authority; devices need nothing new."""
    settled = configuration(config or context.obj)
    folder = _folder(settled)
    try:
        names = name or tls.names_of(folder / tls.CERTIFICATE)
        tls.make_server(folder, names, datetime.now(UTC))
    except (tls.TlsError, OSError) as error:
        raise refuse(error) from None
    _done(settled, folder, json=json)


@tls_app.command("show")
def show(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """What the certificates are for, until when, and their fingerprints."""
    settled = configuration(config or context.obj)
    folder, now = _folder(settled), datetime.now(UTC)
    broker = settled.broker
    files = [(folder / tls.AUTHORITY, "authority, for the devices"), (folder / tls.CERTIFICATE, "broker")]
    if broker.tls == "files":
        files = [(Path(broker.certificate), "broker")]
        files += [(Path(broker.authority), "authority, for the devices")] if broker.authority else []
    try:
        rows = [tls.show(path, what, now) for path, what in files]
    except tls.TlsError as error:
        raise refuse(error) from None
    print_rows(rows, json=json)


def _done(config: Config, folder: Path, *, json: bool) -> None:
    authority = folder / tls.AUTHORITY
    shown = tls.show(folder / tls.CERTIFICATE, "broker", datetime.now(UTC))
    on = "" if config.broker.tls == "private" else '; set tls = "private" under [broker] to use it'
    say(
        json,
        f"certificate for {', '.join(shown.names)} until {shown.until}; devices need {authority}{on}",
        names=shown.names,
        until=shown.until,
        authority=str(authority),
    )


def _folder(config: Config) -> Path:
    return config.data_dir / "tls"
