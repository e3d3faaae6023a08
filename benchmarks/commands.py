"""`gengfu bench NAME`: figures on this machine, as one JSON object with --json."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from benchmarks.service import DidNotHappen

app = typer.Typer(no_args_is_help=True, help="Figures on this machine.")
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


@app.command()
def ingest(
    messages: Annotated[int, typer.Option(min=1000, max=20_000_000)] = 500_000,
    devices: Annotated[int, typer.Option(min=10, max=1_000_000)] = 100_000,
    json: JsonOption = False,
) -> None:
    """Messages a second from the broker to evaluated, journalled and acknowledged."""
    from benchmarks.bench_ingest import CannotMeasure, run_bench

    try:
        _show(run_bench(messages, devices), json=json)
    except (CannotMeasure, DidNotHappen) as error:
        _refuse(error)


@app.command()
def latency(
    rate: Annotated[
        float, typer.Option(min=100, help="messages a second that are 100 %; see bench ingest")
    ] = 20_000,
    seconds: Annotated[float, typer.Option(min=5, max=3600, help="for each of the three loads")] = 30,
    devices: Annotated[int, typer.Option(min=10, max=1_000_000)] = 100_000,
    json: JsonOption = False,
) -> None:
    """From the intended time of a smoke alarm's publish to the committed incident and the first hand-over."""
    from benchmarks.bench_ingest import CannotMeasure
    from benchmarks.bench_latency import run_bench

    try:
        _show(run_bench(rate, seconds, devices), json=json)
    except (CannotMeasure, DidNotHappen) as error:
        _refuse(error)


@app.command("import")
def import_(
    devices: Annotated[int, typer.Option(min=10, max=1_000_000, help="and as many contacts")] = 100_000,
    database: Annotated[
        str, typer.Option("--database", help="URL of an empty database; else a SQLite file")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Seconds to import a registry from a workbook and from CSV files, and how long others wait for it."""
    from benchmarks.bench_import import CannotMeasure, run_bench

    try:
        _show(run_bench(devices, database), json=json)
    except CannotMeasure as error:
        _refuse(error)


@app.command()
def lookup(
    devices: Annotated[int, typer.Option(min=1000, max=2_000_000)] = 1_000_000,
    messages: Annotated[
        int, typer.Option(min=1000, max=10_000_000, help="for each of the batch sizes")
    ] = 200_000,
    json: JsonOption = False,
) -> None:
    """Microseconds to find a message's series, and how a changed registry is followed."""
    from benchmarks.bench_lookup import run_bench

    _show(run_bench(devices, messages), json=json)


def _show(figures: msgspec.Struct, *, json: bool) -> None:
    if json:
        typer.echo(msgspec.json.encode(figures).decode())
        return
    for name, value in msgspec.to_builtins(figures).items():
        typer.echo(f"{name:28} {value}")


def _refuse(error: Exception) -> None:
    typer.echo(f"gengfu: cannot measure: {error}", err=True)
    raise typer.Exit(1) from None
