from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from alerts import schema
from alerts.case import Act
from alerts.deliveries import Delivery, lines_of
from alerts.views import (
    AnswerPage,
    OpenIncident,
    answer_page,
    changes_after,
    count_open,
    incident_detail,
    newest_change_id,
    open_incidents,
)
from devices.database import reading, writing
from rules.transition import Mark
from tests.alerts.block import CAST
from tests.alerts.story import SECOND, START_US, Story


def board(story: Story, limit: int = 50) -> list[OpenIncident]:
    with reading(story.engine) as connection:
        return open_incidents(connection, "en", limit)


def deliver(story: Story, *deliveries: Delivery) -> None:
    with writing(story.engine) as connection:
        connection.execute(insert(schema.incident_change), lines_of(deliveries))


def page_of(story: Story, code: str, incident: int = 1) -> AnswerPage | None:
    with reading(story.engine) as connection:
        return answer_page(connection, incident, story.block.contacts[code], "en", story.now_us)


def test_the_board_shows_the_worst_first_and_within_it_the_newest(story: Story) -> None:
    story.at(0).overload("501")
    story.at(1).smoke("other")
    story.at(400).smoke("101")
    story.at(800).smoke("501", Mark.LATE, age_s=3600)
    assert [(i.severity, i.id) for i in board(story)] == [("P0", 3), ("P0", 2), ("P1", 1), ("P2", 4)]
    assert [i.id for i in board(story, limit=1)] == [3]


def test_a_fresh_fire_stands_before_many_strangers_old_and_new(story: Story) -> None:
    for n in range(10):
        story.at(n).stranger_smoke(f"x:{n}", "t/x")
    story.at(20).smoke("501")
    for n in range(10, 20):
        story.at(20 + n).stranger_smoke(f"x:{n}", "t/x")
    assert [i.id for i in board(story, limit=3)] == [11, 21, 20]
    with reading(story.engine) as connection:
        assert count_open(connection) == 21


