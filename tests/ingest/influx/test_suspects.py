"""Who refuses everything for a time throws nothing away: no good value is refused, all bad ones are found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.influx.putting import Outcasts, Putting
from ingest.store.influx.server import PROBE, Answer, Later, Refused, Taken
from ingest.store.influx.suspects import AT_ONCE
from tests.ingest.influx.forgetful import Clock

DEAF = Refused("HTTP 400: The plain HTTP request was sent to HTTPS port")
MOST_REQUESTS = 20_000
"""Bounds only failures."""
STRETCHES = st.lists(st.tuples(st.integers(0, 40), st.integers(AT_ONCE + 1, 60)), max_size=8)
"""So many requests it is well, and then deaf."""


class TurningDeaf:
    """Refuses bodies with a `bad` value, and everything at the requests that `is_deaf` names."""

    def __init__(self, is_deaf: Callable[[int], bool], why: str = "bad") -> None:
        self.stored: set[bytes] = set()
        self.posts = 0
        self._is_deaf, self._why = is_deaf, why

    def post(self, lines: bytes) -> Answer:
        assert self.posts < MOST_REQUESTS
        self.posts += 1
        if self._is_deaf(self.posts - 1):
            return DEAF
        if b"=bad" in lines:
            return Refused(self._why)
        self.stored |= set(lines.splitlines()) if lines != PROBE else set()
        return Taken()


def body(lines: int, bad: set[int]) -> bytes:
    return b"".join(b"m,device=d%d v=%s 17\n" % (n, b"bad" if n in bad else b"1.0") for n in range(lines))


def put(lines: bytes, peer: TurningDeaf, outcasts: Outcasts | None = None) -> Putting:
    """Goes on until it is done; whatever happens, what is refused is bad."""
    putting, outcasts = Putting(lines), outcasts or Outcasts(Clock())
    while not putting.done:
        putting.go_on(peer.post, outcasts)
        assert all(b"=bad" in one.line for one in putting.refused)
    return putting


def is_whole(lines: bytes, putting: Putting, peer: TurningDeaf) -> bool:
    """Whether each good line is stored, and each bad one named once."""
    each = lines.splitlines()
    good = {one for one in each if b"=bad" not in one}
    named = sorted(one.line.rstrip() for one in putting.refused)
    return peer.stored == good and named == sorted(one for one in each if b"=bad" in one)


@given(st.integers(1, 60), st.sets(st.integers(0, 59)), STRETCHES)
def test_a_peer_that_turns_deaf_and_well_at_any_request_loses_nothing(
    n: int, bad: set[int], stretches: list[tuple[int, int]]
) -> None:
    deaf, at = set[int](), 0
    for well, long in stretches:
        deaf |= set(range(at + well, at + well + long))
        at += well + long
    peer, lines = TurningDeaf(deaf.__contains__), body(n, bad)
    assert is_whole(lines, put(lines, peer), peer)


@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.integers(0, 120), st.integers(1, 60))
def test_one_deaf_stretch_of_any_length_loses_nothing(n: int, bad: set[int], at: int, long: int) -> None:
    peer, lines = TurningDeaf(lambda post: at <= post < at + long), body(n, bad)
    assert is_whole(lines, put(lines, peer), peer)


@given(
    st.integers(1, 30), st.sets(st.integers(0, 29)), st.integers(2, 4), st.integers(0, 3), st.integers(1, 40)
)
def test_one_deaf_peer_of_some_that_take_turns_loses_nothing(
    n: int, bad: set[int], peers: int, which: int, tries: int
) -> None:
    """As behind a proxy. Bad values wait until it is gone, for nobody can tell."""
    gone: list[int] = []
    peer, lines = TurningDeaf(lambda post: not gone and post % peers == which % peers), body(n, bad)
    putting, outcasts = Putting(lines), Outcasts(Clock())
    for _ in range(tries):
        putting.go_on(peer.post, outcasts)
    assert putting.refused == []
    gone.append(peer.posts)
    while not putting.done:
        putting.go_on(peer.post, outcasts)
    assert is_whole(lines, putting, peer)


def test_to_who_is_deaf_a_body_costs_few_requests() -> None:
    peer = TurningDeaf(lambda _: True)
    putting = Putting(body(5_000, set()))
    answer = putting.go_on(peer.post, Outcasts(Clock()))
    assert answer == Later(DEAF.why, denied=True)
    assert peer.posts < 30
    for _ in range(10):
        before = peer.posts
        assert isinstance(putting.go_on(peer.post, Outcasts(Clock())), Later)
        assert peer.posts < before + 20, "nor does another try"
    assert (putting.done, putting.taken, putting.refused) == (False, False, [])


def test_refused_values_cost_less_than_four_requests_each() -> None:
    peer = TurningDeaf(lambda _: False)
    assert len(put(body(2_000, set(range(2_000))), peer).refused) == 2_000
    assert peer.posts < 4 * 2_000


@pytest.mark.parametrize("conflict", ["field type conflict", "limit exceeded"])
def test_a_series_that_was_set_right_loses_nothing_to_who_is_deaf_then(conflict: str) -> None:
    """It is set apart still, but nobody takes anything."""
    outcasts = Outcasts(Clock())
    put(body(4, {1}), TurningDeaf(lambda _: False, conflict), outcasts)
    peer = TurningDeaf(lambda post: post < 10)
    lines = body(4, set())
    assert is_whole(lines, put(lines, peer, outcasts), peer)


def test_words_of_who_is_deaf_set_no_series_apart() -> None:
    """Such as those of a proxy that counts requests."""
    outcasts, lines = Outcasts(Clock()), body(40, set())
    putting = Putting(lines)
    putting.go_on(lambda _: Refused("request limit exceeded"), outcasts)
    assert outcasts.apart(lines) == (lines, [])
