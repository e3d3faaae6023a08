"""The turn as a whole: one transaction, the same again after a crash, bounded, and failing open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text, update

from alerts import schema
from alerts.acts import record_act
from alerts.agenda import LESSER_BESIDE_URGENT
from alerts.case import Act
from alerts.inbox import transitions_after
from alerts.pace import MOST
from alerts.turn import TurnResult, decide_turn, run_turn
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Medium, Severity
from rules.transition import Mark
from tests.alerts.story import START_US, Story
from tests.databases import SQLITE

TABLES = (
    schema.incident,
    schema.incident_alarm,
    schema.incident_change,
    schema.step,
    schema.notification,
    schema.attempt,
    schema.engine_input,
    schema.act,
    schema.cursor,
    schema.system_fault,
)


class Crash(Exception):
    """The process dies before the commit."""


def everything(story: Story) -> dict[str, list[Any]]:
    return {table.name: [tuple(row) for row in story.table(table)] for table in TABLES}


def busy(story: Story) -> None:
    """Something of every kind waits for the next turn."""
    story.at(0).smoke("501").overload("other" if "monitor-other" in story.block.devices else "501")
    story.at(59)
    story.hand_in("family", Act.ACKNOWLEDGE)
    story.hand_in("grid_worker", Act.NEED_HELP)
    story.hand_in("operator", Act.RESET)
    story.now_us += 40_000_000
    story.store(
        story.row("S1", "smoke-501", Severity.P0, (Mark.SECOND_FIRE,)),
        story.row("S1", "smoke-101", Severity.P0),
        story.row("S1", "stranger", Severity.P0, topic="t/x"),
    )


def without_numbers(result: TurnResult) -> TurnResult:
    """A number once given is not given again on PostgreSQL, even if nothing came of it."""
    handovers = [
        replace(one, key=one.key.partition("/")[2], notification_id=0, incident_id=0, link="")
        for one in result.handovers
    ]
    return replace(result, handovers=handovers)


def test_a_turn_cut_off_before_its_commit_leaves_nothing_and_is_the_same_again(story: Story) -> None:
    busy(story)
    before = everything(story)
    with pytest.raises(Crash), writing(story.engine) as connection:
        lost = decide_turn(connection, story.settings, story.now_us)
        raise Crash
    assert everything(story) == before
    result = run_turn(story.engine, story.settings, story.now_us)
    assert without_numbers(result) == without_numbers(lost)
    assert result.handovers
    after = everything(story)
    assert run_turn(story.engine, story.settings, story.now_us).handovers == []
    assert everything(story) == after


def test_notifications_are_committed_as_being_sent_with_their_first_attempt_begun(story: Story) -> None:
    story.store(story.row("S1", "smoke-501", Severity.P0))
    result = run_turn(story.engine, story.settings, story.now_us)
    rows = story.table(schema.notification)
    assert {(r.state, r.attempts, r.rank) for r in rows} == {("sending", 1, Severity.P0.rank)}
    attempts = story.table(schema.attempt)
    assert [(a.notification_id, a.n, a.outcome) for a in attempts] == [(r.id, 1, "started") for r in rows]
    assert sorted(h.notification_id for h in result.handovers) == [r.id for r in rows]
    handover = result.handovers[0]
    row = rows[handover.notification_id - 1]
    assert (handover.key, handover.text, handover.link) == (row.key, row.text, row.link)
    assert (handover.medium, handover.n, handover.started_us) == (Medium.PUSH, 1, story.now_us)
    assert result.next_due_us == story.now_us + 60_000_000


def test_the_same_transition_stored_twice_is_one(story: Story) -> None:
    row = story.row("S1", "smoke-501", Severity.P0)
    story.store(row, row)
    story.store(row)
    with reading(story.engine) as connection:
        (arrival,) = transitions_after(connection, 0, 10)
        assert transitions_after(connection, arrival.id, 10) == []
    assert (arrival.subject, arrival.uid, arrival.severity) == ("smoke-501/", "smoke-501", Severity.P0)


def test_an_idle_turn_takes_no_write_lock(story: Story) -> None:
    story.at(0).smoke("501")
    with writing(story.engine):
        result = run_turn(story.engine, story.settings, story.now_us + 1)
    assert (result.handovers, result.more) == ([], False)
    assert result.next_due_us == story.now_us + 60_000_000


def test_a_fire_does_not_wait_behind_lesser_alarms(story: Story) -> None:
    lesser = [story.row("O3", f"m{n}", Severity.P1) for n in range(2 * MOST)]
    story.store(*lesser, story.row("S1", "smoke-501", Severity.P0))
    first = run_turn(story.engine, story.settings, story.now_us)
    assert first.more
    assert first.transitions == 1 + LESSER_BESIDE_URGENT
    assert [h.rank for h in first.handovers[:6]] == [Severity.P0.rank] * 6
    story.turn()
    assert len(story.incidents()) == 2 * MOST + 1


def test_a_turn_takes_as_many_lesser_alarms_as_the_pace_allows(story: Story) -> None:
    story.store(*(story.row("O3", f"m{n}", Severity.P1) for n in range(30)))
    first = run_turn(story.engine, replace(story.settings, lesser_at_once=20), story.now_us)
    assert (first.transitions, first.more) == (20, True)


def test_a_fire_waits_for_few_lesser_incidents_whose_steps_fall_due(story: Story) -> None:
    story.store(*(story.row("O3", f"m{n}", Severity.P1) for n in range(30)))
    story.turn()
    story.now_us += 300_000_000
    story.store(story.row("S1", "smoke-501", Severity.P0))
    first = run_turn(story.engine, story.settings, story.now_us)
    assert (first.steps, first.more) == (1 + LESSER_BESIDE_URGENT, True)
    calm = run_turn(story.engine, replace(story.settings, lesser_at_once=15), story.now_us)
    assert (calm.steps, calm.more) == (15, True)


def test_people_of_many_acts_are_looked_up_together(story: Story) -> None:
    flats = [flat for flat in story.block.dwellings if flat != "other"]
    for number, flat in enumerate(flats, start=1):
        story.at(number).smoke(flat)
    counts = []
    for some in ([1], range(2, len(flats) + 1)):
        for number in some:
            story.hand_in("grid_worker", Act.ACKNOWLEDGE, incident=number)
        counts.append(count_queries(story, 0))
    assert counts[1] - counts[0] <= 6 * (len(flats) - 2)


def count_queries(story: Story, transitions: int) -> int:
    rows = [story.row("O3", f"q{story.now_us}-{n}", Severity.P1) for n in range(transitions)]
    story.store(*rows)
    said: list[str] = []

    def listen(*arguments: Any) -> None:
        said.append(arguments[2])

    event.listen(story.engine, "before_cursor_execute", listen)
    run_turn(story.engine, story.settings, story.now_us)
    event.remove(story.engine, "before_cursor_execute", listen)
    return len(said)


def test_a_turn_takes_a_fixed_number_of_queries_and_few_per_incident(story: Story) -> None:
    story.now_us += 1
    few = count_queries(story, 1)
    story.now_us += 1
    many = count_queries(story, 21)
    assert many - few <= 20 * 3
    assert few < 60


def test_a_transition_that_cannot_be_decided_stops_no_other_and_reaches_the_duty_desk(story: Story) -> None:
    story.store(
        story.row("S1", "smoke-other", Severity.P0, (Mark.LATE,)), story.row("S1", "smoke-501", Severity.P0)
    )
    with writing(story.engine) as connection:  # a word of a later release
        broken = schema.transition.c.uid == "smoke-other"
        connection.execute(update(schema.transition).where(broken).values(marks="unheard_of"))
    story.turn()
    story.between(0, 1).told("family", saying="flat 501")
    plain = story.between(0, 1).told("duty_desk", saying="device smoke-other is in alarm")
    assert plain.messages[0].severity == "P0"
    (fault,) = story.table(schema.system_fault)
    assert (fault.code, fault.ended_us) == ("decision_failed", None)
    assert "transition" in fault.text
    story.between(90, 91).told("duty_desk", saying="device smoke-other is in alarm")


def test_a_failed_decision_stands_as_a_fault_for_a_day(story: Story) -> None:
    test_a_transition_that_cannot_be_decided_stops_no_other_and_reaches_the_duty_desk(story)
    story.at(86_000).overload("501")
    assert story.table(schema.system_fault)[0].ended_us is None
    story.at(90_000).clears("O3", "monitor-501")
    assert story.table(schema.system_fault)[0].ended_us is not None


def spoil(story: Story, table: Any, **words: str) -> None:
    """Puts words of a later release into the rows of incident 1."""
    key = table.c.id if table is schema.incident else table.c.incident_id
    with writing(story.engine) as connection:
        connection.execute(update(table).where(key == 1).values(**words))


SPOILT = [
    (schema.incident, {"state": "unheard_of"}),
    (schema.incident, {"severity": "P9"}),
    (schema.incident_alarm, {"severity": "P9"}),
    (schema.notification, {"role": "drone"}),
]


@pytest.mark.parametrize(("table", "words"), SPOILT)
def test_an_incident_that_cannot_be_read_costs_no_other_and_the_duty_desk_is_told_once(
    story: Story, table: Any, words: dict[str, str]
) -> None:
    story.at(0).smoke("501").smoke("other")
    spoil(story, table, **words)
    answer = story.at(60).answers("operator", Act.CONFIRM, incident=1)
    assert (answer.outcome, answer.reason) == ("refused", "a fault of the system; the duty desk was told")
    story.at(1000)
    told = [m for m in story.between(60, 1000).messages if m.incident_id == 1]
    assert [(m.code, m.at_s) for m in told] == [("duty_desk", 60.0)]
    assert "flat 501" in told[0].text and "cannot be read" in told[0].text
    assert [m.step for m in story.between(60, 61).messages if m.incident_id == 2][:1] == ["chase"]
    (fault,) = story.table(schema.system_fault)
    assert (fault.code, fault.ended_us) == ("decision_failed", None)
    assert "incident 1" in fault.text
    lines = [row for row in story.table(schema.incident_change) if row.incident_id == 1]
    assert [row.kind for row in lines if row.at_us > START_US] == ["fault"]


def test_steps_of_an_incident_that_cannot_be_read_wait_and_are_carried_out_once_it_can(story: Story) -> None:
    story.at(0).smoke("501")
    spoil(story, schema.incident, state="unheard_of")
    story.at(61)
    assert story.next_due_us is not None and story.next_due_us > story.now_us
    spoil(story, schema.incident, state="dispatched")
    story.at(400)
    story.between(61, 400).told("family", by="voice")


def test_a_new_alarm_at_the_place_of_an_incident_that_cannot_be_read_is_told_to_all(story: Story) -> None:
    story.at(0).smoke("501")
    spoil(story, schema.incident, hazard="flood")
    story.at(30).smoke("501", device="smoke-501-b")
    story.between(30, 31).told("family", by="push")
    assert [row.hazard for row in story.table(schema.incident)] == ["flood", "fire"]


def test_when_nobody_can_be_looked_up_the_duty_desk_is_told(story: Story) -> None:
    """Without the table of areas nobody can be found by place; every duty desk still can."""
    with writing(story.engine) as connection:
        connection.execute(text("ALTER TABLE area RENAME TO elsewhere"))
    story.at(0).smoke("501")
    told = story.between(0, 1)
    assert told.codes() == ["duty_desk"]
    told.told("duty_desk", saying="place and contacts could not be worked out")
    assert [row.severity for row in story.incidents()] == ["P0"]
    story.between(90, 91).told("duty_desk")


def test_words_of_a_later_release_cost_their_rows_only(story: Story) -> None:
    desk = registry.contact_channel.c.contact_id == story.block.contacts["duty_desk"]
    by_push = registry.contact_channel.c.medium == Medium.PUSH
    odd = {"place_kind": "dwelling", "place_id": story.block.dwellings["501"], "bound_us": 0}
    family = story.block.contacts["family"]
    worker = registry.binding.c.contact_id == story.block.contacts["grid_worker"]
    with writing(story.engine) as connection:
        connection.execute(insert(registry.binding).values(contact_id=family, role="drone", **odd))
        connection.execute(update(registry.binding).where(worker).values(role="drone"))
        connection.execute(update(registry.contact_channel).where(desk, by_push).values(carrier="pigeon"))
    story.at(0).smoke("501")
    told = story.between(0, 1)
    told.told("family", by="push")
    told.told("grid_worker-2")
    told.told("duty_desk", by="sms")
    told.not_told("grid_worker")
    assert story.table(schema.system_fault) == []


@pytest.mark.parametrize("engine_name", [SQLITE])
def test_an_act_that_cannot_be_decided_is_refused_and_stops_no_other(story: Story) -> None:
    """Only SQLite stores a word in a column of numbers."""
    story.at(0).smoke("501")
    with writing(story.engine) as connection:
        values = "('x', 1, 'user:operator', 'operator', 'confirm', '', 'test', 'noon')"
        columns = "once_key, incident_id, actor, role, act, note, via, at_us"
        connection.execute(text(f"INSERT INTO act ({columns}) VALUES {values}"))
    story.at(1).answers("family", Act.ACKNOWLEDGE)
    outcomes = [(a.outcome, a.act) for a in story.table(schema.act)]
    assert outcomes == [("refused", "confirm"), ("done", "acknowledge")]
    assert len(story.table(schema.system_fault)) == 1


@pytest.mark.parametrize(
    "actor",
    ["contact:99999999999999999999", "contact:99999999999", "contact:-1", "contact:１", "contact:", "x"],
)
def test_an_actor_that_is_nobody_is_refused(story: Story, actor: str) -> None:
    story.at(0).smoke("501")
    with writing(story.engine) as connection:
        record_act(connection, "x", 1, actor, "family", Act.CONFIRM, "", "test", story.now_us + 1)
    story.turn()
    assert [a.outcome for a in story.table(schema.act)] == ["refused"]


def test_an_unknown_act_is_refused(story: Story) -> None:
    story.at(0).smoke("501")
    with writing(story.engine) as connection:
        values = {"actor": "user:operator", "role": "operator", "act": "dance", "note": "", "via": "test"}
        connection.execute(insert(schema.act).values(once_key="x", incident_id=1, at_us=START_US, **values))
    story.turn()
    assert [a.outcome for a in story.table(schema.act)] == ["refused"]


def test_cursors_move_with_the_effects(story: Story) -> None:
    story.at(0).smoke("501").overload("other")
    story.at(1).answers("family", Act.ACKNOWLEDGE)
    with reading(story.engine) as connection:
        at = {row.name: row.position for row in connection.execute(select(schema.cursor))}
    assert at == {"urgent": 2, "lesser": 2, "act": 1}
