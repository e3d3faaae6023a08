"""Faults of our own processes: a standing fault, and an incident that reaches the duty desk's channel."""

from __future__ import annotations

import pytest

from alerts import schema
from alerts.ailments import Ailments, Felt, find_ailments, find_steady, lasting
from alerts.case import Act
from alerts.pulse import beat, ends_before, silence, with_ends
from alerts.troubles import AILMENTS, FIRST_BROKER, ailment_of, troubles_in
from devices.database import reading, writing
from gengfu.config_brokers import FIRST
from tests.alerts.story import START_US, Story

S = 1_000_000


class Watch:
    """The process's pulses and the looks at them, in a story."""

    def __init__(self, story: Story) -> None:
        self.story, self.ailments = story, Ailments()

    def says(self, name: str, trouble: str, at_s: float) -> None:
        self.story.at(at_s)
        with writing(self.story.engine) as connection:
            beat(connection, name, self.story.now_us, trouble)
        self.look()

    def starts(self, name: str, at_s: float) -> None:
        """One start that beats once, over the pulse the last one left."""
        with reading(self.story.engine) as connection:
            ends = ends_before(connection, name)
        self.says(name, with_ends("", ends), at_s)

    def looks(self, begin_s: int, end_s: int) -> None:
        for at_s in range(begin_s, end_s, 10):
            self.story.at(at_s)
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
    watch.says("ingest", "no_broker", 30)
    assert watch.standing() == []
    watch.says("ingest", "no_broker", 91)
    assert watch.standing() == ["ingest.no_broker"]
    watch.says("store", "store_waits", 299)
    assert watch.standing() == ["ingest.no_broker"]
    watch.says("store", "store_waits", 301)
    assert watch.standing() == ["ingest.no_broker", "store.store_waits"]
    watch.says("store", "store_waits", 362)  # ingest has been silent for long, and seen so for a minute
    assert watch.standing() == ["ingest.no_broker", "ingest.silent", "store.store_waits"]


def test_a_process_that_must_run_and_never_beats_is_silent_since_we_began(story: Story) -> None:
    watch = Watch(story)
    watch.looks(0, 60)
    assert watch.standing() == []  # as at any start of the whole service
    watch.looks(60, 300)
    assert watch.standing() == ["ingest.silent"]
    watch.looks(300, 320)
    assert watch.standing() == ["ingest.silent", "store.silent"]
    story.between(50, 90).told("duty_desk", "push", "ingest is silent").once()


def test_one_that_ended_in_order_and_does_not_come_back_is_told(story: Story) -> None:
    watch = Watch(story)
    watch.says("store", "", 0)
    watch.says("ingest", "", 0)
    with writing(story.engine) as connection:
        silence(connection, "ingest")
    watch.looks(10, 70)
    assert watch.standing() == []
    watch.looks(70, 80)
    assert watch.standing() == ["ingest.silent"]


def test_silence_ends_after_a_minute_of_pulses_and_not_with_one(story: Story) -> None:
    watch = Watch(story)
    watch.looks(0, 70)
    assert watch.standing() == ["ingest.silent"]
    watch.says("ingest", "", 70)
    assert watch.standing() == ["ingest.silent"]
    watch.looks(100, 110)  # gone again
    for at_s in range(110, 170, 10):
        watch.says("ingest", "", at_s)
        assert watch.standing() == ["ingest.silent"]
    watch.says("ingest", "", 170)
    assert watch.standing() == []
    assert len(story.incidents()) == 1


@pytest.mark.parametrize("pause_s", [3, 10, 13, 19])
def test_a_process_that_beats_once_and_dies_at_each_start_is_told(story: Story, pause_s: int) -> None:
    watch = Watch(story)
    for at_s in range(0, 160, pause_s):
        watch.says("store", "", at_s)
        watch.starts("ingest", at_s)
    assert watch.standing() == ["ingest.restarts"]
    story.between(80, 160).told("duty_desk", "push", "ends again and again").once()


def test_a_single_death_and_the_restart_after_it_wake_nobody(story: Story) -> None:
    watch = Watch(story)
    for at_s in (0, 2):
        watch.starts("ingest", at_s)
    for at_s in range(5, 120, 5):
        watch.says("store", "", at_s)
        watch.says("ingest", "restarts: 1" if at_s < 62 else "", at_s)
    assert story.table(schema.system_fault) == []


