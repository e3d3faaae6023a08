"""Two incidents that an operator makes one: nothing becomes quieter, and what is done to the whole is done to
each of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.board_view import count_open, open_incidents
from alerts.case import Act, Hazard, Incident, State
from alerts.cases import incident_of
from alerts.detail_view import IncidentDetail, incident_detail
from alerts.merging import barred, target_of
from alerts.sayings import render
from alerts.turn import decide_turn
from devices.database import reading, writing
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.block import CAST
from tests.alerts.story import Story, a_story
from tests.databases import TABLES_ONLY, sqlite_like

APART = Mark.AGE_UNKNOWN
"""Two detectors of which one says so make no pair, so that each has a plain P0 of its own."""


def two_fires(story: Story) -> None:
    """#1 in 501 and #2 in 401, both P0, of which nobody has answered."""
    story.at(0).smoke("501")
    story.at(10).smoke("401", APART)


def merges(story: Story, one: int, into: int, note: str = "") -> None:
    answer = story.answers("operator", Act.MERGE, f"{into} {note}", incident=one)
    assert answer.outcome == "done", answer.reason


def detail(story: Story, number: int) -> IncidentDetail:
    with reading(story.engine) as connection:
        found = incident_detail(connection, number, "en")
    assert found is not None
    return found


def board(story: Story) -> list[tuple[int, tuple[int, ...], str, str, str]]:
    with reading(story.engine) as connection:
        lines = open_incidents(connection, "en", 10)
        assert len(lines) == count_open(connection)
    return [(one.id, one.parts, one.severity, one.state, one.taken_by) for one in lines]


def test_merging_keeps_both_histories_and_shows_one_line(story: Story) -> None:
    two_fires(story)
    story.at(20)
    merges(story, 2, 1, "one fire")
    assert board(story) == [(1, (2,), "P0", "dispatched", "")]
    whole, part = detail(story, 1), detail(story, 2)
    assert (part.line.state, part.merged_into, whole.parts[0].id) == ("merged", 1, 2)
    assert "it goes on as part of incident #1: one fire" in part.changes[-1].text
    assert [c.text for c in whole.changes if c.incident_id == 1][-1] == (
        "incident #2 is part of this one now: one fire"
    )
    assert [c.by for c in (whole.changes[-1], part.changes[-1])] == ["user:operator"] * 2
    assert {c.id for c in part.changes} < {c.id for c in whole.changes}
    assert {a.uid for a in whole.alarms} == {"smoke-501", "smoke-401"}
    assert "501" in whole.line.place and "401" in whole.line.place
    assert whole.line.told == len({m.contact for m in whole.messages})


@contextmanager
def a_quick_story() -> Iterator[Story]:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
        yield story


BEFORE = st.tuples(st.sampled_from([*CAST, "operator"]), st.sampled_from([1, 2]), st.sampled_from([
    Act.ACKNOWLEDGE, Act.ARRIVED, Act.CONFIRM, Act.NEED_HELP,
]))  # fmt: skip
AFTER = st.tuples(st.integers(1, 150), st.sampled_from(["smoke-501", "smoke-501-b", "smoke-401", "clears"]))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(BEFORE, max_size=5), st.lists(AFTER, max_size=3), st.integers(11, 200), st.booleans())
def test_a_merge_by_itself_changes_no_message_and_no_step(
    before: list[tuple[str, int, Act]], after: list[tuple[int, str]], merged_s: int, crashing: bool
) -> None:
    """Whoever had answered what: the same people hear the same at the same time, whether or not the two are
    one; and a turn that a crash undoes is done again the same."""
    told = []
    for is_merged in (False, True):
        with a_quick_story() as story:
            two_fires(story)
            for who, incident, act in before:
                story.answers(who, act, incident=incident)
            story.at(merged_s)
            if is_merged:
                story.hand_in("operator", Act.MERGE, "1", incident=2)
                if crashing:
                    with pytest.raises(InterruptedError), writing(story.engine) as connection:
                        decide_turn(connection, story.settings, story.now_us)
                        raise InterruptedError
                story.turn()
                assert story.incident(2).merged_into == 1
            for gap_s, what in after:
                story.at(story.now_s + gap_s)
                if what == "clears":
                    story.clears("S1", "smoke-401")
                else:
                    story.smoke("", APART, device=what)
            story.at(story.now_s + 400)
            told.append((story.messages(), [tuple(row) for row in story.table(schema.step)]))
            holding = [(a.rule, a.subject) for a in story.table(schema.incident_alarm)]
            assert len(holding) == len(set(holding))
            assert [i.id for i in story.incidents()] == [1, 2]
    assert told[0] == told[1]


