"""`gengfu bench NAME`: figures on this machine, as one JSON object with --json."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer

from benchmarks.errors import CannotMeasure
from benchmarks.numbers import ALARMS_FOR_P99
from benchmarks.service import DidNotHappen

app = typer.Typer(no_args_is_help=True, help="Figures on this machine.")
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Devices = Annotated[int, typer.Option(min=10, max=1_000_000, help="identities that take turns")]
Mosquitto = Annotated[str, typer.Option("--mosquitto", help="the broker's program, a name or a path")]
MosquittoSub = Annotated[str, typer.Option("--mosquitto-sub", help="the null subscriber's, a name or a path")]
Mix = Annotated[str, typer.Option("--mix", help="kinds of messages, as of `gengfu simulate load`")]
Recordings = Annotated[Path, typer.Option("--data", help="the folder with the recordings")]
Rate = Annotated[
    float, typer.Option(min=0, help="messages a second that are 100 %; 0: found by a run at full speed")
]


@app.callback()
def root() -> None:
    """Told to end, a bench ends what it started as well, as it does when interrupted."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@app.command()
def ingest(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="of each interval")] = 60,
    messages: Annotated[
        int, typer.Option(min=0, max=20_000_000, help="so many instead, for a quick run; 0: by time")
    ] = 0,
    devices: Devices = 100_000,
    mix: Mix = "fixed",
    mosquitto: Mosquitto = "",
    mosquitto_sub: MosquittoSub = "",
    null_window: Annotated[
        int, typer.Option(min=0, max=65_535, help="the null subscriber's Receive Maximum; 0: its own, 20")
    ] = 0,
    libraries: Annotated[
        bool, typer.Option("--libraries/--no-libraries", help="paho-mqtt and aiomqtt beside it")
    ] = True,
    mixed: Annotated[
        bool, typer.Option("--mixed/--no-mixed", help="the service once more, with several kinds of messages")
    ] = True,
    json: JsonOption = False,
) -> None:
    """Messages a second from the broker to evaluated, journalled and acknowledged."""
    from benchmarks.bench_ingest import run_bench
    from benchmarks.saturation import Bounds
    from benchmarks.subscribers import Programs

    try:
        bounds = Bounds(devices, seconds, messages, mix)
        programs = Programs(mosquitto, mosquitto_sub, null_window)
        figures = run_bench(bounds, programs, libraries=libraries, mixed=mixed)
    except (CannotMeasure, DidNotHappen) as error:
        raise _refused(error) from None
    _show(figures, json=json)
    if figures.generator_is_the_limit:
        typer.echo(
            f"gengfu: the generator alone is {figures.generator_headroom} times as fast: it may be the limit",
            err=True,
        )


@app.command()
def latency(
    *,
    rate: Rate = 0,
    seconds: Annotated[float, typer.Option(min=2, max=3600, help="for each of the three loads")] = 60,
    alarms_per_s: Annotated[float, typer.Option(min=0.5, max=100, help="smoke alarms a second")] = 4,
    devices: Devices = 100_000,
    mix: Mix = "fixed",
    mosquitto: Mosquitto = "",
    mosquitto_sub: MosquittoSub = "",
    json: JsonOption = False,
) -> None:
    """From the intended time of a smoke alarm's publish to the committed incident and the first hand-over."""
    from benchmarks.bench_latency import Course, run_bench
    from benchmarks.subscribers import Programs

    try:
        course = Course(rate, seconds, alarms_per_s, devices, mix)
        figures = run_bench(course, Programs(mosquitto, mosquitto_sub))
    except (CannotMeasure, DidNotHappen) as error:
        raise _refused(error) from None
    _show(figures, json=json)
    fewest = min(load.alarms for load in figures.loads.values())
    if fewest < ALARMS_FOR_P99:
        typer.echo(
            f"gengfu: {fewest} alarms a load: a p99 wants {ALARMS_FOR_P99}; give more --seconds", err=True
        )


