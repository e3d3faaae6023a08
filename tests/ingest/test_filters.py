"""Filters: fewest that match the same, and what matches what, held against MQTT's own rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.filters import covers, meet, overlapping, pattern_of, union

LEVELS = st.sampled_from(["a", "b", "", "+", "$s"])
FILTERS = st.builds(
    lambda levels, end: "/".join([*levels, *end]),
    st.lists(LEVELS, min_size=1, max_size=3),
    st.sampled_from([[], ["#"]]),
) | st.just("#")
TOPICS = st.lists(st.sampled_from(["a", "b", "", "$s"]), min_size=1, max_size=4).map("/".join)


def matches(text: str, topic: str) -> bool:
    """By the book: MQTT 5, 4.7."""
    wanted, levels = text.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or (level != "+" and level != levels[place]):
            return False
    return len(wanted) == len(levels)


@given(st.lists(FILTERS, max_size=5), TOPICS)
def test_the_union_matches_what_all_match(filters: list[str], topic: str) -> None:
    assert any(matches(one, topic) for one in union(filters)) == any(matches(one, topic) for one in filters)


@given(FILTERS, FILTERS, TOPICS)
def test_what_covers_another_matches_all_of_it(wide: str, narrow: str, topic: str) -> None:
    if covers(wide, narrow) and matches(narrow, topic):
        assert matches(wide, topic)


@given(FILTERS, FILTERS, TOPICS)
def test_filters_that_share_a_topic_meet(one: str, other: str, topic: str) -> None:
    if matches(one, topic) and matches(other, topic):
        assert meet(one, other)
        assert meet(other, one)


@given(FILTERS, TOPICS)
def test_the_pattern_of_a_filter_matches_what_the_filter_does(text: str, topic: str) -> None:
    if not topic.startswith("$"):
        assert bool(pattern_of(text).fullmatch(topic)) == matches(text, topic)


def test_covered_filters_go_and_the_order_stays() -> None:
    given_ = [
        "zigbee2mqtt/#",
        "tele/+/SENSOR",
        "zigbee2mqtt/+",
        "zigbee2mqtt",
        "tele/+/SENSOR",
        "gengfu/+/readings",
    ]
    assert union(given_) == ("zigbee2mqtt/#", "tele/+/SENSOR", "gengfu/+/readings")


def test_a_wildcard_does_not_cover_topics_that_begin_with_a_dollar_sign() -> None:
    assert union(["#", "$oc/devices/+/sys/properties/report"]) == ("#", "$oc/devices/+/sys/properties/report")


def test_filters_that_overlap_without_covering_are_named() -> None:
    assert overlapping(("a/+", "+/b", "c/#")) == [("a/+", "+/b"), ("+/b", "c/#")]
    assert overlapping(("a/+", "b/+")) == []
