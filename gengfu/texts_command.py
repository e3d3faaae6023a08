"""`gengfu texts`: what messages say, a check of a site's file, and messages as people would read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from gengfu.config import Config
    from gengfu.texts_preview import Asked, Preview, Studio

texts_app = typer.Typer(no_args_is_help=True, help="What messages say: list, show, check, preview.")

W = TypeVar("W", bound=str)


@texts_app.command("list")
def list_(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Every text that holds, in both languages: of the configuration, where there is one. Exit code 1 where
    the site's own file has faults: what holds instead is shown."""
    from gengfu.texts_here import texts_here
    from gengfu.texts_told import json_of, names_in, text_of

    texts, faults = texts_here(configuration(config or context.obj))
    for name in names_in(texts):
        _echo(json_of(texts, name) if json else text_of(texts, name))
    if faults:
        raise refuse("\n".join(faults))


@texts_app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="such as why_now.call")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One text, with the places that it may have."""
    from gengfu.texts_here import texts_here
    from gengfu.texts_told import json_of, names_in, text_of

    texts, _ = texts_here(configuration(config or context.obj))
    if name not in names_in(texts):
        raise refuse(f"{name}: there is no such text; gengfu texts list shows all")
    _echo(json_of(texts, name) if json else text_of(texts, name))


@texts_app.command("check")
def check(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="else that of the configuration")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Reads a texts file as the service would: which line is wrong and what is allowed, and which texts take
    more than one SMS."""
    from alerts.following_texts import read_texts_file
    from alerts.text_file import Texts, shipped_texts
    from alerts.text_samples import too_long
    from alerts.toml_table import PolicyError

    path = file or Path(configuration(config or context.obj).alerts.texts or "-")
    if not file and path == Path("-"):
        raise refuse("no file: name one, or set alerts.texts in the configuration")
    try:
        read = read_texts_file(path)
    except PolicyError as error:
        raise refuse(error) from None
    long = too_long(Texts(shipped_texts().shipped, read.texts, path.name), read.at)
    if json:
        _echo([*_levels("fault", read.faults), *_levels("warning", long)])
    else:
        for warning in long:
            typer.echo(f"warning: {warning}", err=True)
    if read.faults:
        raise refuse("\n".join(read.faults))
    if not json:
        typer.echo(f"{path}: {len(read.texts)} {'text' if len(read.texts) == 1 else 'texts'}, ok")


@texts_app.command("preview")
def preview(
    context: typer.Context,
    incident: Annotated[int, typer.Option("--incident", min=0, help="its number; else an example")] = 0,
    severity: Annotated[str, typer.Option("--severity", help="of the example: P0+, P0, P1, P2 or P3")] = "P0",
    hazard: Annotated[str, typer.Option("--hazard", help="of the example: fire, electrical or fault")] = "",
    saying: Annotated[str, typer.Option("--saying", help="why it is sent: alarm, call, help …")] = "alarm",
    role: Annotated[str, typer.Option("--role", help="for this role only")] = "",
    language: Annotated[str, typer.Option("--language", help="zh-CN or en only")] = "",
    medium: Annotated[str, typer.Option("--medium", help="push, sms, voice or email only")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The exact texts for each role, language and way, with their lengths, and what a provider's template
    fixes. Sends nothing; links in it open nothing."""
    from alerts.case import Hazard
    from alerts.text_rules import LANGUAGES
    from alerts.text_samples import SAYINGS
    from devices.model import Medium, Role, Severity
    from gengfu.texts_preview import Asked
    from gengfu.texts_told import preview_json, preview_text

    asked = Asked(
        _one_of("--saying", saying, SAYINGS),
        Role(_one_of("--role", role, tuple(Role))) if role else None,
        _one_of("--language", language, LANGUAGES) if language else "",
        Medium(_one_of("--medium", medium, tuple(Medium))) if medium else None,
    )
    grade = Severity(_one_of("--severity", severity, tuple(Severity)))
    dangers = (Hazard.FIRE, Hazard.ELECTRICAL, Hazard.FAULT)
    danger = Hazard(_one_of("--hazard", hazard, dangers)) if hazard else None
    settled = configuration(config or context.obj)
    studio = _studio(settled)
    shown: Iterable[Preview]
    if incident:
        shown = _of_incident(context, settled, studio, incident, asked)
    else:
        shown = studio.examples(asked, grade, danger, _told_at_once(settled, grade))
    _echo(preview_json(shown) if json else preview_text(shown))


def _studio(config: Config) -> Studio:
    from gengfu.channel_accounts import accounts_of
    from gengfu.run_alerts import answers_url
    from gengfu.texts_here import texts_here
    from gengfu.texts_preview import Studio

    accounts = accounts_of(config.channels, config.site.timezone)
    return Studio(texts_here(config).texts, accounts, answers_url(config), config.site.timezone)


def _of_incident(
    context: typer.Context, config: Config, studio: Studio, number: int, asked: Asked
) -> Iterable[Preview]:
    from devices.database import reading
    from gengfu.clock import now_us
    from gengfu.database_here import NothingHere, open_here

    try:
        engine = open_here(config)
    except NothingHere as error:
        raise refuse(error) from None
    context.call_on_close(engine.dispose)
    with reading(engine) as connection:
        shown = studio.of_incident(connection, number, asked, now_us())
    if shown is None:
        raise refuse(f"there is no incident {number}")
    return shown


def _told_at_once(config: Config, severity: str) -> frozenset[str]:
    """The roles that the site's policy of this severity tells first."""
    from gengfu.policies_here import policies_here

    policy = policies_here(config).policies.find(severity, ()).policy
    return frozenset(str(role) for role in policy[0].roles) if policy else frozenset()


def _one_of(option: str, said: str, allowed: tuple[W, ...]) -> str:
    if said not in allowed:
        raise refuse(f"{option} {said!r}: {', '.join(allowed)} are allowed")
    return said


def _levels(level: str, problems: Iterable[str]) -> list[Mapping[str, str]]:
    return [{"level": level, "problem": problem} for problem in problems]


def _echo(lines: Iterable[str] | Iterable[Mapping[str, object]]) -> None:
    for line in lines:
        typer.echo(line if isinstance(line, str) else msgspec.json.encode(line).decode())