@app.command()
def alerts(
    *,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="of the storm")] = 60,
    alarms_per_s: Annotated[
        int, typer.Option(min=50, max=5_000, help="of the storm, 10 of them fires")
    ] = 1_000,
    burst: Annotated[int, typer.Option(min=10, max=20_000, help="fires at once, native channels")] = 1_500,
    apprise_burst: Annotated[int, typer.Option(min=10, max=20_000, help="the same through Apprise")] = 400,
    json: JsonOption = False,
) -> None:
    """Hand-overs a second, and how soon people are told of a fire in a storm of lesser alarms."""
    from benchmarks.bench_alerts import Course, run_bench

    try:
        figures = run_bench(Course(seconds, alarms_per_s, burst, apprise_burst))
    except (CannotMeasure, DidNotHappen) as error:
        raise _refused(error) from None
    _show(figures, json=json)
    if figures.lost or figures.untold:
        typer.echo(f"gengfu: {figures.lost} lost, and {figures.untold} incidents untold", err=True)
        raise typer.Exit(1)


@app.command()
def console(
    *,
    incidents: Annotated[int, typer.Option(min=10, max=100_000, help="that are open")] = 5_000,
    changes: Annotated[float, typer.Option(min=1, max=1_000, help="of incidents a second")] = 50,
    streams: Annotated[int, typer.Option(min=1, max=399, help="open pages beside the browser's")] = 200,
    pages: Annotated[
        int, typer.Option(min=-1, max=399, help="of them that also ask again as a page does; -1: all")
    ] = -1,
    seconds: Annotated[float, typer.Option(min=3, max=86_400, help="while incidents change")] = 600,
    database: Annotated[
        str, typer.Option("--database", help="URL of an empty database; else a SQLite file")
    ] = "",
    json: JsonOption = False,
) -> None:
    """How soon a real Chromium paints the board and shows a change on it, and what the console holds."""
    from benchmarks.bench_console import Course, run_bench

    try:
        course = Course(incidents, changes, streams, streams if pages < 0 else pages, seconds, database)
        figures = run_bench(course)
    except (CannotMeasure, DidNotHappen) as error:
        raise _refused(error) from None
    _show(figures, json=json)
    if figures.lost:
        typer.echo(f"gengfu: {figures.lost} changes were lost on their way to streams", err=True)
        raise typer.Exit(1)


