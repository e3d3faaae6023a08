"""A site's own rule file over the shipped ones: what it may not do, and where that is said."""

from __future__ import annotations

import pytest

from gengfu.rulebook import own_catalogue
from gengfu.shipped import shipped_catalogue
from gengfu.written import toml_of
from rules.catalogue import CatalogueError, RuleFile
from tests.gengfu.own_rules import own


def said(text: str) -> str:
    with pytest.raises(CatalogueError) as refused:
        own_catalogue(RuleFile("own.toml", text))
    return str(refused.value)


def shipped(name: str, old: str, new: str) -> str:
    """A file with one shipped rule, changed."""
    [rule] = [one for one in shipped_catalogue().rule if one.name == name]
    text = toml_of(rule)
    assert old in text
    return "version = 1\n\n" + text.replace(old, new)


def line_of(text: str, start: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), start=1) if line.startswith(start))


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "why"),
    [
        ("S1", 'severity = "P0"', 'severity = "P1"', "severity", "P0 or worse is allowed"),
        (
            "S1",
            'visit_after = "30 min"',
            'visit_after = "29 min"',
            "visit_after",
            "1800 s or more is allowed",
        ),
        ("S1", 'metric = "smoke.alarm"', 'metric = "heat.alarm"', "metric", "it watches `smoke.alarm`"),
        ("X1", 'within = "10 min"', 'within = "9 min"', "within", "600 s or more is allowed"),
    ],
)
def test_what_a_shipped_life_rule_promises_stays_and_the_line_that_breaks_it_is_named(
    name: str, old: str, new: str, key: str, why: str
) -> None:
    text = shipped(name, old, new)
    assert said(text).startswith(
        f"own.toml, line {line_of(text, f'{key} =')}: rule {name}: key `{key}`: {why}"
    )


def test_the_line_is_that_of_the_rule_that_breaks_it_and_not_of_the_first() -> None:
    text = own() + shipped("X1", 'within = "10 min"', 'within = "9 min"').removeprefix("version = 1\n")
    assert said(text).startswith(f"own.toml, line {line_of(text, 'within =')}: rule X1: key `within`: ")


def test_a_rule_that_others_name_keeps_its_kind_and_the_own_file_is_the_one_named() -> None:
    text = own(name="S1")
    assert said(text) == (
        f"own.toml, line {line_of(text, 'kernel')}: key `kernel`: S4 of smoke.toml names S1 under `of`; "
        "allowed: flag"
    )


def test_a_shipped_rule_as_it_is_may_stand_in_a_file_of_ones_own() -> None:
    every = "version = 1\n\n" + "\n".join(toml_of(rule) for rule in shipped_catalogue().rule)
    assert own_catalogue(RuleFile("own.toml", every)) == shipped_catalogue()
