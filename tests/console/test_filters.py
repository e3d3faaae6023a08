"""What a filter shows, what it hides, and what it never hides."""

from itertools import product
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from alerts import schema
from alerts.views import count_open, open_incidents
from console.filter_read import Hidden, Leaf, areas_to_choose, hidden_by, laid_out
from console.filters import EVERYTHING, HAZARDS, LEAST, STATES, Filter, filter_of
from console.siren import read_siren
from devices.database import reading, writing
from devices.scope import EVERYWHERE, NOWHERE, Scope
from tests.console.block import Block
from tests.console.streets import INSIDE, OUTSIDE, UNPLACED, Streets

NIGHT = "user:night"
FILTERS = st.builds(
    Filter,
    area=st.integers(0, 10**8),
    hazard=st.sampled_from(["", *HAZARDS]),
    state=st.sampled_from(["", *STATES]),
    least=st.sampled_from(["", *LEAST]),
    mine=st.booleans(),
)


@given(FILTERS)
def test_a_filter_is_what_its_address_says(chosen: Filter) -> None:
    assert filter_of(dict(parse_qsl(chosen.query))) == chosen
    assert chosen.is_on == bool(chosen.query)


@pytest.mark.parametrize("query", [{}, {"area": "x", "hazard": "flood", "state": "closed", "least": "P9"}])
def test_what_nobody_knows_filters_nothing(query: dict[str, str]) -> None:
    assert filter_of(query) == EVERYTHING
    assert EVERYTHING.passes(NIGHT) is None


def shown(block: Block, chosen: Filter, actor: str = NIGHT, scope: Scope = EVERYWHERE) -> set[int]:
    with reading(block.engine) as connection:
        return {one.id for one in open_incidents(connection, "en", 200, scope, chosen.passes(actor))}


def hidden(block: Block, chosen: Filter) -> Hidden:
    with reading(block.engine) as connection:
        return hidden_by(connection, EVERYWHERE, chosen.passes(NIGHT))


@pytest.fixture
def streets(block: Block) -> Streets:
    """An electrical alarm in each of two streets and a fire of nobody's device that nobody has taken."""
    streets = Streets(block)
    streets.burns()
    return streets


def test_each_choice_shows_what_it_names_and_the_fire_that_nobody_took(streets: Streets) -> None:
    block = streets.block
    here, there, _ = streets.ids("area_id")
    assert shown(block, Filter(area=here)) == {INSIDE, UNPLACED}
    assert shown(block, Filter(area=there)) == {OUTSIDE, UNPLACED}
    assert shown(block, Filter(hazard="fire")) == {UNPLACED}
    assert shown(block, Filter(hazard="electrical")) == {INSIDE, OUTSIDE, UNPLACED}
    assert shown(block, Filter(least="P0")) == {UNPLACED}
    assert shown(block, Filter(least="P1")) == {INSIDE, OUTSIDE, UNPLACED}
    assert shown(block, Filter(state="verified")) == {UNPLACED}
    assert hidden(block, Filter(area=here)) == Hidden(1, 0)
    assert hidden(block, EVERYTHING) == Hidden(0, 0)


def test_a_fire_is_hidden_once_somebody_took_it_and_the_line_counts_it(streets: Streets) -> None:
    block = streets.block
    with block.console() as reader:
        take(block, UNPLACED)
        page = reader.client.get("/?hazard=electrical").text
    assert shown(block, Filter(hazard="electrical")) == {INSIDE, OUTSIDE}
    assert hidden(block, Filter(hazard="electrical")) == Hidden(1, 1)
    assert 'data-hidden="1" data-fires="1"' in page
    assert f'id="incident-{UNPLACED}"' not in page


def take(block: Block, incident_id: int, login: str = "night") -> None:
    row = {
        "once_key": f"{login}-{incident_id}", "incident_id": incident_id, "actor": f"user:{login}",
        "role": "operator", "act": "acknowledge", "note": "", "via": "test", "at_us": block.clock() + 1,
        "outcome": "done",
    }  # fmt: skip
    with writing(block.engine) as connection:
        connection.execute(schema.act.insert(), row)


def test_mine_is_what_i_took_and_not_what_another_did(streets: Streets) -> None:
    block = streets.block
    for incident_id, login in ((INSIDE, "night"), (OUTSIDE, "second"), (UNPLACED, "second")):
        take(block, incident_id, login)
    assert shown(block, Filter(mine=True)) == {INSIDE}
    assert shown(block, Filter(mine=True), "user:second") == {OUTSIDE, UNPLACED}


