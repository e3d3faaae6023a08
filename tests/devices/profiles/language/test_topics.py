import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.language.topics import TOPIC_MAX, Topics, find_topic, topic_of


def cut(text: str, topic: str) -> dict[str, str] | None:
    found = find_topic([topic_of(text, 0)], topic)
    return found[0][1] if found else None


@pytest.mark.parametrize(
    ("text", "filter", "topic", "captures"),
    [
        ("tele/{t}/SENSOR", "tele/+/SENSOR", "tele/plug 1/SENSOR", {"t": "plug 1"}),
        ("{t}/tele/SENSOR", "+/tele/SENSOR", "电表/tele/SENSOR", {"t": "电表"}),
        ("zigbee2mqtt/{name+}", "zigbee2mqtt/#", "zigbee2mqtt/flat 3/hall", {"name": "flat 3/hall"}),
        ("z/{name+}/availability", "z/#", "z/a/b/availability", {"name": "a/b"}),
        (
            "shellies/{m}-{id:[0-9A-F]{6}}/online",
            "shellies/+/online",
            "shellies/a-b-0A1B2C/online",
            {"m": "a-b", "id": "0A1B2C"},
        ),
        ("s/emeter/{n:[0-2]}/power", "s/emeter/+/power", "s/emeter/2/power", {"n": "2"}),
        ("{what:tele|stat}/{t}/S", "+/+/S", "stat/x/S", {"what": "stat", "t": "x"}),
        ("a/em1:{n:\\d}", "a/+", "a/em1:2", {"n": "2"}),
        ("$oc/devices/{d}/r", "$oc/devices/+/r", "$oc/devices/7/r", {"d": "7"}),
        ("fixed/one", "fixed/one", "fixed/one", {}),
    ],
)
def test_a_topic_is_cut_and_covered(text: str, filter: str, topic: str, captures: dict[str, str]) -> None:
    assert topic_of(text, 0).filter == filter
    assert cut(text, topic) == captures


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("a/{x}", "a/b/c"),
        ("a/{x}", "a/"),
        ("a/{x}", "a"),
        ("a/{x:.+}", "a/b/c"),
        ("a/{x:[^q]+}", "a/b/c"),
        ("a/{x:\\S+}", "a/b/c"),
        ("a/{x+}", "a"),
        ("a.c", "abc"),
        ("a", "a\n"),
    ],
)
def test_a_topic_of_another_form_is_not_taken(text: str, topic: str) -> None:
    assert cut(text, topic) is None


def test_all_topics_that_fit_are_found_in_order() -> None:
    topics = [topic_of("a/{x}", 3), topic_of("b", 4), topic_of("a/{y+}", 5)]
    assert [(found.kind, captures) for found, captures in find_topic(topics, "a/q")] == [
        (3, {"x": "q"}),
        (5, {"y": "q"}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a/+",
        "a/#",
        "a/{",
        "a/{x",
        "a/}",
        "a/{x:",
        "{a}/{a}",
        "{a+}/{b+}",
        "x{a+}",
        "{a}{b}{c}{d}",
        "{1}",
        "{a b}",
        "{a:(?:a|b)?c?}{b}{c}",
        "x" * 1001,
    ],
)
def test_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|are|closed|whole"):
        topic_of(text, 0)


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+", "(a|a)*", "a**", "a+?", "(?=a)", "(?P<x>a)", "(?i)a", "\\1", "a/b", "[+-9]", "[^\\S]/", "(",
        ")", "[", "a)(", "x*x*x*x*", "^a", "a$", "a{2,1}", "a{9,999}", "\\", "", "a|*", "[[:alpha:]]",
        "a?" * 9, "x" * 201, "(a|b)(a|b)(a|b)(a|b)",
    ],
)  # fmt: skip
def test_a_regex_whose_time_could_run_away_is_refused(regex: str) -> None:
    with pytest.raises(ValueError, match=r"regex|brace|blank|topic"):
        topic_of(f"a/{{x:{regex}}}", 0)


def worst_topics() -> list[str]:
    return [
        "{a}-{b}-{c}x",
        "{a:[^-]*}{b:-*}{c:.*}x",
        "{a:-?-?-?-?-?-?-?-?-*}x",
        "{a:-?-?-*}{b}-{c}x",
        "{n+}/{a}-{b}x",
    ]


@pytest.mark.parametrize("text", worst_topics())
def test_a_hostile_topic_is_answered(text: str) -> None:
    for topic in ("-" * TOPIC_MAX, "-/" * (TOPIC_MAX // 2), "/-" * 400, "-" * 60 + "/" + "-" * 900):
        find_topic([topic_of(text, 0)], topic)
    assert find_topic([topic_of("{n+}", 0)], "x" * (TOPIC_MAX + 1)) == []


def covers(filter: str, topic: str) -> bool:
    wanted, levels = filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)] if len(levels) >= len(wanted) else levels
    return len(wanted) == len(levels) and all(a in ("+", b) for a, b in zip(wanted, levels, strict=True))


level = st.sampled_from(["a", "b", "{x}", "a{y}", "{z:[ab]+}", "{w+}"])


@given(
    st.lists(level, min_size=1, max_size=4, unique=True),
    st.lists(st.sampled_from(["a", "b", "ab", ""]), max_size=5),
)
def test_the_filter_covers_all_that_is_taken(levels: list[str], topic: list[str]) -> None:
    pattern = topic_of("/".join(levels), 0)
    if find_topic([pattern], "/".join(topic)):
        assert covers(pattern.filter, "/".join(topic))


@given(st.text(max_size=40))
def test_any_text_is_a_topic_or_refused(text: str) -> None:
    try:
        pattern = topic_of(text, 0)
    except ValueError:
        return
    assert isinstance(pattern.pattern, re.Pattern)
    assert not re.search(r"\{[a-z]", pattern.filter)


@given(st.text(st.sampled_from("ab-.\\dwsDWS[]^(){}|?*+,2/:"), max_size=12))
def test_any_regex_is_refused_or_keeps_to_its_level(regex: str) -> None:
    try:
        pattern = topic_of(f"{{x:{regex}}}/end", 0)
    except ValueError:
        return
    assert find_topic([pattern], "a/b/end") == []


def test_a_capture_of_one_word_is_that_word_in_the_filter() -> None:
    assert topic_of("{prefix}/{pro:status}/{component}", 0).filter == "+/status/+"
    assert topic_of("{prefix}/x{n:events}-y/rpc", 0).filter == "+/xevents-y/rpc"
    assert topic_of("{prefix}/{two:on|off}/rpc", 0).filter == "+/+/rpc"


@given(
    st.lists(st.lists(level, min_size=1, max_size=4, unique=True), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab", ""]), max_size=5),
)
def test_patterns_that_are_passed_over_would_not_have_taken_the_topic(
    texts: list[list[str]], levels: list[str]
) -> None:
    patterns = [topic_of("/".join(one), n) for n, one in enumerate(texts)]
    known, topic = Topics(patterns), "/".join(levels)
    assert known.find(topic) == known.find(topic) == find_topic(patterns, topic)
    assert Topics(patterns).find("x" * (TOPIC_MAX + 1)) == []
