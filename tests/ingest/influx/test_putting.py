"""Bodies with lines that a server refuses: those are found and named, all others are in the server."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingest.store.influx.putting import Put, RefusedLine, put
from ingest.store.influx.server import Answer, Later, Refused, Taken


class Picky:
    """A server that refuses bodies with a `bad` line. What it stores of the others in them is `rest`: `all`,
    as 1.x does, `none`, or `some`, as 1.x does at its limits on series."""

    def __init__(self, rest: str, *, dead_after: int = 10**9) -> None:
        self.stored: Counter[bytes] = Counter()
        self.posts = 0
        self._rest, self._dead_after = rest, dead_after

    def post(self, lines: bytes) -> Answer:
        self.posts += 1
        if self.posts > self._dead_after:
            return Later("gone")
        each = lines.splitlines(keepends=True)
        bad = [one for one in each if b"bad" in one]
        good = [one for one in each if b"bad" not in one]
        kept = {"all": good, "some": good[: len(good) // 2], "none": []}[self._rest] if bad else good
        self.stored.update(set(kept))
        return Refused(f"{len(bad)} bad") if bad else Taken()


def body(bad: set[int], lines: int) -> bytes:
    return b"".join(b"line-%d%s\n" % (n, b"-bad" if n in bad else b"") for n in range(lines))


@given(st.integers(1, 60), st.sets(st.integers(0, 59)), st.sampled_from(["all", "some", "none"]))
def test_every_good_line_is_stored_and_every_bad_one_named(n: int, bad: set[int], rest: str) -> None:
    server = Picky(rest)
    lines = body(bad, n)
    outcome = put(lines, server.post)
    assert isinstance(outcome, Put)
    each = lines.splitlines(keepends=True)
    assert set(server.stored) == {one for one in each if b"bad" not in one}
    assert [one.line for one in outcome.refused] == [one for one in each if b"bad" in one]
    assert all(one.why == "1 bad" for one in outcome.refused)


def test_a_body_without_fault_is_one_request() -> None:
    server = Picky("none")
    assert put(body(set(), 1_000), server.post) == Put()
    assert server.posts == 1


def test_a_body_of_nothing_but_refused_lines_costs_two_requests_a_line() -> None:
    server = Picky("none")
    outcome = put(body(set(range(400)) - {399}, 400), server.post)
    assert isinstance(outcome, Put)
    assert len(outcome.refused) == 399
    assert set(server.stored) == {b"line-399\n"}


@given(st.integers(0, 12))
def test_a_server_that_falls_silent_on_the_way_is_asked_again_later(dead_after: int) -> None:
    server = Picky("all", dead_after=dead_after)
    lines = body({3, 4, 9}, 12)
    assert put(lines, server.post) == Later("gone")
    again = put(lines, Picky("all").post)
    assert isinstance(again, Put)
    assert [one.line for one in again.refused] == [b"line-3-bad\n", b"line-4-bad\n", b"line-9-bad\n"]


def test_a_line_without_an_end_is_a_line() -> None:
    assert put(b"bad", Picky("none").post) == Put((RefusedLine(b"bad", "1 bad"),))


def test_of_a_line_only_the_value_that_is_refused_is_lost() -> None:
    """A smoke flag must not go with the voltage beside it."""
    server = Picky("none")
    outcome = put(b"m,device=a\\ b current=1.0,voltage=bad,smoke_alarm=1.0 17\n", server.post)
    assert outcome == Put((RefusedLine(b"m,device=a\\ b voltage=bad 17\n", "1 bad"),))
    assert set(server.stored) == {b"m,device=a\\ b current=1.0 17\n", b"m,device=a\\ b smoke_alarm=1.0 17\n"}
