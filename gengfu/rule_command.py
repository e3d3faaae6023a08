"""`gengfu rule`: the catalogue with sources, what holds for one device, and overrides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from gengfu.cli import ConfigOption, JsonOption, configuration, refuse

if TYPE_CHECKING:  # late imports keep the command quick to answer
    from gengfu.rules_here import RulesHere
    from rules.kinds import Rule

rule_app = typer.Typer(no_args_is_help=True, help="The catalogue of rules, with sources, and overrides.")


@rule_app.command("list")
def list_(context: typer.Context, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Every rule: of the configuration, where there is one, else of the shipped catalogue."""
    here = _here(config or context.obj)
    for rule in here.settled.catalogue.rule:
        facts = _facts(rule, here)
        if json:
            typer.echo(msgspec.json.encode(facts).decode())
            continue
        marks = ["the site's own"] if facts["own"] else []
        marks += [f"overrides: {facts['overrides']}"] if facts["overrides"] else []
        end = f"  ({', '.join(marks)})" if marks else ""
        typer.echo(f"{rule.name:4} {rule.severity:3} {rule.title.en} / {rule.title.zh_cn}{end}")


@rule_app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="as `rule list` calls it")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One rule with its numbers and their sources; of the configuration, where there is one."""
    here = _here(config or context.obj)
    rules = {rule.name: rule for rule in here.settled.catalogue.rule}
    if name not in rules:
        raise refuse(f"no rule {name!r}; there are {', '.join(rules)}")
    facts = _facts(rules[name], here)
    if json:
        typer.echo(msgspec.json.encode(facts).decode())
        return
    for key, value in facts.items():
        for part, text in value.items() if isinstance(value, dict) else [("", value)]:
            shown = ", ".join(f"{k} {v}" for k, v in text.items()) if isinstance(text, dict) else text
            typer.echo(f"{f'{key} {part}'.strip():24} {shown}")


@rule_app.command("explain")
def explain(
    context: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="its uid")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """What holds for one device: for each of its series each rule with its numbers, or why it is off."""
    from gengfu.clock import now_us
    from gengfu.commands import open_desk
    from gengfu.rule_explain import explained_device, json_lines, text_lines

    settled = configuration(config or context.obj)
    desk = open_desk(context, config or context.obj)
    card = explained_device(desk, settled, device, now_us())
    for line in json_lines(card) if json else text_lines(card, settled.site.timezone):
        typer.echo(line)


def _facts(rule: Rule, here: RulesHere) -> dict[str, object]:
    """A rule as its file has it, whether it is the site's own, and how many overrides of it stand."""
    from gengfu.shipped import as_written, shipped_catalogue

    overrides = sum(one.rule == rule.name for one in here.settled.overrides.all)
    return as_written(rule) | {"own": rule not in shipped_catalogue().rule, "overrides": overrides}


def _here(chosen: Path | None) -> RulesHere:
    """The rules by the configuration that was named or lies here; else the shipped ones."""
    from gengfu.clock import now_us
    from gengfu.config import Config
    from gengfu.config_file import ENVIRONMENT
    from gengfu.rules_here import rules_by, rules_here

    if chosen is None and not os.environ.get(ENVIRONMENT) and not Path("gengfu.toml").exists():
        return rules_here(Config(), None, now_us())
    here = rules_by(configuration(chosen), now_us())
    if here.refused:
        typer.echo(f"gengfu: {here.refused}; shown is what holds instead", err=True)
    return here
