"""`gengfu publisher files`: the broker's access files by hand, for a broker on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devices.commands.desk import JsonOption, desk_of, refuse, say
from devices.commands.publisher import publisher_app
from devices.vault import VaultError
from gengfu.access import own_credential, site_texts
from gengfu.cli import CHOSEN, configuration
from gengfu.folder import write_private
from ingest.gate.files import write_files

INGEST: str = "ingest"
"""The file with ingest's password, for `broker.password_file`."""


@publisher_app.command("files")
def files(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="where to write them")],
    json: JsonOption = False,
) -> None:
    """Writes the broker's password file and access list as the registry is now."""
    desk = desk_of(context)
    config = configuration(context.meta.get(CHOSEN))
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_files(folder, site_texts(config, desk.engine, desk.vault))
        password = own_credential(desk.engine, desk.vault, config.broker.client_id).password
        write_private(folder / INGEST, password.encode())
    except VaultError as error:
        raise refuse(str(error)) from None
    except OSError as error:
        raise refuse(f"{folder}: {error.strerror}") from None
    say(json, f"passwords, access and {INGEST} written to {folder}", written=str(folder))
