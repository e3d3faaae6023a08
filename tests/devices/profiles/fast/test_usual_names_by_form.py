"""A fire by a usual name comes beside what a form knows, whatever the form passes over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.general.usual_names import USUAL
from tests.devices.profiles.fast.both_ways import DATA, WHOLE, Both
from tests.devices.profiles.shipping import shipped


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


WHERE_IT_MEANS_NOTHING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"all": [{"name": "battery_status/smoke", "value": 3}]}, {"all": [{"name": "hall/smoke", "value": 1}]}),
    (
        {"all": [{"name": "battery_status/smoke", "value": 3}]},
        {"all": [{"name": "battery_status/smoke", "alarm": True}]},
    ),
    ({"all": [{"name": "tamper/fire", "value": 1}]}, {"all": [{"name": "kitchen/fire", "value": 1}]}),
    ({"settings": {"fire": True}}, {"sensors": {"fire": True}}),
    ({"settings": {"fire": True}, "state": {"x": 0}}, {"settings": {"x": True}, "state": {"fire": 1}}),
    ({"enabled": {"smoke_detected": True}, "x": {}}, {"enabled": {}, "x": {"smoke_detected": True}}),
    ({"rssi": {"fire": 1}}, {"hall": {"fire": 1}}),
    ({"fire": None}, {"fire": True}),
    ({"fire": []}, {"fire": [True]}),
    ({"fire": {"unit": "x"}}, {"fire": {"unit": "x", "value": True}}),
    ({"all": [{"name": "fire"}]}, {"all": [{"name": "fire", "value": 1}]}),
]


@pytest.mark.parametrize("many", [1, 60])
@pytest.mark.parametrize(("quiet", "burning"), WHERE_IT_MEANS_NOTHING)
def test_a_name_of_a_fire_where_it_means_nothing_makes_no_form(
    quiet: dict[str, Any], burning: dict[str, Any], many: int
) -> None:
    both = Both()
    both.teach((DATA, WHOLE | quiet))
    usual = [(DATA, WHOLE | quiet)] * many
    assert both.left(*usual) == many
    decoded = both.hear(*usual, (DATA, WHOLE | burning), *usual)
    assert decoded.quality[decoded.value == 1.0].tolist().count(Quality.SUSPECT) == 1


@pytest.mark.parametrize("many", [1, 60])
@pytest.mark.parametrize(
    ("quiet", "burning"),
    [
        ({"kind": "fire"}, {"kind": "x", "fire": True}),
        ({"kind": "fire", "x": "y"}, {"x": True, "fire": 1}),
        ({"kind": ["x", "fire"]}, {"kind": ["x"], "fire": True}),
        ({"Name": "fire", "all": {"value": 1}}, {"all": {"name": "fire", "value": 1}}),
        ({"hall/fire": True}, {"hall": True, "fire": True}),
        ({'a"fire': True}, {"a": True, "fire": True}),
        ({"kind": 'a"fire'}, {"kind": "a", "fire": True}),
    ],
)
def test_a_fire_by_a_name_that_was_a_word_or_part_of_one_is_heard(
    quiet: dict[str, Any], burning: dict[str, Any], many: int
) -> None:
    both = Both()
    both.teach((DATA, WHOLE | quiet))
    usual = [(DATA, WHOLE | quiet)] * many
    assert both.left(*usual) == 0
    assert both.left(*usual, (DATA, WHOLE | burning), *usual) == 1
    decoded = both.hear(*usual, (DATA, WHOLE | burning), *usual)
    assert decoded.quality[decoded.value == 1.0].tolist().count(Quality.SUSPECT) == 1


ALINK = "/sys/pk/d1/thing/event/property/post"


@pytest.mark.parametrize("more", [{"alarm": True}, {"data": {"alarm": 1}}])
def test_a_fire_beside_the_value_that_a_form_reads_is_heard(more: dict[str, Any]) -> None:
    general = shipped("aliyun-alink")
    general.fast = None
    both = Both(shipped("aliyun-alink"), general)
    both.way.answers = False
    plain = {"params": {"SmokeAlarm": {"value": 0}, "BatteryPercentage": {"value": 3}}}
    both.teach((ALINK, plain))
    assert both.left((ALINK, plain)) == 0
    burning = {"params": plain["params"] | {"SmokeAlarm": {"value": 0} | more}}
    decoded = both.hear((ALINK, plain), (ALINK, burning))
    assert decoded.quality.tolist().count(Quality.SUSPECT) == ("alarm" in more)


NAMED = st.sampled_from(["fire", "Smoke", "smoke_alarm", "hall/fire", "battery_status/fire", "x"])
SAID = st.booleans() | st.sampled_from([0, 1, 12, None, "on", "fire", "smoke"])
WITH_SETTINGS = st.dictionaries(
    st.sampled_from(["settings", "rssi", "enabled", "hall", "fire", "kind"]),
    SAID
    | st.dictionaries(st.sampled_from(["fire", "x", "value", "alarm", "name"]), SAID | NAMED, max_size=2)
    | st.lists(
        st.fixed_dictionaries({"name": NAMED}, optional={"value": SAID, "alarm": SAID, "unit": st.just("u")}),
        max_size=2,
    ),
    max_size=3,
)


@settings(max_examples=25, deadline=None)
@given(
    WITH_SETTINGS.filter(lambda one: "fire" in repr(one).lower()),
    st.lists(WITH_SETTINGS, min_size=1, max_size=20),
    st.booleans(),
)
def test_what_a_form_was_learnt_from_beside_settings_makes_it_miss_no_fire(
    quiet: dict[str, Any], others: list[dict[str, Any]], large: bool
) -> None:
    both = Both()
    both.teach((DATA, WHOLE | quiet))
    usual = [(DATA, WHOLE | quiet)] * (20 if large else 1)
    moved = [*others, *({"hall": one} for one in (quiet, *quiet.values()))]
    both.hear(*usual, *((DATA, WHOLE | one) for one in moved), *usual)


@settings(max_examples=12, deadline=None)  # each learns at length, so few of them with many messages
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [
                    *("fire", "Smoke", "smoke_alarm", "more", "x", "firmware", "name", "value"),
                    *("settings", "rssi", "enabled"),
                ]
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