def test_a_call_for_help_and_a_severity_that_nobody_knows_pass_every_filter(streets: Streets) -> None:
    block, i = streets.block, schema.incident
    with writing(block.engine) as connection:
        connection.execute(update(i).where(i.c.id == INSIDE).values(tags="help"))
        connection.execute(update(i).where(i.c.id == OUTSIDE).values(severity="P00"))
    assert shown(block, Filter(state="verified", hazard="fault", least="P0", mine=True)) == {1, 2, 3}


def test_a_filter_widens_no_scope(streets: Streets) -> None:
    here, there, _ = streets.ids("area_id")
    assert shown(streets.block, Filter(area=there), scope=Scope(areas=frozenset({here}))) == set()


@pytest.mark.slow  # half a minute
def test_the_siren_sounds_for_the_same_fires_whatever_is_filtered(block: Block) -> None:
    for flat, device in (("501", "a"), ("401", "b")):
        block.smoke(flat, device)
        block.decide()
    block.overload("502")
    block.decide()
    with block.console() as reader:
        reader.act(1, "acknowledge")
        block.decide()
    hazards, states, leasts = (("", "fault"), ("", "verified"), ("", "P0+", "P0", "P1"))
    with reading(block.engine) as connection:
        every = read_siren(connection, open_incidents(connection, "en", 200))
        assert every.untaken
        for hazard, state, least, mine in product(hazards, states, leasts, (False, True)):
            only = Filter(hazard=hazard, state=state, least=least, mine=mine).passes(NIGHT)
            seen = open_incidents(connection, "en", 200, EVERYWHERE, only)
            assert read_siren(connection, seen) == every
            assert count_open(connection, EVERYWHERE, only) == len(seen)


def test_a_whole_is_shown_for_any_of_its_parts(block: Block) -> None:
    block.wait_s = 0.01
    block.overload("501")
    block.decide()
    block.overload("401")
    block.decide()
    with writing(block.engine) as connection:
        i = schema.incident
        connection.execute(update(i).where(i.c.id == 2).values(merged_into=1, merged_us=block.clock()))
        connection.execute(update(i).where(i.c.id == 2).values(state="arrived"))
    assert shown(block, Filter(state="arrived")) == {1}
    assert shown(block, Filter(state="verified")) == set()


def test_an_empty_board_is_not_called_quiet_while_a_filter_hides_something(block: Block) -> None:
    block.overload("501")
    block.decide()
    with block.console() as reader:
        filtered, fragment, all_of_it = (
            reader.client.get(path).text for path in ("/?hazard=fault", "/board?hazard=fault", "/")
        )
    for page in (filtered, fragment):
        assert 'data-hidden="1" data-fires="0"' in page
        assert "现在没有未结束的警情" not in page
    assert 'id="hidden"' not in all_of_it
    assert 'hx-get="/board?hazard=fault"' in filtered


def test_the_areas_to_choose_are_those_of_the_scope_as_a_tree(streets: Streets) -> None:
    here, there, _ = streets.ids("area_id")
    with reading(streets.block.engine) as connection:
        every = areas_to_choose(connection, EVERYWHERE)
        own = areas_to_choose(connection, Scope(areas=frozenset({here})))
        assert areas_to_choose(connection, NOWHERE) == ()
    assert [(one.name, one.depth) for one in own] == [("三网格", 0)]
    assert {here, there} <= {one.id for one in every}
    assert [one.depth for one in every if one.id in {here, there}] == [4, 4]


TREES = st.lists(st.integers(0, 30), max_size=30)


@given(TREES, st.integers(0, 30), st.integers(1, 10))
def test_a_list_of_areas_has_each_once_below_its_parent_and_keeps_the_chosen(
    parents: list[int], chosen: int, most: int
) -> None:
    leaves = [Leaf(n + 1, above if above <= n else None, str(n)) for n, above in enumerate(parents)]
    listed = laid_out(leaves, chosen, 100)
    assert sorted(one.id for one in listed) == [one.id for one in leaves]
    at = {one.id: n for n, one in enumerate(listed)}
    depth = {one.id: one.depth for one in listed}
    for one in leaves:
        if one.parent_id:
            assert at[one.parent_id] < at[one.id]
            assert depth[one.id] == depth[one.parent_id] + 1
    short = laid_out(leaves, chosen, most)
    assert {one.id for one in leaves} & {chosen} <= {one.id for one in short}


def test_areas_bent_into_a_ring_end() -> None:
    assert laid_out([Leaf(1, 2, "a"), Leaf(2, 1, "b")], 0) == ()
