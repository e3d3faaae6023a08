from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Alarm
from alerts.dwelling_states import (
    NO_DEVICE_FACT,
    NOBODY_FACT,
    DwellingState,
    Fact,
    OpenHere,
    Standing,
    Summary,
    exercise_fact,
    fact_of,
    together,
    worst,
)
from alerts.hazards import hazard_of
from devices.model import Severity
from rules.transition import Why

S = DwellingState
FIRES = ("P0", "P0+", "P9")
"""The last is of a later release."""


def alarm(rule: str, severity: str = "P3", cleared_us: int | None = None) -> Alarm:
    return Alarm(
        rule, f"u/{rule}", "u", 1, 0, Severity(severity), 5, cleared_us, Why("", ""), hazard_of(rule), 5
    )


def opened(hazard: str, severity: str, *alarms: Alarm, place: str = "dwelling:7") -> OpenHere:
    return OpenHere(1, place, 7, 3, hazard, severity, 100, 1, frozenset(), alarms)


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (opened("fire", "P0", alarm("S1", "P0")), S.ALARM),
        (opened("fire", "P0+", alarm("S2", "P0+")), S.ALARM),
        (opened("fire", "P0", alarm("S1", "P0", cleared_us=9)), S.ALARM),
        (opened("fire", "P0"), S.ALARM),
        (opened("fire", "P1", alarm("S8", "P1")), S.PRE_ALARM),
        (opened("fire", "P2", alarm("S1", "P2")), S.PRE_ALARM),
        (opened("electrical", "P1", alarm("O3", "P1")), S.PRE_ALARM),
        (opened("electrical", "P3", alarm("O1")), S.PRE_ALARM),
        (opened("electrical", "P1", alarm("O3", "P1", cleared_us=9)), S.PRE_ALARM),
        (opened("fault", "P3", alarm("C1")), S.SILENT),
        (opened("fault", "P2", alarm("S6", "P2")), S.SILENT),
        (opened("fault", "P3", alarm("C1", cleared_us=9)), None),
        (opened("fault", "P3"), None),
        (opened("flood", "P1"), S.PRE_ALARM),
        (opened("flood", "P9"), S.ALARM),
        (opened("fire", "P9"), S.ALARM),
        (opened("fire", "P0", alarm("S1", "P0"), place="drill:dwelling:7"), S.COMMISSIONING),
        (opened("fire", "P0", alarm("S1", "P0"), place="commissioning:u"), S.COMMISSIONING),
        (replace(opened("fire", "P0+"), tags=frozenset({"drill"})), S.COMMISSIONING),
    ],
)
def test_what_an_open_incident_makes_of_its_dwelling(one: OpenHere, state: DwellingState | None) -> None:
    fact = fact_of(one)
    assert (fact.state if fact else None) is state
    if fact:
        assert all(fact.words)
        assert (fact.incident_id, fact.since_us) == (1, 100)


def test_it_says_why_in_both_languages() -> None:
    fact = fact_of(opened("fire", "P0+", alarm("S1", "P0")))
    assert fact is not None
    assert fact.said_in("zh-CN") == "火警已确认：烟雾报警"
    assert fact.said_in("en") == "fire confirmed: smoke alarm"
    silent = fact_of(opened("fault", "P3", alarm("S5", cleared_us=3), alarm("C1")))
    assert silent is not None
    assert silent.said_in("en") == "device silent"


def test_urgency_is_the_order_in_which_the_states_are_written() -> None:
    assert [state.urgency for state in DwellingState] == list(range(7))
    assert DwellingState("alarm") is min(DwellingState, key=lambda state: state.urgency)
    assert worst([]) is S.QUIET


facts = st.builds(
    Fact,
    st.sampled_from(list(DwellingState)[:-1]),
    st.just(("甲", "a")),
    st.integers(0, 5),
    st.sampled_from(["", "P0+", "P0", "P1", "P2", "P3", "P9"]),
    st.integers(0, 1000),
)


@given(st.lists(facts))
def test_the_worst_colours_and_the_others_are_marks(found: list[Fact]) -> None:
    standing = Standing.of(found)
    states = {fact.state for fact in found}
    assert standing.state is worst(states)
    assert set(standing.marks) == states - {standing.state}
    assert list(standing.marks) == sorted(standing.marks, key=lambda state: state.urgency)
    assert (standing.state is S.QUIET) == (not found)
    assert set(standing.facts) == set(found)


@given(
    st.sampled_from(["fire", "electrical", "fault", "flood"]),
    st.sampled_from(FIRES),
    st.lists(st.sampled_from([alarm("S1", "P0"), alarm("C1", cleared_us=1), alarm("S5")])),
    st.lists(facts),
)
def test_a_dwelling_with_an_open_fire_is_never_anything_less(
    hazard: str, severity: str, alarms: list[Alarm], beside: list[Fact]
) -> None:
    fact = fact_of(opened(hazard, severity, *alarms))
    assert fact is not None
    assert Standing.of([*beside, fact]).state is S.ALARM


def test_of_two_alarms_the_confirmed_one_is_in_front_and_of_equals_the_newest() -> None:
    old, new = Fact(S.ALARM, ("", ""), 1, "P0", 10), Fact(S.ALARM, ("", ""), 2, "P0", 20)
    sure = Fact(S.ALARM, ("", ""), 3, "P0+", 5)
    assert [one.incident_id for one in Standing.of([old, new, sure]).facts] == [3, 2, 1]
    assert Standing.of([old, sure]).is_strong
    assert not Standing.of([old, new]).is_strong


def test_the_incident_to_open_is_that_of_the_worst_that_has_one() -> None:
    beside = Fact(S.SILENT, ("", ""), 9, "P3", 1)
    assert Standing.of([NOBODY_FACT, beside]).incident_id == 9
    assert Standing.of([NOBODY_FACT]).incident_id == 0


@pytest.mark.parametrize(
    ("fact", "loud"),
    [
        (Fact(S.ALARM, ("", ""), 1, "P0"), True),
        (Fact(S.PRE_ALARM, ("", ""), 1, "P2"), True),
        (Fact(S.PRE_ALARM, ("", ""), 1, "P3"), False),
        (Fact(S.SILENT, ("", ""), 1, "P1"), True),
        (Fact(S.SILENT, ("", ""), 1, "P2"), False),
        (exercise_fact("drill", 1), False),
        (NO_DEVICE_FACT, False),
    ],
)
def test_a_wall_shows_large_what_people_are_sent_for(fact: Fact, loud: bool) -> None:
    assert fact.is_loud is loud


def test_areas_have_the_worst_of_what_is_below_and_its_counts() -> None:
    quiet = Summary(S.QUIET, Counter({S.QUIET: 4}))
    burning = Summary(S.ALARM, Counter({S.ALARM: 1, S.QUIET: 2}), True, True)
    both = together([quiet, burning, Summary()])
    assert (both.state, both.count(S.QUIET), both.homes, both.is_strong, both.is_loud) == (
        S.ALARM, 6, 7, True, True,
    )  # fmt: skip
    assert together([]).state is S.QUIET
