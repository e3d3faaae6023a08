"""What a site's own rule says of its alarms: its hazard, and its title in both languages."""

from __future__ import annotations

import pytest

from gengfu.ledger import SqlLedger
from gengfu.live_rules import LiveRules
from gengfu.rulebook import AS_SHIPPED, Called, Rulebook, own_catalogue
from gengfu.shipped import shipped_catalogue, shipped_files
from rules.catalogue import CatalogueError, RuleFile
from rules.transition import Why
from tests.gengfu.own_rules import own
from tests.rules.story import WARMTH, block, reading, us

OURS = Why("Own rule", "自定规则")


def live(text: str) -> LiveRules:
    return LiveRules(block(), Rulebook(own=text, name="own.toml"))


def test_a_rule_as_shipped_says_nothing_of_its_own() -> None:
    rules = LiveRules(block())
    assert {rules.called(rule.name) for rule in shipped_catalogue().rule} == {AS_SHIPPED}
    assert rules.called("K9") == AS_SHIPPED


def test_an_own_rule_has_its_title_and_the_hazard_that_it_says() -> None:
    assert live(own()).called("K1") == Called("", OURS)
    assert live(own(more='hazard = "electrical"')).called("K1") == Called("electrical", OURS)


def test_a_rule_that_takes_the_place_of_a_shipped_one_is_called_as_it_says() -> None:
    [text] = [file.text for file in shipped_files() if file.name == "current.toml"]
    assert live(text).called("O3") == AS_SHIPPED
    assert live(text.replace('en = "Overload"', 'en = "Too much"')).called("O3").title == Why(
        "Too much", "过载"
    )


def test_a_word_that_is_no_hazard_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(CatalogueError) as refused:
        own_catalogue(RuleFile("own.toml", own(more='hazard = "flood"')))
    said = "own.toml, line 13: key `hazard`: `flood` is unknown; allowed: fire, electrical, fault"
    assert str(refused.value) == said


@pytest.mark.parametrize("name", ["S1", "X1"])
def test_what_speaks_of_a_fire_as_shipped_cannot_be_made_less(name: str) -> None:
    [text] = [file.text for file in shipped_files() if file.name == "smoke.toml"]
    for word in ("fault", "electrical"):
        said = text.replace(f'name = "{name}"\n', f'name = "{name}"\nhazard = "{word}"\n')
        with pytest.raises(CatalogueError, match=f"rule {name}: key `hazard`: `{word}`; only `fire`"):
            own_catalogue(RuleFile("own.toml", said))
    same = text.replace(f'name = "{name}"\n', f'name = "{name}"\nhazard = "fire"\n')
    own_catalogue(RuleFile("own.toml", same))


def test_the_row_of_an_alarm_carries_both() -> None:
    rules = live(own(more='hazard = "electrical"'))
    ledger = SqlLedger(None, lambda slot: (slot, "own:a", ""), lambda: 1, rules.called)  # type: ignore[arg-type]
    [raised] = rules.evaluate(reading(WARMTH, 0, 65.0), [], us(0))
    row = ledger._named(raised, {})
    assert (row.hazard, row.title) == ("electrical", OURS)
