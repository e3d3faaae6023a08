"""Whatever happens in whatever order: the gate holds, answers hold, and a crash changes nothing."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import schema
from alerts.answered import ANSWERS
from alerts.case import Act
from alerts.news import NEWS
from alerts.policy import RESIDENTS
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.block import CAST
from tests.alerts.crashing import CrashingStory
from tests.alerts.story import Message, Story, a_story
from tests.databases import TABLES_ONLY, sqlite_like

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SMOKE = st.tuples(
    st.just("smoke"),
    st.sampled_from(["smoke-501", "smoke-501-b", "smoke-401", "smoke-other", "stranger"]),
    st.sampled_from([(), (Mark.SECOND_FIRE,), (Mark.AGE_UNKNOWN,)]),
)
OTHER = st.tuples(
    st.sampled_from(["overload", "arc", "electrical_fire", "clears"]), st.just("501"), st.just(())
)
ACT = st.tuples(
    st.just("act"),
    st.sampled_from([*CAST, "operator", "admin"]),
    st.sampled_from([act for act in Act if act is not Act.REOPEN]),
)
LIFE = st.lists(st.tuples(st.integers(0, 200), st.one_of(SMOKE, OTHER, ACT, ACT)), min_size=2, max_size=12)


def live(story: Story, life: list[tuple[int, tuple[str, str, object]]]) -> None:
    """Carries out a life; each part comes so many seconds after the one before."""
    for gap_s, (what, who, how) in life:
        story.at(story.now_s + gap_s)
        if what == "smoke":
            story.smoke("", *how, device=who)  # type: ignore[misc]
        elif what == "overload":
            story.overload(who)
        elif what == "arc":
            story.transition("A1", f"monitor-{who}", Severity.P1, ())
        elif what == "electrical_fire":
            story.electrical_fire(who)
        elif what == "clears":
            story.clears("S1", f"smoke-{who}")
        else:
            story.answers(who, Act(str(how)), "real")
    story.at(story.now_s + 400)


@FEW
@given(LIFE, st.booleans())
def test_the_brigade_is_told_of_confirmed_fires_and_by_agreement_only(
    life: list[tuple[int, tuple[str, str, object]]], agreed: bool
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder), agreed=agreed) as story:
        live(story, life)
        for message in story.messages():
            if message.code == "fire_brigade":
                unconfirmed = agreed and message.step.startswith("unanswered") and message.severity == "P0"
                assert message.severity == "P0+" or unconfirmed
        for incident in story.incidents():
            told = [m for m in story.messages() if m.incident_id == incident.id]
            if incident.severity == "P0+":
                assert any(m.code == "fire_brigade" for m in told) or "dwelling" not in incident.place


@FEW
@given(LIFE)
def test_the_steps_of_a_role_that_answered_stop(life: list[tuple[int, tuple[str, str, object]]]) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
        live(story, life)
        messages = story.messages()
        for answer in story.table(schema.act):
            if answer.act == "acknowledge" and answer.outcome == "done":
                role = {"operator": "duty_desk"}.get(answer.role, answer.role)
                assert not _chased(messages, answer.incident_id, role, answer.at_us / 1e6 - 1.7e9, story)


def _chased(messages: list[Message], incident_id: int, role: str, after_s: float, story: Story) -> list[str]:
    """Steps of the role after its answer and in the epoch of the answer."""
    of_role = [m for m in messages if m.incident_id == incident_id and m.role == role]
    later = [
        m for m in messages if m.incident_id == incident_id and m.step == "at_once" and m.at_s >= after_s
    ]
    restarted_s = min((m.at_s for m in later), default=float("inf"))
    return [
        m.key
        for m in of_role
        if m.step in {"chase", "secretary", "supervisor"} and after_s < m.at_s < restarted_s
    ]


@FEW
@given(st.lists(st.tuples(st.integers(100, 700), st.one_of(OTHER, OTHER, ACT)), min_size=4, max_size=12))
def test_news_is_chased_only_after_a_word_that_nobody_took(
    life: list[tuple[int, tuple[str, str, object]]],
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
        live(story, life)
        acts = [act for act in story.table(schema.act) if act.outcome == "done" and act.act in set(ANSWERS)]
        taking = [(act.incident_id, act.at_us / 1e6 - 1.7e9) for act in acts if act.role not in RESIDENTS]
        messages = story.messages()
        for message in messages:
            if message.step.count(":") == 2:
                told = [m for m in messages if m.incident_id == message.incident_id and m.step in NEWS]
                same_epoch = [m.at_s for m in told if m.epoch == message.epoch]
                word_s = sorted(set(same_epoch))[int(message.step.rpartition(":")[2]) - 1]
                assert word_s < message.at_s
                assert not [
                    at for of, at in taking if of == message.incident_id and word_s < at < message.at_s
                ]


@FEW
@given(LIFE)
def test_nobody_is_told_the_same_thing_twice(life: list[tuple[int, tuple[str, str, object]]]) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
        live(story, life)
        told = [(m.incident_id, m.epoch, m.step, m.key.split("/")[3], m.code) for m in story.messages()]
        assert len(told) == len(set(told))
        fires = [i.place for i in story.incidents() if i.hazard == "fire" and i.closed_us is None]
        assert len(fires) == len(set(fires))


@FEW
@given(LIFE)
def test_a_crash_before_every_commit_changes_nothing(life: list[tuple[int, tuple[str, str, object]]]) -> None:
    lives = []
    for kind in (Story, CrashingStory):
        with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as story:
            lived = kind(**{name: getattr(story, name) for name in story.__dataclass_fields__})
            live(lived, life)
            lives.append(lived.messages())
    assert lives[0] == lives[1]
