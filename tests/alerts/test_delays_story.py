"""A contact bound with a delay is told so long after the others of a step."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from alerts.delays import delays_of
from alerts.route import route_of, step_label
from alerts.route_asked import incident_of, where_of_device
from alerts.sayings import step_word
from alerts.whereabouts import Whereabouts
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Role, Severity
from tests.alerts.block import CAST
from tests.alerts.crashing import CrashingStory
from tests.alerts.story import SECOND, Story, a_story
from tests.databases import TABLES_ONLY, sqlite_like


def waits(story: Story, code: str, seconds: int, rank: int | None = None) -> None:
    """Binds somebody with a delay, and at another rank where one is given."""
    values = {"delay_s": seconds} | ({"rank": rank} if rank else {})
    with writing(story.engine) as connection:
        of = registry.binding.c.contact_id == story.block.contacts[code]
        connection.execute(update(registry.binding).where(of).values(values))


def test_who_waits_is_told_so_long_after_the_others(story: Story) -> None:
    waits(story, "building_secretary", 120)
    story.at(0).overload("501")
    first = story.between(0, 1)
    first.told("grid_worker")
    first.not_told("building_secretary")
    story.between(2, 119).nobody()
    late = story.between(120, 121)
    late.told("building_secretary", by="push").once()
    assert late.codes() == ["building_secretary"]
    story.between(300, 419).not_told("building_secretary")
    story.between(420, 421).told("building_secretary", by="voice").once()


def test_what_became_pointless_meanwhile_is_not_said_late(story: Story) -> None:
    waits(story, "building_secretary", 120)
    story.at(0).overload("501")
    story.at(60).answers("grid_worker", Act.FALSE_ALARM)
    story.between(61, 1000).nobody()


def test_an_answer_of_another_role_does_not_keep_the_first_word_from_who_waits(story: Story) -> None:
    waits(story, "building_secretary", 120)
    story.at(0).overload("501")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.between(120, 121).told("building_secretary").once()


def test_several_delays_of_a_step_are_kept_each(story: Story) -> None:
    waits(story, "building_secretary", 120)
    waits(story, "family", 40)
    story.at(0).overload("501")
    assert story.between(0, 1).codes() == ["grid_worker"]
    assert story.between(40, 41).codes() == ["family"]
    assert story.between(120, 121).codes() == ["building_secretary"]
    assert len(story.between(0, 299).messages) == 3


def test_where_all_wait_nobody_else_is_told_in_their_place(story: Story) -> None:
    waits(story, "grid_worker", 90)
    story.at(0).transition("S5", "smoke-501", Severity.P2, ())
    story.between(0, 89).nobody()
    assert story.between(90, 105).codes() == ["grid_worker"]


def test_in_a_fire_somebody_of_each_role_is_told_at_once_whatever_their_delay(story: Story) -> None:
    for code in CAST:
        waits(story, code, 300)
    story.at(0).smoke("501")
    first = story.between(0, 0)
    for who in ("family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk"):
        first.told(who)
    story.between(60, 60).told("family", by="voice")


def test_in_a_fire_no_delay_counts_for_more_than_a_minute(story: Story) -> None:
    waits(story, "family-2", 600, rank=1)
    waits(story, "family-3", 20, rank=1)
    story.at(0).smoke("501")
    story.between(0, 19).told("family")
    story.between(0, 19).not_told("family-2", "family-3")
    assert story.between(20, 21).codes() == ["family-3"]
    late = story.between(60, 61)
    assert [m.step for m in late.told("family-2").messages] == ["at_once@60"]


def test_a_fire_brigade_never_waits(story: Story) -> None:
    waits(story, "fire_brigade", 50)
    story.at(0).electrical_fire("501")
    story.between(0, 0).told("fire_brigade").once()
    story.between(1, 59).not_told("fire_brigade")


def test_a_delay_that_is_taken_away_meanwhile_loses_nobody(story: Story) -> None:
    waits(story, "building_secretary", 120)
    story.at(0).overload("501")
    waits(story, "building_secretary", 0)
    story.between(120, 121).told("building_secretary").once()


def test_a_delay_that_grew_meanwhile_loses_nobody(story: Story) -> None:
    waits(story, "building_secretary", 120)
    story.at(0).overload("501")
    waits(story, "building_secretary", 200)
    story.between(2, 199).nobody()
    story.between(200, 201).told("building_secretary").once()


def test_a_second_fire_ends_what_was_to_be_said_late_of_the_first(story: Story) -> None:
    waits(story, "family-2", 50, rank=1)
    story.at(0).smoke("501")
    story.at(10).smoke("501", device="smoke-501-b")
    story.between(49, 51).not_told("family-2")
    assert [m.epoch for m in story.between(60, 60).told("family-2", by="push").messages] == [1]


def test_help_and_news_wait_for_nobodys_delay(story: Story) -> None:
    waits(story, "building_secretary", 3000)
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.NEED_HELP)
    story.between(10, 11).told("building_secretary", saying="asks for help").once()


def test_a_route_shows_who_is_told_later(story: Story) -> None:
    waits(story, "building_secretary", 120)
    with reading(story.engine) as connection:
        incident = incident_of(where_of_device(connection, "monitor-501"), Severity.P1, story.now_us)
        people = Whereabouts(connection, story.now_us).bound(incident)
    route = route_of(incident, lambda _: people, for_us=1800 * SECOND, timezone="Asia/Shanghai")
    story.at(0).overload("501")
    happened = [(m.at_s, m.step, m.code) for m in story.between(0, 1800).messages]
    assert sorted((h.after_us / SECOND, h.page.step, h.page.to.code) for h in route.hops) == sorted(happened)
    assert "at_once +120 s" in {step_label(h.page) for h in route.hops}
    assert step_word("at_once@120", "en") == "at once +120 s"


DELAYS = st.dictionaries(st.sampled_from(list(CAST)), st.integers(0, 400), max_size=8)
RANKS = st.dictionaries(st.sampled_from(["family-2", "family-3", "grid_worker-2"]), st.just(1))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DELAYS, RANKS, st.booleans())
def test_whatever_the_delays_everybody_hears_of_it_once_and_in_time(
    delays: dict[str, int], ranks: dict[str, int], fire: bool
) -> None:
    with TemporaryDirectory() as folder, a_story(sqlite_like(TABLES_ONLY, folder)) as told:
        story = CrashingStory(**{name: getattr(told, name) for name in told.__dataclass_fields__})
        for code in {*delays, *ranks}:
            waits(story, code, delays.get(code, 0), ranks.get(code))
        story.at(0)
        story.smoke("501") if fire else story.overload("501")
        first = [m for m in story.between(0, 460).messages if m.step.startswith("at_once")]
        roles = {"family", "grid_worker", "building_secretary"}
        roles |= {"neighbour", "micro_station", "duty_desk"} if fire else set()
        assert {m.role for m in first} == roles
        assert len({m.code for m in first}) == len(first)
        for message in first:
            delay = delays.get(message.code, 0)
            assert message.at_s <= min(delay, 60) if fire else message.at_s == delay
        if fire:
            assert {m.role for m in first if m.at_s == 0} == roles
        expected = {code for code in ranks if not code.startswith("grid")} | {"family", "grid_worker"}
        assert {m.code for m in first} >= expected - ({"fire_brigade"})
        pending = [row.name for row in story.table(schema.step) if row.state == "pending"]
        assert not [name for name in pending if "@" in name and not name.startswith(("chase", "secretary"))]


def test_delays_of_those_told_together_are_counted_from_who_waits_least_in_a_fire(story: Story) -> None:
    waits(story, "family", 30)
    with reading(story.engine) as connection:
        incident = incident_of(where_of_device(connection, "smoke-501"), Severity.P0, story.now_us)
        people = [
            one for one in Whereabouts(connection, story.now_us).bound(incident) if one.code == "family"
        ]
    assert people[0].role is Role.FAMILY
    assert delays_of(people, Severity.P0) == [0]
    assert delays_of(people, Severity.P1) == [30]
    assert delays_of([], Severity.P0) == []
