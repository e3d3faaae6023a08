"""Bodies with values that a server refuses: those are found and named, all others are in the server."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.influx.putting import REMEMBERED_S, Outcasts, Putting, RefusedLine
from ingest.store.influx.server import Answer, Later, Refused, Taken


class Picky:
    """A server that refuses bodies with a `bad` value. What it stores of the other lines in them is `rest`:
    `all`, as 1.x does, `none`, or `some`, as 1.x does at its limits on series. It falls silent at each number
    of requests in `silent`."""

    def __init__(self, rest: str = "none", why: str = "bad", silent: frozenset[int] = frozenset()) -> None:
        self.stored: Counter[bytes] = Counter()
        self.posts = 0
        self._rest, self._why, self._silent = rest, why, silent

    def post(self, lines: bytes) -> Answer:
        self.posts += 1
        if self.posts in self._silent:
            return Later("gone")
        each = lines.splitlines(keepends=True)
        bad = [one for one in each if b"=bad" in one]
        good = [one for one in each if b"=bad" not in one]
        kept = {"all": good, "some": good[: len(good) // 2], "none": []}[self._rest] if bad else good
        self.stored.update(set(kept))
        return Refused(self._why) if bad else Taken()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def body(bad: set[int], lines: int) -> bytes:
    return b"".join(b"m,device=d%d v=%s 17\n" % (n, b"bad" if n in bad else b"1.0") for n in range(lines))


def put(lines: bytes, server: Picky, outcasts: Outcasts | None = None) -> Putting:
    """Goes on until it is done."""
    putting = Putting(lines)
    while not putting.done:
        putting.go_on(server.post, outcasts or Outcasts(Clock()))
    return putting


@given(
    st.integers(1, 60), st.sets(st.integers(0, 59)), st.sampled_from(["all", "some", "none"]),
    st.frozensets(st.integers(1, 150)),
)  # fmt: skip
def test_every_good_line_is_stored_and_every_bad_one_named(
    n: int, bad: set[int], rest: str, silent: frozenset[int]
) -> None:
    """Also where the server falls silent now and then: it is gone on with where it was left."""
    server = Picky(rest, silent=silent)
    lines = body(bad, n)
    putting = put(lines, server)
    each = lines.splitlines(keepends=True)
    good = {one for one in each if b"=bad" not in one}
    assert set(server.stored) == good
    assert [one.line for one in putting.refused] == [one for one in each if b"=bad" in one]
    assert putting.taken is bool(good)


def test_a_body_without_fault_is_one_request() -> None:
    server = Picky()
    assert put(body(set(), 1_000), server).refused == []
    assert server.posts == 1


def test_silence_costs_no_request_twice() -> None:
    """A server that lets a few requests through at a time is got past in the end."""
    steady, flaky = Picky(), Picky(silent=frozenset(range(3, 10_000, 3)))
    for server in (steady, flaky):
        put(body(set(range(100)), 150), server)
    assert flaky.posts <= steady.posts * 3 / 2 + 1


@pytest.mark.parametrize("why", ["field type conflict", "max-values-per-tag limit exceeded (3/3)"])
def test_series_that_are_not_taken_are_set_apart_while_the_server_goes_on_refusing(why: str) -> None:
    clock, server = Clock(), Picky(why=why)
    outcasts = Outcasts(clock)
    bad = set(range(0, 400, 2))
    put(body(bad, 400), server, outcasts)
    before = server.posts
    putting = put(body(bad, 400), server, outcasts)
    assert server.posts == before + 2
    assert len(putting.refused) == 200
    clock.now_s = REMEMBERED_S
    put(body(bad, 400), server, outcasts)
    assert server.posts > before + 200, "they are tried again after a while"


def test_a_series_that_is_taken_again_loses_nothing() -> None:
    server = Picky(why="field type conflict")
    outcasts = Outcasts(Clock())
    put(body({1}, 4), server, outcasts)
    assert put(body(set(), 4), server, outcasts).refused == []
    assert b"m,device=d1 v=1.0 17\n" in server.stored


def test_what_is_refused_for_its_time_says_nothing_of_its_series() -> None:
    server = Picky(why="points beyond retention policy")
    outcasts = Outcasts(Clock())
    put(body({1}, 4), server, outcasts)
    lines = b"m,device=d1 v=2.0 18\nm,device=d2 v=bad 18\n"
    assert [one.line for one in put(lines, server, outcasts).refused] == [b"m,device=d2 v=bad 18\n"]
    assert b"m,device=d1 v=2.0 18\n" in server.stored


@pytest.mark.parametrize("known", [False, True])
def test_of_a_line_only_the_value_that_is_refused_is_lost_with_its_quality(known: bool) -> None:
    """A smoke flag must not go with the voltage beside it, nor a quality stay without its value."""
    server, outcasts = Picky(why="field type conflict"), Outcasts(Clock())
    line = b"m,device=a\\ b current=1.0,voltage=bad,voltage_quality=3i,smoke_alarm=1.0 17\n"
    for _ in range(2 if known else 1):
        server.stored.clear()
        putting = put(line, server, outcasts)
    bad = b"m,device=a\\ b voltage=bad,voltage_quality=3i 17\n"
    assert putting.refused == [RefusedLine(bad, "field type conflict")]
    fields = b" ".join(sorted(server.stored))
    assert fields.count(b"current=1.0") == fields.count(b"smoke_alarm=1.0") == 1
    assert b"quality" not in fields


def test_a_line_that_is_none_of_ours_is_refused_as_it_is() -> None:
    assert put(b"=bad", Picky()).refused == [RefusedLine(b"=bad", "bad")]
