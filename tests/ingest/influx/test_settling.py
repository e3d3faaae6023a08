"""How far the journal may let go, and whether the server still lives as when it acknowledged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingest.store.influx.lifetime import LATE_S, RETURNS, RETURNS_S, SILENT_LOOKS, Lifetime
from ingest.store.influx.settling import Settling


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 9)), max_size=60), st.floats(0, 20))
def test_nothing_younger_than_it_takes_to_settle_is_relied_upon(
    steps: list[tuple[float, int]], settled_s: float
) -> None:
    settling, reached = Settling(settled_s), list[tuple[float, int]]()
    now_s, position, relied = 0.0, 0, 0
    for after_s, more in steps:
        now_s, position = now_s + after_s, position + more
        settling.reach(position, now_s)
        reached.append((now_s, position))
        relied = settling.settled(relied, now_s)
        assert relied <= max((one for at_s, one in reached if now_s - at_s >= settled_s), default=0)
    assert settling.settled(relied, now_s + settled_s + 1) == position, "the newest is never left out"


def test_only_time_in_which_the_server_is_seen_living_settles() -> None:
    settling = Settling(5)
    settling.reach(7, 100)
    assert settling.settled(0, lived_s=104.9) == 0
    assert settling.settled(0, lived_s=105) == 7


def test_a_time_that_goes_back_relies_on_nothing_too_early() -> None:
    """What was thought to be lived was not."""
    settling = Settling(5)
    settling.reach(1, 3)
    settling.reach(2, 8)
    settling.reach(3, 4)
    assert [settling.settled(0, lived_s=at) for at in (7, 8)] == [0, 1]
    assert [settling.settled(1, lived_s=at) for at in (9, 12.9, 13)] == [1, 1, 3]


class Looked:
    """A server that says what it is told to, and a clock of one look a second."""

    def __init__(self, *lives: str | None) -> None:
        self._lives, self.now_s = list(lives), 0.0
        self.lifetime = Lifetime(lambda: self._lives.pop(0), lambda: self.now_s, look_s=1)

    def look(self, *, took: bool = True) -> bool:
        self.now_s += 1
        if took:
            self.lifetime.took()
        return self.lifetime.has_ended()


def test_a_server_that_started_anew_has_ended_its_life() -> None:
    looked = Looked("100", "100", None, "207", "207")
    assert [looked.look(took=False) for _ in range(5)] == [False, False, False, True, False]
    assert looked.lifetime.lived_s == 2, "the silence is not counted"


@pytest.mark.parametrize("silence", [None, ""])
def test_a_silent_server_is_not_seen_to_live(silence: str | None) -> None:
    """Nor one in whose place somebody else answers, such as a proxy with a page of its own."""
    looked = Looked("100", *[silence] * 4)
    for _ in range(5):
        looked.look(took=False)
    assert looked.lifetime.lived_s == 0


def test_what_nobody_saw_is_not_taken_for_lived() -> None:
    """It may have stood still all the while; and what was taken then has as long to settle as any."""
    looked = Looked("100", "100")
    looked.look()
    looked.now_s += 1000
    assert looked.lifetime.moment_s == 1 + LATE_S
    looked.look()
    assert looked.lifetime.lived_s == 1 + LATE_S


@pytest.mark.parametrize("first", [(), ("100",)])
@pytest.mark.parametrize("silence", [None, ""])
def test_a_server_that_takes_points_and_says_nothing_is_taken_at_its_word(
    first: tuple[str, ...], silence: str | None
) -> None:
    looked = Looked(*first, *[silence] * (SILENT_LOOKS + 2))
    for _ in range(len(first) + SILENT_LOOKS + 2):
        looked.look()
    assert looked.lifetime.lived_s >= 2


def test_a_server_that_does_not_say_is_taken_at_its_word() -> None:
    looked = Looked("", "")
    assert [looked.look(), looked.look(), looked.lifetime.lived_s] == [False, False, 1]


def test_points_that_were_taken_before_it_said_anything_may_be_of_another_life() -> None:
    looked = Looked(None, "207", "207")
    assert [looked.look() for _ in range(3)] == [False, True, False]


def test_two_servers_behind_one_address_are_not_written_to_again_and_again() -> None:
    looked = Looked(*["100", "207"] * 3)
    with capture_logs() as logs:
        assert not any([looked.look() for _ in range(9)][-4:])
    assert [one["event"] for one in logs] == ["store_has_several_servers"]


def test_a_server_that_starts_with_the_same_wrong_clock_each_time_is_one() -> None:
    """Its start looks like a former one, as often as it is switched on."""
    looked = Looked("37", "38", *["37", "38"] * RETURNS)
    with capture_logs() as logs:
        for _ in range(2 + 2 * RETURNS):
            begun = looked.look()
            looked.now_s += RETURNS_S / 2
    assert begun
    assert not logs


def test_after_a_failure_it_is_looked_at_once() -> None:
    looked = Looked("100", "207")
    looked.look()
    looked.lifetime.doubt()
    assert looked.lifetime.has_ended()
