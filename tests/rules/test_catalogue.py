"""The catalogue: what ships, and how a wrong rule file is refused."""

from __future__ import annotations

import pytest

from devices.model import Metric, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.kernels.flag import FlagRule
from rules.kernels.place_rule import PlaceRule
from rules.kernels.threshold import ThresholdRule
from rules.transition import Mark
from tests.rules.story import THREE, shipped, three_rules

TEXT = THREE.read_text(encoding="utf-8")

REFUSED = [
    ('hold = "60 s"', 'hold = "-60 s"', "`hold`: `-60 s` is negative; a time of 0 s or more is allowed"),
    ('hold = "60 s"', 'hold = "60 A"', "`hold`: `60 A` is not a time; a number and one of ms, s, min, h, d"),
    ('hold = "60 s"', 'hold = "99999999999 d"', "`hold`: `99999999999 d` is too long; a time of up to"),
    ('hold = "60 s"', "hold = 60", "`hold`: `60` is not a quantity"),
    ('hold = "60 s"', 'hold = "nan s"', "`hold`: `nan s` is not a quantity"),
    ('hold = "60 s"', "", "key `hold` is missing"),
    ('"1.45 I_ref"', '"1.0 I_ref"', "`raise`: is below `clear`; a level at or above `clear` is allowed"),
    ('"1.45 I_ref"', '"70 degC"', "unit `degC` does not fit metric `current`; allowed: `A`, `mA`, `I_ref`"),
    ('"1.45 I_ref"', '"36 A"', "`raise` and `clear` must be relative to the same rating or to none"),
    (
        'raise = "1.45 I_ref"',
        'rase = "1.45 I_ref"',
        "unknown key `rase`; allowed here: kernel, name, severity",
    ),
    ('"O3"\nkernel', '"S1"\nkernel', "`name`: two rules are called S1; every rule needs a name of its own"),
    (
        '"O3"\nkernel',
        '"o 3"\nkernel',
        "key `name`: is no name of a rule; allowed: a capital letter and up to 7",
    ),
    ('kernel = "threshold"', 'kernel = "limit"', "`limit` is unknown; allowed: flag, place, threshold"),
    ('"current"', '"currant"', "`metric`: `currant` is unknown; allowed: smoke.alarm, heat.alarm"),
    ('"current"', '"smoke.alarm"', "unit `I_ref` does not fit metric `smoke.alarm`; allowed: no unit"),
    ('"smoke.alarm"', '"current"', "`metric`: `current` is not a flag; allowed: smoke.alarm"),
    ('severity = "P1"', 'severity = "P9"', "`severity`: `P9` is unknown; allowed: P0+, P0, P1, P2, P3"),
    ('visit_severity = "P2"', 'visit_severity = "P0"', "a visit must be less severe than `severity`"),
    ('visit_after = "30 min"', 'visit_after = "30 s"', "must not be shorter than `late_after`"),
    ('max_gap = "15 min"', 'max_gap = "15 min"\nwhere = "attic"', "`attic` is unknown; allowed: any"),
    ('partner = ["O3"]', 'partner = ["O9"]', "key `partner`: no rule O9; allowed: S1, O3"),
    ('partner = ["O3"]', 'partner = ["S1"]', "key `partner`: S1 cannot be on both sides"),
    ('partner = ["O3"]', "partner = []", "key `partner`: "),
    ('mark = "electrical_first"', 'mark = "x"', "`mark`: `x` is unknown; allowed: late, retained"),
    ('max_gap = "chosen', 'gap = "chosen', "`gap`: unknown under `source`; allowed here: raise, hold, clear"),
    ("version = 1", "version = 1\nsite = 2", "unknown key `site`; allowed here: version, rule"),
    ("version = 1", "", "key `version` is missing; write version = 1"),
    ("version = 1", "version = 2", "own.toml, line 2: key `version`: `2` is unknown; allowed: 1"),
    ("version = 1", "version = 0", "key `version`: `0` is unknown; allowed: 1"),
    ("version = 1", 'version = "1"', "key `version`: is a text; allowed: 1"),
    ('severity = "P1"', "severity = 1", "key `severity`: is a number; allowed: P0+, P0, P1, P2, P3"),
    ('kernel = "threshold"\n', "", "key `kernel` is missing; allowed: flag, place, threshold"),
    (
        'max_gap = "15 min"',
        'max_gap = "15 min"\nlatched = "no"',
        "is a text; allowed: true or false, without",
    ),
    ('metric = "current"', "metric = 5", "key `metric`: is a number; allowed: a text, or a list of texts"),
    ('en = "Overload"', 'fr = "x", en = "Overload"', "unknown key `title.fr`; allowed here: en, zh-CN"),
    ('en = "Overload", ', "", "key `en` is missing"),
    ('within = "10 min"', "within = ", "not TOML"),
]