def test_each_broker_is_told_by_its_name_also_while_another_is_away(story: Story) -> None:
    watch = Watch(story)
    for at_s in (0, 61):
        watch.says("ingest", "no_broker: north", at_s)
    assert watch.standing() == ["ingest.no_broker.north"]
    story.between(61, 62).told("duty_desk", "push", "lost broker north").once()
    for at_s in (65, 126):
        watch.says("ingest", "no_broker: broker, north, south", at_s)
    assert watch.standing() == ["ingest.no_broker", "ingest.no_broker.north", "ingest.no_broker.south"]
    story.between(126, 127).told("duty_desk", "push", "lost broker south").once()
    story.between(126, 127).told("duty_desk", "push", "lost the main broker").once()
    watch.says("ingest", "no_broker: south", 130)
    assert watch.standing() == ["ingest.no_broker.south"]
    watch.ailments = Ailments()
    watch.says("ingest", "", 140)  # north and south are no longer heard of: over
    assert watch.standing() == []


def test_a_profile_file_that_stays_unusable_is_told_with_its_line_and_ends_when_mended(story: Story) -> None:
    watch = Watch(story)

    def faults() -> dict[str, str]:
        rows = story.table(schema.system_fault)
        return {row.code: row.text for row in rows if row.ended_us is None and ".profile." in row.code}

    first = "profile: acme.toml:12: message[0].topics: no topic"
    for at_s in range(0, 300, 10):
        watch.says("ingest", first, at_s)
    assert faults() == {}
    watch.says("ingest", f"{first}; profile: b.toml:1: not TOML", 300)
    [(code, text)] = faults().items()
    assert code == "ingest.profile.acme.toml"
    assert text.endswith("; acme.toml:12: message[0].topics: no topic")
    assert f"system:{code}" in {incident.place for incident in story.incidents()}
    watch.says("ingest", "profile: acme.toml:14: device: unknown name", 310)  # another fault of the same file
    assert faults().keys() == {code}
    assert faults()[code].endswith("acme.toml:14: device: unknown name")
    watch.says("ingest", "", 320)
    assert faults() == {}


def test_a_clock_set_back_does_not_put_off_what_is_told() -> None:
    since: dict[str, int] = {}
    for at_s in (3600, 0, 30):  # an hour back
        felt = [Felt("ingest", at_s * S, frozenset({"stalled"})), Felt("store", at_s * S, frozenset())]
        since = find_ailments(felt, since, at_s * S)
    assert list(lasting(since, 30 * S)) == ["ingest.stalled"]


def test_a_process_that_died_before_its_clock_was_set_back_is_silent() -> None:
    felt = [Felt("ingest", 3600 * S, frozenset())]
    since = find_ailments(felt, {}, 0)
    assert "ingest.silent" in since
    assert "ingest.silent" in lasting(find_ailments(felt, since, 60 * S), 60 * S)
    assert "ingest" not in find_steady(felt, {}, 0)


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
    assert troubles_in("shedding; no_broker") == {"shedding", "no_broker"}
    assert troubles_in("no_broker: broker, north") == {"no_broker", "no_broker.north"}
    assert troubles_in("stalled; restarts: 2") == {"stalled", "restarts"}
    assert troubles_in("restarts: 1") == frozenset()
    assert FIRST_BROKER == FIRST


def test_time_in_trouble_counts_from_its_first_sight_and_a_break_starts_it_anew() -> None:
    since: dict[str, int] = {}
    for at_s, word in ((0, "stalled"), (20, "stalled"), (25, ""), (26, "stalled"), (50, "stalled")):
        words = frozenset({word} - {""})
        felt = [Felt("ingest", at_s * S, words), Felt("store", at_s * S, frozenset())]
        since = find_ailments(felt, since, at_s * S)
        assert lasting(since, at_s * S) == {}
    assert list(lasting(since, 56 * S)) == ["ingest.stalled"]


def test_no_code_of_another_fault_is_one_of_a_process() -> None:
    codes = {one.code for one in AILMENTS}
    assert len(codes) == len(AILMENTS)
    assert all("." in code for code in codes)
    assert ailment_of("no_duty_desk") is None
    assert ailment_of("alerts.late") is None
