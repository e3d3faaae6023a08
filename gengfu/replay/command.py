"""`gengfu replay FILE`: what the rules would have said of a recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from devices.database import open_database, reading
from gengfu.cli import ConfigOption, JsonOption, configuration, refuse
from gengfu.config import Config
from gengfu.local_time import calendar_of
from gengfu.overriding import parse_overrides
from gengfu.replay.circuits import Circuits, read_circuits, registered_circuits
from gengfu.replay.events import read_events
from gengfu.replay.reading import RecordingError, instant_us
from gengfu.replay.recorded import Book, Recorded, Recording
from gengfu.replay.stored import series_of, stored
from gengfu.replay.summary import Summary
from gengfu.replay.virtual import VirtualTime
from gengfu.rulebook import own_catalogue
from rules.catalogue import Catalogue, CatalogueError, RuleFile
from rules.overrides import OverrideError, Overrides, Scope
from rules.transition import Subject, Transition


def replay(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="CSV or JSON lines, also .gz; see docs/rules.md")
    ] = None,
    *,
    store: Annotated[
        bool, typer.Option("--store", help="points of the series store instead of a file")
    ] = False,
    begin: Annotated[str, typer.Option("--from", help="of the store: from this time on")] = "",
    until: Annotated[str, typer.Option("--until", help="of the store: to before this time")] = "",
    device: Annotated[
        list[str] | None, typer.Option("--device", help="of the store: only this device; repeatable")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="a site's rule file, over the shipped ones")
    ] = None,
    override: Annotated[
        Path | None, typer.Option("--override", help="a TOML file of override tables (docs/rules.md)")
    ] = None,
    circuits: Annotated[
        Path | None, typer.Option("--circuits", help="ratings and places of devices, CSV or TOML")
    ] = None,
    registry: Annotated[
        bool, typer.Option("--registry", help="take ratings and places from the registry as well")
    ] = False,
    events: Annotated[
        Path | None, typer.Option("--events", help="device and at of what really happened")
    ] = None,
    tick_s: Annotated[
        float, typer.Option("--seconds-per-tick", min=0.001, max=60, help="readings taken at once")
    ] = 1.0,
    gap_s: Annotated[
        float, typer.Option("--longest-gap", min=1, help="seconds unheard that still count as observed")
    ] = 3600.0,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Recorded readings through the rules in virtual time: a JSON line for each transition, and a summary."""
    if store is (file is not None) or store is not bool(begin and until):
        raise typer.BadParameter("one is needed: FILE, or --store with --from and --until")
    settled = configuration(config or context.obj)
    try:
        catalogue = _catalogue(rules)
        book = Book(_circuits(context, settled, circuits, registry=registry))
        zone = ZoneInfo(settled.site.timezone)
        virtual = VirtualTime(
            catalogue,
            book,
            overrides=_overrides(override, book, catalogue, settled.site.timezone),
            calendar=calendar_of(settled.site.timezone),
            tick_us=round(tick_s * 1e6),
        )
        told = read_events(events, zone) if events else None
        summary = Summary(catalogue, book, told, round(gap_s * 1e6))
        parts: Iterable[Recorded]
        if file is not None:
            parts = Recording(file, book, zone)
        else:
            span = _instant("--from", begin, zone), _instant("--until", until, zone)
            parts = _stored(context, settled, book, device or [], *span)
        for transition in virtual.run(_counted(parts, summary)):
            summary.told(transition)
            typer.echo(msgspec.json.encode(line_of(transition, book)).decode())
    except (RecordingError, CatalogueError, OverrideError) as error:
        raise refuse(error) from None
    figures = summary.figures()
    if json:
        typer.echo(msgspec.json.encode({"summary": figures}).decode())
    for line in readable(figures):
        typer.echo(line, err=True)


def line_of(transition: Transition, book: Book) -> dict[str, str]:
    """A transition as it is printed."""
    device = book.device(transition.slot)
    at = datetime.fromtimestamp(transition.at_us // 1_000_000, UTC)
    part = f".{transition.at_us % 1_000_000:06d}".rstrip("0").rstrip(".")
    return {
        "device": device,
        "rule": transition.rule,
        "severity": str(transition.severity),
        "subject": _subject(transition, device, book),
        "at": f"{at:%Y-%m-%dT%H:%M:%S}{part}Z",
        "to": str(transition.to),
        "why": transition.why.en,
    }


def readable(figures: dict[str, Any]) -> Iterator[str]:
    """The summary in lines for a person."""
    yield (
        f"{figures['readings']} readings ({figures['late']} late) of {figures['series']} series on "
        f"{figures['devices']} devices, {figures['device_days']} device-days"
    )
    for rule, of in figures["by_rule"].items():
        yield f"{rule:6} {of['severity']:3} raised {of['raised']:6}  {_rate(of)}"
    yield f"all        raised {figures['alarms']:6}  {_rate(figures)}"
    for event in figures.get("events", ()):
        said = f"{event['first']} {event['lead_s']} s before" if event["first"] else "no alarm near it"
        at = datetime.fromtimestamp(event["at_us"] / 1e6, UTC)
        yield f"event on {event['device']} at {at:%Y-%m-%dT%H:%M:%SZ}: {said}"


def _rate(of: dict[str, Any]) -> str:
    if of["per_device_month"] is None:
        return "no time observed"
    return f"{of['per_device_month']} a device-month (95 %: at most {of['per_device_month_at_most']})"


def _subject(transition: Transition, device: str, book: Book) -> str:
    match transition.subject:
        case Subject.SERIES:
            return f"{device}/{book.channel(transition.slot)}"
        case Subject.DEVICE:
            return f"{device}/"
        case place:
            return f"{place}:{book.code(str(place), transition.place)}"


def _counted(recording: Iterable[Recorded], summary: Summary) -> Iterator[Recorded]:
    for part in recording:
        summary.read(part)
        yield part


def _catalogue(own: Path | None) -> Catalogue:
    return own_catalogue(RuleFile(str(own), _text(own)) if own else None)


def _circuits(context: typer.Context, settled: Config, file: Path | None, *, registry: bool) -> Circuits:
    found = Circuits()
    if registry:
        engine = open_database(settled.database_url)
        context.call_on_close(engine.dispose)
        with reading(engine) as connection:
            found = registered_circuits(connection)
    return found.and_then(read_circuits(file)) if file else found


def _stored(
    context: typer.Context, settled: Config, book: Book, devices: list[str], from_us: int, until_us: int
) -> Iterator[Recorded]:
    engine = open_database(settled.database_url)
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        slots = series_of(connection, book, frozenset(devices))
    return stored(settled.data_dir / "points.db", slots, from_us, until_us)


def _instant(option: str, text: str, zone: ZoneInfo) -> int:
    try:
        return instant_us(text, zone)
    except ValueError as error:
        raise RecordingError(f"{option}: {error}") from None


def _overrides(file: Path | None, book: Book, catalogue: Catalogue, timezone: str) -> Overrides:
    if file is None:
        return Overrides()

    def resolve(scope: Scope, code: str) -> frozenset[int]:
        return frozenset({book.id(str(scope), code)} - {0})

    return parse_overrides(_text(file), str(file), resolve, catalogue, timezone=timezone)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not UTF-8") from None
