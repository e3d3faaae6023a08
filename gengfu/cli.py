"""The `gengfu` command. Imports of the rooms are late, so that `gengfu --help` answers at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from gengfu.config import Config
from gengfu.config_file import ConfigError, load_config

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="configuration file; else $GENGFU_CONFIG, gengfu.toml here, defaults"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object per line")]

CHOSEN = "gengfu.config"
"""Where a group of commands notes in the context which configuration was named."""
STARTED_BY_SUPERVISOR = frozenset({"ingest", "store", "alerts", "console", "answers", "caretaker"})
"""A process that died must be back at once: these do not wait for the imports of the other commands."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Gengfu watches old residential blocks and tells the right people until somebody has it in hand.",
)


def refuse(reason: object) -> typer.Exit:
    """The reason on stderr and exit code 1: `raise refuse(...)`."""
    typer.echo(f"gengfu: {reason}", err=True)
    return typer.Exit(1)


def configuration(path: Path | None) -> Config:
    """The configuration, or exit code 1 with what is wrong with it."""
    try:
        return load_config(path)
    except ConfigError as error:
        raise refuse(error) from None


@app.callback()
def root(context: typer.Context, config: ConfigOption = None) -> None:
    """Reads nothing yet: each command asks for what it needs."""
    context.obj = config


@app.command()
def up(
    context: typer.Context,
    config: ConfigOption = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="the database of another data folder becomes this one's")
    ] = False,
) -> None:
    """The whole service: broker (when none is configured), ingest, store, alerts, caretaker and the pages."""
    from gengfu.up import run_up

    run_up(configuration(config or context.obj), take_over=take_over)


@app.command()
def demo(
    devices: Annotated[int, typer.Option(min=8, max=2000, help="how many simulated devices")] = 48,
    seconds: Annotated[float, typer.Option(min=0, help="stop after so long; 0: until Ctrl-C")] = 0,
    json: JsonOption = False,
) -> None:
    """The whole service with a simulated block and phones. Escalation clocks run at 1:6."""
    from gengfu.demo import run_demo

    run_demo(devices, seconds, json=json)


@app.command()
def ingest(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: from the broker to the journal, the rules and committed transitions."""
    from gengfu.run_ingest import run_ingest

    run_ingest(configuration(config or context.obj))


@app.command()
def store(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: from the journal to the series store."""
    from gengfu.run_store import run_store

    run_store(configuration(config or context.obj))


@app.command()
def caretaker(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: keeps the broker's access files as the registry is, and counts whom the broker refuses."""
    from gengfu.run_caretaker import run_caretaker

    run_caretaker(configuration(config or context.obj))


@app.command()
def alerts(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: from transitions to people."""
    from gengfu.run_alerts import run_alerts_process

    run_alerts_process(configuration(config or context.obj))


@app.command()
def console(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: the operators' pages."""
    from gengfu.run_pages import run_console

    run_console(configuration(config or context.obj))


@app.command()
def answers(context: typer.Context, config: ConfigOption = None) -> None:
    """One process: the one-tap pages; the only one that faces the internet."""
    from gengfu.run_pages import run_answers

    run_answers(configuration(config or context.obj))


@app.command()
def check(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Configuration and every dependency, each with ok or what to do. Exit code 1 if anything is not ok."""
    from gengfu.check import run_check

    raise typer.Exit(run_check(configuration(config or context.obj), json=json))


def main() -> None:
    """Runs the command. What a person can mend is one line and exit code 1, not a traceback.

    Files it makes are its user's alone; what is meant for others gets its mode where it is written.
    """
    os.umask(0o077)
    member = bool(STARTED_BY_SUPERVISOR.intersection(sys.argv[1:2]))
    if not member:
        from gengfu.commands import mount

        mount(app)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _said(error, member=member):
            raise
        sys.exit(1)


def _said(error: Exception, *, member: bool) -> bool:
    """Whether the reason was said. A process in the midst of its work gives a traceback instead."""
    from gengfu.refusals import REFUSED, reason_of

    reason = reason_of(error)
    if reason is None or (member and not isinstance(error, REFUSED)):
        return False
    if member:
        structlog.get_logger().error("cannot start", reason=reason)
    else:
        typer.echo(f"gengfu: {reason}", err=True)
    return True
