"""Faults of our own processes: a standing fault, and an incident that reaches the duty desk's channel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts import schema
from alerts.ailments import AILMENTS, CODES, Ailments, Felt, find_ailments, lasting, troubles_in
from alerts.case import Act
from alerts.pulse import beat, silence
from devices.database import reading, writing
from tests.alerts.story import START_US, Story, a_story

S = 1_000_000


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as story:
        yield story


class Watch:
    """The process's pulses and the looks at them, in a story."""

    def __init__(self, story: Story) -> None:
        self.story, self.ailments = story, Ailments()

    def says(self, name: str, trouble: str, at_s: float) -> None:
        self.story.at(at_s)
        with writing(self.story.engine) as connection:
            beat(connection, name, self.story.now_us, trouble)
        self.look()

    def look(self) -> None:
        self.ailments.check(self.story.engine, self.story.now_us)
        self.story.turn()

    def standing(self) -> list[str]:
        return [row.code for row in self.story.table(schema.system_fault) if row.ended_us is None]


def test_shedding_wakes_the_duty_desk_at_once_and_nobody_else(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding", 10)
    watch.says("ingest", "shedding", 15)
    assert watch.standing() == ["ingest.shedding"]
    told = story.between(10, 15)
    told.told("duty_desk", "push", "no room for history").once()
    assert told.codes() == ["duty_desk"]
    incident = story.incident()
    assert (incident.hazard, incident.severity, incident.place) == (
        "system",
        "P1",
        "system:ingest.shedding",
    )
    assert incident.tags == ""


def test_it_is_told_like_any_other_and_goes_up_to_the_supervisor(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding", 0)
    story.between(300, 301).told("duty_desk", "voice").once()
    story.between(900, 901).told("supervisor").once()
    assert story.between(0, 4000).codes() == ["duty_desk", "supervisor"]


def test_an_answer_of_the_desk_stops_the_calls_and_no_fire_can_be_made_of_it(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding", 0)
    story.at(60)
    assert story.answers("operator", Act.CONFIRM).outcome == "refused"
    assert story.answers("duty_desk", Act.ACKNOWLEDGE).outcome == "done"
    story.between(61, 800).nobody()
    assert story.answers("operator", Act.CANCEL, note="disk enlarged").outcome == "done"
    assert story.table(schema.engine_input) == []  # the rule engine knows nothing of it


def test_it_ends_with_the_trouble_and_begins_again_as_a_new_alarm(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding", 0)
    watch.says("ingest", "", 20)
    assert watch.standing() == []
    [alarm] = story.table(schema.incident_alarm)
    assert alarm.cleared_us == START_US + 20 * S
    story.answers("operator", Act.CANCEL, note="over")
    watch.says("ingest", "shedding", 40)
    assert [incident.state for incident in story.incidents()] == ["cancelled", "dispatched"]
    story.between(40, 41).told("duty_desk").once()


def test_a_killed_process_keeps_its_fault_and_one_that_ended_in_order_too(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding", 0)
    story.at(50)
    watch.look()
    assert watch.standing() == ["ingest.shedding"]
    with writing(story.engine) as connection:
        silence(connection, "ingest")
    watch.look()
    assert watch.standing() == ["ingest.shedding"]
    watch.ailments = Ailments()  # the alerts process was killed as well
    watch.says("ingest", "shedding", 55)
    assert len(story.incidents()) == 1
    assert len([row for row in story.messages() if row.code == "duty_desk"]) == 1


def test_shorter_troubles_wake_nobody_and_longer_ones_do(story: Story) -> None:
    watch = Watch(story)
    watch.says("store", "store_waits", 0)
    watch.says("ingest", "stalled", 0)
    watch.says("ingest", "", 29)
    watch.says("ingest", "no_broker: north", 30)
    assert watch.standing() == []
    watch.says("ingest", "no_broker: north", 91)
    assert watch.standing() == ["ingest.no_broker"]
    watch.says("store", "store_waits", 601)
    assert watch.standing() == ["ingest.no_broker", "store.store_waits"]
    watch.says("store", "store_waits", 662)  # ingest has been silent for long, and seen so for a minute
    assert watch.standing() == ["ingest.no_broker", "ingest.silent", "store.store_waits"]


def test_a_restart_of_the_alerts_process_neither_ends_nor_tells_again_what_stands(story: Story) -> None:
    watch = Watch(story)
    for at_s in (0, 31):
        watch.says("ingest", "stalled", at_s)
    assert watch.standing() == ["ingest.stalled"]
    watch.ailments = Ailments()
    watch.says("ingest", "stalled", 36)
    assert watch.standing() == ["ingest.stalled"]
    [alarm] = story.table(schema.incident_alarm)
    assert alarm.cleared_us is None
    story.between(32, 40).nobody()


def test_shedding_and_a_lost_broker_are_two_incidents(story: Story) -> None:
    watch = Watch(story)
    watch.says("ingest", "shedding; no_broker", 0)
    watch.says("ingest", "shedding; no_broker", 61)
    assert watch.standing() == ["ingest.no_broker", "ingest.shedding"]
    assert [one.place for one in story.incidents()] == ["system:ingest.shedding", "system:ingest.no_broker"]


def test_a_smoke_alarm_goes_before_it(story: Story) -> None:
    with writing(story.engine) as connection:
        beat(connection, "ingest", story.now_us, "shedding")
    Ailments().check(story.engine, story.now_us)
    story.smoke("501")
    ranks = [one.rank for one in story.handovers]
    assert ranks == sorted(ranks)
    assert ranks[0] < ranks[-1]


def test_the_fault_and_its_alarm_are_in_one_transaction(story: Story) -> None:
    with writing(story.engine) as connection:
        beat(connection, "ingest", story.now_us, "shedding")
    Ailments().check(story.engine, story.now_us)
    Ailments().check(story.engine, story.now_us)  # as after a crash
    with reading(story.engine) as connection:
        rows = connection.execute(schema.transition.select()).all()
    assert [(row.rule, row.to, row.subject) for row in rows] == [("Y1", "raised", "system:ingest.shedding/")]


def test_troubles_are_read_from_the_pulse_word_by_word() -> None:
    assert troubles_in("") == frozenset()
    assert troubles_in("shedding; no_broker: north, south") == {"shedding", "no_broker"}


def test_time_in_trouble_counts_from_its_first_sight_and_a_break_starts_it_anew() -> None:
    since: dict[str, int] = {}
    for at_s, word in ((0, "stalled"), (20, "stalled"), (25, ""), (26, "stalled"), (50, "stalled")):
        words = frozenset({word} - {""})
        since = find_ailments([Felt("ingest", at_s * S, words)], since, at_s * S)
        assert lasting(since, at_s * S) == {}
    assert list(lasting(since, 56 * S)) == ["ingest.stalled"]


def test_no_code_of_another_fault_is_one_of_a_process() -> None:
    assert len(CODES) == len(AILMENTS)
    assert all("." in code for code in CODES)
