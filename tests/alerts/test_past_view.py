"""What happened before at a place, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from alerts import schema
from alerts.past_view import FALSE_DAYS, SHOWN, Near, Past, past_of
from devices import schema as registry
from devices.database import reading, writing
from devices.scope import EVERYWHERE, NOWHERE, Scope
from tests.alerts.story import Story

DAY_US = 24 * 3600 * 1_000_000
BUILDING = "building"


def happened(story: Story, place: str, days_ago: float = 1, /, **more: Any) -> int:
    """An incident at a flat, `stair:N`, `building` or any other key; closed unless `more` says otherwise."""
    at_us = story.now_us - round(days_ago * DAY_US)
    row = _where(story, place) | {
        "hazard": "fire", "severity": "P0", "state": "closed", "epoch": 0, "started_us": at_us,
        "opened_us": at_us, "closed_us": at_us + 1, "tags": "",
    }  # fmt: skip
    with writing(story.engine) as connection:
        made = insert(schema.incident).values(row | more).returning(schema.incident.c.id)
        return int(connection.execute(made).scalar_one())


def opened(story: Story, place: str, /, **more: Any) -> int:
    return happened(story, place, 0, **({"state": "reported", "closed_us": None} | more))


def _where(story: Story, place: str) -> dict[str, Any]:
    building = _building(story)
    if place in story.block.dwellings:
        number = story.block.dwellings[place]
        return {"place": f"dwelling:{number}", "dwelling_id": number, "building_id": building}
    if place == BUILDING:
        return {"place": f"building:{building}", "dwelling_id": 0, "building_id": building}
    return {"place": place, "dwelling_id": 0, "building_id": building if place.startswith("stair:") else 0}


def _building(story: Story) -> int:
    with reading(story.engine) as connection:
        return int(connection.scalar(select(registry.building.c.id)) or 0)


def stair_of(story: Story, flat: str) -> str:
    d = registry.dwelling.c
    with reading(story.engine) as connection:
        return f"stair:{connection.scalar(select(d.stair_id).where(d.id == story.block.dwellings[flat]))}"


def past(story: Story, incident_id: int, scope: Scope = EVERYWHERE) -> Past:
    with reading(story.engine) as connection:
        found = past_of(connection, incident_id, "en", story.now_us, scope)
    assert found is not None
    return found


def before(story: Story, incident_id: int) -> list[int]:
    return [one.line.id for one in past(story, incident_id).before]


def test_the_dwelling_comes_before_its_stair_and_that_before_its_building_each_newest_first(
    story: Story,
) -> None:
    far, hall = happened(story, "other", 1), happened(story, BUILDING, 2)
    above, landing = happened(story, "401", 3), happened(story, stair_of(story, "501"), 4)
    old, older = happened(story, "501", 500), happened(story, "501", 600)
    this = opened(story, "501")
    found = past(story, this).before
    assert [one.line.id for one in found] == [old, older, above, landing, far, hall]
    assert [one.near for one in found] == [
        Near.HERE, Near.HERE, Near.STAIR, Near.STAIR, Near.BUILDING, Near.BUILDING,
    ]  # fmt: skip


def test_of_a_stair_its_own_common_parts_are_here_and_its_dwellings_are_the_stair(story: Story) -> None:
    landing, flat, far = (
        happened(story, stair_of(story, "501"), 3), happened(story, "501", 2), happened(story, "other", 1),
    )  # fmt: skip
    found = past(story, opened(story, stair_of(story, "501"))).before
    assert [(one.line.id, one.near) for one in found] == [
        (landing, Near.HERE), (flat, Near.STAIR), (far, Near.BUILDING),
    ]  # fmt: skip


def test_of_a_building_what_is_outside_its_stairs_is_here(story: Story) -> None:
    hall, flat = happened(story, BUILDING, 2), happened(story, "501", 1)
    found = past(story, opened(story, BUILDING)).before
    assert [(one.line.id, one.near) for one in found] == [(hall, Near.HERE), (flat, Near.BUILDING)]


def test_ten_are_shown_the_near_ones_whatever_their_age(story: Story) -> None:
    near = [happened(story, "501", 900 + n) for n in range(3)]
    far = [happened(story, "other", 1 + n) for n in range(SHOWN)]
    assert before(story, opened(story, "501")) == near + far[: SHOWN - 3]


def test_it_says_how_each_ended(story: Story) -> None:
    happened(story, "501", 2, disposition="real", cause="wiring, call 13800001234")
    cancelled = happened(story, "501", 3, state="cancelled", closed_us=None)
    first, second = past(story, opened(story, "501")).before
    assert (first.disposition, first.cause, first.is_false) == ("real", "wiring, call 138****1234", False)
    assert (second.line.id, second.line.state, second.closed_us) == (cancelled, "cancelled", None)


def test_false_alarms_of_the_very_place_are_counted_for_ninety_days(story: Story) -> None:
    for days in (1, 5, FALSE_DAYS - 1):
        happened(story, "501", days, disposition="nuisance", cause="cooking")
    happened(story, "501", FALSE_DAYS + 1, disposition="nuisance", cause="cooking")
    happened(story, "502", 1, disposition="nuisance", cause="steam")
    happened(story, "501", 2, disposition="real", cause="fire")
    found = past(story, opened(story, "501")).false_alarms
    assert (found.count, found.causes, found.dispositions) == (3, (("cooking", 3),), ())


def test_false_alarms_without_a_cause_are_counted_by_what_they_were_found_to_be(story: Story) -> None:
    happened(story, "501", 1, disposition="fault")
    happened(story, "501", 2, disposition="nuisance", cause="  steam  ")
    happened(story, "501", 3, false_alarm_us=story.now_us - 3 * DAY_US)
    happened(story, "501", 4, disposition="test")
    found = past(story, opened(story, "501")).false_alarms
    assert (found.count, found.causes) == (3, (("steam", 1),))
    assert found.dispositions == (("", 1), ("fault", 1))


def test_exercises_and_what_was_merged_are_no_past(story: Story) -> None:
    drill = f"drill:dwelling:{story.block.dwellings['501']}"
    happened(story, "501", 1, place=drill, disposition="nuisance")
    whole = happened(story, "501", 2)
    happened(story, "501", 3, merged_into=whole, disposition="nuisance")
    this = opened(story, "501")
    assert (before(story, this), past(story, this).false_alarms.count) == ([whole], 0)
    exercise = opened(story, "501", place=drill)
    assert before(story, exercise) == [whole]


def test_what_is_open_in_the_building_is_listed_beside_it_the_nearest_first(story: Story) -> None:
    far, near = opened(story, "other", severity="P1"), opened(story, "401", severity="P1")
    this = opened(story, "501")
    many = [opened(story, "other", severity="P2", opened_us=n + 1) for n in range(SHOWN)]
    found = past(story, this)
    assert [one.id for one in found.now] == [near, far, *reversed(many[2:])]
    assert (found.more_now, found.before) == (2, ())


def test_a_part_is_not_told_of_its_whole_nor_the_whole_of_its_parts(story: Story) -> None:
    whole = opened(story, "501")
    part = opened(story, "502", merged_into=whole)
    assert [past(story, one).now for one in (whole, part)] == [(), ()]


def test_what_lies_at_no_known_place_has_a_past_under_its_own_key_alone(story: Story) -> None:
    same, _ = happened(story, "device:x", 1), happened(story, "device:y", 1)
    assert before(story, opened(story, "device:x")) == [same]


def test_another_building_and_another_scope_are_not_seen(story: Story) -> None:
    here, this = happened(story, "501"), opened(story, "501")
    with writing(story.engine) as connection:
        area_id = connection.scalar(select(registry.building.c.area_id))
        row = {"area_id": area_id, "code": "far", "name": "far", "floors": 1}
        far = connection.execute(
            insert(registry.building).values(row).returning(registry.building.c.id)
        ).scalar()
    happened(story, "501", 1, place=f"building:{far}", dwelling_id=0, building_id=far)
    assert before(story, this) == [here]
    with reading(story.engine) as connection:
        assert past_of(connection, this, "en", story.now_us, NOWHERE) is None
        assert past_of(connection, 99_999, "en", story.now_us) is None
    assert before(story, this) == [
        one.line.id for one in past(story, this, Scope(areas=frozenset({area_id or 0}))).before
    ]


def test_an_incident_at_a_place_of_the_building_that_was_moved_out_of_scope_is_left_out(story: Story) -> None:
    this = opened(story, "501")
    happened(story, "401")
    with writing(story.engine) as connection:
        area_id = connection.scalar(select(registry.building.c.area_id))
        connection.execute(update(schema.incident).where(schema.incident.c.id != this).values(building_id=0))
    assert past(story, this, Scope(areas=frozenset({area_id or 0}))).before == ()


@pytest.mark.parametrize("times", [1, 8])
def test_it_takes_no_more_queries_where_more_happened_at_one_place(story: Story, times: int) -> None:
    for n in range(times):
        happened(story, "501", n + 1)
    this = opened(story, "501")
    seen: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(story.engine, "before_cursor_execute", count)
    past(story, this)
    event.remove(story.engine, "before_cursor_execute", count)
    selects = [one for one in seen if one.lstrip().startswith("SELECT")]
    assert len(selects) <= 14 + 4 * times
