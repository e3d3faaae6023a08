"""`gengfu rule override`: other numbers of a rule for a place or a device, on record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from devices.commands.desk import Desk, changing, now_us, print_rows, say
from devices.commands.times import HELP, instant_us
from devices.database import reading
from devices.registry.rule_overrides import (
    NUMBERS,
    Named,
    OverrideRow,
    add_override,
    end_override,
    ids_of,
    list_overrides,
)
from gengfu.cli import ConfigOption, JsonOption, configuration, refuse
from gengfu.told_times import site_text, utc_or_none

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from sqlalchemy import Connection, Engine

    from gengfu.config import Config

override_app = typer.Typer(
    no_args_is_help=True, help="Other numbers of a rule for an area, a building, a dwelling or a device."
)
DAY_US: Final = 86_400_000_000
_LENGTH: Final = re.compile(r"([0-9]{1,6}) ?(min|h|d)")
_LENGTHS: Final = {"min": 60_000_000, "h": 3_600_000_000, "d": DAY_US}
ByOption = Annotated[str | None, typer.Option("--by", help="who makes it; else your login")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; it stays on record")]


@override_app.command("add")
def add(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(help="as `rule list` calls it")],
    *,
    reason: ReasonOption,
    area: Annotated[str | None, typer.Option("--area", help="code: there and all below")] = None,
    building: Annotated[str | None, typer.Option("--building", help="code")] = None,
    dwelling: Annotated[str | None, typer.Option("--dwelling", help="code")] = None,
    device: Annotated[str | None, typer.Option("--device", help="uid")] = None,
    raise_: Annotated[str, typer.Option("--raise", help="level with its unit, such as '36 A'")] = "",
    clear: Annotated[str, typer.Option("--clear", help="level with its unit")] = "",
    hold: Annotated[str, typer.Option("--hold", help="time, such as '2 min'")] = "",
    clear_hold: Annotated[str, typer.Option("--clear-hold", help="time, such as '10 min'")] = "",
    off: Annotated[bool, typer.Option("--off", help="the rule does not hold there")] = False,
    from_: Annotated[str | None, typer.Option("--from", help="the beginning; now when left out")] = None,
    until: Annotated[str | None, typer.Option("--until", help=f"the end; {HELP}")] = None,
    for_: Annotated[str | None, typer.Option("--for", help="how long, such as 30d, 12h, 90min")] = None,
    by: ByOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Puts an override on record; a running service takes it up within seconds."""
    about = _about(area, building, dwelling, device)
    desk, now = _desk(context, config), now_us()
    from_us = max(now, now if from_ is None else instant_us(from_, desk.timezone))
    until_us = _until(until, for_, from_us, desk.timezone)
    numbers = {"raise": raise_, "clear": clear, "hold": hold, "clear_hold": clear_hold}
    author = by or desk.by
    with changing(desk) as connection:
        row = OverrideRow(0, rule, *about, numbers, off, from_us, until_us, author, reason, now, None, "", "")
        _check(configuration(config or context.obj), connection, row)
        number = add_override(
            connection,
            rule=rule,
            about=about,
            numbers=numbers,
            off=off,
            from_us=from_us,
            until_us=until_us,
            reason=reason,
            by=author,
            now_us=now,
        )
    end = f"until {site_text(until_us, desk.timezone)}" if until_us is not None else "for good"
    say(json, f"override {number} of {rule} for {about[0]} {about[1]} {end}", added=number)


