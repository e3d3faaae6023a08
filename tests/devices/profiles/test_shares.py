"""Whoever floods a tick cannot take from another what that one needs to be heard."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.searching import HEAD, LEAST, TICK_OCTETS, Searching
from devices.profiles.shares import LEVELS_MAX, Shares

LEVEL = st.sampled_from(["a", "b", "", "烟"])
BELOW = st.sampled_from(["", "/x", "/n{n}", "/n{n}/y", "/x/y/z/n{n}"])
"""What a publisher may say behind its prefix: one topic, or as many as it invents."""
SIZE = st.sampled_from([LEAST + 1, 700, HEAD, HEAD + 1, 3 * HEAD, 40 * HEAD])
FLOOD = 400
"""Messages: of `LEAST` + 1 octets each more than a source may have, of `HEAD` more than there is."""


@st.composite
def besides(draw: st.DrawFn) -> tuple[str, str]:
    """A prefix of topics, and a topic that is not below it."""
    prefix = draw(st.lists(LEVEL, min_size=1, max_size=LEVELS_MAX))
    common = draw(st.integers(0, len(prefix) - 1))
    other = draw(st.lists(LEVEL, max_size=3))
    shorter = common > 0 and draw(st.booleans())
    return "/".join(prefix), "/".join(prefix[:common] if shorter else [*prefix[:common], "other", *other])


@settings(deadline=None)
@given(besides(), st.lists(st.tuples(BELOW, SIZE), min_size=1, max_size=5), st.integers(LEAST, 60 * HEAD))
def test_beside_any_flood_below_one_prefix_a_message_of_another_is_searched_to_its_full_beginning(
    topics: tuple[str, str], flood: Sequence[tuple[str, int]], size: int
) -> None:
    prefix, another = topics
    searching = Searching(TICK_OCTETS)
    for n in range(FLOOD):
        below, octets = flood[n % len(flood)]
        searching.part(bytes(octets), prefix + below.format(n=n))
    assert len(searching.part(bytes(size), another)) >= min(size, HEAD)


@settings(deadline=None)
@given(st.lists(st.tuples(BELOW, SIZE), min_size=1, max_size=5), st.integers(0, FLOOD))
def test_another_that_says_little_is_heard_each_time_it_speaks(
    flood: Sequence[tuple[str, int]], before: int
) -> None:
    searching = Searching(TICK_OCTETS)
    heard = []
    for n in range(FLOOD):
        below, octets = flood[n % len(flood)]
        searching.part(bytes(octets), "gengfu/a" + below.format(n=n))
        if n >= before and n % 80 == 0:
            heard.append(len(searching.part(bytes(HEAD), "gengfu/b/readings")))
    assert set(heard) <= {HEAD}


@pytest.mark.parametrize("floods", [1, 3, 6])
def test_beside_several_roots_that_flood_another_is_heard(floods: int) -> None:
    searching = Searching(TICK_OCTETS)
    for n in range(FLOOD * floods):
        searching.part(bytes(HEAD), f"flood{n % floods}/{n}")
    assert len(searching.part(bytes(HEAD), "hall/smoke")) == HEAD
    assert len(searching.part(bytes(HEAD), "flood0/one/more")) == LEAST


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "a/b", "a/c", "d"]), st.integers(0, 300)), max_size=80))
def test_no_more_is_given_than_there_is_and_all_is_there_again_in_the_next_tick(
    asked: Sequence[tuple[str, int]],
) -> None:
    shares = Shares(1_000)
    given_away = sum(size for topic, size in asked if shares.take(topic, size))
    assert given_away <= 1_000
    shares.start_tick()
    assert shares.take("a", 1_000)
    assert not shares.take("b", 1)


def test_one_alone_has_more_than_half_of_a_tick() -> None:
    shares = Shares(TICK_OCTETS)
    assert sum(HEAD for _ in range(FLOOD) if shares.take("v1/gateway/telemetry", HEAD)) > TICK_OCTETS // 2
