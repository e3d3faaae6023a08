"""An incident in hand that stays where it is too long is not forgotten."""

from __future__ import annotations

from dataclasses import replace
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.board_view import open_incidents
from alerts.case import Act
from alerts.deadlines import OVERDUE_TAG
from alerts.plans import own_policies
from alerts.sayings import render
from devices.database import reading, writing
from rules.transition import Mark
from tests.alerts.crashing import CrashingStory
from tests.alerts.story import Story, a_story
from tests.databases import TABLES_ONLY, sqlite_like

MIN, HOUR, DAY = 60.0, 3600.0, 86_400.0


def lines(story: Story, kind: str) -> list[str]:
    return [render(row.text, "en") for row in story.table(schema.incident_change) if row.kind == kind]


def tags(story: Story) -> tuple[str, ...]:
    with reading(story.engine) as connection:
        [line] = open_incidents(connection, "en", 10)
    return line.tags


def pending(story: Story) -> set[str]:
    return {row.name for row in story.table(schema.step) if row.state == "pending"}


def test_nobody_arrives_the_desk_is_told_once_and_the_supervisors_after_twice_the_time(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    story.answers("building_secretary", Act.ACKNOWLEDGE)
    story.answers("family", Act.ACKNOWLEDGE)
    story.between(901, HOUR + 9).nobody()
    assert OVERDUE_TAG not in tags(story)
    told = story.between(HOUR + 10, HOUR + 11)
    told.told("duty_desk", saying="Overdue: not arrived in time.").once()
    assert told.codes() == ["duty_desk"]
    assert OVERDUE_TAG in tags(story)
    assert lines(story, "overdue") == ["overdue: not arrived in time"]
    story.between(HOUR + 12, 2 * HOUR + 9).nobody()
    late = story.between(2 * HOUR + 10, 2 * HOUR + 11)
    late.told("supervisor", saying="Twice the time is over: still not arrived.").once()
    assert late.codes() == ["supervisor"]
    story.between(2 * HOUR + 12, 10 * DAY).nobody()


def test_where_nobody_can_be_told_the_timeline_says_so_and_the_board_shows_it(database: str) -> None:
    with a_story(database, without=("duty_desk", "supervisor")) as story:
        story.at(0).overload("501")
        story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
        story.between(HOUR + 9, 3 * HOUR).nobody()
        assert OVERDUE_TAG in tags(story)
        assert [line for line in lines(story, "step") if "nobody" in line] == [
            "deadline: nobody could be told",
            "long overdue: nobody could be told",
        ]


def test_each_state_has_its_own_deadline_and_moving_on_ends_the_one_before(story: Story) -> None:
    story.at(0).overload("501")
    assert not {name for name in pending(story) if "deadline" in name}
    for at_s, who, act, note, waits in (
        (10, "grid_worker", Act.ACKNOWLEDGE, "", "arrived"),
        (20, "grid_worker", Act.ARRIVED, "", "handled"),
        (30, "grid_worker", Act.HANDLED, "", "feedback"),
        (40, "grid_worker", Act.FEEDBACK, "a hob", "verified"),
        (50, "operator", Act.VERIFY, "", "closed"),
    ):
        assert story.at(at_s).answers(who, act, note).outcome == "done"
        waiting = {name for name in pending(story) if name.partition(":")[0] in {"deadline", "overdue"}}
        assert waiting == {f"deadline:{waits}", f"overdue:{waits}"}
    story.at(60).answers("operator-2", Act.CLOSE, "real", role="operator")
    assert not pending(story)
    story.between(60, 20 * DAY).nobody()


def test_an_overdue_incident_that_moves_on_is_overdue_no_more(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(HOUR + 11)
    assert OVERDUE_TAG in tags(story)
    story.answers("grid_worker", Act.ARRIVED)
    assert OVERDUE_TAG not in tags(story)
    story.between(HOUR + 12, 9 * HOUR).not_told("supervisor", "duty_desk")
    story.between(9 * HOUR + 1, 9 * HOUR + 20).told("duty_desk", saying="not handled in time")


def test_a_false_alarm_waits_for_its_feedback_and_not_for_somebody_to_arrive(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("family", Act.FALSE_ALARM)
    assert {name for name in pending(story) if name.startswith("deadline")} == {"deadline:feedback"}
    story.between(12, DAY).nobody()
    story.between(DAY + 1, DAY + 20).told("duty_desk", saying="not fed back in time").once()


def test_a_second_fire_begins_anew_with_the_deadlines_too(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    assert "deadline:arrived" in pending(story)
    story.at(100).smoke("501", Mark.SECOND_FIRE)
    assert not {name for name in pending(story) if name.startswith("deadline")}
    story.at(110).answers("grid_worker", Act.ACKNOWLEDGE)
    told = story.between(110 + 5 * MIN, 111 + 5 * MIN)
    told.told("duty_desk", saying="Overdue")


def test_a_fire_that_is_confirmed_by_who_has_it_in_hand_waits_for_who_arrives(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(20).answers("grid_worker", Act.CONFIRM)
    assert {name for name in pending(story) if name.startswith("deadline")} == {"deadline:arrived"}


def test_an_exercise_has_no_deadlines(story: Story) -> None:
    story.at(0).overload("501")
    with writing(story.engine) as connection:
        connection.execute(schema.incident.update().values(tags="drill"))
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    assert not {name for name in pending(story) if name.startswith("deadline")}


def test_a_reopened_incident_has_its_deadlines_from_the_next_answer_on(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(20).answers("operator", Act.CANCEL, "by mistake")
    assert not pending(story)
    story.at(30).answers("operator", Act.REOPEN)
    story.at(40).answers("grid_worker", Act.ACKNOWLEDGE)
    story.between(41, HOUR + 39).nobody()
    story.between(HOUR + 40, HOUR + 41).told("duty_desk", saying="Overdue").once()


def test_a_site_says_how_long_it_may_take_and_may_say_nothing(story: Story) -> None:
    text = 'version = 1\n[deadlines.P1]\nhandled = "5 min"\n'
    story.settings = replace(story.settings, policies=own_policies(text, "mine.toml"))
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    assert not {name for name in pending(story) if name.startswith("deadline")}
    story.at(DAY).answers("grid_worker", Act.ARRIVED)
    story.between(DAY + 5 * MIN, DAY + 5 * MIN + 1).told("duty_desk", saying="not handled in time").once()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["family", "grid_worker", "operator", "duty_desk"]),
        st.sampled_from([act for act in Act if act not in {Act.NOTE, Act.CONFIRM}]),
        st.floats(0, 20 * MIN),
    ),
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS, st.booleans())
def test_whatever_people_do_there_is_one_deadline_at_most_and_none_of_what_is_over(
    acts: list[tuple[str, Act, float]], fire: bool
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as told:
        story = CrashingStory(**{name: getattr(told, name) for name in told.__dataclass_fields__})
        text = "".join(f'[deadlines.{one}]\narrived = "5 min"\nhandled = "9 min"\n' for one in ("P0", "P1"))
        story.settings = replace(story.settings, policies=own_policies(f"version = 1\n{text}", "mine.toml"))
        story.at(0)
        story.smoke("501") if fire else story.overload("501")
        for who, act, gap_s in acts:
            story.at(story.now_s + gap_s)
            story.answers(who, act, "real")
            waiting = [name for name in pending(story) if name.startswith("deadline")]
            incident = story.incident()
            assert len(waiting) <= 1
            if incident.closed_us is not None:
                assert not waiting
                assert OVERDUE_TAG not in incident.tags
        desk = [m for m in story.messages() if m.step.startswith("deadline")]
        assert len({(m.epoch, m.key) for m in desk}) == len(desk)
        assert {m.role for m in desk} <= {"duty_desk"}
