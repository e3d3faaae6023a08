"""Whatever happens in whatever order: no exercise reaches a station, and none touches what is real."""

from __future__ import annotations

from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.case import Act
from alerts.gate import exercise_in
from alerts.turn import decide_turn
from alerts.windows import WindowKind
from devices.database import writing
from devices.model import Severity
from devices.registry.errors import RegistryError
from rules.transition import Mark, Subject
from tests.alerts.block import CAST, DEVICES
from tests.alerts.story import Message, Story, a_story
from tests.alerts.windows import checks, commission, drill, ends, opens, silence
from tests.databases import TABLES_ONLY, sqlite_like

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STATIONS = {"micro_station", "fire_brigade"}
FLAT = ("smoke-501", "smoke-501-b", "monitor-501")

ALARM = st.tuples(st.sampled_from(["S1", "S1", "A1", "S2", "X1", "clears"]), st.sampled_from(FLAT))
ACT = st.tuples(
    st.just("act"),
    st.tuples(st.sampled_from([*CAST, "operator"]), st.sampled_from(list(Act)), st.integers(1, 3)),
)
LIFE = st.lists(st.tuples(st.integers(0, 120), st.one_of(ALARM, ALARM, ACT)), min_size=2, max_size=8)


def happens(story: Story, what: str, who: Any) -> None:
    flat = story.block.dwellings["501"]
    if what == "act":
        person, act, incident = who
        story.answers(person, act, "real", incident)
    elif what == "clears":
        for rule in ("S1", "A1"):
            story.clears(rule, str(who))
    elif what in {"S2", "X1"}:
        story.store(story.row(what, str(who), Severity.P0_PLUS, place=flat, about=Subject.DWELLING))
        story.turn()
    else:
        severity = Severity.P0 if what == "S1" else Severity.P1
        story.transition(what, str(who), severity, (Mark.SECOND_FIRE,) if what == "S1" else ())


def live(story: Story, life: list[tuple[int, tuple[str, Any]]]) -> None:
    for gap_s, (what, who) in life:
        story.at(story.now_s + gap_s)
        happens(story, what, who)
    story.at(story.now_s + 200)


@FEW
@given(LIFE, st.sampled_from(["area", "building", "stair", "dwelling", "devices", "commissioning"]))
def test_an_exercise_of_all_that_alarms_reaches_no_station(
    life: list[tuple[int, tuple[str, Any]]], how: str
) -> None:
    codes = {"area": "grid", "building": "b3", "stair": "b3-1", "dwelling": "b3-501"}
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder), agreed=True) as story:
        if how in codes:
            drill(story, how, codes[how], minutes=120)
        for uid in FLAT if how not in codes else ():
            if how == "devices":
                drill(story, "device", uid, minutes=120)
            else:
                commission(story, uid, minutes=30)
        live(story, life)
        end_s = 1800 if how == "commissioning" else 7200
        told = [m for m in story.messages() if m.code in STATIONS and m.at_s < end_s]
        assert not told
        assert all(m.text.startswith(("DRILL", "COMM")) for m in story.messages() if m.at_s < end_s)


WINDOW = st.tuples(
    st.just("window"),
    st.tuples(
        st.sampled_from(list(WindowKind)),
        st.sampled_from([("building", "b3"), ("dwelling", "b3-501"), *(("device", uid) for uid in FLAT)]),
        st.integers(1, 10),
    ),
)
MIXED = st.lists(
    st.tuples(
        st.integers(0, 200), st.one_of(ALARM, ALARM, ACT, WINDOW, st.tuples(st.just("end"), st.just(0)))
    ),
    min_size=3,
    max_size=9,
)


def live_mixed(story: Story, life: list[tuple[int, tuple[str, Any]]]) -> None:
    windows = []
    for gap_s, (what, who) in life:
        story.at(story.now_s + gap_s)
        with suppress(RegistryError):  # a refused window changes nothing
            if what == "window":
                kind, (scope, code), minutes = who
                windows.append(opens(story, kind, scope, code, minutes))
            elif what == "end" and windows:
                ends(story, windows.pop())
            elif what != "end":
                happens(story, what, who)
        checks(story)
    story.at(story.now_s + 610)


def stations_told(story: Story) -> list[Message]:
    return [m for m in story.messages() if m.code in STATIONS]


@FEW
@given(MIXED)
def test_no_station_is_told_of_an_incident_that_is_an_exercise(
    life: list[tuple[int, tuple[str, Any]]],
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder), agreed=True) as story:
        live_mixed(story, life)
        mock = {i.id for i in story.incidents() if exercise_in(i.place)}
        assert not [m for m in stations_told(story) if m.incident_id in mock]
        for incident in story.incidents():
            marked = {"drill", "commissioning"} & set(incident.tags.split(","))
            assert marked == ({exercise_in(incident.place)} - {""})
        assert not story.table(schema.system_fault)


@FEW
@given(MIXED)
def test_what_stands_when_no_window_is_in_force_is_in_an_incident_that_is_real(
    life: list[tuple[int, tuple[str, Any]]],
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
        live_mixed(story, life)
        still_open = {
            i.id
            for i in story.incidents()
            if exercise_in(i.place) and i.state not in {"closed", "cancelled", "rejected"}
        }
        assert not [
            a
            for a in story.table(schema.incident_alarm)
            if a.incident_id in still_open and a.cleared_us is None
        ]
        assert not [
            s for s in story.table(schema.step) if s.state == "pending" and s.name.startswith("release")
        ]


@FEW
@given(LIFE)
def test_a_fire_outside_every_window_is_told_as_if_there_were_none(
    life: list[tuple[int, tuple[str, Any]]],
) -> None:
    told = []
    for windows in (False, True):
        with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder), agreed=True) as story:
            if windows:
                drill(story, "stair", "b3-2")
                drill(story, "dwelling", "b3-401")
                commission(story, "smoke-other")
                silence(story, "device", "smoke-401")
            live(story, life)
            told.append([(m.at_s, m.key, m.text) for m in story.messages()])
    assert told[0] == told[1]


@FEW
@given(MIXED)
def test_a_crash_before_every_commit_changes_nothing(life: list[tuple[int, tuple[str, Any]]]) -> None:
    class Crashing(Story):
        def turn(self) -> None:
            with suppress(InterruptedError), writing(self.engine) as connection:
                decide_turn(connection, self.settings, self.now_us)
                raise InterruptedError
            super().turn()

    lives = []
    for kind in (Story, Crashing):
        with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
            lived = kind(**{name: getattr(story, name) for name in story.__dataclass_fields__})
            live_mixed(lived, life)
            lives.append(([m.key for m in lived.messages()], [i.state for i in lived.incidents()]))
    assert lives[0] == lives[1]


def test_the_devices_of_these_lives_are_registered() -> None:
    assert set(FLAT) <= DEVICES.keys()