def test_a_fire_merged_into_one_in_hand_is_told_on_until_it_is_answered(story: Story) -> None:
    story.at(0).smoke("501")
    for who in ("operator", "grid_worker", "building_secretary"):
        story.answers(who, Act.ACKNOWLEDGE)
    story.at(5).answers("micro_station", Act.ARRIVED)
    story.at(400).smoke("401")
    story.at(410)
    merges(story, 2, 1)
    assert board(story) == [(1, (2,), "P0", "dispatched", "")]
    now = story.between(411, 500)
    for who in ("grid_worker", "building_secretary", "duty_desk"):
        now.told(who, by="voice", saying="401")
    now.told("micro_station", saying="401")  # nobody has confirmed it
    assert {m.incident_id for m in now.messages} == {2}
    story.answers("operator", Act.ACKNOWLEDGE)
    assert board(story)[0][3:] == ("acknowledged", "operator operator")


def test_an_answer_by_a_parts_link_counts_for_the_whole_where_its_giver_is_bound(story: Story) -> None:
    two_fires(story)
    story.at(15).answers("building_secretary", Act.ACKNOWLEDGE, incident=2)  # before: about its own place
    story.at(20)
    merges(story, 2, 1)
    story.at(30).answers("grid_worker", Act.ACKNOWLEDGE, incident=2)
    now = story.between(59, 75)
    now.not_told("grid_worker")
    assert {m.incident_id for m in now.told("building_secretary", by="voice").messages} == {1}
    now.told("family", by="voice")  # bound to 501: nobody of theirs has answered
    story.at(80).answers("micro_station", Act.ARRIVED, incident=2)
    assert [i.state for i in story.incidents()] == ["arrived", "arrived"]


def test_rights_are_those_of_the_own_place(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    answer = story.answers("family", Act.FALSE_ALARM)
    assert (answer.outcome, answer.reason) == (
        "noted", "a second device is in alarm, so nothing stops",
    )  # fmt: skip
    story.at(20).clears("S1", "smoke-401")
    assert story.answers("family", Act.FALSE_ALARM).outcome == "done"
    assert [i.false_alarm_us is not None for i in story.incidents()] == [True, False]
    story.between(60, 75).told("grid_worker", by="voice", saying="401").once()
    assert story.answers("operator", Act.FALSE_ALARM).outcome == "done"
    assert [i.false_alarm_us is not None for i in story.incidents()] == [True, True]


def test_who_lives_there_answers_for_the_place_of_their_link(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).smoke("", APART, device="landing-1")  # who lives on the stair is told of both
    merges(story, 2, 1)
    assert {m.role for m in story.between(10, 11).told("neighbour").messages} == {"neighbour"}
    story.at(30).answers("neighbour", Act.ACKNOWLEDGE)
    assert [i.state for i in story.incidents()] == ["acknowledged", "dispatched"]
    now = story.between(31, 75)
    assert {m.incident_id for m in now.told("neighbour", by="voice").messages} == {2}


@pytest.mark.parametrize("who", ["grid_worker", "duty_desk", "micro_station", "admin"])
def test_only_operator_and_supervisor_merge_and_split(story: Story, who: str) -> None:
    two_fires(story)
    assert story.answers(who, Act.MERGE, "1", incident=2).outcome == "refused"
    assert story.answers("supervisor-1", Act.MERGE, "1", incident=2, role="supervisor").outcome == "done"
    assert story.answers(who, Act.SPLIT, "#2").outcome == "refused"


def test_no_part_in_which_nobody_has_been_is_closed_with_the_rest(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.ARRIVED)
    story.at(10).smoke("401", APART)
    merges(story, 2, 1)
    answer = story.answers("operator", Act.HANDLED)
    assert (answer.outcome, answer.reason) == ("refused", "its part #2: nobody has arrived yet")
    assert [i.state for i in story.incidents()] == ["arrived", "dispatched"]
    for who, act, note in (
        ("operator", Act.ARRIVED, ""), ("operator", Act.HANDLED, ""),
        ("grid_worker", Act.FEEDBACK, "pan"), ("operator-2", Act.VERIFY, ""), ("operator", Act.CLOSE, "real"),
    ):  # fmt: skip
        assert story.answers(who, act, note, incident=2 if act is Act.FEEDBACK else 1).outcome == "done", act
    assert [(i.state, i.cause) for i in story.incidents()] == [("closed", "pan")] * 2
    assert board(story) == []
    story.at(story.now_s + 1)
    cleared = story.between(10, 11).told("grid_worker", saying="ALL CLEAR").messages
    assert len(cleared) == 2  # each names its place
    assert story.answers("operator", Act.REOPEN).outcome == "done"
    assert [i.state for i in story.incidents()] == ["reopened", "reopened"]


def test_smoke_at_the_place_of_a_part_joins_it_and_starts_it_again(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).answers("operator", Act.FALSE_ALARM)  # noted: two detectors
    story.at(30).answers("operator", Act.ARRIVED)
    story.at(500).smoke("401", Mark.SECOND_FIRE)
    assert [(i.epoch, i.state) for i in story.incidents()] == [(0, "arrived"), (1, "dispatched")]
    story.between(500, 501).told("grid_worker", saying="401").once()
    assert board(story)[0][:4] == (1, (2,), "P0", "dispatched")


def test_a_part_takes_its_parts_along_and_a_part_stands_for_its_whole(story: Story) -> None:
    two_fires(story)
    story.at(20).smoke("other", APART)
    merges(story, 3, 2)
    merges(story, 2, 1)
    assert [i.merged_into for i in story.incidents()] == [None, 1, 1]
    assert story.answers("operator", Act.ACKNOWLEDGE, incident=3).outcome == "done"
    assert {i.state for i in story.incidents()} == {"acknowledged"}
    story.at(30).smoke("101", APART)
    merges(story, 4, 3)
    assert story.incident(4).merged_into == 1


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("", "say by its number which incident it goes into"),
        ("first", "say by its number which incident it goes into"),
        ("1 x", "an incident cannot become a part of itself"),
        ("77", "there is no such incident"),
        ("2", "one of the two has ended"),
    ],
)
def test_what_cannot_be_merged_says_why(story: Story, note: str, reason: str) -> None:
    story.at(0).overload("501")
    story.overload("401") if "monitor-401" in story.block.devices else story.transition(
        "O3", "riser", Severity.P1, ()
    )
    story.answers("operator", Act.CANCEL, "load test", incident=2)
    answer = story.answers("operator", Act.MERGE, note)
    assert (answer.outcome, answer.reason) == ("refused", reason)
    assert f"(refused: {reason})" in render(story.table(schema.incident_change)[-1].text, "en")


