"""`gengfu rule check`: a rule file of the site's own, read as the service would; nothing is touched."""

from __future__ import annotations

import tomllib
from typing import Final, NamedTuple

from gengfu.own_limits import looser_rules
from gengfu.rulebook import own_catalogue
from gengfu.shipped import as_written, shipped_catalogue
from gengfu.written import toml_text
from rules.catalogue import RuleFile
from rules.kinds import Rule

_LEFT_OUT: Final = ("kernel", "name", "severity", "title", "source", "metric")


class CheckedRule(NamedTuple):
    """A rule of the file; `replaces` says whether it takes the place of a shipped one, `looser` in a sentence
    that it is less watchful than that."""

    rule: Rule
    replaces: bool
    looser: str = ""

    def facts(self) -> dict[str, object]:
        """As `rule show --json` has it."""
        return as_written(self.rule) | {"replaces": self.replaces, "looser": self.looser}


def checked_rules(name: str, text: str) -> list[CheckedRule]:
    """The rules of the file in their order. Raises CatalogueError for the first thing that is wrong, also
    together with the shipped rules."""
    catalogue = own_catalogue(RuleFile(name, text))
    shipped = {rule.name for rule in shipped_catalogue().rule}
    own = own_names(text)
    found = {rule.name: rule for rule in catalogue.rule}
    looser = {why.split()[0]: why for why in looser_rules(catalogue)}
    return [CheckedRule(found[one], one in shipped, looser.get(one, "")) for one in own]


def own_names(text: str) -> list[str]:
    """The names of the rules in the text of a file that was read without a fault."""
    return [one["name"] for one in tomllib.loads(text)["rule"]]


def level_line(one: CheckedRule) -> str:
    """What it watches, and its numbers by their keys."""
    rule, facts = one.rule, as_written(one.rule)
    watched = " ".join([str(facts["kernel"]), ", ".join(metric.name_on_wire for metric in rule.metrics)])
    numbers = {key: value for key, value in facts.items() if key not in _LEFT_OUT and value}
    shown = ", ".join(f"{key} {_words(value)}" for key, value in numbers.items())
    said = f"{rule.name:8} {rule.severity:3} {rule.title.en} / {rule.title.zh_cn}"
    place = " (in place of the shipped one)" if one.replaces else ""
    looser = f"\n         {one.looser}" if one.looser else ""
    return f"{said}{place}\n         {watched.strip()}: {shown}{looser}"


def _words(value: object) -> str:
    return value if isinstance(value, str) else toml_text(value)
