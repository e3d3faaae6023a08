"""Override files: what they mean, and what is said of those that cannot be."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gengfu.overriding import parse_overrides, rule_to_override
from gengfu.rulebook import own_catalogue
from gengfu.shipped import shipped_catalogue
from rules.catalogue import RuleFile
from rules.overrides import Override, OverrideError, Overrides, Scope
from rules.quantity import Level, Span

IDS = {
    (Scope.DEVICE, "own:riser-2"): frozenset({7}),
    (Scope.AREA, "street-1"): frozenset({3, 4}),
    (Scope.DWELLING, "1-101"): frozenset({71}),
}
WHOLE = """
[[override]]
rule = "O3"
device = "own:riser-2"
raise = "36 A"
clear = "30 A"
hold = "2 min"
clear_hold = "10 min"
from = 2026-11-01
until = "2026-11-20T08:00"
author = "gw-3"
reason = "new riser"

[[override]]
rule = "O2"
area = "street-1"
off = true
"""


def resolve(scope: Scope, code: str) -> frozenset[int]:
    return IDS.get((scope, code), frozenset())


def parsed(text: str, *, bounded: bool = False) -> Overrides:
    return parse_overrides(text, "own.toml", resolve, shipped_catalogue(), bounded=bounded)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1e6)


def said(text: str, *, bounded: bool = False) -> str:
    with pytest.raises(OverrideError) as refused:
        parsed(text, bounded=bounded)
    return str(refused.value)


def test_a_file_says_where_what_and_how_long_in_the_sites_time() -> None:
    first, second = parsed(WHOLE).all
    assert first == Override(
        id=1,
        rule="O3",
        scope=Scope.DEVICE,
        ids=frozenset({7}),
        from_us=us("2026-11-01T00:00+08:00"),
        until_us=us("2026-11-20T08:00+08:00"),
        author="gw-3",
        reason="new riser",
        raise_at=Level(36.0, "A"),
        clear_below=Level(30.0, "A"),
        hold=Span(120_000_000),
        clear_hold=Span(600_000_000),
    )
    assert (second.id, second.scope, second.ids, second.off) == (2, Scope.AREA, frozenset({3, 4}), True)
    assert second.holds_at(1) and second.holds_at(2**60)


def test_an_empty_file_holds_none() -> None:
    assert parsed("") == Overrides.of([])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'hold = "2 min"',
            'holds = "2 min"',
            "own.toml, line 7: unknown key `holds`; allowed here: rule, area",
        ),
        ('hold = "2 min"', "hold = 2", "own.toml, line 7: key `hold`: is not a text"),
        ('hold = "2 min"', 'hold = "-2 min"', "own.toml, line 7: key `hold`: `-2 min` is negative"),
        ('raise = "36 A"', 'raise = "36 V"', "own.toml, line 5: key `raise`: unit `V` does not fit metric"),
        ('raise = "36 A"', 'raise = "20 A"', "own.toml, line 5: key `raise`: is below `clear`"),
        ('rule = "O3"', 'rule = "O9"', "own.toml, line 3: key `rule`: `O9` is no rule; allowed: "),
        ('rule = "O3"', 'rule = "S1"', "own.toml, line 3: key `rule`: `S1` takes no override: a life flag"),
        ('rule = "O3"\n', "", "own.toml, line 2: key `rule`: is missing"),
        ('"own:riser-2"', '"own:riser-3"', "own.toml, line 4: key `device`: `own:riser-3` is not known"),
        ('device = "own:riser-2"\n', "", "own.toml, line 2: key `device`: is missing; one of area, building"),
        ('rule = "O3"', 'rule = "O3"\narea = "street-1"', "own.toml, line 5: key `device`: is one too many"),
        ("from = 2026-11-01", 'from = "soon"', "own.toml, line 9: key `from`: `soon` is no time"),
        ("from = 2026-11-01", "from = 3", "own.toml, line 9: key `from`: `3` is no time"),
        ("from = 2026-11-01", "from = 2026-12-01", "own.toml, line 10: key `until`: is not after `from`"),
        ('reason = "new riser"', 'reason = " "', "own.toml, line 12: key `reason`: is empty"),
        ("off = true", 'off = "yes"', "own.toml, line 17: key `off`: true or false"),
        ("off = true", 'off = true\nhold = "1 s"', "own.toml, line 17: key `off`: a rule that is off has no"),
        ("off = true", "", "own.toml, line 14: key `raise`: nothing is changed"),
        ("[[override]]", "[override]", "own.toml: "),
        ("off = true", "off = ", "own.toml: not TOML"),
    ],
)
def test_what_cannot_be_is_refused_with_file_line_key_and_what_is_allowed(
    old: str, new: str, told: str
) -> None:
    assert WHOLE.count(old), old
    assert said(WHOLE.replace(old, new)).startswith(told)


def test_other_tables_are_refused() -> None:
    assert said("version = 1") == "own.toml: unknown key `version`; allowed here: override"


def test_only_a_trial_may_loosen_for_good_what_guards_lives() -> None:
    for_good = WHOLE.replace('until = "2026-11-20T08:00"\n', "")
    assert len(parsed(for_good).all) == 2
    assert "own.toml, line 2: key `until`: is missing; O3 guards lives" in said(for_good, bounded=True)


def test_what_tightens_may_last_and_what_loosens_ends_within_a_month() -> None:
    table = '[[override]]\nrule = "O3"\ndwelling = "1-101"\nauthor = "gw-3"\nreason = "old wires"\n'
    assert len(parsed(f'{table}raise = "1.2 I_ref"', bounded=True).all) == 1
    assert "key `until`: is missing; O3 guards lives" in said(f'{table}raise = "1.6 I_ref"', bounded=True)
    assert "key `until`: is missing; O3 guards lives" in said(f'{table}hold = "2 min"', bounded=True)
    loose = f'{table}raise = "1.6 I_ref"\nfrom = 2026-11-01\n'
    assert len(parsed(f"{loose}until = 2026-12-01", bounded=True).all) == 1
    assert "for 30 days at most" in said(f"{loose}until = 2026-12-02", bounded=True)


def test_what_tightens_is_measured_at_those_above_it_in_the_file() -> None:
    area = '[[override]]\nrule = "O3"\narea = "street-1"\nhold = "30 s"\n'
    again = area.replace("30 s", "45 s")
    assert len(parsed(again, bounded=True).all) == 1
    assert "own.toml, line 5: key `until`: is missing" in said(area + again, bounded=True)


@pytest.mark.parametrize("level", ["9", "0", "-1"])
def test_what_ordinary_switches_do_cannot_be_made_an_alarm(level: str) -> None:
    table = f'[[override]]\nrule = "A1C"\ndevice = "own:riser-2"\nraise = "{level}"\n'
    assert said(table) == (
        "own.toml, line 4: key `raise`: values of arc.half_cycles up to 9 never raise an alarm (A2); "
        "a level above that is allowed"
    )
    assert len(parsed(table.replace(level, "10")).all) == 1


@pytest.mark.parametrize(
    ("rule", "instead"),
    [
        ("S1", "a life flag has no level; say its numbers in the site's own rule file"),
        ("X1", "override the rules that meet in it"),
        ("C1", "gengfu device set UID --max-silence SECONDS"),
        ("C3", "it is about whole buildings; say its numbers in the site's own rule file"),
        ("A2", "nothing can be changed"),
        ("L0", "gengfu device set UID --earthing tt"),
    ],
)
def test_a_kind_without_such_numbers_says_what_to_do_instead(rule: str, instead: str) -> None:
    told = said(f'[[override]]\nrule = "{rule}"\ndevice = "own:riser-2"\noff = true\n')
    assert told.startswith(f"own.toml, line 2: key `rule`: `{rule}` takes no override: ")
    assert instead in told and "; allowed: " in told


def test_every_kind_of_rule_takes_overrides_or_says_what_to_do_instead() -> None:
    for rule in shipped_catalogue().rule:
        try:
            assert rule_to_override(shipped_catalogue(), rule.name).name == rule.name
        except OverrideError as refused:
            assert "takes no override: " in str(refused)


def test_the_examples_in_the_documentation_are_taken() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    [rules] = [one for one in examples if "[[rule]]" in one]
    assert own_catalogue(RuleFile("own.toml", rules)).rule[-1].name == "K1"
    [overrides] = [one for one in examples if "[[override]]" in one]
    assert len(parsed(overrides).all) == 1
