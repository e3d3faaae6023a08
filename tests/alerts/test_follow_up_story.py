"""News of an incident in hand that nobody answers: what was answered before says nothing of it, so it has a
chain of its own, and the first answer ends that."""

from __future__ import annotations

import pytest

from alerts import schema
from alerts.case import Act
from alerts.sayings import step_word
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.story import DAY_S, Messages, Story, a_story

HOUR_S = 3600.0
UNHEARD = "Nobody has answered: arc on the circuit."


def raised(story: Story, at_s: float, rule: str, severity: Severity = Severity.P1, *marks: Mark) -> None:
    story.at(at_s).transition(rule, "monitor-501", severity, marks)


def in_hand(story: Story) -> None:
    """Leakage that the worker was on site for; an hour later an arc, told as news."""
    raised(story, 0, "L3", Severity.P1, Mark.ISOLATE)
    story.at(60).answers("grid_worker", Act.ARRIVED)
    story.at(61).answers("building_secretary", Act.ACKNOWLEDGE)
    raised(story, HOUR_S, "A1")
    story.between(HOUR_S, HOUR_S + 1).told("grid_worker", saying="Another alarm here: arc").once()


def after_the_word(story: Story, first_s: float, last_s: float) -> Messages:
    return story.between(HOUR_S + first_s, HOUR_S + last_s)


def test_the_secretary_is_called_after_five_minutes_and_the_supervisor_told_after_fifteen(
    story: Story,
) -> None:
    in_hand(story)
    after_the_word(story, 1, 299).nobody()
    after_the_word(story, 300, 301).told("building_secretary", by="voice", saying=UNHEARD).once()
    after_the_word(story, 302, 899).nobody()
    after_the_word(story, 900, 901).told("supervisor", by="push", saying=UNHEARD).once()
    after_the_word(story, 902, 5 * HOUR_S).nobody()
    assert (story.incident().epoch, story.incident().state) == (0, "arrived")


@pytest.mark.parametrize(
    ("who", "act"),
    [
        ("grid_worker", Act.ACKNOWLEDGE),
        ("building_secretary", Act.ACKNOWLEDGE),
        ("grid_worker", Act.ARRIVED),
        ("operator", Act.ACKNOWLEDGE),
        ("family", Act.FALSE_ALARM),
    ],
)
def test_one_answer_to_the_news_ends_it(story: Story, who: str, act: Act) -> None:
    in_hand(story)
    story.at(HOUR_S + 100).answers(who, act)
    after_the_word(story, 101, 5 * HOUR_S).nobody()
    pending = [step.name for step in story.table(schema.step) if step.state == "pending"]
    assert [name for name in pending if not name.startswith(("deadline:", "overdue:"))] == []


def test_an_answer_between_the_calls_spares_the_supervisor(story: Story) -> None:
    in_hand(story)
    story.at(HOUR_S + 400).answers("grid_worker", Act.ACKNOWLEDGE)
    after_the_word(story, 401, 5 * HOUR_S).nobody()


@pytest.mark.parametrize("who", ["family", "neighbour"])
def test_that_a_resident_received_it_sends_nobody_so_it_goes_on(story: Story, who: str) -> None:
    in_hand(story)
    story.at(HOUR_S + 100).answers(who, Act.ACKNOWLEDGE)
    after_the_word(story, 300, 301).told("building_secretary", saying=UNHEARD).once()


def test_a_cry_for_help_is_no_answer(story: Story) -> None:
    in_hand(story)
    story.at(HOUR_S + 100).answers("grid_worker", Act.NEED_HELP)
    after_the_word(story, 300, 301).told("building_secretary", saying=UNHEARD).once()


def test_an_answer_that_was_given_before_the_word_counts_for_nothing(story: Story) -> None:
    raised(story, 0, "L2")
    raised(story, 100, "A1")
    story.at(200).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(201).answers("building_secretary", Act.ACKNOWLEDGE)
    story.between(300, 301).told("grid_worker", saying="Another alarm here: arc").once()
    story.between(600, 601).told("building_secretary", by="voice", saying=UNHEARD).once()


def test_while_the_first_chain_runs_unanswered_the_news_has_no_second_one_beside_it(story: Story) -> None:
    raised(story, 0, "L2")
    raised(story, 100, "A1")
    story.between(302, 899).nobody()
    assert any('"say":"step_said"' in row.text for row in story.table(schema.incident_change))
    story.between(900, 901).told("supervisor").once()


def test_what_joins_later_is_in_the_same_chain_and_cannot_put_it_off(story: Story) -> None:
    in_hand(story)
    for n in range(1, 9):
        raised(story, HOUR_S + 100 * n, f"O3-{n}")
    messages = after_the_word(story, 1, 1000)
    called = messages.told("building_secretary", by="voice")
    assert [m.at_s - HOUR_S for m in called.messages] == [300.0]
    messages.told("supervisor").once()


