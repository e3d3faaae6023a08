"""`gengfu rule`: the catalogue with sources, what holds for one device, and overrides."""

from __future__ import annotations

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
    _leave(here)


@rule_app.command("show")
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="as `rule list` calls it")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One rule with its numbers and their sources, as a rule file has it; of the configuration, where there
    is one."""
    from gengfu.written import toml_of

    here = _here(config or context.obj)
    rules = {rule.name: rule for rule in here.settled.catalogue.rule}
    if name not in rules:
        raise refuse(f"no rule {name!r}; there are {', '.join(rules)}")
    facts = _facts(rules[name], here)
    if json:
        typer.echo(msgspec.json.encode(facts).decode())
    else:
        typer.echo(f"# {'the own rule of the site' if facts['own'] else 'as shipped'}")
        if facts["overrides"]:
            typer.echo(f"# overrides: {facts['overrides']}, see gengfu rule override list")
        typer.echo(toml_of(rules[name]), nl=False)
    _leave(here)


@rule_app.command("check")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a rule file of the site's own")],
    json: JsonOption = False,
) -> None:
    """Reads a rule file as the service would: lists its rules with their levels, or says which line and key
    is wrong and what is allowed."""
    from gengfu.following_rules import read_rule_file
    from gengfu.rule_check import checked_rules, level_line
    from rules.catalogue import CatalogueError

    try:
        found = checked_rules(str(file), read_rule_file(file))
    except CatalogueError as error:
        raise refuse(error) from None
    for one in found:
        typer.echo(msgspec.json.encode(one.facts()).decode() if json else level_line(one))
    if not json:
        typer.echo(f"{file}: {len(found)} {'rule' if len(found) == 1 else 'rules'}, ok")


@rule_app.command("explain")
def explain(
    context: typer.Context,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="its uid")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """What holds for one device: for each of its series each rule with its numbers, or why it is off."""
    from devices.registry.errors import RegistryError
    from gengfu.clock import now_us
    from gengfu.database_here import NothingHere, open_here
    from gengfu.rule_explain import explained_device
    from gengfu.rule_explained import json_lines, text_lines

    settled = configuration(config or context.obj)
    try:
        engine = open_here(settled)
        context.call_on_close(engine.dispose)
        card = explained_device(engine, settled, device, now_us())
    except (NothingHere, RegistryError) as error:
        raise refuse(error) from None
    for line in json_lines(card) if json else text_lines(card, settled.site.timezone):
        typer.echo(line)
    if card.refused:
        raise refuse(f"{card.refused}; shown is what holds instead")


def _facts(rule: Rule, here: RulesHere) -> dict[str, object]:
    """A rule as its file has it, whether it is the site's own, and how many overrides of it stand."""
    from gengfu.shipped import as_written, shipped_catalogue

    overrides = sum(one.rule == rule.name for one in here.settled.overrides.all)
    return as_written(rule) | {"own": rule not in shipped_catalogue().rule, "overrides": overrides}


def _here(chosen: Path | None) -> RulesHere:
    """The rules by the configuration that was named or lies here, and by the database of its data folder."""
    from gengfu.clock import now_us
    from gengfu.rules_here import rules_by

    return rules_by(configuration(chosen), now_us())


def _leave(here: RulesHere) -> None:
    """Exit code 1 where the rules are not those of the site's file, after what holds instead was shown."""
    if here.refused:
        raise refuse(f"{here.refused}; shown is what holds instead")
