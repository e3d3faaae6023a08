"""A site's own rule file over the shipped ones: what it may not do, and where that is said."""

from __future__ import annotations

import pytest

from gengfu.rulebook import Rulebook, own_catalogue, settle
from gengfu.shipped import shipped_catalogue
from gengfu.written import toml_of
from rules.catalogue import CatalogueError, RuleFile
from rules.kernels.place_rule import PlaceRule
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
        ("X1", '"V1"', '"O2"', "partner", "V1 must stay in it"),
        ("S2S", "across = true", "across = false", "across", "only `true` is allowed"),
        ("X1", 'within = "10 min"', 'within = "10 min"\napart = true', "apart", "only `false` is allowed"),
        (
            "T3X",
            'within = "10 min"',
            'within = "10 min"\nstanding = false',
            "standing",
            "only `true` is allowed",
        ),
        ("X1C", '"electrical_first"', '"late"', "mark", "only `electrical_first` is allowed"),
        ("O3", 'severity = "P1"', 'severity = "P2"', "severity", "P1 or worse is allowed"),
        ("V1", 'severity = "P1"', 'severity = "P3"', "severity", "P1 or worse is allowed"),
        ("C3", 'severity = "P1"', 'severity = "P2"', "severity", "P1 or worse is allowed"),
        ("L0", '"L6"', '"S8", "V1"', "gates", "S8, V1 must hold whatever the earthing is"),
    ],
)
def test_what_a_shipped_life_rule_promises_stays_and_the_line_that_breaks_it_is_named(
    name: str, old: str, new: str, key: str, why: str
) -> None:
    text = shipped(name, old, new)
    assert said(text).startswith(
        f"own.toml, line {line_of(text, f'{key} =')}: rule {name}: key `{key}`: {why}"
    )


@pytest.mark.parametrize("name", ["X1", "T3X"])
def test_a_mark_that_is_left_out_is_refused_too(name: str) -> None:
    [rule] = [one for one in shipped_catalogue().of(PlaceRule) if one.name == name]
    assert f"rule {name}: key `mark`: only `{rule.mark}` is allowed" in said(
        shipped(name, f'mark = "{rule.mark}"\n', "")
    )


def test_a_gate_of_another_name_shuts_no_shipped_rule_but_one_of_ones_own() -> None:
    gate = shipped("L0", '"L6"', '"T3"').replace('name = "L0"', 'name = "K0"')
    assert "rule K0: key `gates`: T3 must hold whatever the earthing is" in said(gate)
    own_catalogue(RuleFile("own.toml", own() + gate.replace('"T3"', '"K1"').removeprefix("version = 1\n")))


@pytest.mark.parametrize(
    ("name", "old", "new", "how"),
    [
        ("O3", 'raise = "1.45 I_ref"', 'raise = "1.5 I_ref"', "`raise` is a later level"),
        ("L3", 'raise = "500 mA"', 'raise = "1000 A"', "`raise` is a later level"),
        ("L3", "isolate = true", "isolate = false", "`latched` or `isolate` is gone"),
        ("T3", '"105 degC"', '"106 degC"', "`raise` is a later level"),
        ("O3", 'hold = "1 min"', 'hold = "3650 d"', "`hold` is longer"),
        ("L2", 'clear = "240 mA"', 'clear = "250 mA"', "`clear` ends the alarm sooner"),
        ("L2", 'samples = "2 of 3"', 'samples = "3 of 3"', "`samples` asks for more"),
        ("L2", 'max_gap = "15 min"', 'max_gap = "14 min"', "`max_gap` is shorter, and ends holds sooner"),
        ("T2", 'where = "circuit"', 'where = "building"', "`where` leaves places out"),
        ("V1", 'high = "253 V"', 'high = "260 V"', "`high` is another"),
        ("C3", 'raise = "30 %"', 'raise = "100 %"', "`raise` is another"),
        ("S1", 'clear_hold = "10 min"', 'clear_hold = "9 min"', "`clear_hold` is shorter"),
    ],
)
def test_what_is_looser_than_shipped_is_taken_and_told_for_as_long_as_it_stands(
    name: str, old: str, new: str, how: str
) -> None:
    (told,) = settle(Rulebook(own=shipped(name, old, new), name="own.toml")).looser
    assert told.startswith(f"{name} is looser than shipped: {how}")
    assert told.endswith("; there is no end to it, an override has one")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("O3", 'raise = "1.45 I_ref"', 'raise = "1.4 I_ref"'),
        ("O3", 'hold = "1 min"', 'hold = "30 s"'),
        ("O3", 'severity = "P1"', 'severity = "P0"'),
        ("L2", 'clear = "240 mA"', 'clear = "230 mA"'),
        ("L2", 'max_gap = "15 min"', 'max_gap = "1 h"'),
        ("T2", 'where = "circuit"', 'where = "any"'),
        ("O2", 'hold = "10 min"', 'hold = "1 h"'),
        ("X1", 'within = "10 min"', 'within = "20 min"'),
        ("S1", 'clear_hold = "10 min"', 'clear_hold = "20 min"'),
    ],
)
def test_what_is_tighter_and_what_guards_no_lives_is_not(name: str, old: str, new: str) -> None:
    assert settle(Rulebook(own=shipped(name, old, new), name="own.toml")).looser == ()


def test_amperes_in_place_of_a_multiple_of_a_rating_cannot_be_compared() -> None:
    text = shipped("O3", 'raise = "1.45 I_ref"', 'raise = "40 A"').replace('"1.13 I_ref"', '"30 A"')
    (told,) = settle(Rulebook(own=text, name="own.toml")).looser
    assert "its levels are of another kind, and a rating by which they could be compared is not known" in told


def test_rules_as_shipped_and_new_ones_are_not_looser() -> None:
    every = "version = 1\n\n" + "\n".join(toml_of(rule) for rule in shipped_catalogue().rule)
    assert settle(Rulebook(own=every, name="own.toml")).looser == ()
    assert settle(Rulebook(own=own(severity="P1"), name="own.toml")).looser == ()
    assert settle(Rulebook()).looser == ()


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
