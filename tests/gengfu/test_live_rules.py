"""Rules and overrides change between two records, and nothing that goes on is lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu.live_rules import LiveRules
from gengfu.local_time import calendar_of
from gengfu.rulebook import Rulebook, read_rulebook, settle
from gengfu.shipped import FAMILIES, shipped_catalogue, shipped_files
from rules.overrides import Overrides, Scope
from rules.settings import Setting
from rules.transition import Subject, To, Transition
from tests.gengfu.own_rules import Site, override, own
from tests.rules.story import CURRENT, HOME, KITCHEN_SMOKE, SMOKE, UPSTAIRS_CURRENT, WARMTH, block, us

OWN = Rulebook(own=own(), name="own.toml")


def told(found: Sequence[Transition]) -> list[tuple[str, str, int]]:
    return [(one.rule, one.to, one.slot) for one in found]


def overload(site: Site, slot: int, start_s: int, amps: float = 40.0) -> list[tuple[str, str, int]]:
    """Two minutes of current, a reading every 10 s: what O3 says of it."""
    found = [one for at in range(start_s, start_s + 121, 10) for one in site.read(slot, at, amps)]
    return [one for one in told(found) if one[0] == "O3"]


def test_a_rule_of_the_sites_own_holds_from_the_change_on_and_its_alarm_ends_with_it() -> None:
    site = Site()
    assert told(site.read(WARMTH, 0, 65.0)) == []
    assert site.turn(OWN, 1) == []
    assert told(site.read(WARMTH, 2, 65.0)) == [("K1", To.RAISED, WARMTH)]
    [gone] = site.turn(Rulebook(), 3)
    assert (gone.rule, gone.to, gone.slot, gone.device) == ("K1", To.CLEARED, WARMTH, 8)
    assert (gone.at_us, gone.why.en) == (us(3), "rule K1 was removed")
    assert told(site.read(WARMTH, 4, 65.0)) == []


def test_an_alarm_of_a_rule_that_goes_on_stays_active_and_ends_by_the_new_numbers() -> None:
    site = Site(OWN)
    site.read(WARMTH, 0, 65.0)
    assert site.turn(Rulebook(own=own(clear="40 degC", raise_="70 degC"), name="own.toml"), 1) == []
    assert told(site.read(WARMTH, 2, 45.0)) == []
    assert told(site.read(WARMTH, 3, 35.0)) == [("K1", To.CLEARED, WARMTH)]


def test_an_alarm_whose_rule_watches_something_else_now_is_cleared() -> None:
    site = Site(OWN)
    site.read(WARMTH, 0, 65.0)
    [gone] = site.turn(Rulebook(own=own(metric="temperature.ambient"), name="own.toml"), 1)
    assert told([gone]) == [("K1", To.CLEARED, WARMTH)]
    assert gone.why.en == "rule K1 was changed and does not watch this any more"


def test_a_hold_goes_on_over_a_change_of_other_rules_and_of_its_own_level() -> None:
    plain, changed = Site(OWN), Site(OWN)
    first = own(hold="60 s")
    for site in (plain, changed):
        site.turn(Rulebook(own=first, name="own.toml"), 0)
        assert told(site.read(WARMTH, 1, 65.0)) == []
    changed.turn(Rulebook(own=own(hold="60 s", raise_="62 degC"), name="own.toml"), 30)
    for site in (plain, changed):
        assert told(site.read(WARMTH, 62, 65.0)) == [("K1", To.RAISED, WARMTH)]


def test_what_was_gathered_in_another_way_is_let_go() -> None:
    window = {"kernel": "mean", "sources": 'window = "chosen: for this test"'}
    short = own(**window, more='window = "20 min"')
    site = Site(Rulebook(own=short, name="own.toml"))
    for at in range(0, 900, 60):
        assert told(site.read(WARMTH, at, 55.0)) == []
    other = Rulebook(own=own(**window, more='window = "30 min"'), name="own.toml")
    assert site.turn(other, 960) == []
    state = site.rules.snapshot()
    fresh = Site(other).rules.snapshot()
    mine = {key: value for key, value in state.items() if key.startswith("mean.")}
    assert mine
    for name, column in mine.items():
        if name not in ("mean.last_us", "mean.since_us"):  # of no meaning without a hold
            assert np.array_equal(column, fresh[name]), name


def test_smoke_that_burns_over_a_change_stays_one_alarm() -> None:
    site = Site()
    assert told(site.read(SMOKE, 0, 1.0)) == [("S1", To.RAISED, SMOKE)]
    site.turn(OWN, 1)
    assert [one for one in told(site.read(SMOKE, 2, 1.0)) if one[0] == "S1"] == []
    assert ("S1", To.RAISED, KITCHEN_SMOKE) in told(site.read(KITCHEN_SMOKE, 3, 1.0))


def test_an_override_holds_where_it_says_and_nowhere_else() -> None:
    book = Rulebook(overrides=(override(raise_="50 A", clear="40 A"),))
    site = Site(book)
    assert overload(site, CURRENT, 0) == []
    assert overload(site, UPSTAIRS_CURRENT, 0) == [("O3", To.RAISED, UPSTAIRS_CURRENT)]
    site.turn(Rulebook(), 200)
    assert overload(site, CURRENT, 200) == [("O3", To.RAISED, CURRENT)]


def test_a_rule_is_off_for_a_dwelling_until_the_override_ends_by_time() -> None:
    dwelling = override(scope=Scope.DWELLING, ids=(HOME,), off=True, from_us=us(0), until_us=us(300))
    site = Site(Rulebook(overrides=(dwelling,)))
    assert overload(site, CURRENT, 0) == []
    assert [one.id for one in site.rules.in_force] == [1]
    assert overload(site, CURRENT, 300) == [("O3", To.RAISED, CURRENT)]
    assert site.rules.in_force == ()


def test_an_override_that_is_to_come_begins_with_the_first_record_of_its_time() -> None:
    site = Site(Rulebook(overrides=(override(off=True, from_us=us(100), until_us=us(200)),)))
    for at, number in ((99.9, 0), (100, 1), (199.9, 1), (200, 0), (150, 1), (50, 0)):
        site.still(at)
        assert len(site.rules.in_force) == number, at


def test_a_narrower_override_wins_also_over_one_that_is_off() -> None:
    wide = override(1, scope=Scope.DWELLING, ids=(HOME,), off=True)
    site = Site(Rulebook(overrides=(override(2, hold="90 s"), wide)))
    [setting] = [one for one in settings_of(site, CURRENT) if one.rule == "O3"]
    assert (setting.why_off, setting.hold, setting.overrides) == ("", 90_000_000, (2,))


def test_overrides_that_do_not_go_together_never_mix_their_units() -> None:
    wide = override(1, scope=Scope.DWELLING, ids=(HOME,), raise_="50 A", clear="40 A")
    site = Site(Rulebook(overrides=(wide, override(2, clear="1 I_ref"))))
    [setting] = [one for one in settings_of(site, CURRENT) if one.rule == "O3"]
    assert (str(setting.raise_at), str(setting.clear_below)) == ("50 A", "40 A")


def settings_of(site: Site, slot: int) -> list[Setting]:
    site.still(0)
    return [said.setting for said in site.rules.explain(slot) if said.setting]


def test_an_override_that_does_not_fit_its_rule_is_left_out_and_told() -> None:
    unfit = (override(1, raise_="50 V"), override(2, rule="K9", off=True), override(3, rule="S1", off=True))
    settled = settle(Rulebook(overrides=unfit))
    assert settled.overrides.all == ()
    assert [text.split(";")[0] for text in settled.left_out] == [
        "override 1: key `raise`: unit `V` does not fit metric `current`",
        "override 2: key `rule`: `K9` is no rule",
        "override 3: key `rule`: `S1` takes no override: a life flag has no level",
    ]


def test_a_rule_that_was_replaced_by_one_of_another_kind_leaves_its_overrides_harmless() -> None:
    rule = own(name="O3", metric="voltage", severity="P1", raise_="260 V", clear="250 V")
    book = Rulebook(own=rule, name="own.toml")
    overrides = (override(raise_="50 A", clear="40 A"),)
    site = Site(Rulebook(overrides=overrides))
    site.still(0)
    assert site.turn(Rulebook(own=book.own, name="own.toml", overrides=overrides), 1) == []
    site.read(CURRENT, 2, 100.0)
    assert site.rules.in_force == ()


def test_the_version_is_that_of_the_shipped_rules_until_something_is_said() -> None:
    assert settle(Rulebook()).version == LiveRules(block()).version
    assert len({settle(book).version for book in (Rulebook(), OWN, Rulebook(timezone="UTC"))}) == 3
    assert settle(Rulebook()).catalogue == shipped_catalogue()


def test_a_book_reads_back_as_it_was_written() -> None:
    book = Rulebook(own=own(), name="own.toml", timezone="UTC", overrides=(override(until_us=5, off=True),))
    assert read_rulebook(book.text()) == book
    assert read_rulebook("{}") == Rulebook()


@pytest.mark.parametrize("text", ["", "nothing", '{"own": 3}', "[]", '{"own":"version = 2 ]"}'])
def test_a_text_that_cannot_be_read_changes_nothing_that_holds(text: str) -> None:
    site = Site()
    site.read(SMOKE, 0, 1.0)
    site.rules.change(text, us(1))
    assert told(site.read(KITCHEN_SMOKE, 3, 1.0))[0] == ("S1", To.RAISED, KITCHEN_SMOKE)
    assert [one for one in told(site.read(SMOKE, 4, 1.0)) if one[0] == "S1"] == []


BOOKS = (
    Rulebook(),
    OWN,
    Rulebook(own=own(hold="40 s"), name="own.toml"),
    Rulebook(own=own(kernel="mean", more='window = "20 min"', sources='window = "x"'), name="own.toml"),
    Rulebook(overrides=(override(raise_="50 A", clear="40 A", until_us=us(400)),)),
    Rulebook(own=own(), name="own.toml", overrides=(override(rule="K1", ids=(8,), raise_="80 degC"),)),
    Rulebook(timezone="Europe/Berlin"),
)
WATCHED = (SMOKE, CURRENT, WARMTH, UPSTAIRS_CURRENT)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.sampled_from(WATCHED), st.integers(0, 90)),
        st.tuples(st.just("turn"), st.integers(0, len(BOOKS) - 1), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=20,
)  # fmt: skip


@given(steps=STEPS)
@settings(max_examples=25, deadline=None)
def test_a_restart_anywhere_goes_on_exactly_as_if_there_had_been_none(
    steps: list[tuple[str, int, int]],
) -> None:
    one, other = Site(), Site()
    for n, (kind, which, value) in enumerate(steps):
        at = n * 20
        if kind == "read":
            flag = float(value > 45) if which == SMOKE else float(value)
            assert one.read(which, at, flag) == other.read(which, at, flag)
        elif kind == "turn":
            assert one.turn(BOOKS[which], at) == other.turn(BOOKS[which], at)
        else:
            state = other.rules.snapshot()
            other = Site()
            other.rules.restore(state)
    assert one.rules.text == other.rules.text
    assert one.rules.version == other.rules.version


def test_a_snapshot_of_an_earlier_release_holds_the_shipped_rules() -> None:
    site = Site()
    site.read(SMOKE, 0, 1.0)
    state = site.rules.snapshot()
    del state["book"]
    other = Site(OWN)
    other.rules.restore(state)
    assert other.rules.text == "{}"
    assert [one for one in told(other.read(SMOKE, 1, 1.0)) if one[0] == "S1"] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_rules_of_every_kind_keep_their_state_to_the_bit_over_a_change_of_words(family: str) -> None:
    site = Site()
    for n in range(60):
        for slot in WATCHED:
            site.read(slot, n * 30, float(n % 2) if slot == SMOKE else 20.0 + n)
        site.rules.advance(us(n * 30))
    before = site.rules.snapshot()
    [text] = [file.text for file in shipped_files() if file.name == f"{family}.toml"]
    assert site.turn(Rulebook(own=text.replace('en = "', 'en = "Our '), name="own.toml"), 1800) == []
    after = site.rules.snapshot()
    assert before.keys() == after.keys()
    for name, column in before.items():
        if name != "book":
            assert np.array_equal(column, after[name], equal_nan=column.dtype.kind == "f"), name


MEETING = """version = 1
[[rule]]
name = "X9"
kernel = "place"
severity = "P1"
anchor = ["S1"]
partner = ["K1"]
within = "10 min"
title = { en = "Smoke and heat", zh-CN = "烟雾并高温" }
[rule.source]
within = "chosen: for this test"
"""


def test_an_alarm_of_a_place_ends_with_its_rule_and_what_it_knew_of_gone_rules_is_let_go() -> None:
    both = Rulebook(own=own() + MEETING.removeprefix("version = 1\n"), name="own.toml")
    site = Site(both)
    site.read(WARMTH, 0, 65.0)
    assert ("X9", To.RAISED, SMOKE) in told(site.read(SMOKE, 1, 1.0))
    gone = {one.rule: one for one in site.turn(Rulebook(), 2)}
    assert gone.keys() == {"K1", "X9"}
    assert (gone["X9"].to, gone["X9"].place, gone["X9"].dwelling) == (To.CLEARED, HOME, HOME)
    assert gone["X9"].subject is Subject.DWELLING
    site.turn(both, 3)
    assert ("X9", To.RAISED, WARMTH) in told(site.read(WARMTH, 4, 65.0)), "smoke is still active"


def test_a_change_that_cannot_be_carried_out_leaves_the_rules_before_it() -> None:
    site = Site(OWN)
    site.read(WARMTH, 0, 65.0)
    broken = settle(Rulebook())
    site.rules.prepare(broken._replace(text="{}", calendar=calendar_of("UTC"), overrides=Overrides((None,))))  # type: ignore[arg-type]
    assert site.rules.change("{}", us(1)) == []
    assert told(site.read(WARMTH, 2, 45.0)) == [("K1", To.CLEARED, WARMTH)]
    assert told(site.read(SMOKE, 3, 1.0)) == [("S1", To.RAISED, SMOKE)]
