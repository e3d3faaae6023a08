"""What the commands about silences, drills and commissioning share: how a window is asked for and shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from alerts.windows import Window, WindowKind
from alerts.windows_kept import add_window, end_window, list_windows
from devices.commands.desk import Desk, changing, now_us, print_rows, say
from devices.commands.times import HELP, instant_us
from devices.database import reading
from gengfu.cli import configuration, refuse
from gengfu.commands import open_desk
from gengfu.database_here import NothingHere, open_here
from gengfu.told_times import site_text, utc_or_none

_LENGTH: Final = re.compile(r"([0-9]{1,6}) ?(min|h|d)")
_LENGTHS: Final = {"min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
AreaOption = Annotated[str | None, typer.Option("--area", help="code: there and all below")]
BuildingOption = Annotated[str | None, typer.Option("--building", help="code")]
StairOption = Annotated[str | None, typer.Option("--stair", help="code")]
DwellingOption = Annotated[str | None, typer.Option("--dwelling", help="code")]
DeviceOption = Annotated[str | None, typer.Option("--device", help="uid")]
FromOption = Annotated[str | None, typer.Option("--from", help="the beginning; now when left out")]
UntilOption = Annotated[str | None, typer.Option("--until", help=f"the end; {HELP}")]
ForOption = Annotated[str | None, typer.Option("--for", help="how long, such as 90min, 2h or 3d")]
ByOption = Annotated[str | None, typer.Option("--by", help="who makes it; else your login")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; it stays on record")]
IdArgument = Annotated[int, typer.Argument(metavar="ID", help="as `list` calls it")]
HistoryOption = Annotated[bool, typer.Option("--history", help="also those that are over")]


def about(**given: str | None) -> tuple[str, str]:
    """What a window is about; wrong usage (exit code 2) where that is not one thing."""
    named = [(scope, code) for scope, code in given.items() if code is not None]
    if len(named) != 1:
        raise typer.BadParameter(f"say one of {', '.join(f'--{scope}' for scope in given)}")
    return named[0]


def begin(
    context: typer.Context,
    config: Path | None,
    kind: WindowKind,
    named: tuple[str, str],
    times: tuple[str | None, str | None, str | None],
    *,
    reason: str,
    by: str | None,
    json: bool,
) -> None:
    """Puts a window on record, and says so. `times` are `--from`, `--until` and `--for`."""
    desk = desk_here(context, config)
    now = now_us()
    from_us = max(now, now if times[0] is None else instant_us(times[0], desk.timezone))
    until_us = _until(times[1], times[2], from_us, desk.timezone)
    put(desk, kind, named, from_us, until_us, reason=reason, by=by, now=now, json=json)


def put(
    desk: Desk,
    kind: WindowKind,
    named: tuple[str, str],
    from_us: int,
    until_us: int,
    *,
    reason: str,
    by: str | None,
    now: int,
    json: bool,
) -> None:
    """The same with the times as instants."""
    with changing(desk) as connection:
        window = add_window(
            connection,
            kind=kind,
            scope=named[0],
            code=named[1],
            from_us=from_us,
            until_us=until_us,
            reason=reason,
            by=by or desk.by,
            now_us=now,
        )
    until = site_text(until_us, desk.timezone)
    say(json, f"{kind} {window.id} of {named[0]} {named[1]} until {until}", added=window.id)


def finish(desk: Desk, kind: WindowKind, number: int, *, reason: str, by: str | None, json: bool) -> None:
    """Ends a window now, and says so."""
    with changing(desk) as connection:
        end_window(connection, number=number, kind=kind, reason=reason, by=by or desk.by, now_us=now_us())
    say(json, f"{kind} {number} ended", ended=number)


def show(context: typer.Context, config: Path | None, kind: WindowKind, *, history: bool, json: bool) -> None:
    """The windows of a kind that are in force or to come; with `history` also those that are over."""
    settled = configuration(config or context.obj)
    try:
        engine = open_here(settled)
    except NothingHere as error:
        raise refuse(error) from None
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        windows = list_windows(connection, kind, since_us=None if history else now_us())
    if json:
        for window in windows:
            typer.echo(msgspec.json.encode(_object(window)).decode())
        return
    print_rows([_line(w, settled.site.timezone) for w in windows], json=False, nothing=f"no {kind}")


def desk_here(context: typer.Context, config: Path | None) -> Desk:
    """The registry, where there is one: without one there is nothing that a window could be about."""
    try:
        open_here(configuration(config or context.obj)).dispose()
    except NothingHere as error:
        raise refuse(error) from None
    return open_desk(context, config or context.obj)


def _until(until: str | None, length: str | None, from_us: int, timezone: str) -> int:
    """The end; wrong usage (exit code 2) for what is no time."""
    if (until is None) == (length is None):
        raise typer.BadParameter("say --until or --for: a window has an end")
    if until is not None:
        return instant_us(until, timezone)
    found = _LENGTH.fullmatch((length or "").strip())
    if found is None:
        raise typer.BadParameter(f"{length!r} is no length of time; such as 90min, 2h or 3d is allowed")
    return from_us + int(found[1]) * _LENGTHS[found[2]]


@dataclass(frozen=True, slots=True)
class _Line:
    """A window as one line of a table; times are the site's."""

    id: int
    scope: str
    code: str
    start: str
    until: str
    author: str
    reason: str
    ended: str


def _line(window: Window, timezone: str) -> _Line:
    ended = "" if window.ended_us is None else site_text(window.ended_us, timezone)
    start, until = site_text(window.from_us, timezone), site_text(window.until_us, timezone)
    return _Line(window.id, str(window.scope), window.code, start, until, window.author, window.reason, ended)


def _object(window: Window) -> dict[str, Any]:
    times = {"from": window.from_us, "until": window.until_us, "made": window.made_us}
    return {
        "id": window.id,
        "kind": str(window.kind),
        str(window.scope): window.code,
        "author": window.author,
        "reason": window.reason,
        "ended_by": window.ended_by,
        "end_reason": window.end_reason,
        **{f"{name}_at": utc_or_none(us) for name, us in times.items()},
        "ended_at": utc_or_none(window.ended_us),
    }