def test_a_rule_has_the_numbers_of_its_file() -> None:
    smoke, overload, both = three_rules().rule
    assert isinstance(smoke, FlagRule)
    assert isinstance(overload, ThresholdRule)
    assert isinstance(both, PlaceRule)
    assert (smoke.name, smoke.metric, smoke.severity) == ("S1", Metric.SMOKE_ALARM, Severity.P0)
    assert (overload.name, overload.metric, overload.severity) == ("O3", Metric.CURRENT, Severity.P1)
    assert (overload.raise_at.value, overload.clear_below.value) == (1.45, 1.13)
    assert (overload.hold, overload.clear_hold) == (60_000_000, 300_000_000)
    assert (both.name, both.severity, both.mark) == ("X1", Severity.P0_PLUS, Mark.ELECTRICAL_FIRST)
    assert (both.anchor, both.partner, both.within) == (("S1",), ("O3",), 600_000_000)


def test_every_shipped_rule_has_a_chinese_and_an_english_title() -> None:
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in rule.title.zh_cn) for rule in shipped().rule)
    assert all(rule.title.en.isascii() for rule in shipped().rule)


@pytest.mark.parametrize(("right", "wrong", "said"), REFUSED)
def test_a_wrong_rule_file_is_refused_with_file_and_what_is_allowed(
    right: str, wrong: str, said: str
) -> None:
    assert right in TEXT
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(TEXT.replace(right, wrong, 1), "own.toml")
    assert str(refused.value).startswith("own.toml")
    assert said in str(refused.value)


@pytest.mark.parametrize("wrong", ['hold = "-60 s"', "hold = 60", 'hld = "60 s"'])
def test_the_line_of_the_wrong_key_is_named(wrong: str) -> None:
    text = TEXT.replace('hold = "60 s"', wrong)
    line = text.splitlines().index(wrong) + 1
    with pytest.raises(CatalogueError, match=f"^own.toml, line {line}: "):
        parse_catalogue(text, "own.toml")


def test_the_second_rule_of_a_name_is_the_one_named() -> None:
    text = TEXT.replace('"X1"', '"S1"')
    line = len(text.splitlines()) - text.splitlines()[::-1].index('name = "S1"')
    with pytest.raises(CatalogueError, match=f"^own.toml, line {line}: "):
        parse_catalogue(text, "own.toml")


def test_units_are_converted() -> None:
    own = TEXT.replace('"1.45 I_ref"', '"300 mA"').replace('"1.13 I_ref"', '"0.24 A"')
    overload = parse_catalogue(own, "own.toml").rule[1]
    assert isinstance(overload, ThresholdRule)
    assert overload.raise_at.value_in(overload.units(overload.metric), "O3") == pytest.approx(0.3)


def test_more_rules_on_a_metric_than_can_be_counted_are_refused() -> None:
    overload = TEXT.split("[[rule]]")[2]
    many = "".join("[[rule]]" + overload.replace('"O3"', f'"K{n}"', 1) for n in range(201))
    with pytest.raises(CatalogueError, match=r"own\.toml, line .*: key `metric`: more than 200 rules"):
        parse_catalogue("version = 1\n" + many, "own.toml")


def test_a_source_that_is_empty_is_named_with_its_own_line() -> None:
    text = TEXT.replace('\nhold = "chosen', '\nhold = ""  # "chosen', 1)
    line = next(n for n, line in enumerate(text.splitlines(), start=1) if line.startswith('hold = ""'))
    with pytest.raises(
        CatalogueError, match=f"^own.toml, line {line}: key `source.hold`: is empty; allowed: "
    ):
        parse_catalogue(text, "own.toml")


def test_a_list_of_what_is_no_table_is_refused() -> None:
    with pytest.raises(CatalogueError, match="key `rule`: is a number; allowed: a table"):
        parse_catalogue("version = 1\nrule = [5]\n", "own.toml")
