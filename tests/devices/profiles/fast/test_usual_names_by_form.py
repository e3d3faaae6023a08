"""A fire by a usual name comes beside what a form knows, whatever the form passes over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.general.usual_names import USUAL
from tests.devices.profiles.fast.both_ways import DATA, WHOLE, Both


@pytest.mark.parametrize(("name", "many"), [*((one, 1) for one in (*USUAL, "Fire", "SMOKE")), ("Fire", 60)])
def test_a_fire_by_a_usual_name_comes_beside_what_a_form_knows(name: str, many: int) -> None:
    both = Both()
    plain = WHOLE | {"firmware": "1.2", "state": "confirmed"}
    del plain["smoke"]
    both.teach((DATA, plain))
    quiet = [(DATA, plain)] * many
    assert both.left(*quiet) == 0
    for said in ({name: True}, {"more": {name: 1}}, {"more": {"deep": [{"name": name, "value": "on"}]}}):
        assert both.left(*quiet, (DATA, plain | said), *quiet) == 1
        decoded = both.hear(*quiet, (DATA, plain | said), *quiet)
        [quality] = decoded.quality[decoded.metric == USUAL[name.lower()]].tolist()
        assert quality == (0 if name == "smoke" and name in said else Quality.SUSPECT)


def test_a_form_with_a_name_of_a_fire_that_nobody_reads_is_never_learnt() -> None:
    both = Both()
    both.teach((DATA, WHOLE | {"fire": False}))
    assert both.left((DATA, WHOLE | {"fire": False})) == 1
    both.hear((DATA, WHOLE | {"fire": True}))


@pytest.mark.parametrize("many", [1, 60])
def test_an_item_that_said_how_its_detector_fares_is_heard_when_it_says_an_alarm(many: int) -> None:
    both = Both()
    plain = WHOLE | {"all": [{"name": "battery_status/smoke", "value": 3}]}
    both.teach((DATA, plain))
    quiet = [(DATA, plain)] * many
    assert both.left(*quiet) == 0
    burning = DATA, plain | {"all": [{"name": "battery_status/smoke", "alarm": True}]}
    assert both.left(*quiet, burning) == 1
    decoded = both.hear(*quiet, burning)
    assert decoded.quality[decoded.metric == USUAL["smoke"]].tolist().count(Quality.SUSPECT) == 1


@settings(max_examples=12, deadline=None)  # each learns at length, so few of them with many messages
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["fire", "Smoke", "smoke_alarm", "more", "x", "firmware", "name", "value", "settings"]
            ),
            st.recursive(
                st.booleans() | st.sampled_from([0, 1, 12, None, "on", "fire", "smoke"]),
                lambda below: (
                    st.lists(below, max_size=2)
                    | st.dictionaries(
                        st.sampled_from(["fire", "value", "alarm", "name", "y"]), below, max_size=3
                    )
                ),
                max_leaves=5,
            ),
            max_size=3,
        ),
        min_size=2,
        max_size=12,
    ),
    st.booleans(),
)
def test_names_of_a_fire_anywhere_mean_the_same_by_form(others: list[dict[str, Any]], large: bool) -> None:
    both = Both()
    both.teach((DATA, WHOLE))
    quiet = [(DATA, WHOLE)] * (20 if large else 1)
    both.hear(*quiet, *((DATA, {**one, **WHOLE}) for one in others), *quiet)
    for one in others[:1]:
        both.teach((DATA, {**one, **WHOLE}))
    both.hear(*quiet, *((DATA, {**one, **WHOLE}) for one in others), *quiet)
