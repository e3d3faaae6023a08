"""States of dwellings as the database says them, on both engines."""

from collections.abc import Callable

from sqlalchemy import event, insert, update

from alerts import schema
from alerts.dwelling_states import DwellingState, Standing
from alerts.dwelling_states_homes import Estate, read_estate, registry_version
from alerts.dwelling_states_picture import Picture, picture_of
from alerts.dwelling_states_read import deserted_places, mark_of, read_now, standing_of
from alerts.windows import WindowKind
from alerts.windows_kept import add_window
from devices import schema as registry
from devices.database import reading, writing
from devices.model import PlaceKind, Severity
from rules.transition import To
from tests.alerts.story import Story

S = DwellingState


def picture(story: Story) -> Picture:
    with reading(story.engine) as connection:
        deserted = deserted_places(connection, story.now_us)
        return picture_of(read_estate(connection), read_now(connection, story.now_us, deserted))


def of(story: Story, flat: str) -> Standing:
    now = picture(story)
    home = now.estate.home(story.block.dwellings[flat])
    assert home is not None
    return now.of(home)


def counted(story: Story, ask: Callable[[], object]) -> int:
    """How many statements it takes."""
    seen: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(story.engine, "before_cursor_execute", count)
    try:
        ask()
    finally:
        event.remove(story.engine, "before_cursor_execute", count)
    return len(seen)


def test_smoke_colours_its_flat_and_names_the_incident(story: Story) -> None:
    assert of(story, "501").state is S.QUIET
    story.smoke("501")
    found = of(story, "501")
    assert (found.state, found.incident_id) == (S.ALARM, 1)
    assert found.facts[0].said_in("en") == "smoke alarm"
    assert of(story, "401").state is S.QUIET
    story.electrical_fire("501")
    assert of(story, "501").is_strong


def test_it_ends_with_the_incident(story: Story) -> None:
    story.smoke("501")
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).values(state="closed", closed_us=story.now_us))
    assert of(story, "501").state is S.QUIET


def test_an_overload_is_a_pre_alarm_and_a_silent_detector_beside_it_a_mark(story: Story) -> None:
    story.overload("501").transition("C1", "smoke-501", Severity.P3, ())
    found = of(story, "501")
    assert (found.state, found.marks) == (S.PRE_ALARM, (S.SILENT,))


def test_a_detector_that_is_heard_again_is_silent_no_more_though_its_incident_is_open(story: Story) -> None:
    story.transition("C1", "smoke-501", Severity.P3, ())
    assert of(story, "501").state is S.SILENT
    story.transition("C1", "smoke-501", Severity.P3, (), to=To.CLEARED)
    assert story.incident().state not in {"closed", "cancelled"}
    assert of(story, "501").state is S.QUIET


def test_a_retired_detector_is_neither_silent_nor_there(story: Story) -> None:
    story.transition("C1", "smoke-401", Severity.P3, ())
    assert of(story, "401").state is S.SILENT
    with writing(story.engine) as connection:
        connection.execute(
            update(registry.device)
            .where(registry.device.c.uid == "smoke-401")
            .values(retired_us=story.now_us)
        )
    assert of(story, "401").state is S.NO_DEVICE


def test_a_fire_of_a_detector_that_was_retired_since_still_burns(story: Story) -> None:
    story.smoke("401")
    with writing(story.engine) as connection:
        connection.execute(update(registry.device).values(retired_us=story.now_us))
    assert of(story, "401").state is S.ALARM


def test_a_flat_without_a_device_says_so(story: Story) -> None:
    assert of(story, "502").state is S.NO_DEVICE


def test_a_flat_whose_people_are_gone_has_nobody_to_tell(story: Story) -> None:
    for code in ("grid_worker", "grid_worker-2", "building_secretary", "micro_station", "neighbour"):
        story.ends_the_binding_of(code)
    for family in ("family", "family-2", "family-3"):
        story.ends_the_binding_of(family)
    found = of(story, "501")
    assert (found.state, found.facts[0].said_in("zh-CN")) == (S.NOBODY_REACHABLE, "报警时没有可立即联系的人")
    assert of(story, "502").state is S.NO_DEVICE


def test_commissioning_and_drills_show_until_they_end(story: Story) -> None:
    def begin(kind: WindowKind, scope: str, code: str) -> None:
        with writing(story.engine) as connection:
            add_window(
                connection, kind=kind, scope=scope, code=code, from_us=story.now_us,
                until_us=story.now_us + 600_000_000, reason="r", by="w", now_us=story.now_us,
            )  # fmt: skip

    begin(WindowKind.COMMISSIONING, "device", "smoke-401")
    assert of(story, "401").facts[0].said_in("en") == "device in commissioning: its alarms are an exercise"
    assert of(story, "501").state is S.QUIET
    begin(WindowKind.DRILL, "building", "b3")
    assert of(story, "501").state is S.COMMISSIONING
    story.smoke("501")
    found = of(story, "501")
    assert (found.state, found.incident_id) == (S.COMMISSIONING, 1)
    story.now_us += 601_000_000
    assert "under way" not in " ".join(fact.said_in("en") for fact in of(story, "401").facts)