@app.command()
def store(
    *,
    points: Annotated[int, typer.Option(min=10_000, max=100_000_000, help="that ours writes")] = 2_000_000,
    devices: Devices = 10_000,
    server: Annotated[
        str, typer.Option("--server", help="influxd of 1.8 or 2, or victoria-metrics: a name or a path")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Points a second into a series server, beside the stock client and beside bodies made beforehand."""
    from benchmarks.bench_store import run_bench

    try:
        figures = run_bench(points, devices, server)
    except (CannotMeasure, DidNotHappen, OSError) as error:
        raise _refused(error) from None
    _show(figures, json=json)
    if figures.lost or figures.doubled:
        raise typer.Exit(1)


@app.command()
def memory(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, max=10_080, help="under load")] = 30,
    load: Annotated[float, typer.Option(min=0.01, max=1, help="part of the rate")] = 0.7,
    rate: Rate = 0,
    devices: Devices = 100_000,
    mix: Mix = "fixed",
    mosquitto: Mosquitto = "",
    mosquitto_sub: MosquittoSub = "",
    json: JsonOption = False,
) -> None:
    """How much the resident memory of each process grows in a minute under steady load."""
    from benchmarks.bench_memory import Course, run_bench
    from benchmarks.subscribers import Programs

    try:
        course = Course(minutes=minutes, load=load, rate=rate, devices=devices, mix=mix)
        _show(run_bench(course, Programs(mosquitto, mosquitto_sub)), json=json)
    except (CannotMeasure, DidNotHappen) as error:
        raise _refused(error) from None


@app.command()
def tick(
    *,
    batch: Annotated[
        list[int] | None, typer.Option(min=10, max=10_000, help="messages in a tick; more than once")
    ] = None,
    messages: Annotated[
        int, typer.Option(min=100, max=10_000_000, help="for each of the batch sizes")
    ] = 60_000,
    devices: Devices = 100_000,
    mix: Mix = "fixed",
    json: JsonOption = False,
) -> None:
    """Where each microsecond of the ingest process goes, stage by stage, without a broker."""
    from benchmarks.bench_tick import SIZES, describe, run_bench

    try:
        figures = run_bench(tuple(batch or SIZES), messages, devices, mix)
    except CannotMeasure as error:
        raise _refused(error) from None
    if json:
        _show(figures, json=True)
    else:
        typer.echo(describe(figures))


@app.command()
def decode(
    *,
    profile: Annotated[list[str] | None, typer.Option(help="only this one; more than once")] = None,
    json: JsonOption = False,
) -> None:
    """Microseconds to make readings of a message, by profile."""
    from benchmarks.bench_decode import describe, run_bench

    try:
        figures = run_bench(profile or ())
    except CannotMeasure as error:
        raise _refused(error) from None
    if json:
        _show(figures, json=True)
    else:
        typer.echo(describe(figures))


@app.command("import")
def import_(
    devices: Annotated[int, typer.Option(min=10, max=1_000_000, help="and as many contacts")] = 100_000,
    database: Annotated[
        str, typer.Option("--database", help="URL of an empty database; else a SQLite file")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Seconds to import a registry from a workbook and from CSV files, and how long others wait for it."""
    from benchmarks.bench_import import run_bench

    try:
        _show(run_bench(devices, database), json=json)
    except CannotMeasure as error:
        raise _refused(error) from None


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


@app.command()
def rules(
    *,
    series: Annotated[int, typer.Option(min=1000, max=4_000_000, help="of each fleet")] = 1_000_000,
    devices: Annotated[int, typer.Option(min=1000, max=4_000_000, help="that are looked for")] = 1_000_000,
    readings: Annotated[
        int, typer.Option(min=10_000, max=100_000_000, help="of each figure; fewer: a quick run")
    ] = 12_000_000,
    json: JsonOption = False,
) -> None:
    """Evaluations a second of the rule engine, by kind of rule, and its memory by series."""
    from benchmarks.bench_rules import Bounds, run_bench

    sizes = tuple(size for size in (1_000, 10_000, 100_000) if size < series)
    try:
        bounds = Bounds(series, devices, readings, warm_up=readings // 2, sizes=(*sizes, series))
        _show(run_bench(bounds), json=json)
    except CannotMeasure as error:
        raise _refused(error) from None


@app.command()
def ordinary(data: Recordings, json: JsonOption = False) -> None:
    """How often the shipped rules raise an alarm over recordings of ordinary life, by rule and severity."""
    from benchmarks.bench_ordinary import measure

    try:
        _show(measure(data), json=json)
    except CannotMeasure as error:
        raise _refused(error) from None


@app.command()
def fires(data: Recordings, json: JsonOption = False) -> None:
    """Whether the analogue smoke rule speaks before real detectors did, in recordings of real fires."""
    from benchmarks.bench_fires import measure

    try:
        _show(measure(data), json=json)
    except CannotMeasure as error:
        raise _refused(error) from None


def _show(figures: msgspec.Struct | dict[str, object], *, json: bool) -> None:
    if json:
        typer.echo(msgspec.json.encode(figures).decode())
        return
    for name, value in msgspec.to_builtins(figures).items():
        if isinstance(value, dict):
            typer.echo(name)
            for key, one in value.items():
                typer.echo(f"  {key:26} {one}")
        else:
            typer.echo(f"{name:28} {value}")


def _refused(error: Exception) -> typer.Exit:
    typer.echo(f"gengfu: cannot measure: {error}", err=True)
    return typer.Exit(1)
