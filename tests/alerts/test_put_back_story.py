"""Our clock goes back while people deal with a fire: what they answered to it says nothing of a later one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Act, Answer, Case, Hazard, Incident, State
from alerts.put_back import moved_times, put_right
from alerts.slow import open_for_slow
from alerts.turn import run_turn
from devices.database import writing
from devices.model import Severity
from tests.alerts.provider import Provider
from tests.alerts.seen import timeline
from tests.alerts.story import SECOND, Story
from tests.alerts.test_merging_story import merges, two_fires

BACK_S = 1_800
CALLED = ("family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk")


def all_answer(story: Story, incident: int = 1) -> None:
    for who in CALLED:
        story.at(story.now_s + 1).answers(who, Act.ACKNOWLEDGE, incident=incident)


def clock_goes_back(story: Story) -> None:
    story.now_us -= BACK_S * SECOND


def second_fire(story: Story, device: str = "smoke-501-b") -> None:
    story.store(story.row("S1", device, Severity.P0))
    story.turn()


def test_who_answered_the_first_fire_is_called_for_the_second(story: Story) -> None:
    story.at(3600).smoke("501")
    all_answer(story)
    story.clears("S1", "smoke-501")
    clock_goes_back(story)
    second_fire(story)
    assert story.incident(1).epoch == 1
    began_s = story.now_s
    chase = story.between(began_s + 1, began_s + 120)
    for who in ("family", "grid_worker", "building_secretary"):
        chase.told(who, by="voice")
    story.at(began_s + 130).answers("operator", Act.ACKNOWLEDGE)
    assert story.answers("operator", Act.FALSE_ALARM).outcome == "done"
    story.between(story.now_s + 1, story.now_s + 600).nobody()


def test_a_slow_way_leads_on_for_who_answered_the_first_fire(provider: Provider) -> None:
    story = provider.story
    story.at(3600).smoke("501")
    all_answer(story)
    story.clears("S1", "smoke-501")
    clock_goes_back(story)
    story.store(story.row("S1", "smoke-501-b", Severity.P0))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    with writing(story.engine) as connection:
        led = open_for_slow(connection, handovers, story.now_us + 2 * SECOND)
    assert len(handovers) == len(led) > 0


def test_the_same_fire_goes_on_as_it_was_answered(story: Story) -> None:
    story.at(3600).smoke("501")
    all_answer(story)
    clock_goes_back(story)
    story.answers("grid_worker", Act.ARRIVED)
    assert story.incident(1).epoch == 0
    assert all("overtaken" not in line for line in timeline(story, 1))
    later = story.between(story.now_s + 1, story.now_s + BACK_S - 60)
    later.not_told("family", "neighbour", "duty_desk", "grid_worker")


def test_after_the_clock_went_back_during_a_second_fire_the_next_answers_count_for_it(story: Story) -> None:
    story.at(3600).smoke("501")
    second_fire(story)
    clock_goes_back(story)
    story.answers("grid_worker", Act.NOTE, "the clock was wrong")
    story.at(story.now_s + 5).clears("S1", "smoke-501-b")
    assert story.at(story.now_s + 5).answers("operator", Act.FALSE_ALARM).outcome == "done"


def test_an_answer_for_one_part_before_says_nothing_of_a_second_fire_in_another(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(3600)
    for who in CALLED:
        story.at(story.now_s + 1).answers(who, Act.ACKNOWLEDGE, incident=2)
    story.clears("S1", "smoke-501")
    clock_goes_back(story)
    second_fire(story)
    began_s = story.now_s
    story.between(began_s + 1, began_s + 120).told("grid_worker", by="voice", saying="501")


TIMES = st.integers(0, 40)


@given(TIMES, st.lists(TIMES, max_size=8), TIMES)
def test_which_came_first_stays_and_nothing_is_after_now(started: int, said: list[int], now: int) -> None:
    incident = Incident(
        1, "dwelling:1", 1, 1, Hazard.FIRE, Severity.P0, State.REPORTED, 1, 100 * started, 100 * started
    )
    answers = tuple(
        Answer(Act.ACKNOWLEDGE, f"contact:{n}", "family", 100 * one) for n, one in enumerate(said)
    )
    case, now_us = Case(incident, answers=answers), 100 * now + 50
    right = put_right(case, moved_times([case], now_us))
    before = [100 * started, *(100 * one for one in said)]
    after = [right.incident.started_us, *(one.at_us for one in right.answers)]
    assert all(at_us <= now_us for at_us in after)
    for was, became in zip(before, after, strict=True):
        assert became == was or (was > now_us and now_us - 50 < became < now_us)
    for one, other in zip(before, after, strict=True):
        for another, its in zip(before, after, strict=True):
            assert (one < another) == (other < its)
