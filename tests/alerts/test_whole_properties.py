"""Whatever is merged, split, answered and ended in whatever order: no fire is lost between incidents."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.board_view import open_incidents
from alerts.case import ENDED_STATES, Act
from devices.database import reading
from rules.transition import Mark
from tests.alerts.story import Story
from tests.alerts.test_merging_story import a_quick_story

NUMBERS = st.integers(1, 3)
DEVICES = ["smoke-501", "smoke-401", "landing-1", "landing-1-b"]
Event = tuple[str, int, str]
ALARM = st.tuples(st.just("alarm"), st.just(0), st.sampled_from(DEVICES))
MERGE = st.tuples(st.just(str(Act.MERGE)), NUMBERS, NUMBERS.map(str))
SPLIT = st.tuples(st.just(str(Act.SPLIT)), NUMBERS, st.sampled_from(["#1", "#2", "#3", *DEVICES]))
ACT = st.tuples(
    st.sampled_from([
        Act.ACKNOWLEDGE, Act.ARRIVED, Act.FALSE_ALARM, Act.HANDLED, Act.FEEDBACK, Act.VERIFY, Act.CLOSE,
        Act.REOPEN,
    ]).map(str),
    NUMBERS,
    st.just("real"),
)  # fmt: skip
TO_THE_END: list[Event] = [
    ("alarm", 0, "smoke-501"), ("alarm", 0, "smoke-401"), ("merge", 2, "1"), ("arrived", 2, ""),
    ("handled", 1, ""), ("feedback", 1, "pan"), ("verify", 1, ""), ("close", 1, "real"),
    ("alarm", 0, "smoke-401"), ("reopen", 1, ""),
]  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(ALARM, MERGE, SPLIT, ACT), max_size=14))
@example(TO_THE_END)
def test_every_open_fire_is_on_the_board_told_and_in_one_incident(life: list[Event]) -> None:
    with a_quick_story() as story:
        for device in ("smoke-501", "smoke-401", "landing-1"):
            story.smoke("", Mark.AGE_UNKNOWN, device=device)
        for number, (what, incident, how) in enumerate(life):
            story.at(story.now_s + 20)
            if what == "alarm":
                story.smoke("", Mark.AGE_UNKNOWN, device=how)
            else:
                who = "operator-2" if what == Act.VERIFY else "operator"
                story.answers(who, Act(what), how, incident=incident)
            assert not _faults(story), (number, what)
        story.at(story.now_s + 100)
        _nothing_is_lost(story)


def _faults(story: Story) -> list[str]:
    return [
        one.reason for one in story.table(schema.act) if "system" in one.reason or '"fault"' in one.reason
    ]


def _nothing_is_lost(story: Story) -> None:
    rows = {row.id: row for row in story.incidents()}
    live = [row for row in rows.values() if row.state not in ENDED_STATES]
    with reading(story.engine) as connection:
        shown = {one.id: one.parts for one in open_incidents(connection, "en", 50)}
    for row in live:
        assert row.id in shown or row.id in shown[row.merged_into], "an open incident that no board shows"
    standing = Counter(
        (alarm.rule, alarm.subject)
        for alarm in story.table(schema.incident_alarm)
        if alarm.cleared_us is None and not alarm.place and rows[alarm.incident_id] in live
    )
    assert not [one for one, times in standing.items() if times > 1], "an alarm in two open incidents"
    told = {(message.incident_id, message.epoch) for message in story.messages() if message.step == "at_once"}
    reopened = {act.incident_id for act in story.table(schema.act) if act.act == "reopen"}
    for row in live:
        assert (row.id, row.epoch) in told or reopened, "a fire of which nobody was told"
        spared = {"acknowledged", "arrived", "handled", "feedback", "verified", "reopened"}
        waiting = [s for s in story.table(schema.step) if s.incident_id == row.id and s.state == "pending"]
        called = [m for m in story.messages() if (m.incident_id, m.epoch) == (row.id, row.epoch)]
        chased = any(message.step != "at_once" for message in called)
        assert row.state in spared or waiting or chased, "a fire that nobody answered and nothing waits for"
