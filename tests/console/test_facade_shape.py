from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.dwelling_states import DwellingState, Fact, Standing
from alerts.dwelling_states_homes import Estate, Home, House, Steps, in_stair
from alerts.dwelling_states_picture import Now, Picture, picture_of
from console.facade_drawing import Texts, large, small
from console.facade_shape import FLAT, LARGE, SMALL, Measures, Shape, shape_of
from console.facade_signs import STAR, sign_path, sign_svg
from tests.console.estates import BARE, LONG, ODD, TOWER, Plan


def house_of(plan: Plan) -> House:
    """As `read_estate` would give it."""
    number, steps = iter(range(1, 10_000)), []
    for n, (name, floors) in enumerate(plan.stairs.items(), start=1):
        homes = [
            Home(next(number), n, floor, flat, f"d{n}-{flat}", True)
            for floor, flats in floors.items()
            for flat in flats
        ]
        steps.append(Steps(n, name, tuple(sorted(homes, key=in_stair))))
    return House(1, 1, plan.code, plan.name, plan.floors, tuple(steps), sum(len(s.homes) for s in steps))


def check(house: House, shape: Shape) -> None:
    """Every dwelling has one window, none overlaps another, all are in the picture and in their stair."""
    m = shape.measures
    assert sorted(w.home.id for w in shape.windows) == sorted(home.id for home in house.homes)
    for one, other in combinations(shape.windows, 2):
        assert abs(one.x - other.x) >= m.wide + m.gap or abs(one.y - other.y) >= m.high + m.gap
    columns = {column.steps.id: column for column in shape.columns}
    lines = {line.floor: line.y for line in shape.lines}
    for window in shape.windows:
        column = columns[window.home.stair_id]
        assert column.x <= window.x <= window.x + m.wide <= column.x + column.wide <= shape.wide
        assert 0 <= window.y == lines[window.home.floor]
        assert window.y + m.high <= shape.high
        above = window.y + m.high <= shape.ground_y
        below = window.y >= shape.ground_y + m.ground
        assert (above, below) == (window.home.floor >= 0, window.home.floor < 0)
    for left, right in zip(shape.columns, shape.columns[1:], strict=False):
        assert left.x + left.wide < right.x
    floors = [line.floor for line in shape.lines]
    assert floors == sorted(floors, reverse=True)


def test_a_tower_has_flat_windows_and_a_low_house_high_ones() -> None:
    for plan, measures in ((TOWER, FLAT), (LONG, LARGE), (ODD, LARGE), (BARE, LARGE)):
        house = house_of(plan)
        shape = shape_of(house)
        assert shape.measures is measures
        check(house, shape)
        check(house, shape_of(house, SMALL))


def test_floors_nobody_lives_on_are_drawn_and_basements_lie_below_the_ground() -> None:
    shape = shape_of(house_of(ODD))
    assert [line.floor for line in shape.lines] == [5, 4, 3, 2, 1, 0, -1, -2]
    assert shape.deep
    assert [line.floor for line in shape_of(house_of(LONG)).lines] == [6, 5, 4, 3, 2, 1]
    assert len(shape_of(house_of(ODD)).columns) == 3


def test_flats_stand_in_the_order_in_which_people_count() -> None:
    plan = Plan("x", "x", 1, {"s": {1: ["11", "2", "1"]}})
    shape = shape_of(house_of(plan))
    assert [w.home.flat for w in sorted(shape.windows, key=lambda w: w.x)] == ["1", "2", "11"]


flats = st.lists(st.text("0123456789AB东<&'", max_size=6), max_size=4)
plans = st.builds(
    lambda floors, stairs: Plan("x", "x", floors, {f"{n}": one for n, one in enumerate(stairs)}),
    st.integers(1, 40),
    st.lists(st.dictionaries(st.integers(-3, 40), flats, max_size=5), max_size=5),
)


@given(plans, st.sampled_from([None, LARGE, FLAT, SMALL]))
def test_every_dwelling_has_exactly_one_window_and_none_overlap(
    plan: Plan, measures: Measures | None
) -> None:
    house = house_of(plan)
    check(house, shape_of(house, measures))


def test_a_building_of_absurd_floors_draws_those_on_which_somebody_lives() -> None:
    house = house_of(Plan("x", "x", 90_000, {"s": {3: ["301"], 70_000: ["9"]}}))
    shape = shape_of(house)
    assert [line.floor for line in shape.lines] == [70_000, 3]
    check(house, shape)


TEXTS = Texts("a <label>", lambda home, _: f"<{home.flat}>", str, lambda name, _: name)


def pictured(house: House, **homes: Standing) -> Picture:
    known = {int(key[1:]): found for key, found in homes.items()}
    picture = picture_of(Estate({house.id: house}, {}, {home.id: 1 for home in house.homes}, {}), Now())
    return Picture(picture.estate, known, {}, {}, picture.summaries)


@given(plans)
def test_both_pictures_are_well_formed_whatever_flats_are_called(plan: Plan) -> None:
    house = house_of(plan)
    svg = ElementTree.fromstring(str(large(house, pictured(house), TEXTS)).replace("&#39;", "'"))
    assert sorted(one.get("id") or "" for one in svg.iter("a")) == sorted(
        f"window-{h.id}" for h in house.homes
    )
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == "a <label>"
    assert ElementTree.fromstring(str(small(house, pictured(house), "<b>"))).get("aria-label") == "<b>"


def test_a_window_links_to_its_open_incident_and_else_to_its_dwelling() -> None:
    house = house_of(LONG)
    fire = Standing.of([Fact(DwellingState.ALARM, ("火", "fire"), 77, "P0+", 1)])
    svg = str(large(house, pictured(house, d5=fire), TEXTS))
    assert 'class="w is-alarm strong" id="window-5" href="/incident/77"' in svg
    assert 'class="w is-quiet" id="window-6" href="/dwelling/6"' in svg


def test_each_state_has_a_shape_of_its_own_on_both_pictures() -> None:
    signed = [state for state in DwellingState if state is not DwellingState.QUIET]
    paths = {sign_path(state, 0, 0, 10) for state in (*signed, STAR)}
    assert len(paths) == len(signed) + 1
    assert "" not in paths
    assert sign_path(DwellingState.QUIET, 0, 0, 10) == ""
    house = house_of(LONG)
    for state in signed:
        found = pictured(house, d3=Standing.of([Fact(state, ("x", "x"), 1, "P0")]))
        assert f'class="is-{state}' in str(small(house, found, ""))
        assert f'class="w is-{state}' in str(large(house, found, TEXTS))
        assert f"is-{state}" in sign_svg(state)


@pytest.mark.parametrize("plan", [TOWER, LONG, ODD], ids=lambda plan: plan.code)
def test_a_small_picture_of_a_quiet_house_is_one_path_for_all_windows(plan: Plan) -> None:
    house = house_of(plan)
    assert str(small(house, pictured(house), "x")).count("<path") == 3
