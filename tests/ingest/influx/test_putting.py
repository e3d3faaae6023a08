"""Bodies with values that a server refuses: those are found and named, all others are in the server."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.store.influx.putting import REMEMBERED_S, SHORT_BYTES, Outcasts, Putting, RefusedLine
from ingest.store.influx.server import PROBE, Answer, Later, Refused, Taken


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
        if lines == PROBE:
            return Taken()
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
    assert server.posts == before + 7, "the body, without them, and five comments"
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
    lines = b"m,device=d1 v=2.0 18\nm,device=d2 v=bad 17\n"
    assert [one.line for one in put(lines, server, outcasts).refused] == [b"m,device=d2 v=bad 17\n"]
    assert b"m,device=d1 v=2.0 18\n" in server.stored


class Forgetful(Picky):
    """Keeps what is not older than `keeps`; of a body with older lines it stores nothing, or the rest."""

    def __init__(self, keeps: int, rest: str, why: str = "points beyond retention policy") -> None:
        super().__init__(rest, why)
        self.keeps = keeps

    def post(self, lines: bytes) -> Answer:
        if lines == PROBE:
            return Taken()
        self.posts += 1
        each = lines.splitlines(keepends=True)
        good = [one for one in each if int(one.rsplit(b" ", 1)[1]) >= self.keeps]
        if len(good) == len(each) or self._rest == "all":
            self.stored.update(set(good))
        return Taken() if len(good) == len(each) else Refused(self._why)


@pytest.mark.parametrize("rest", ["none", "all"])
def test_what_is_older_than_the_server_keeps_is_found_by_its_time(rest: str) -> None:
    """An outage that was longer: not two requests a value."""
    server = Forgetful(keeps=3_000, rest=rest)
    times = [(7 * n) % 4_000 for n in range(4_000)]
    lines = b"".join(b"m,device=d%d v=1.0,w=2.0 %d\n" % (n % 50, at) for n, at in enumerate(times))
    putting = put(lines, server)
    assert len(server.stored) == sum(1 for at in times if at >= 3_000)
    assert len(putting.refused) == 2 * sum(1 for at in times if at < 3_000), "each value is counted"
    assert server.posts < 30
    server.keeps = 0
    again = put(lines, server)
    assert again.refused == [] and len(server.stored) == 4_000, "nothing is remembered of it"


def test_what_is_too_far_ahead_is_not_taken_for_too_old() -> None:
    why = "dropped 1 points outside retention policy of duration 1h: violates a Retention Policy Upper Bound"
    server = Picky(why=why)
    putting = put(body({3}, 9), server)
    assert len(putting.refused) == 1
    assert len(server.stored) == 8


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


class Narrow(Picky):
    """Answers only what is short: the rest does not get there in time."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    def post(self, lines: bytes) -> Answer:
        if len(lines) > self._most_bytes:
            self.posts += 1
            return Later("late")
        return super().post(lines)


@pytest.mark.parametrize("bad", [set[int](), {3, 8_000}])
def test_a_body_that_is_too_long_for_the_line_is_cut_and_gets_there(bad: set[int]) -> None:
    server, lines = Narrow(SHORT_BYTES), body(bad, 10_000)
    putting = Putting(lines)
    for _ in range(100):
        putting.go_on(server.post, Outcasts(Clock()))
    assert putting.done
    assert putting.was_long
    assert set(server.stored) == {one for one in lines.splitlines(keepends=True) if b"=bad" not in one}
    assert len(putting.refused) == len(bad)


def test_a_body_is_not_cut_for_one_silence() -> None:
    putting, server = Putting(body(set(), 10_000)), Picky(silent=frozenset({1}))
    putting.go_on(server.post, Outcasts(Clock()))
    putting.go_on(server.post, Outcasts(Clock()))
    assert (putting.done, putting.was_long, server.posts) == (True, False, 2)


def test_however_long_the_silence_no_body_is_cut_to_crumbs() -> None:
    putting, lines = Putting(body(set(), 10_000)), body(set(), 10_000)
    for _ in range(1_000):
        putting.go_on(lambda _: Later("away"), Outcasts(Clock()))
    taken: list[bytes] = []

    def take(lines: bytes) -> Answer:
        taken.append(lines)
        return Taken()

    putting.go_on(take, Outcasts(Clock()))
    assert b"".join(taken) == lines
    assert min(map(len, taken)) > SHORT_BYTES / 2 - 100


def test_who_denies_us_gets_no_shorter_bodies() -> None:
    putting = Putting(body(set(), 10_000))
    for _ in range(10):
        putting.go_on(lambda _: Later("HTTP 401", denied=True), Outcasts(Clock()))
    assert not putting.was_long


def test_a_limit_on_the_length_of_bodies_costs_no_value_that_is_within_it() -> None:
    """Of somebody between us and the server, who answers 413."""
    stored: list[bytes] = []

    def post(lines: bytes) -> Answer:
        if len(lines) > 40:
            return Refused("HTTP 413: too large")
        stored.extend(lines.splitlines() if lines != PROBE else [])
        return Taken()

    putting = Putting(body(set(), 500) + b"m,device=a current=1.0,voltage=2.0,voltage_quality=3i 17\n")
    putting.go_on(post, Outcasts(Clock()))
    assert [one.line for one in putting.refused] == [b"m,device=a voltage=2.0,voltage_quality=3i 17\n"]
    assert (putting.done, len(set(stored)), len(stored)) == (True, 501, 501)