def test_what_the_desk_has_taken_makes_room_and_a_neighbours_answer_does_not(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(400).smoke("other")
    story.at(800).stranger_smoke("x:1", "t/x")
    story.at(801).answers("neighbour", Act.ACKNOWLEDGE, incident=1)
    story.at(802).answers("operator", Act.NOTE, "seen", incident=1)
    assert [i.id for i in board(story)] == [2, 1, 3]
    story.at(803).answers("operator", Act.ACKNOWLEDGE, incident=2)
    assert [i.id for i in board(story)] == [1, 3, 2]
    story.at(900).smoke("other", Mark.SECOND_FIRE)
    assert [i.id for i in board(story)] == [2, 1, 3]


def test_who_wants_help_stands_in_front(story: Story) -> None:
    story.at(0).smoke("other")
    story.at(1).overload("501")
    story.at(5).answers("grid_worker", Act.NEED_HELP, incident=2)
    assert [(i.id, i.wants_help) for i in board(story)] == [(2, True), (1, False)]


def test_a_line_tells_place_evidence_owner_next_step_and_counts(story: Story) -> None:
    story.at(0).smoke("501")
    (line,) = board(story)
    assert line.place == "示范网格, 3号楼, 1单元, floor 5, flat 501"
    assert (line.taken_by, line.evidence, line.told, line.answered) == ("", "S1 of smoke-501", 6, 0)
    assert (line.next_step, line.next_due_us) == (
        "calls to those who have not answered",
        story.now_us + 60_000_000,
    )
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    (line,) = board(story)
    assert (line.taken_by, line.answered, line.accepted) == ("grid worker grid_worker", 1, 6)


def test_after_a_second_fire_nobody_has_it(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("operator", Act.ACKNOWLEDGE)
    assert board(story)[0].taken_by == "operator operator"
    story.at(100).smoke("501", Mark.SECOND_FIRE)
    assert board(story)[0].taken_by == ""


def test_a_closed_incident_is_not_on_the_board_but_can_be_looked_at(story: Story) -> None:
    story.at(0).overload("501")
    story.at(5).answers("operator", Act.CANCEL, "load test")
    assert board(story) == []
    with reading(story.engine) as connection:
        detail = incident_detail(connection, 1, "en")
        assert incident_detail(connection, 2, "en") is None
    assert detail is not None
    assert detail.line.state == "cancelled"


def test_the_detail_holds_evidence_timeline_messages_steps_and_acts(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("neighbour", Act.FALSE_ALARM)
    with reading(story.engine) as connection:
        detail = incident_detail(connection, 1, "zh-CN")
    assert detail is not None
    assert [(a.rule, a.why) for a in detail.alarms] == [("S1", "smoke-501 的 S1")]
    assert [c.text for c in detail.changes] == [
        "警情开始：smoke-501 的 S1",
        "立即通知：已发出 家属 1、邻居 1、网格员 1、楼栋书记 1、微型消防站 1、值班台 1",
        "误报（仅记录：邻居报告误报，不停止通知）",
    ]
    assert next((m.role, m.contact, m.state) for m in detail.messages) == ("family", "family", "accepted")
    assert [(s.name, s.state) for s in detail.steps] == [
        ("立即通知", "done"),
        ("催办呼叫", "pending"),
        ("未确认无应答", "pending"),
    ]
    assert [(a.actor, a.outcome) for a in detail.acts] == [("neighbour", "noted")]


def test_counts_of_deliveries_that_follow_each_other_read_as_one_line(story: Story) -> None:
    story.at(0).smoke("501")
    for medium, at_us in (("push", 5), ("sms", 9)):
        deliver(story, Delivery(1, "handed_over", "family", medium, story.now_us + at_us))
    story.at(1).answers("family", Act.ACKNOWLEDGE)
    deliver(story, Delivery(1, "handed_over", "neighbour", "push", story.now_us))
    with reading(story.engine) as connection:
        detail = incident_detail(connection, 1, "en")
        stored = [c.text for c in changes_after(connection, 0, 10, "en") if c.kind == "delivery"]
    assert detail is not None
    assert [(c.text, c.at_us - START_US) for c in detail.changes[2:]] == [
        ("2 handed over (push 1, SMS 1)", 9),
        ("acknowledged", SECOND),
        ("1 handed over (push 1)", SECOND),
    ]
    assert stored == ["1 handed over (push 1)", "1 handed over (SMS 1)", "1 handed over (push 1)"]


@pytest.mark.parametrize(
    ("table", "column"),
    [(schema.incident, "state"), (schema.incident, "hazard"), (schema.incident, "severity"),
     (schema.incident_alarm, "severity")],
)  # fmt: skip
def test_an_incident_that_cannot_be_read_is_still_on_the_board_and_costs_no_other(
    story: Story, table: Any, column: str
) -> None:
    story.at(0).overload("501")
    story.at(1).smoke("other")
    with writing(story.engine) as connection:
        first = table.c.id == 1
        connection.execute(update(table).where(first).values({column: "odd"}))
    assert {line.id for line in board(story)} == {1, 2}
    with reading(story.engine) as connection:
        assert incident_detail(connection, 1, "en") is not None
    assert page_of(story, "grid_worker") is None
    assert page_of(story, "grid_worker", incident=2) is not None


def test_a_severity_of_a_later_release_counts_as_the_worst(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).overload("other")
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).where(schema.incident.c.id == 2).values(severity="P9"))
    assert [line.id for line in board(story)] == [2, 1]


def test_changes_come_in_order_after_the_one_seen_last(story: Story) -> None:
    with reading(story.engine) as connection:
        assert newest_change_id(connection) == 0
    story.at(0).smoke("501")
    with reading(story.engine) as connection:
        assert [c.id for c in changes_after(connection, 0, 10)] == [1, 2]
        assert [c.kind for c in changes_after(connection, 1, 10)] == ["told"]
        assert newest_change_id(connection) == 2


def test_the_one_tap_page_shows_what_the_contact_needs_and_may_do(story: Story) -> None:
    story.at(0).smoke("501")
    page = page_of(story, "neighbour")
    assert page is not None
    assert (page.role, page.severity, page.evidence) == ("neighbour", "P0", "smoke alarm")
    assert page.since_us == story.now_us
    assert set(page.acts) == {Act.ACKNOWLEDGE, Act.CONFIRM, Act.FALSE_ALARM, Act.NEED_HELP, Act.NOTE}
    assert page.closed_us is None


def test_the_one_tap_page_names_roles_and_no_person(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("family", Act.ACKNOWLEDGE)
    page = page_of(story, "neighbour")
    assert page is not None
    assert [(f.role, f.count, f.answered) for f in page.fellows] == [
        ("grid_worker", 1, False),
        ("building_secretary", 1, False),
        ("micro_station", 1, False),
        ("family", 1, True),
        ("duty_desk", 1, False),
    ]


def test_the_one_tap_page_is_for_those_concerned_only(story: Story) -> None:
    story.at(0).smoke("other")
    assert page_of(story, "family") is None
    assert page_of(story, "grid_worker") is not None
    assert page_of(story, "grid_worker", incident=9) is None


@pytest.mark.parametrize("code", CAST)
def test_every_button_shown_is_taken(story: Story, code: str) -> None:
    story.at(0).smoke("501")
    page = page_of(story, code)
    assert page is not None
    for n, act in enumerate(page.acts):
        fresh = page_of(story, code)
        if fresh is not None and act in fresh.acts:
            assert story.at(1 + n / 10).answers(code, act, "real", role=page.role).outcome != "refused"
