"""What makes a rule less watchful: against the rule, against what holds there, and by the ratings there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import SeriesTable
from gengfu.shipped import shipped_catalogue
from rules.catalogue import parse_catalogue
from rules.kernels.threshold import ThresholdRule
from rules.loosening import check_end, loosens
from rules.overrides import Override, OverrideError, Scope
from rules.quantity import Level, Span, parse_level, parse_span
from rules.rule import HeldRule
from tests.gengfu.own_rules import own

DAY_US = 86_400_000_000
RULES = {rule.name: rule for rule in shipped_catalogue().of(HeldRule)}
O3, T1 = RULES["O3"], RULES["T1"]
"""O3: 1.45 I_ref for 60 s, cleared below 1.13 I_ref for 5 min."""
LOW = parse_catalogue(
    own(
        name="U1", metric="voltage", severity="P1", raise_="195 V", clear="205 V", more="below = true"
    ).replace('clear_hold = "0 s"', 'clear_hold = "1 min"'),
    "own.toml",
).of(ThresholdRule)[0]
"""At or below 195 V."""
_WORDS: dict[str, Any] = {
    "raise_at": parse_level, "clear_below": parse_level, "hold": parse_span, "clear_hold": parse_span,
}  # fmt: skip


def override(
    number: int = 9, scope: Scope = Scope.DEVICE, id_: int = 3, rule: str = "O3", **said: Any
) -> Override:
    """For good from ever, of device 3, which stands in building 7, unless it is said otherwise."""
    facts: dict[str, Any] = {"from_us": 0, "author": "gw-3", "reason": "test"}
    facts |= {key: _WORDS[key](value) if key in _WORDS else value for key, value in said.items()}
    return Override(number, rule, scope, frozenset({id_}), **facts)


def circuits(*ratings: float) -> SeriesTable:
    """Circuits of device 3 in building 7, with these ratings."""
    n = len(ratings) + 1
    table = SeriesTable.plain(
        1, np.zeros(n, np.int16), np.full(n, 3, np.int32), np.zeros(n, np.int32), np.array([np.nan, *ratings])
    )
    return replace(table, building=np.full(n, 7, np.int32))


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ({"off": True}, "switches the rule off"),
        ({"raise_at": "1.46 I_ref"}, "`raise` is a later level"),
        ({"hold": "61 s"}, "`hold` is longer"),
        ({"clear_below": "1.2 I_ref"}, "`clear` ends the alarm sooner"),
        ({"clear_hold": "4 min"}, "`clear_hold` is shorter"),
        ({"raise_at": "1.2 I_ref", "clear_hold": "1 s"}, "`clear_hold` is shorter"),
        ({"raise_at": "1.44 I_ref"}, ""),
        ({"hold": "59 s", "clear_hold": "6 min", "clear_below": "1 I_ref"}, ""),
    ],
)
def test_each_number_can_loosen(said: dict[str, Any], how: str) -> None:
    found = loosens(override(**said), O3)
    assert how in found if how else not found


def test_what_raises_below_its_level_is_loosened_by_a_lower_one() -> None:
    assert loosens(override(rule="U1", raise_at="190 V"), LOW)
    assert not loosens(override(rule="U1", raise_at="199 V"), LOW)
    assert loosens(override(rule="U1", clear_below="203 V"), LOW)
    assert not loosens(override(rule="U1", clear_below="207 V"), LOW)


def test_levels_of_another_kind_are_compared_by_the_ratings_of_all_circuits() -> None:
    tight = override(raise_at="36 A", clear_below="28 A")
    assert loosens(tight, O3)
    assert loosens(tight, O3, circuits=circuits())
    assert "not known" in loosens(tight, O3, circuits=circuits(25.0, np.nan))
    assert not loosens(tight, O3, circuits=circuits(25.0, 32.0))
    assert "`raise`" in loosens(tight, O3, circuits=circuits(25.0, 20.0))
    same = override(raise_at="36.25 A", clear_below="28.25 A")
    assert not loosens(same, O3, circuits=circuits(25.0))


def test_it_is_compared_with_what_holds_there_without_it() -> None:
    tighter = override(1, Scope.BUILDING, 7, raise_at="1.2 I_ref")
    middle = override(raise_at="1.3 I_ref")
    assert not loosens(middle, O3, circuits=circuits(25.0))
    assert "`raise`" in loosens(middle, O3, [tighter], circuits(25.0))
    elsewhere = override(1, Scope.BUILDING, 8, raise_at="1.2 I_ref")
    assert not loosens(middle, O3, [elsewhere], circuits(25.0))
    other = override(1, Scope.BUILDING, 7, rule="O2", raise_at="1.05 I_ref")
    assert not loosens(middle, O3, [other], circuits(25.0))


def test_a_second_step_after_a_first_one_loosens_the_rule_still() -> None:
    first = override(1, until_us=30 * DAY_US, raise_at="1.8 I_ref")
    assert "`raise`" in loosens(override(raise_at="1.6 I_ref"), O3, [first], circuits(25.0))


def test_one_that_begins_while_it_lasts_counts_and_one_that_is_over_does_not() -> None:
    middle = override(from_us=10, until_us=20, raise_at="1.3 I_ref")
    for begin, end, counts in ((12, None, True), (0, 10, False), (0, 11, True), (20, None, False)):
        tighter = override(1, from_us=begin, until_us=end, raise_at="1.2 I_ref")
        assert bool(loosens(middle, O3, [tighter], circuits(25.0))) is counts, (begin, end)


def test_a_narrower_one_stands_above_it_and_does_not_count() -> None:
    wide = override(scope=Scope.BUILDING, id_=7, raise_at="1.3 I_ref")
    assert not loosens(wide, O3, [override(1, raise_at="1.2 I_ref")], circuits(25.0))


def test_numbers_where_a_wider_one_switched_the_rule_off_tighten() -> None:
    off = override(1, Scope.BUILDING, 7, off=True, until_us=DAY_US)
    assert not loosens(override(raise_at="1.45 I_ref"), O3, [off], circuits(25.0))


def test_what_guards_lives_may_be_loosened_for_a_month_and_the_rest_for_good() -> None:
    said = "key `until`: is missing; O3 guards lives, so what loosens it must end, .*: `hold` is longer"
    with pytest.raises(OverrideError, match=said):
        check_end(override(hold="2 min"), O3)
    check_end(override(hold="2 min", until_us=30 * DAY_US), O3)
    with pytest.raises(OverrideError, match="for 30 days at most: `hold` is longer"):
        check_end(override(hold="2 min", until_us=30 * DAY_US + 1), O3)
    check_end(override(rule="O2", off=True), RULES["O2"])


@given(
    st.floats(0.5, 3, width=32),
    st.floats(0, 1),
    st.integers(0, 300),
    st.integers(0, 900),
    st.sampled_from([16.0, 25.0]),
)
def test_only_what_is_at_least_as_watchful_in_every_number_tightens(
    raise_: float, share: float, hold_s: int, clear_hold_s: int, rating: float
) -> None:
    clear = raise_ * share
    numbers: dict[str, Any] = {"hold": Span(hold_s * 1_000_000), "clear_hold": Span(clear_hold_s * 1_000_000)}
    in_amperes = Level(raise_ * rating, "A"), Level(clear * rating, "A")
    relative = Level(raise_, "I_ref"), Level(clear, "I_ref")
    watchful = raise_ <= 1.45 and clear <= 1.13 and hold_s <= 60 and clear_hold_s >= 300
    for raise_at, clear_below in (in_amperes, relative):
        one = replace(override(), raise_at=raise_at, clear_below=clear_below, **numbers)
        assert (not loosens(one, O3, circuits=circuits(rating))) is watchful