def test_why_one_incident_is_no_part_of_another(story: Story) -> None:
    two_fires(story)
    one, into = (incident_of(row) for row in story.incidents())

    def why(one: Incident = one, into: Incident = into) -> str:
        return render(barred(one, into), "en")

    assert why() == ""
    assert why(replace(one, building_id=0)) == ""  # a device that nobody registered
    lesser = replace(into, severity=Severity.P2)
    assert "register the device" in why(replace(one, building_id=0), lesser)
    assert why(replace(one, severity=Severity.P2)) == "" == why(into=replace(into, severity=Severity.P2))
    assert "another kind of hazard" in why(replace(one, hazard=Hazard.ELECTRICAL))
    assert "same building" in why(replace(one, building_id=99))
    assert "same building" in why(into=replace(into, building_id=0))
    assert "exercises" in why(replace(one, place=f"drill:{one.place}"))
    assert "exercises" in why(into=replace(into, tags=frozenset({"test"})))
    ours, theirs = replace(one, hazard=Hazard.SYSTEM), replace(into, hazard=Hazard.SYSTEM)
    assert "faults of the system" in why(ours, theirs)
    assert "part of incident #7 already" in why(replace(one, merged_into=7))
    assert "dealt with" in why(replace(one, state=State.HANDLED))
    assert "dealt with" in why(into=replace(into, false_alarm_us=1))
    assert "ended" in why(into=replace(into, state=State.CLOSED))


@pytest.mark.parametrize(
    ("note", "found"),
    [("12", (12, "")), ("#12: same fire", (12, "same fire")), ("12 一起火", (12, "一起火")), ("0", (0, "")),
     ("12a", (0, "")), ("1" * 19, (0, "")), ("", (0, ""))],
)  # fmt: skip
def test_the_number_that_a_note_begins_with(note: str, found: tuple[int, str]) -> None:
    assert target_of(note) == found


def test_a_false_alarm_by_the_link_of_one_flat_silences_no_other_that_still_smokes(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).clears("S1", "smoke-501")
    answer = story.at(30).answers("grid_worker", Act.FALSE_ALARM, incident=1)
    assert answer.outcome == "noted"
    assert story.between(31, 100).messages
    assert not any(one.false_alarm_us for one in story.incidents())
