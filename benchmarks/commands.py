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


def _show(figures: msgspec.Struct, *, json: bool) -> None:
    if json:
        typer.echo(msgspec.json.encode(figures).decode())
        return
    for name, value in msgspec.to_builtins(figures).items():
        typer.echo(f"{name:28} {value}")


def _refuse(error: Exception) -> None:
    typer.echo(f"gengfu: cannot measure: {error}", err=True)
    raise typer.Exit(1) from None