@override_app.command("end")
def end(
    context: typer.Context,
    number: Annotated[int, typer.Argument(metavar="ID", help="as `rule override list` calls it")],
    *,
    reason: ReasonOption,
    by: ByOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Ends an override now, begun or not; it stays on record."""
    desk = _desk(context, config)
    with changing(desk) as connection:
        end_override(connection, number=number, reason=reason, by=by or desk.by, now_us=now_us())
    say(json, f"override {number} ended", ended=number)


@override_app.command("list")
def list_(
    context: typer.Context,
    *,
    history: Annotated[bool, typer.Option("--history", help="also those that are over")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The overrides that are in force or to come."""
    settled = configuration(config or context.obj)
    engine = _engine(settled)
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        rows = list_overrides(connection, since_us=None if history else now_us())
    if json:
        for row in rows:
            typer.echo(msgspec.json.encode(_object(row)).decode())
        return
    lines = [_line(row, settled.site.timezone) for row in rows]
    print_rows(lines, json=False, nothing="no override")


def _about(area: str | None, building: str | None, dwelling: str | None, device: str | None) -> Named:
    """What the override is about; wrong usage (exit code 2) where that is not one thing."""
    given = {"area": area, "building": building, "dwelling": dwelling, "device": device}
    named = [(scope, code) for scope, code in given.items() if code is not None]
    if len(named) != 1:
        raise typer.BadParameter("say one of --area, --building, --dwelling and --device")
    return named[0]


def _until(until: str | None, length: str | None, from_us: int, timezone: str) -> int | None:
    """The end, None for good; wrong usage (exit code 2) for what is no time."""
    if until is not None and length is not None:
        raise typer.BadParameter("say --until or --for")
    if until is not None:
        return instant_us(until, timezone)
    if length is None:
        return None
    found = _LENGTH.fullmatch(length.strip())
    if found is None:
        raise typer.BadParameter(f"{length!r} is no length of time; such as 30d, 12h or 90min is allowed")
    return from_us + int(found[1]) * _LENGTHS[found[2]]


def _desk(context: typer.Context, config: Path | None) -> Desk:
    """The registry, where there is one: without one there is nothing that an override could be about."""
    from gengfu.commands import open_desk

    _engine(configuration(config or context.obj)).dispose()
    return open_desk(context, config or context.obj)


def _engine(settled: Config) -> Engine:
    """The database that is there; none is made."""
    from gengfu.database_here import NothingHere, open_here

    try:
        return open_here(settled)
    except NothingHere as error:
        raise refuse(error) from None


def _check(settled: Config, connection: Connection, row: OverrideRow) -> None:
    """Refuses what the rule cannot take, with key and what is allowed."""
    from gengfu.override_admission import admit
    from gengfu.rules_here import rules_here
    from rules.overrides import OverrideError

    about = row.scope, row.code
    ids = ids_of(connection, [about])[about]
    if not ids:
        return  # who is not registered, the registry refuses
    try:
        admit(connection, row, ids, rules_here(settled, connection, row.made_us).settled)
    except OverrideError as error:
        raise refuse(error) from None


@dataclass(frozen=True, slots=True)
class _Line:
    """An override as one line of a table; times are the site's."""

    id: int
    rule: str
    scope: str
    code: str
    numbers: str
    start: str
    until: str
    author: str
    reason: str
    ended: str


def _line(row: OverrideRow, timezone: str) -> _Line:
    def told(at_us: int | None) -> str:
        return "" if at_us is None else site_text(at_us, timezone)

    numbers = "off" if row.off else ", ".join(f"{key} {text}" for key, text in row.numbers.items())
    until = told(row.until_us) or "for good"
    return _Line(
        row.id, row.rule, row.scope, row.code, numbers, told(row.from_us), until, row.author, row.reason,
        told(row.ended_us),
    )  # fmt: skip


def _object(row: OverrideRow) -> dict[str, Any]:
    times = {"from": row.from_us, "until": row.until_us, "made": row.made_us, "ended": row.ended_us}
    return {
        "id": row.id,
        "rule": row.rule,
        row.scope: row.code,
        **{key: row.numbers.get(key, "") for key in NUMBERS},
        "off": row.off,
        "author": row.author,
        "reason": row.reason,
        "ended_by": row.ended_by,
        "end_reason": row.end_reason,
        **{f"{name}_at": utc_or_none(us) for name, us in times.items()},
    }