def test_smoke_on_a_landing_and_in_the_hall_is_in_common_parts(story: Story) -> None:
    story.smoke("", device="landing-1").smoke("", device="smoke-hall")
    now = picture(story)
    (house,) = now.estate.houses.values()
    assert now.of_stair(house.steps[0].id).state is S.ALARM
    assert now.of_stair(house.steps[1].id).state is S.QUIET
    assert now.of_common(house.id).state is S.ALARM


def test_a_stranger_in_alarm_is_a_stray(story: Story) -> None:
    story.stranger_smoke("stranger", "zigbee2mqtt/stranger")
    now = picture(story)
    assert [one.place for one in now.strays] == ["device:stranger"]
    assert all(now.summary(one).state is not S.ALARM for one in now.estate.houses)


def test_a_part_of_another_incident_burns_where_it_is_and_opens_the_whole(story: Story) -> None:
    story.smoke("501").smoke("401")
    with writing(story.engine) as connection:
        second = schema.incident.c.id == 2
        connection.execute(
            update(schema.incident).where(second).values(merged_into=1, merged_us=story.now_us)
        )
    assert (of(story, "401").state, of(story, "401").incident_id) == (S.ALARM, 1)


def test_words_of_a_later_release_are_an_alarm_and_not_an_error(story: Story) -> None:
    story.smoke("401").overload("501").transition("C1", "smoke-101", Severity.P3, ())
    with writing(story.engine) as connection:
        connection.execute(update(schema.incident).where(schema.incident.c.id == 2).values(severity="P7"))
        connection.execute(update(schema.incident_alarm).values(severity="P7"))
    assert [of(story, flat).state for flat in ("401", "501", "101")] == [S.ALARM, S.ALARM, S.SILENT]


def test_the_estate_is_the_registry_in_the_order_in_which_people_count(story: Story) -> None:
    with reading(story.engine) as connection:
        estate = read_estate(connection)
    (house,) = estate.houses.values()
    assert (house.code, house.size) == ("b3", 5)
    assert [[home.flat for home in steps.homes] for steps in house.steps] == [
        ["101", "401", "501", "502"],
        ["other"],
    ]
    assert {home.flat for home in house.homes if home.id in house.bare} == {"502"}
    assert estate.above(house.area_id)[0].code == "grid"
    assert Estate().above(3) == ()


def test_a_ring_in_the_tree_of_areas_ends(story: Story) -> None:
    with writing(story.engine) as connection:
        grid = connection.execute(registry.area.select()).one()
        connection.execute(update(registry.area).values(parent_id=grid.id))
    with reading(story.engine) as connection:
        assert [node.code for node in read_estate(connection).above(grid.id)] == ["grid"]


def test_it_takes_as_many_queries_for_many_fires_as_for_one(story: Story) -> None:
    def read() -> None:
        with reading(story.engine) as connection:
            read_now(connection, story.now_us)

    story.smoke("501")
    once = counted(story, read)
    story.smoke("401").overload("501").smoke("101").transition("C1", "smoke-other", Severity.P3, ())
    assert counted(story, read) == once <= 4
    with reading(story.engine) as connection:
        assert counted(story, lambda: read_estate(connection)) == 5


def test_what_stands_of_a_device_is_said_the_worst_first(story: Story) -> None:
    story.transition("C1", "smoke-501", Severity.P3, ()).smoke("501")
    with reading(story.engine) as connection:
        assert standing_of(connection, ["smoke-501", "monitor-501"]) == {
            "smoke-501": [("烟雾报警", "smoke alarm"), ("设备失联", "device silent")]
        }
        assert standing_of(connection, []) == {}


def test_the_mark_is_another_after_each_change_of_incidents_and_windows(story: Story) -> None:
    def mark() -> object:
        with reading(story.engine) as connection:
            return mark_of(connection)

    seen = [mark()]
    story.smoke("501")
    seen.append(mark())
    story.clears("S1", "smoke-501")
    seen.append(mark())
    with writing(story.engine) as connection:
        add_window(
            connection, kind=WindowKind.SILENCE, scope="building", code="b3", from_us=story.now_us,
            until_us=story.now_us + 60_000_000, reason="r", by="w", now_us=story.now_us,
        )  # fmt: skip
    seen.append(mark())
    assert len(set(seen)) == len(seen)
    with reading(story.engine) as connection:
        before = registry_version(connection)
    with writing(story.engine) as connection:
        connection.execute(insert(registry.registry_change), {"at_us": 0, "by": "t", "what": "w"})
    with reading(story.engine) as connection:
        assert registry_version(connection) > before


def test_places_with_nobody_to_tell_are_found_by_kind(story: Story) -> None:
    with reading(story.engine) as connection:
        assert deserted_places(connection, story.now_us) == ()
    for code in story.block.contacts:
        story.ends_the_binding_of(code)
    with reading(story.engine) as connection:
        kinds = [kind for kind, _ in deserted_places(connection, story.now_us)]
    assert kinds == sorted(kinds, key=[PlaceKind.DWELLING, PlaceKind.STAIR, PlaceKind.BUILDING].index)
    assert set(kinds) == {PlaceKind.DWELLING, PlaceKind.STAIR, PlaceKind.BUILDING}
