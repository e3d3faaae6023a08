"""Mounts the rooms' commands under `gengfu`, and holds the small ones that need no room of their own."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gengfu.cli import CHOSEN, ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from sqlalchemy import Connection

    from devices.commands import Desk, Shelf
    from devices.profiles.checking.explain import Explanation
    from devices.profiles.compiling.compiled import Compiled
    from gengfu.config import Config
    from ingest.deadletters import DeadLetter

deadletter_app = typer.Typer(no_args_is_help=True, help="Messages that were refused, and why.")


def mount(app: typer.Typer) -> None:
    """Adds every sub-command to `app`."""
    from benchmarks.commands import app as bench_app
    from devices.commands import apps, profile_app
    from gengfu import commission_command as _commission  # noqa: F401 - adds `device commission`
    from gengfu import contact_test_command as _contact_test  # noqa: F401 - adds `contact test`
    from gengfu import discover_command as _discover  # noqa: F401 - adds `device discover`
    from gengfu import forget_command  # noqa: F401 - adds `contact erase` and `contact forget`
    from gengfu import influx_copy_command as _influx_copy  # noqa: F401 - adds `influx copy`
    from gengfu import publisher_command as _publisher  # noqa: F401 - adds `publisher files`
    from gengfu import shed_command as _shed  # noqa: F401 - adds `device shed`
    from gengfu.callbacks_command import callbacks
    from gengfu.drill_command import drill_app
    from gengfu.influx_command import influx_app
    from gengfu.key_command import key_app
    from gengfu.override_command import override_app
    from gengfu.policy_command import policy_app
    from gengfu.reachability_command import reachability
    from gengfu.replay.command import replay
    from gengfu.report_command import report_app
    from gengfu.route_command import route
    from gengfu.rule_command import rule_app
    from gengfu.silence_command import silence_app
    from gengfu.texts_command import texts_app
    from gengfu.tls_commands import tls_app
    from simulators.commands import app as simulate_app

    for name, sub in apps.items():
        sub.callback()(_open_desk)
        app.add_typer(sub, name=name)
    profile_app.callback()(_open_shelf)
    app.add_typer(profile_app, name="profile")
    app.add_typer(simulate_app, name="simulate")
    app.add_typer(bench_app, name="bench")
    app.add_typer(key_app, name="key")
    influx_app.callback()(_choose_config)
    app.add_typer(influx_app, name="influx")
    app.add_typer(tls_app, name="tls")
    deadletter_app.callback()(_choose_config)
    rule_app.add_typer(override_app, name="override")
    app.add_typer(rule_app, name="rule")
    app.add_typer(policy_app, name="policy")
    app.add_typer(texts_app, name="texts")
    app.add_typer(silence_app, name="silence")
    app.add_typer(drill_app, name="drill")
    app.add_typer(deadletter_app, name="deadletter")
    app.command()(decode)
    app.command()(replay)
    app.command()(route)
    app.add_typer(report_app, name="report")
    app.command()(reachability)
    app.command()(callbacks)


def _open_desk(context: typer.Context, config: ConfigOption = None) -> None:
    """Where the registry's commands work. Opened only by a command that really runs: asking for help, or
    a word typed wrong, makes no folder and no key."""
    chosen = config or context.obj
    context.meta[CHOSEN] = chosen
    context.obj = lambda: open_desk(context, chosen)


def _choose_config(context: typer.Context, config: ConfigOption = None) -> None:
    """Of which service; opens nothing."""
    context.obj = config or context.obj


def _open_shelf(context: typer.Context, config: ConfigOption = None) -> None:
    """Where the site's profiles lie; nothing is made and no database opened."""
    chosen = config or context.obj
    context.meta[CHOSEN] = chosen
    context.obj = lambda: _shelf(configuration(chosen))


def _shelf(settled: Config) -> Shelf:
    from devices.commands import Shelf

    used = settled.data_dir / "profiles"
    return Shelf(Path(settled.ingest.profiles_dir), settled.site.timezone, used)


def open_desk(context: typer.Context, config: Path | None) -> Desk:
    """The registry of the configured data folder, made on first use; closed with the command."""
    import getpass

    from devices.commands import Desk
    from devices.database import open_database
    from gengfu.folder import make_folder
    from gengfu.key import settle_key
    from gengfu.migrate import upgrade

    settled = configuration(config)
    make_folder(settled.data_dir)
    engine = open_database(settled.database_url)
    context.call_on_close(engine.dispose)
    vault = settle_key(engine, settled.key_path, lambda line: typer.echo(line, err=True))
    upgrade(engine)
    by, zone = getpass.getuser(), settled.site.timezone
    return Desk(engine=engine, vault=vault, by=by, timezone=zone, exercise_at=_exercise_at)


def _exercise_at(connection: Connection, uid: str, observed_us: int, received_us: int) -> str:
    from gengfu.exercised import exercise_at

    return exercise_at(connection, uid, observed_us, received_us)


def decode(
    context: typer.Context,
    topic: Annotated[str, typer.Option("--topic", help="the topic the payload came on")] = "",
    profile: Annotated[
        str, typer.Option("--profile", help="a name, or a profile's file; else chosen by topic")
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="say why: on stderr, or with --json as objects")
    ] = False,
    file: Annotated[str, typer.Argument(help="a file, or - for standard input")] = "-",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One payload, or a list of {topic, payload, retain?, qos?}, to readings: a JSON line each."""
    from devices.decode_command import decode_lines
    from gengfu.clock import now_us

    try:
        payload = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise refuse(f"{file}: {error.strerror}") from None
    site, name = _profiles_for(configuration(config or context.obj), profile)
    tell = (_explain_as_json if json else _explain) if explain else None
    refused = False
    for line in decode_lines(
        payload, topic=topic, profile=name, received_us=now_us(), site=site, explained=tell
    ):
        refused |= "rejected" in line
        typer.echo(msgspec.json.encode(line).decode())
    if refused:
        raise typer.Exit(1)


def _profiles_for(settled: Config, profile: str) -> tuple[list[Compiled], str]:
    """The site's own profiles, and the name of the one that was asked for, by name or file."""
    from devices.profiles.language.error import ProfileError
    from devices.profiles.site import asked_for

    try:
        return asked_for(Path(settled.ingest.profiles_dir), profile, site_tz=settled.site.timezone)
    except ProfileError as error:
        raise refuse("\n".join(map(str, error.all))) from None


def _explain(one: Explanation) -> None:
    from devices.profiles.checking.explained import explained

    for line in explained(one):
        typer.echo(line, err=True)


def _explain_as_json(one: Explanation) -> None:
    typer.echo(msgspec.json.encode({"explained": one}).decode())


@deadletter_app.command("list")
def deadletter_list(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="only this reason")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The newest refused messages."""
    from devices.database import open_database, reading
    from ingest.deadletters import list_dead_letters

    engine = open_database(configuration(config or context.obj).database_url)
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        for letter in list_dead_letters(connection, reason, limit):
            typer.echo(msgspec.json.encode(letter).decode() if json else _readable(letter))


def _readable(letter: DeadLetter) -> str:
    """One line: when, why, on which topic, and how it began."""
    at = datetime.fromtimestamp(letter.at_us / 1e6, UTC)
    beginning = ascii(letter.payload[:80].decode("utf-8", "replace"))
    return f"{at:%Y-%m-%dT%H:%M:%SZ}  {letter.reason}  {letter.topic}  {letter.detail}  {beginning}"