def test_news_after_an_answer_begins_a_chain_anew_and_none_of_its_calls_is_lost(story: Story) -> None:
    in_hand(story)
    story.at(HOUR_S + 400).answers("grid_worker", Act.ACKNOWLEDGE)
    raised(story, 2 * HOUR_S, "T2")
    story.between(2 * HOUR_S + 300, 2 * HOUR_S + 301).told("building_secretary", by="voice").once()
    story.between(2 * HOUR_S + 900, 2 * HOUR_S + 901).told("supervisor", saying="cable too hot").once()


def test_grave_news_in_a_fire_in_hand_is_chased_by_the_minute_and_spares_the_neighbours(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(40).answers("grid_worker", Act.ARRIVED)
    raised(story, DAY_S, "T3X", Severity.P0, Mark.ISOLATE)
    story.between(DAY_S, DAY_S + 59).told("grid_worker", saying="New: live wiring").once()
    messages = story.between(DAY_S + 60, DAY_S + 61)
    for who in ("grid_worker", "building_secretary", "micro_station", "duty_desk"):
        messages.told(who, by="voice", saying="Nobody has answered: cable critical").once()
    messages.told("grid_worker-2", by="push")
    messages.not_told("neighbour", "fire_brigade")
    assert {m.step for m in messages.messages if m.code == "family"} == {"more"}
    story.at(DAY_S + 70).answers("duty_desk", Act.ACKNOWLEDGE)
    told = [m.step for m in story.between(DAY_S + 71, DAY_S + HOUR_S).messages]
    assert not [step for step in told if step.startswith("chase")]


def test_worse_news_does_not_wait_for_the_chain_of_lesser_news(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(40).answers("grid_worker", Act.ARRIVED)
    raised(story, DAY_S, "L2")
    raised(story, DAY_S + 100, "T3X", Severity.P0)
    story.between(DAY_S + 160, DAY_S + 161).told("micro_station", by="voice", saying="cable critical").once()
    steps = {step.name: step.state for step in story.table(schema.step)}
    assert (steps["secretary:P1:1"], steps["supervisor:P1:1"]) == ("stopped", "stopped")
    story.at(DAY_S + 170).answers("duty_desk", Act.ACKNOWLEDGE)
    story.between(DAY_S + 171, DAY_S + HOUR_S).nobody()


def test_news_in_a_fire_is_chased_as_its_own_severity_asks(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(40).answers("grid_worker", Act.ARRIVED)
    raised(story, DAY_S, "L2")
    story.between(DAY_S + 1, DAY_S + 299).nobody()
    story.between(DAY_S + 300, DAY_S + 301).told("building_secretary", by="voice").once()


def test_a_word_to_isolate_that_nobody_answers_is_chased_too(story: Story) -> None:
    raised(story, 0, "L2")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(61).answers("building_secretary", Act.ACKNOWLEDGE)
    raised(story, 2000, "T3", Severity.P1, Mark.ISOLATE)
    messages = story.between(2300, 2301)
    messages.told("building_secretary", by="voice", saying="Nobody has answered: cable too hot.").once()
    assert "Isolate the electricity first" in messages.messages[0].text


def test_a_restart_ends_it_for_everybody_is_told_again(story: Story) -> None:
    in_hand(story)
    story.at(HOUR_S + 100).answers("grid_worker", Act.CONFIRM)
    steps = [step.name for step in story.table(schema.step) if step.state == "pending"]
    assert not [name for name in steps if name.count(":") == 2]


def test_when_the_incident_is_closed_nothing_follows(story: Story) -> None:
    in_hand(story)
    story.at(HOUR_S + 100).answers("operator", Act.REJECT, "wrong place")
    after_the_word(story, 101, 5 * HOUR_S).nobody()


def test_delays_run_at_the_clock_of_the_site(database: str) -> None:
    with a_story(database, ratio=6.0) as story:
        in_hand(story)
        after_the_word(story, 50, 51).told("building_secretary", by="voice").once()


def test_the_timeline_says_who_was_told_and_that_it_was_of_the_news(story: Story) -> None:
    in_hand(story)
    after_the_word(story, 300, 301)
    lines = [row.text for row in story.table(schema.incident_change)]
    assert any('"say":"told_unheard"' in text and "building_secretary" in text for text in lines)
    assert step_word("secretary:P1:1", "zh-CN") == "升级至书记（新报警）"
    assert step_word("help:family", "zh-CN") == "求助（家属）"


def test_calls_to_residents_that_never_end_are_no_word_of_the_news(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).electrical_fire("501")
    raised(story, 1800, "T3", Severity.P1)
    story.between(1800, 1801).told("grid_worker", saying="Another alarm here: cable too hot").once()
    called = story.between(2100, 2101).told("building_secretary", by="voice")
    assert "Nobody has answered: cable too hot." in called.messages[0].text
    story.between(2700, 2701).told("supervisor", saying="cable too hot").once()
    assert not any('"say":"step_said"' in row.text for row in story.table(schema.incident_change))


def test_in_a_fire_that_is_still_being_told_the_news_has_no_second_chain(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).electrical_fire("501")
    raised(story, 10, "T3X", Severity.P0)
    story.at(200)
    steps = {step.name: step.state for step in story.table(schema.step)}
    assert (steps["chase"], steps["chase:P0:1"]) == ("done", "stopped")
    assert any('"say":"step_said"' in row.text for row in story.table(schema.incident_change))
