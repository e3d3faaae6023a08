"""`gengfu key`: making, changing and counting the keys that seal names and numbers. No key is ever shown."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from sqlalchemy import Engine

from devices.database import open_database
from devices.keyring import is_in_environment, read_keyring
from devices.resealing import Resealed, rows_by_key
from devices.vault import KeyExists
from gengfu.cli import ConfigOption, JsonOption, configuration
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock, make_folder
from gengfu.key import fitting_key, key_place, settle_key
from gengfu.rotation import prune, rotate
from gengfu.running import FORCE, check_shared

REST_S: Final = 0.02
"""Between two transactions of a rotation: four times what one takes, so that whoever waits for the lock gets
it (chosen)."""

key_app = typer.Typer(no_args_is_help=True, help="The keys that seal names and numbers.")


@key_app.command("make")
def make(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Makes the first key of a new service; refuses where there is one, or sealed data."""
    with _opened(config or context.obj) as (settled, engine):
        if is_in_environment() or settled.key_path.exists():
            raise KeyExists(f"{key_place(settled.key_path)}: there is a key already; it is never overwritten")
        settle_key(engine, settled.key_path, lambda line: None if json else typer.echo(line))
        if json:
            _print(made=1, file=str(settled.key_path))


@key_app.command("show")
def show(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """The number of each key, since when it is there, and how much it seals; never the key."""
    with _opened(config or context.obj) as (settled, engine):
        counts = rows_by_key(engine)
        ring = read_keyring(settled.key_path)
        made = {key.number: key.made_us for key in ring.keys}
        for number in dict.fromkeys([*ring.numbers, *counts]):
            facts = {
                "key": number,
                "seals": number == ring.newest.number,
                "here": number in made,
                "made_at": _instant(made.get(number)),
                "rows": counts.get(number, 0),
            }
            if json:
                _print(**facts)
            else:
                typer.echo(_line(facts))
        if not json:
            typer.echo(f"from {key_place(settled.key_path)}", err=True)


SharedOption = Annotated[
    bool, typer.Option(FORCE, help="the running service was started with exactly these keys")
]


@key_app.command("rotate")
def rotate_(
    context: typer.Context,
    shared: SharedOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Adds a new key and seals everything with it; the old one stays in the file. Run it again if cut off."""
    with _opened(config or context.obj, alone=True, shared=shared) as (settled, engine):
        done = rotate(engine, settled.key_path, by=getpass.getuser(), now_us=now_us(), rest=_rest)
        if json:
            _print(key=done.key, added=done.added, **_facts(done.resealed))
            return
        if is_in_environment():
            typer.echo(
                "the keys come from $GENGFU_KEY, which only you can change: set it to `<number> <new key>,` "
                "before what it holds now, start the service again with it, then run this once more",
                err=True,
            )
        elif not done.added:
            typer.echo(
                "an earlier rotation was cut off and is finished now; no new key was made: run it again to "
                "change the key",
                err=True,
            )
        typer.echo(f"key {done.key} seals; sealed anew: {_said(done.resealed)}")
        if done.added:
            typer.echo(
                "keep a copy of the key file; when it is made, `gengfu key prune` removes the old key",
                err=True,
            )


@key_app.command("prune")
def prune_(
    context: typer.Context,
    now: Annotated[bool, typer.Option("--now", help="also within an hour of the rotation")] = False,
    shared: SharedOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Removes the old keys, once nothing is sealed with them. Older backups cannot be read without them."""
    with _opened(config or context.obj, alone=True, shared=shared) as (settled, engine):
        done = prune(engine, settled.key_path, by=getpass.getuser(), now_us=now_us(), rest=_rest, at_once=now)
        if json:
            _print(key=done.key, removed=done.removed, **_facts(done.resealed))
            return
        if is_in_environment():
            typer.echo(
                f"key {done.key} alone is needed: set $GENGFU_KEY to its line and start again", err=True
            )
        removed = ", ".join(map(str, done.removed)) or "none"
        typer.echo(f"key {done.key} seals; removed: {removed}; sealed anew: {_said(done.resealed)}")


@contextmanager
def _opened(
    path: Path | None, *, alone: bool = False, shared: bool = False
) -> Iterator[tuple[Config, Engine]]:
    """The configured database; with `alone`, of two commands that change keys the second is refused, and
    unless `shared` one that a running process might not be able to follow."""
    config = configuration(path)
    make_folder(config.data_dir)
    held = lock(config.data_dir, "key") if alone else None
    engine = open_database(config.database_url)
    try:
        if alone:
            fitting_key(engine, config.key_path)
        if alone and not shared:
            check_shared(engine, config.data_dir, now_us())
        yield config, engine
    finally:
        engine.dispose()
        if held:
            held.close()


def _rest() -> None:
    time.sleep(REST_S)


def _facts(resealed: Resealed) -> dict[str, object]:
    return {"resealed": resealed.rows, "unreadable": resealed.unreadable}


def _said(resealed: Resealed) -> str:
    rows = ", ".join(f"{name} {count}" for name, count in resealed.rows.items() if count) or "nothing"
    if not resealed.unreadable:
        return rows
    return f"{rows}; cannot be opened and stays as it is: {', '.join(resealed.unreadable)}"


def _line(facts: Mapping[str, object]) -> str:
    state = "seals" if facts["seals"] else "opens" if facts["here"] else "NOT HERE"
    return f"key {facts['key']}  {state}  made {facts['made_at'] or 'unknown'}  {facts['rows']} values"


def _instant(us: int | None) -> str | None:
    return None if us is None else datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()


def _print(**facts: object) -> None:
    typer.echo(msgspec.json.encode(facts).decode())
